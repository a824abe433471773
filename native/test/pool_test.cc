// The pool: every task once, failures reach the caller, tasks within tasks, and several callers at once.
#include <atomic>
#include <thread>

#include "../operations/operations.h"
#include "suites.h"

namespace monosem::test {
namespace {

void every_task_once(Random& random) {
  for (int count : {1, 2, 5}) {
    set_threads(count);
    const int64_t tasks = random.between(0, 300);
    std::vector<int> runs(tasks, 0);
    parallel_for(tasks, [&](int64_t task) { runs[task]++; });
    for (int64_t i = 0; i < tasks; i++) expect(runs[i] == 1, "task " + std::to_string(i) + " ran not once");
  }
}

void failure_reaches_the_caller(Random& random) {
  set_threads(5);
  const int64_t tasks = random.between(1, 50), bad = random.between(0, tasks - 1);
  bool caught = false;
  try {
    parallel_for(tasks, [&](int64_t task) {
      if (task == bad) throw std::runtime_error("bad");
    });
  } catch (const std::runtime_error&) {
    caught = true;
  }
  expect(caught, "the failure of a task was lost");
}

void tasks_within_tasks(Random& random) {
  set_threads(5);
  const int64_t outer = random.between(1, 12), inner = random.between(1, 12);
  std::vector<int> runs(outer * inner, 0);
  parallel_for(outer, [&](int64_t a) { parallel_for(inner, [&](int64_t b) { runs[a * inner + b]++; }); });
  for (int ran : runs) expect(ran == 1, "an inner task ran not once");
}

void together_each_on_one_thread(Random& random) {
  set_threads(3);
  const int64_t outer = random.between(0, 12), inner = random.between(1, 12);
  std::vector<int> runs(outer * inner, 0);
  std::atomic<bool> split{false};
  together(outer, [&](int64_t a) {
    const std::thread::id here = std::this_thread::get_id();
    parallel_for(inner, [&](int64_t b) {
      runs[a * inner + b]++;
      if (std::this_thread::get_id() != here) split = true;
    });
  });
  for (int ran : runs) expect(ran == 1, "an inner task ran not once");
  expect(outer < 2 || !split, "what was to be done by one thread alone was split");
  bool caught = false;
  try {
    together(2, [](int64_t) { throw std::runtime_error("bad"); });
  } catch (const std::runtime_error&) {
    caught = true;
  }
  expect(caught, "a failure was lost");
  std::atomic<int> after{0};
  parallel_for(40, [&](int64_t) { after++; });
  expect(after == 40, "tasks were lost after a failure");
}

// Each caller works on operands of its own and must get what it would get alone.
void several_callers(Random& random) {
  const int64_t rows = 300, width = 40, columns = 90;
  const std::vector<float> x = normals(random, rows * width), weight = normals(random, columns * width);
  const std::vector<float> bias(columns, 0.0f);
  const EncodeOperands operands{x.data(), rows, width, weight.data(), bias.data(), nullptr, columns};
  const auto run = [&](int64_t k) {
    const Sparse found = encode_top_k(operands, false, k);
    return std::vector<float>(found.values.begin(), found.values.end());
  };
  set_threads(1);
  const int callers = 4;
  std::vector<std::vector<float>> alone;
  for (int k = 1; k <= callers; k++) alone.push_back(run(k));
  set_threads(3);
  std::atomic<bool> same{true};
  std::vector<std::thread> threads;
  for (int k = 1; k <= callers; k++)
    threads.emplace_back([&, k] {
      for (int i = 0; i < 3; i++)
        if (!same_bytes(run(k), alone[k - 1])) same = false;
    });
  for (std::thread& thread : threads) thread.join();
  expect(same, "other bytes beside other callers");
}

}  // namespace

std::vector<Test> pool_tests() {
  return {{"pool: every task once", 20, every_task_once},
          {"pool: a failure reaches the caller", 20, failure_reaches_the_caller},
          {"pool: tasks within tasks", 20, tasks_within_tasks},
          {"pool: together, each on one thread", 20, together_each_on_one_thread},
          {"pool: several callers", 3, several_callers}};
}

}  // namespace monosem::test
