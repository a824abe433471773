// operations/unembed.cc against softmax in double.
#include <algorithm>

#include "../operations/operations.h"
#include "suites.h"

namespace monosem::test {
namespace {

// Logits of random rows, in double. Whole numbers are exact in bfloat16 too, and often equal.
struct Problem {
  int64_t rows, inputs, outputs;
  bool whole;
  const DenseProduct& product;
  std::vector<float> x, other, weight;
  std::vector<int32_t> targets;
  std::vector<char> packed;

  explicit Problem(Random& random)
      : rows(random.between(1, 60)),
        inputs(random.between(1, 40)),
        outputs(random.between(1, 700)),
        whole(random.coin()),
        product(kernels().dense[whole && random.coin()]),
        x(numbers(random, rows * inputs)),
        other(numbers(random, rows * inputs)),
        weight(numbers(random, outputs * inputs)),
        targets(rows),
        packed(packed_bytes(product, outputs, inputs)) {
    for (int32_t& target : targets) target = static_cast<int32_t>(random.between(0, outputs - 1));
    pack(product, weight.data(), outputs, inputs, packed.data());
  }

  std::vector<float> numbers(Random& random, int64_t count) const {
    return whole ? whole_numbers(random, count, 1) : normals(random, count);
  }

  Unembedding unembedding() const { return {&product, packed.data(), outputs, inputs}; }

  std::vector<double> logits(const std::vector<float>& from, int64_t row) const {
    std::vector<double> out(outputs);
    for (int64_t o = 0; o < outputs; o++)
      for (int64_t i = 0; i < inputs; i++)
        out[o] += static_cast<double>(from[row * inputs + i]) * weight[o * inputs + i];
    return out;
  }
};

double log_sum(const std::vector<double>& logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (double logit : logits) sum += std::exp(logit - top);
  return top + std::log(sum);
}

void losses(Random& random) {
  const Problem problem(random);
  const int64_t rows = problem.rows;
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(3 * rows);
    cross_entropy(problem.unembedding(), problem.x.data(), rows, problem.targets.data(), out.data());
    divergence(problem.unembedding(), problem.x.data(), problem.other.data(), rows, problem.targets.data(),
               out.data() + rows, out.data() + 2 * rows);
    return out;
  });
  std::vector<double> expected(3 * rows), scale(3 * rows);
  for (int64_t r = 0; r < rows; r++) {
    const std::vector<double> p = problem.logits(problem.x, r), q = problem.logits(problem.other, r);
    const double log_p = log_sum(p), log_q = log_sum(q);
    expected[r] = log_p - p[problem.targets[r]];
    for (int64_t i = 0; i < problem.outputs; i++)
      expected[rows + r] += std::exp(p[i] - log_p) * ((p[i] - log_p) - (q[i] - log_q));
    expected[2 * rows + r] = log_q - q[problem.targets[r]];
    for (int64_t i = 0; i < 3; i++) scale[i * rows + r] = std::abs(log_p) + std::abs(log_q) + expected[i * rows + r];
  }
  expect_near(found, expected, scale, 1e-5, "losses");
}

// The token drawn is one whose stretch of the cumulative sum holds the uniform number, but for rounding.
void draws(Random& random) {
  const Problem problem(random);
  const float temperature = random.coin() ? 0.0f : static_cast<float>(0.3 + random.uniform());
  std::vector<float> uniforms(problem.rows);
  for (float& uniform : uniforms) uniform = static_cast<float>(random.uniform() * 0.999);
  const std::vector<int32_t> found = for_any_threads([&] {
    std::vector<int32_t> out(problem.rows);
    sample(problem.unembedding(), problem.x.data(), problem.rows, temperature, uniforms.data(), out.data());
    return out;
  });
  for (int64_t r = 0; r < problem.rows; r++) {
    const std::vector<double> logits = problem.logits(problem.x, r);
    const double top = *std::max_element(logits.begin(), logits.end());
    const int32_t token = found[r];
    expect(token >= 0 && token < problem.outputs, "sample: token " + std::to_string(token));
    if (temperature == 0) {
      expect(logits[token] >= top - 1e-4, "sample: not the largest");
      if (problem.whole)
        expect(token == std::find(logits.begin(), logits.end(), top) - logits.begin(), "sample: not the first");
      continue;
    }
    double total = 0, before = 0, own = 0;
    for (int64_t i = 0; i < problem.outputs; i++) {
      const double weight = std::exp((logits[i] - top) / temperature);
      if (i < token) before += weight;
      if (i == token) own = weight;
      total += weight;
    }
    expect(before / total - 1e-4 <= uniforms[r] && uniforms[r] <= (before + own) / total + 1e-4,
           "sample: outside of the token's stretch");
  }
}

}  // namespace

std::vector<Test> unembed_tests() {
  return {{"unembed: cross_entropy and divergence", 20, losses}, {"unembed: sample", 30, draws}};
}

}  // namespace monosem::test
