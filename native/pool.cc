#include "pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <thread>

namespace monosem {
namespace {

struct Job {
  const std::function<void(std::int64_t)>* task;
  std::int64_t count;
  std::int64_t next = 0;
  std::int64_t done = 0;
  std::atomic<bool> complete{false};
  std::exception_ptr failure;
  std::condition_variable finished;
};

// Waits without sleeping for a moment: operations on small arrays follow each other faster than the system wakes a
// thread up.
template <class Ready>
void spin_until(Ready ready) {
  constexpr int kRounds = 2000;
  for (int i = 0; i < kRounds && !ready(); i++) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
}

// Never destroyed: its threads may still wait in it while the process goes down.
struct Pool {
  std::mutex mutex;
  std::condition_variable work;
  std::deque<Job*> jobs;
  int limit = std::max(1u, std::thread::hardware_concurrency());
  int started = 0;
  int busy = 0;
  std::atomic<bool> has_jobs{false};

  // Takes one task of the job, runs it, and tells the caller when it was the last. Called with the lock held.
  void run_one(Job* job, std::unique_lock<std::mutex>& lock) {
    const std::int64_t index = job->next++;
    if (job->next == job->count) {
      jobs.erase(std::find(jobs.begin(), jobs.end(), job));
      has_jobs = !jobs.empty();
    }
    lock.unlock();
    std::exception_ptr failure;
    try {
      (*job->task)(index);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure) job->failure = failure;
    if (++job->done == job->count) {
      job->complete = true;
      job->finished.notify_all();
    }
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      lock.unlock();
      spin_until([&] { return has_jobs.load(std::memory_order_relaxed); });
      lock.lock();
      work.wait(lock, [&] { return !jobs.empty() && busy < limit - 1; });
      busy++;
      while (!jobs.empty() && busy <= limit - 1) {
        Job* job = jobs.front();
        run_one(job, lock);
      }
      busy--;
    }
  }
};

Pool& pool() {
  static Pool* const instance = new Pool;
  return *instance;
}

}  // namespace

void set_threads(int count) {
  Pool& p = pool();
  std::lock_guard<std::mutex> lock(p.mutex);
  p.limit = std::max(1, count);
}

int threads() {
  Pool& p = pool();
  std::lock_guard<std::mutex> lock(p.mutex);
  return p.limit;
}

void parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& task) {
  if (count <= 0) return;
  Pool& p = pool();
  std::unique_lock<std::mutex> lock(p.mutex);
  if (count == 1 || p.limit == 1) {
    lock.unlock();
    for (std::int64_t i = 0; i < count; i++) task(i);
    return;
  }
  for (; p.started < p.limit - 1; p.started++) std::thread([&p] { p.serve(); }).detach();
  Job job{};
  job.task = &task;
  job.count = count;
  p.jobs.push_back(&job);
  p.has_jobs = true;
  p.work.notify_all();
  while (job.next < job.count) p.run_one(&job, lock);
  lock.unlock();
  spin_until([&] { return job.complete.load(std::memory_order_relaxed); });
  lock.lock();
  job.finished.wait(lock, [&] { return job.done == job.count; });
  if (job.failure) std::rethrow_exception(job.failure);
}

float* scratch(std::int64_t floats) {
  struct Buffer {
    float* data = nullptr;
    std::int64_t size = 0;
    ~Buffer() { std::free(data); }
  };
  thread_local Buffer buffer;
  if (floats > buffer.size) {
    std::free(buffer.data);
    const std::size_t bytes = (static_cast<std::size_t>(floats) * sizeof(float) + 63) / 64 * 64;
    buffer.data = static_cast<float*>(std::aligned_alloc(64, bytes));
    if (!buffer.data) {
      buffer.size = 0;
      throw std::bad_alloc();
    }
    buffer.size = floats;
  }
  return buffer.data;
}

}  // namespace monosem
