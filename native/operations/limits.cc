// What the benchmark measures this machine's limits with: nothing else calls it.
#include <vector>

#include "../pool.h"
#include "operations.h"

namespace monosem {

// Tasks are short beside the whole, so that the last threads to finish wait for little.
double run_peak(double (*peak)(int64_t rounds), int64_t tasks) {
  constexpr int64_t kRounds = 50000;
  std::vector<double> done(tasks);
  parallel_for(tasks, [&](int64_t task) { done[task] = peak(kRounds); });
  double total = 0;
  for (double one : done) total += one;
  return total;
}

double read_all(const float* x, int64_t n) {
  constexpr int64_t kElements = 1 << 18;
  std::vector<double> sums(ceil_div(n, kElements));
  parallel_for(static_cast<int64_t>(sums.size()), [&](int64_t task) {
    const int64_t first = task * kElements, count = n - first < kElements ? n - first : kElements;
    sums[task] = kernels().dot(x + first, x + first, count);
  });
  double total = 0;
  for (double one : sums) total += one;
  return total;
}

}  // namespace monosem
