// Slow exact versions that more than one suite needs.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "../operations/operations.h"

namespace monosem::test {

// One query over `length` keys and values that lie `stride` apart: out = softmax(q k^T / sqrt(head_width)) v.
template <class T>
void attend(const T* q, const T* k, const T* v, std::int64_t length, std::int64_t stride, std::int64_t head_width,
            double* out) {
  std::vector<double> weights(length);
  for (std::int64_t t = 0; t < length; t++) {
    for (std::int64_t d = 0; d < head_width; d++) weights[t] += static_cast<double>(q[d]) * k[t * stride + d];
    weights[t] /= std::sqrt(static_cast<double>(head_width));
  }
  const double top = *std::max_element(weights.begin(), weights.end());
  double total = 0;
  for (double& weight : weights) total += weight = std::exp(weight - top);
  for (std::int64_t d = 0; d < head_width; d++) {
    out[d] = 0;
    for (std::int64_t t = 0; t < length; t++) out[d] += weights[t] / total * v[t * stride + d];
  }
}

// One number stepped by Adam (Kingma and Ba 2015, algorithm 1).
struct ExactAdam {
  double parameter, m, v;

  ExactAdam(const AdamOptions& options, double p, double gradient, double first, double second) {
    const double g = options.gradient_scale * gradient, t = static_cast<double>(options.step);
    m = options.beta1 * first + (1 - options.beta1) * g;
    v = options.beta2 * second + (1 - options.beta2) * g * g;
    parameter = p - options.rate * (m / (1 - std::pow(options.beta1, t))) /
                        (std::sqrt(v / (1 - std::pow(options.beta2, t))) + options.epsilon);
  }
};

// One number stepped by signum, as the interface writes it down.
struct ExactSignum {
  double parameter, z;

  ExactSignum(const SignumOptions& o, double p, double gradient, double before) {
    const double average = (p - (1 - o.momentum) * before) / o.momentum, c = 1 / static_cast<double>(o.step);
    z = before - o.rate * ((gradient > 0) - (gradient < 0));
    parameter = (1 - o.momentum) * z + o.momentum * ((1 - c) * average + c * z);
  }
};

}  // namespace monosem::test
