// operations/toy_models.cc against one instance after another in double, its inputs drawn one by one.
#include "../operations/toy_models.h"

#include <algorithm>

#include "exact.h"
#include "suites.h"

namespace monosem::test {
namespace {

struct Shape {
  int64_t instances, features, hidden, batch;
  bool tied, biased, hidden_relu, output_relu, absolute;
};

Shape random_shape(Random& random) {
  return {random.between(1, 3), random.coin() ? random.between(1, 60) : random.between(500, 600),
          random.coin() ? random.between(1, 40) : random.between(49, 80),  // narrow and wide
          random.between(1, 220), random.coin(), random.coin(), random.coin(), random.coin(), random.coin()};
}

struct Moments {
  std::vector<float> parameter, m, v;

  Moments(Random& random, int64_t count, float deviation)
      : parameter(normals(random, count, deviation)), m(count, 0.0f), v(count, 0.0f) {}
  Trained trained() { return {parameter.data(), m.data(), v.data()}; }
};

// Rows by ascending feature.
struct Batch {
  std::vector<uint32_t> offsets{0}, indices;
  std::vector<float> values;

  void add(int64_t feature, float value) {
    indices.push_back(static_cast<uint32_t>(feature));
    values.push_back(value);
  }
  void end_row() { offsets.push_back(static_cast<uint32_t>(indices.size())); }
  SparseView view(int64_t columns) const {
    return {static_cast<int64_t>(offsets.size()) - 1, columns, offsets.data(), indices.data(), values.data()};
  }
};

Batch random_batch(Random& random, const Shape& s, double probability) {
  Batch batch;
  for (int64_t r = 0; r < s.batch; r++) {
    for (int64_t i = 0; i < s.features; i++)
      if (random.uniform() < probability) batch.add(i, random.normal());
    batch.end_row();
  }
  return batch;
}

uint32_t mixed(uint32_t x) {
  x = (x ^ x >> 16) * 0x85ebca6bu;
  x = (x ^ x >> 13) * 0xc2b2ae35u;
  return x ^ x >> 16;
}

// xoshiro128** as published.
uint32_t next(uint32_t s[4]) {
  const auto turn = [](uint32_t x, int by) { return x << by | x >> (32 - by); };
  const uint32_t result = turn(s[1] * 5, 7) * 9, shifted = s[1] << 9;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = turn(s[3], 11);
  return result;
}

// What DrawnRows of src/kernels/toyOperations.ts describes.
Batch drawn_batch(const Shape& s, const DrawnInputs& inputs, int64_t instance, uint32_t step) {
  constexpr int64_t kBlock = 96, kGenerators = 16;
  Batch batch;
  uint32_t state[kGenerators][4];
  for (int64_t r = 0; r < s.batch; r++) {
    if (r % kBlock == 0) {
      const uint32_t block = static_cast<uint32_t>(r / kBlock);
      for (uint32_t g = 0; g < kGenerators; g++)
        for (int w = 0; w < 4; w++)
          state[g][w] = mixed(mixed(mixed(inputs.keys[4 * instance + w] + step) + block) + g);
    }
    for (int64_t i = 0; i < (s.features + kGenerators - 1) / kGenerators * kGenerators; i++) {
      const double draw = next(state[i % kGenerators]) >> 1;
      if (i >= s.features) continue;
      const double fires = std::round(inputs.probabilities[instance * s.features + i] * 2147483648.0);
      if (draw < fires)
        batch.add(i, static_cast<float>(inputs.low + (inputs.high - inputs.low) * (draw + 0.5) / fires));
    }
    batch.end_row();
  }
  return batch;
}

struct Gradients {
  double loss = 0;
  std::vector<double> encoder, decoder, bias;  // [features, hidden], twice, and [features]
};

Gradients exact_gradients(const Shape& s, const float* importance, const float* encoder, const float* decoder,
                          const float* bias, const Batch& batch) {
  const int64_t n = s.features, m = s.hidden;
  Gradients g;
  g.encoder.assign(n * m, 0);
  g.decoder.assign(n * m, 0);
  g.bias.assign(n, 0);
  for (int64_t r = 0; r < s.batch; r++) {
    std::vector<double> x(n), h(m), back(m);
    for (uint32_t e = batch.offsets[r]; e < batch.offsets[r + 1]; e++) x[batch.indices[e]] = batch.values[e];
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < m; j++) h[j] += x[i] * encoder[i * m + j];
    if (s.hidden_relu)
      for (double& value : h) value = std::max(value, 0.0);
    for (int64_t i = 0; i < n; i++) {
      double z = bias ? bias[i] : 0;
      for (int64_t j = 0; j < m; j++) z += h[j] * decoder[i * m + j];
      const double error = (s.output_relu ? std::max(z, 0.0) : z) - (s.absolute ? std::abs(x[i]) : x[i]);
      const double weight = importance[i] / static_cast<double>(s.batch * n);
      g.loss += weight * error * error;
      const double gradient = s.output_relu && z <= 0 ? 0 : 2 * weight * error;
      g.bias[i] += gradient;
      for (int64_t j = 0; j < m; j++) {
        g.decoder[i * m + j] += gradient * h[j];
        back[j] += gradient * decoder[i * m + j];
      }
    }
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < m; j++) g.encoder[i * m + j] += s.hidden_relu && h[j] <= 0 ? 0 : x[i] * back[j];
  }
  if (s.tied)
    for (int64_t i = 0; i < n * m; i++) g.encoder[i] += g.decoder[i];
  return g;
}

// A step with beta1 = 0, after which the first moment is the gradient, and its Adam.
void one_step(Random& random, bool drawn) {
  const Shape s = random_shape(random);
  const int64_t weights = s.instances * s.features * s.hidden, outputs = s.instances * s.features;
  const float deviation = 1 / std::sqrt(static_cast<float>(s.hidden));
  const double probability = random.coin() ? 0.05 : 0.5;
  const Moments encoder(random, weights, deviation), decoder(random, weights, deviation),
      bias(random, outputs, 0.1f);
  std::vector<float> importance(outputs), probabilities(outputs);
  std::vector<uint32_t> keys(4 * s.instances);
  for (float& value : importance) value = static_cast<float>(random.uniform());
  for (float& value : probabilities) value = static_cast<float>(2 * probability * random.uniform());
  for (uint32_t& key : keys) key = static_cast<uint32_t>(random.bits());
  const DrawnInputs inputs{probabilities.data(), -0.5f, 1.5f, keys.data()};
  std::vector<Batch> batches;
  for (int64_t k = 0; k < s.instances; k++)
    batches.push_back(drawn ? drawn_batch(s, inputs, k, 3) : random_batch(random, s, probability));
  GivenInputs given;
  for (const Batch& batch : batches) given.push_back(batch.view(s.features));
  const double rate = 0.01;
  const ToySteps steps{3, 1, &rate, 0, 0.9, 1e-3, 0.3, 0.2};

  std::vector<double> losses(s.instances);
  const std::vector<float> found = for_any_threads([&] {
    Moments e = encoder, d = decoder, b = bias;
    const ToyModels models{s.instances,
                           s.features,
                           s.hidden,
                           s.batch,
                           s.hidden_relu,
                           s.output_relu,
                           s.absolute,
                           0,
                           importance.data(),
                           e.trained(),
                           s.tied ? Trained{} : d.trained(),
                           s.biased ? b.trained() : Trained{}};
    if (drawn) train_toy_models(models, inputs, steps, losses.data());
    else train_toy_models(models, given, steps, losses.data());
    std::vector<float> all = e.m;
    for (const auto* part : {&e.parameter, &d.m, &d.parameter, &b.m, &b.parameter})
      all.insert(all.end(), part->begin(), part->end());
    return all;
  });

  std::vector<double> expected_losses, expected(found.size()), scale(found.size());
  const AdamOptions adam{3, rate, 0, 0.9, 1e-3, 1};
  const auto write = [&](int64_t at, int64_t count, int64_t first, const Moments& from,
                         const std::vector<double>& gradient, double decay) {
    for (int64_t i = 0; i < count; i++) {
      const double start = static_cast<double>(from.parameter[first + i]) * (1 - rate * decay);
      expected[at + first + i] = gradient[i];
      const auto size = static_cast<int64_t>(from.parameter.size());
      expected[at + size + first + i] = ExactAdam(adam, start, gradient[i], 0, 0).parameter;
    }
  };
  // What a variant does not have stays as it was.
  std::copy(decoder.parameter.begin(), decoder.parameter.end(), expected.begin() + 3 * weights);
  std::copy(bias.parameter.begin(), bias.parameter.end(), expected.begin() + 4 * weights + outputs);
  for (int64_t k = 0; k < s.instances; k++) {
    const int64_t first = k * s.features * s.hidden, count = s.features * s.hidden;
    const float* in = encoder.parameter.data() + first;
    const Gradients g = exact_gradients(s, importance.data() + k * s.features, in,
                                        s.tied ? in : decoder.parameter.data() + first,
                                        s.biased ? bias.parameter.data() + k * s.features : nullptr, batches[k]);
    expected_losses.push_back(g.loss);
    write(0, count, first, encoder, g.encoder, steps.weight_decay);
    if (!s.tied) write(2 * weights, count, first, decoder, g.decoder, steps.weight_decay);
    if (s.biased) write(4 * weights, s.features, k * s.features, bias, g.bias, steps.bias_decay);
  }
  expect_near(found, expected, scale, 2e-6, "gradients and parameters");
  expect_near(losses, expected_losses, expected_losses, 1e-6, "losses");
}

void given_rows(Random& random) { one_step(random, false); }
void drawn_rows(Random& random) { one_step(random, true); }

}  // namespace

std::vector<Test> toy_models_tests() {
  return {{"toy models, given rows", 12, given_rows}, {"toy models, drawn rows", 12, drawn_rows}};
}

}  // namespace monosem::test
