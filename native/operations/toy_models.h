// Toy models of superposition, many at once and each on its own: steps of training from inputs to weights, by
// toy_models.cc. The formulas are those of src/kernels/toyOperations.ts.
#pragma once

#include <variant>
#include <vector>

#include "operations.h"

namespace monosem {

struct ToyModels {
  int64_t instances, features, hidden, batch;
  bool hidden_relu, output_relu;
  bool absolute;     // targets are magnitudes of the inputs
  int precision;     // of dense products: which of Kernels::dense
  const float* importance;  // [instances, features]
  Trained encoder;          // [instances, features, hidden]
  Trained decoder;          // the same, or null where it is the encoder
  Trained bias;             // [instances, features], or null where there is none
};

// Feature i fires with its probability, and then has an amplitude that is uniform from `low` to `high`.
struct DrawnInputs {
  const float* probabilities;  // [instances, features]
  float low, high;
  const uint32_t* keys;  // [instances, 4]
};

// Rows by ascending feature: one batch for all instances, or one for each.
using GivenInputs = std::vector<SparseView>;

using ToyInputs = std::variant<DrawnInputs, GivenInputs>;

struct ToySteps {
  int64_t first, count;  // the steps first .. first + count - 1, from 1
  const double* rates;   // of each of them
  double beta1, beta2, epsilon;
  double weight_decay;  // below 0: towards rows of norm 1
  double bias_decay;
};

// losses [steps, instances], each before its step.
void train_toy_models(const ToyModels& models, const ToyInputs& inputs, const ToySteps& steps, double* losses);

}  // namespace monosem
