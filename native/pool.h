// Threads that persist and take numbered tasks. A task's result may not depend on who runs it or when: that is
// what makes every operation give the same bytes for any number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace monosem {

// The number of threads that work at once, the caller's included. Takes effect for the tasks that follow.
void set_threads(int threads);
int threads();

// Runs task(0) .. task(count - 1), the caller helping, and returns when all are done. Several callers may be in
// here at once: they share the threads.
void parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& task);

// The same, each task by one thread alone, unless there is but one: what it runs in parallel is not split.
void together(std::int64_t count, const std::function<void(std::int64_t)>& task);

// At least `floats` floats that only this thread uses, until its next call.
float* scratch(std::int64_t floats);

}  // namespace monosem
