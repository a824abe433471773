#include "pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
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
  // Taken without a lock: tasks may be as short as handing over a lock.
  std::atomic<std::int64_t> next{0};
  // Threads beside the caller's that may touch this; changed with the lock held.
  std::atomic<int> helpers{0};
  std::exception_ptr failure;
  std::condition_variable left;
};

// Waits without sleeping for a moment: operations on small arrays follow each other faster than the system wakes a
// thread up, and than JavaScript asks for the next.
template <class Ready>
void spin_until(Ready ready) {
  constexpr std::chrono::microseconds kMoment(150);
  constexpr int kRounds = 64;  // between two looks at the clock
  const auto end = std::chrono::steady_clock::now() + kMoment;
  do {
    for (int i = 0; i < kRounds; i++) {
      if (ready()) return;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#elif defined(__aarch64__)
      asm volatile("yield");
#endif
    }
  } while (std::chrono::steady_clock::now() < end);
}

// Whoever holds the lock lets go of it at once, long before a thread that slept for it would be up again.
void lock_soon(std::unique_lock<std::mutex>& lock) {
  bool held = false;
  spin_until([&] { return held = lock.try_lock(); });
  if (!held) lock.lock();
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

  // Runs tasks of the job until all are taken.
  void take_tasks(Job& job) {
    for (std::int64_t index; (index = job.next.fetch_add(1, std::memory_order_relaxed)) < job.count;) {
      try {
        (*job.task)(index);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex);
        job.failure = std::current_exception();
      }
    }
  }

  // Nobody else comes to help. Called with the lock held.
  void withdraw(Job& job) {
    const auto at = std::find(jobs.begin(), jobs.end(), &job);
    if (at != jobs.end()) jobs.erase(at);
    has_jobs = !jobs.empty();
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      lock.unlock();
      spin_until([&] { return has_jobs.load(std::memory_order_relaxed); });
      lock_soon(lock);
      work.wait(lock, [&] { return !jobs.empty() && busy < limit - 1; });
      busy++;
      while (!jobs.empty() && busy <= limit - 1) {
        Job& job = *jobs.front();
        job.helpers++;
        lock.unlock();
        take_tasks(job);
        lock_soon(lock);
        withdraw(job);
        job.helpers--;
        job.left.notify_all();
      }
      busy--;
    }
  }
};

// Whether what this thread runs in parallel is not split.
thread_local bool alone = false;

struct Alone {
  Alone() { alone = true; }
  ~Alone() { alone = false; }
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
  if (alone) {
    for (std::int64_t i = 0; i < count; i++) task(i);
    return;
  }
  Pool& p = pool();
  std::unique_lock<std::mutex> lock(p.mutex, std::defer_lock);
  lock_soon(lock);
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
  lock.unlock();
  p.take_tasks(job);
  lock_soon(lock);
  p.withdraw(job);
  lock.unlock();
  spin_until([&] { return job.helpers.load(std::memory_order_relaxed) == 0; });
  lock_soon(lock);
  job.left.wait(lock, [&] { return job.helpers == 0; });
  if (job.failure) std::rethrow_exception(job.failure);
}

void together(std::int64_t count, const std::function<void(std::int64_t)>& task) {
  if (count <= 1) return parallel_for(count, task);
  parallel_for(count, [&](std::int64_t i) {
    const Alone scope;
    task(i);
  });
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
