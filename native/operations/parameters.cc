#include <algorithm>
#include <cmath>
#include <vector>

#include "operations.h"
#include "subnormals.h"
#include "../pool.h"

namespace monosem {
namespace {

// Fixed, so that partial sums are the same for any number of threads.
constexpr int64_t kRows = 256;
constexpr int64_t kElements = 16384;

template <class Body>
void over_rows(int64_t rows, Body body) {
  parallel_for(ceil_div(rows, kRows), [&](int64_t task) {
    for (int64_t r = task * kRows; r < std::min(rows, (task + 1) * kRows); r++) body(r);
  });
}

}  // namespace

void center(const float* x, const float* middle, int64_t rows, int64_t width, float scale, float* out) {
  over_rows(rows, [&](int64_t r) { kernels().center_row(x + r * width, middle, scale, width, out + r * width); });
}

double shift(const float* x, float scale, const float* middle, int64_t rows, int64_t width, float* out, double* sums) {
  constexpr int64_t kShifted = 32;
  const int64_t tasks = ceil_div(rows, kShifted);
  std::vector<float> partial_sums(tasks * width, 0.0f);
  std::vector<double> partial(tasks, 0.0);
  parallel_for(tasks, [&](int64_t task) {
    for (int64_t r = task * kShifted; r < std::min(rows, (task + 1) * kShifted); r++) {
      partial[task] += kernels().shift_row(x + r * width, scale, middle, width, out + r * width,
                                           partial_sums.data() + task * width);
    }
  });
  std::fill(sums, sums + width, 0.0);
  double squares = 0;
  for (int64_t task = 0; task < tasks; task++) {
    squares += partial[task];
    for (int64_t i = 0; i < width; i++) sums[i] += partial_sums[task * width + i];
  }
  return squares;
}

void residual(const float* a, const float* b, int64_t rows, int64_t width, float scale, float* out,
              float* squares) {
  over_rows(rows, [&](int64_t r) {
    squares[r] = kernels().residual_row(a + r * width, b + r * width, scale, width, out + r * width);
  });
}

void column_sum(const float* m, int64_t rows, int64_t width, double* out) {
  const int64_t tasks = ceil_div(rows, kRows);
  std::vector<double> partial(tasks * width, 0.0);
  parallel_for(tasks, [&](int64_t task) {
    double* sum = partial.data() + task * width;
    for (int64_t r = task * kRows; r < std::min(rows, (task + 1) * kRows); r++) {
      for (int64_t i = 0; i < width; i++) sum[i] += m[r * width + i];
    }
  });
  std::fill(out, out + width, 0.0);
  for (int64_t task = 0; task < tasks; task++)
    for (int64_t i = 0; i < width; i++) out[i] += partial[task * width + i];
}

double sum_of_squares(const float* x, int64_t n) {
  const int64_t tasks = ceil_div(n, kElements);
  std::vector<double> partial(tasks);
  parallel_for(tasks, [&](int64_t task) {
    double sum = 0;
    for (int64_t i = task * kElements; i < std::min(n, (task + 1) * kElements); i += kRun) {
      const int64_t count = std::min({kRun, n - i, (task + 1) * kElements - i});
      sum += kernels().dot(x + i, x + i, count);
    }
    partial[task] = sum;
  });
  double total = 0;
  for (double part : partial) total += part;
  return total;
}

void unit_rows(float* weight, int64_t rows, int64_t width) {
  const Kernels& k = kernels();
  over_rows(rows, [&](int64_t r) {
    float* w = weight + r * width;
    const float square = k.dot(w, w, width);
    if (square > 0) k.scale_row(w, 1 / std::sqrt(square), width, w);
  });
}

namespace {

AdamStep step_of(const AdamOptions& o) {
  const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(o.step));
  const double correction2 = 1 - std::pow(o.beta2, static_cast<double>(o.step));
  return {static_cast<float>(o.rate / correction1), static_cast<float>(o.beta1),   static_cast<float>(o.beta2),
          static_cast<float>(1 / correction2),      static_cast<float>(o.epsilon), static_cast<float>(o.gradient_scale)};
}

SignumStep step_of(const SignumOptions& o) {
  return {static_cast<float>(o.rate), static_cast<float>(o.momentum),
          static_cast<float>(1 / static_cast<double>(o.step))};
}

}  // namespace

Optimiser::Optimiser(const OptimiserOptions& options)
    : step_(std::visit([](const auto& o) -> std::variant<AdamStep, SignumStep> { return step_of(o); }, options)) {}

float Optimiser::step(const Trained& to, int64_t at, int64_t n, const float* gradient, float along) const {
  if (const AdamStep* adam = std::get_if<AdamStep>(&step_))
    return kernels().adam(*adam, gradient, along, n, to.parameter + at, to.m + at, to.v + at);
  return kernels().signum(std::get<SignumStep>(step_), gradient, along, n, to.parameter + at, to.m + at);
}

void step_array(const OptimiserOptions& options, const float* gradient, int64_t n, const Trained& to) {
  const Optimiser optimiser(options);
  parallel_for(ceil_div(n, kElements), [&](int64_t task) {
    const FlushSubnormals flush;
    const int64_t at = task * kElements;
    optimiser.step(to, at, std::min(kElements, n - at), gradient + at, 0);
  });
}

}  // namespace monosem
