#include <algorithm>
#include <cmath>
#include <vector>

#include "operations.h"
#include "../pool.h"

namespace monosem {

void attention(const DenseProduct& product, const float* q, const float* k, const float* v, int64_t batch,
               int64_t length, int64_t heads, int64_t head_width, float* out) {
  const int64_t width = heads * head_width;
  parallel_for(batch * heads, [&](int64_t task) {
    const int64_t at = task / heads * length * width + task % heads * head_width;
    product.attention_head(q + at, k + at, v + at, length, width, head_width,
                           scratch(attention_scratch(product, length, head_width)), out + at);
  });
}

void attention_step(const float* q, const float* k, const float* v, int64_t batch, int64_t capacity, int64_t length,
                    int64_t heads, int64_t head_width, float* out) {
  const Kernels& kernel = kernels();
  const int64_t width = heads * head_width;
  parallel_for(batch, [&](int64_t b) {
    kernel.attention_step(q + b * width, k + b * capacity * width, v + b * capacity * width, length, heads,
                          head_width, scratch(attention_step_scratch(length, heads)), out + b * width);
  });
}

void cross_entropy(const float* logits, int64_t rows, int64_t vocabulary, const int32_t* targets, float* out) {
  const Kernels& k = kernels();
  parallel_for(rows, [&](int64_t r) {
    const float* row = logits + r * vocabulary;
    const float top = k.max(row, vocabulary);
    const double sum = k.exp_sum(row, vocabulary, top, 1, nullptr);
    out[r] = static_cast<float>(std::log(sum) + (static_cast<double>(top) - row[targets[r]]));
  });
}

// KL(P || Q) = E_P[p - q] - log Z_p + log Z_q for logits p, q.
void kl_divergence(const float* p, const float* q, int64_t rows, int64_t vocabulary, float* out) {
  const Kernels& k = kernels();
  parallel_for(rows, [&](int64_t r) {
    const float* a = p + r * vocabulary;
    const float* b = q + r * vocabulary;
    const float top_a = k.max(a, vocabulary), top_b = k.max(b, vocabulary);
    const double sum_a = k.exp_sum(a, vocabulary, top_a, 1, nullptr);
    const double sum_b = k.exp_sum(b, vocabulary, top_b, 1, nullptr);
    const double difference = k.exp_weighted_difference(a, b, vocabulary, top_a) / sum_a;
    const double log_a = std::log(sum_a) + top_a, log_b = std::log(sum_b) + top_b;
    out[r] = static_cast<float>(std::max(0.0, difference - log_a + log_b));
  });
}

void sample(const float* logits, int64_t rows, int64_t vocabulary, float temperature, const float* uniforms,
            int32_t* out) {
  const Kernels& k = kernels();
  parallel_for(rows, [&](int64_t r) {
    const float* row = logits + r * vocabulary;
    const float top = k.max(row, vocabulary);
    if (temperature == 0) {
      out[r] = static_cast<int32_t>(std::find(row, row + vocabulary, top) - row);
      return;
    }
    std::vector<double> runs(ceil_div(vocabulary, kRun));
    double left = uniforms[r] * k.exp_sum(row, vocabulary, top, 1 / temperature, runs.data());
    int64_t run = 0;
    while (run + 1 < static_cast<int64_t>(runs.size()) && left >= runs[run]) left -= runs[run++];
    int64_t last = run * kRun;
    for (int64_t i = run * kRun; i < std::min(vocabulary, (run + 1) * kRun); i++) {
      const double weight = std::exp((static_cast<double>(row[i]) - top) / temperature);
      if (weight > 0) last = i;
      if ((left -= weight) < 0) break;
    }
    out[r] = static_cast<int32_t>(last);
  });
}

}  // namespace monosem
