// One instance of the toy models: its parameters and their steps, and the two ways to train it.
#pragma once

#include <cmath>

#include "subnormals.h"
#include "toy_models.h"

namespace monosem {

class ToyParameters {
 public:
  ToyParameters(const ToyModels& models, const ToySteps& steps, int64_t instance)
      : models_(models), steps_(steps), first_(instance * models.features) {}

  bool tied() const { return !models_.decoder.parameter; }
  const float* encoder() const { return models_.encoder.parameter + first_ * models_.hidden; }
  const float* decoder() const { return tied() ? encoder() : models_.decoder.parameter + first_ * models_.hidden; }
  const float* bias() const { return models_.bias.parameter ? models_.bias.parameter + first_ : nullptr; }

  // What the squared error of each output is multiplied by in the loss, twice.
  std::vector<float> factors() const {
    std::vector<float> factors(models_.features);
    const double count = static_cast<double>(models_.batch) * static_cast<double>(models_.features);
    for (int64_t i = 0; i < models_.features; i++)
      factors[i] = static_cast<float>(2.0 * models_.importance[first_ + i] / count);
    return factors;
  }

  // Rows of weights, of gradients that lie `stride` apart. Step `at` of those asked for.
  void step_encoder(int64_t at, int64_t feature, int64_t count, const float* gradient, int64_t stride) const {
    step_rows(models_.encoder, at, feature, count, gradient, stride);
  }
  void step_decoder(int64_t at, int64_t feature, int64_t count, const float* gradient, int64_t stride) const {
    step_rows(models_.decoder, at, feature, count, gradient, stride);
  }

  void step_bias(int64_t at, const float* gradient) const {
    if (!models_.bias.parameter) return;
    const FlushSubnormals flush;
    float* bias = models_.bias.parameter + first_;
    kernels().scale_row(bias, static_cast<float>(1 - steps_.rates[at] * steps_.bias_decay), models_.features, bias);
    optimiser(at).step(models_.bias, first_, models_.features, gradient, 0);
  }

 private:
  Optimiser optimiser(int64_t at) const {
    return Optimiser(
        AdamOptions{steps_.first + at, steps_.rates[at], steps_.beta1, steps_.beta2, steps_.epsilon, 1});
  }

  void step_rows(const Trained& to, int64_t at, int64_t feature, int64_t count, const float* gradient,
                 int64_t stride) const {
    const FlushSubnormals flush;
    const int64_t m = models_.hidden, begin = (first_ + feature) * m;
    decay(to.parameter + begin, count, steps_.rates[at] * steps_.weight_decay);
    const Optimiser step = optimiser(at);
    if (stride == m) {
      step.step(to, begin, count * m, gradient, 0);
    } else {
      for (int64_t i = 0; i < count; i++) step.step(to, begin + i * m, m, gradient + i * stride, 0);
    }
  }

  void decay(float* rows, int64_t count, double shrink) const {
    const int64_t m = models_.hidden;
    if (shrink > 0) kernels().scale_row(rows, static_cast<float>(1 - shrink), count * m, rows);
    if (shrink >= 0) return;
    for (int64_t i = 0; i < count; i++, rows += m) {
      const double norm = std::sqrt(kernels().dot(rows, rows, m));
      if (norm > 0) kernels().scale_row(rows, static_cast<float>(1 + shrink * (1 - 1 / norm)), m, rows);
    }
  }

  const ToyModels& models_;
  const ToySteps& steps_;
  const int64_t first_;
};

// What kernels compare draws with, and make amplitudes of.
class Thresholds {
 public:
  Thresholds(const DrawnInputs& inputs, int64_t instance, int64_t features);

  // Names the stream of a block and gives it what is here.
  template <class Drawn>
  void give(const DrawnInputs& inputs, int64_t instance, int64_t step, int64_t block, Drawn& drawn) const {
    drawn.key = inputs.keys + 4 * instance;
    drawn.step = static_cast<uint32_t>(step);
    drawn.block = static_cast<uint32_t>(block);
    drawn.features = features_;
    drawn.last = last_.data();
    drawn.scale = scale_.data();
    drawn.offset = offset_.data();
  }

 private:
  int64_t features_;
  std::vector<int32_t> last_;
  std::vector<float> scale_, offset_;
};

// All steps of one instance, its losses `models.instances` apart. Wide: products of packed weights and packed rows, of the
// inputs that fire alone where these are few. Narrow: rows lie across lanes, nothing is packed, and a hidden layer that does
// not fill a vector wastes none of it; what does not fire costs as much as what does.
void train_wide(const ToyModels& models, const ToyInputs& inputs, const ToySteps& steps, int64_t instance,
                double* losses);
void train_narrow(const ToyModels& models, const ToyInputs& inputs, const ToySteps& steps, int64_t instance,
                  double* losses);

}  // namespace monosem
