// operations/softmax.cc against softmax in double.
#include <algorithm>

#include "../operations/operations.h"
#include "exact.h"
#include "suites.h"

namespace monosem::test {
namespace {

void causal_attention(Random& random) {
  const int64_t batch = random.between(1, 3), length = random.between(1, 90), heads = random.between(1, 3);
  const int64_t head_width = 2 * random.between(1, 26), width = heads * head_width, n = batch * length * width;
  const std::vector<float> q = normals(random, n), k = normals(random, n), v = normals(random, n);
  const DenseProduct& product = kernels().dense[random.coin()];
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(n);
    attention(product, q.data(), k.data(), v.data(), batch, length, heads, head_width, out.data());
    return out;
  });
  std::vector<double> expected(n);
  for (int64_t b = 0; b < batch; b++) {
    for (int64_t t = 0; t < length; t++) {
      for (int64_t h = 0; h < heads; h++) {
        const int64_t first = b * length * width + h * head_width, at = first + t * width;
        attend(q.data() + at, k.data() + first, v.data() + first, t + 1, width, head_width, expected.data() + at);
      }
    }
  }
  expect_near(found, expected, std::vector<double>(n, 3), product.bytes == 2 ? 0x1p-6 : 1e-5, "attention");
}

void one_step(Random& random) {
  const int64_t batch = random.between(1, 5), capacity = random.between(1, 90), length = random.between(1, capacity);
  const int64_t heads = random.between(1, 4), head_width = 2 * random.between(1, 26), width = heads * head_width;
  const std::vector<float> q = normals(random, batch * width), k = normals(random, batch * capacity * width),
                           v = normals(random, batch * capacity * width);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(batch * width);
    attention_step(q.data(), k.data(), v.data(), batch, capacity, length, heads, head_width, out.data());
    return out;
  });
  std::vector<double> expected(batch * width);
  for (int64_t b = 0; b < batch; b++) {
    for (int64_t h = 0; h < heads; h++) {
      const int64_t at = b * width + h * head_width, first = b * capacity * width + h * head_width;
      attend(q.data() + at, k.data() + first, v.data() + first, length, width, head_width, expected.data() + at);
    }
  }
  expect_near(found, expected, std::vector<double>(expected.size(), 3), 1e-5, "attention_step");
}

double log_sum(const float* logits, int64_t n) {
  const double top = *std::max_element(logits, logits + n);
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += std::exp(logits[i] - top);
  return top + std::log(sum);
}

void losses(Random& random) {
  const int64_t rows = random.between(1, 20), vocabulary = random.between(1, 2500);
  const std::vector<float> p = normals(random, rows * vocabulary, 4), q = normals(random, rows * vocabulary, 4);
  std::vector<int32_t> targets(rows);
  for (int32_t& target : targets) target = static_cast<int32_t>(random.between(0, vocabulary - 1));
  const std::vector<float> entropies = for_any_threads([&] {
    std::vector<float> out(rows);
    cross_entropy(p.data(), rows, vocabulary, targets.data(), out.data());
    return out;
  });
  const std::vector<float> divergences = for_any_threads([&] {
    std::vector<float> out(rows);
    kl_divergence(p.data(), q.data(), rows, vocabulary, out.data());
    return out;
  });
  std::vector<double> entropy(rows), divergence(rows);
  for (int64_t r = 0; r < rows; r++) {
    const float *a = p.data() + r * vocabulary, *b = q.data() + r * vocabulary;
    const double log_a = log_sum(a, vocabulary), log_b = log_sum(b, vocabulary);
    entropy[r] = log_a - a[targets[r]];
    for (int64_t i = 0; i < vocabulary; i++)
      divergence[r] += std::exp(a[i] - log_a) * ((a[i] - log_a) - (b[i] - log_b));
  }
  expect_near(entropies, entropy, entropy, 1e-5, "cross_entropy");
  expect_near(divergences, divergence, divergence, 1e-5, "kl_divergence");
}

// The token drawn is one whose stretch of the cumulative sum holds the uniform number, but for rounding.
void draws(Random& random) {
  const int64_t rows = random.between(1, 20), vocabulary = random.between(1, 2500);
  const float temperature = random.coin() ? 0.0f : static_cast<float>(0.3 + random.uniform());
  const std::vector<float> logits = random.coin() ? normals(random, rows * vocabulary, 3)
                                                  : whole_numbers(random, rows * vocabulary, 3);
  std::vector<float> uniforms(rows);
  for (float& uniform : uniforms) uniform = static_cast<float>(random.uniform() * 0.999);
  const std::vector<int32_t> found = for_any_threads([&] {
    std::vector<int32_t> out(rows);
    sample(logits.data(), rows, vocabulary, temperature, uniforms.data(), out.data());
    return out;
  });
  for (int64_t r = 0; r < rows; r++) {
    const float* row = logits.data() + r * vocabulary;
    const int32_t token = found[r];
    expect(token >= 0 && token < vocabulary, "sample: token " + std::to_string(token));
    if (temperature == 0) {
      expect(token == std::max_element(row, row + vocabulary) - row, "sample: not the first of the largest");
      continue;
    }
    std::vector<double> weights(vocabulary);
    double total = 0, before = 0;
    for (int64_t i = 0; i < vocabulary; i++) total += weights[i] = std::exp(row[i] / temperature);
    for (int64_t i = 0; i < token; i++) before += weights[i];
    const double low = before / total, high = (before + weights[token]) / total;
    expect(low - 1e-5 <= uniforms[r] && uniforms[r] <= high + 1e-5, "sample: outside of the token's stretch");
  }
}

}  // namespace

std::vector<Test> softmax_tests() {
  return {{"softmax: attention", 20, causal_attention},
          {"softmax: attention_step", 20, one_step},
          {"softmax: cross_entropy and kl_divergence", 15, losses},
          {"softmax: sample", 20, draws}};
}

}  // namespace monosem::test
