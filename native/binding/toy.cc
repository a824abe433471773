// What JavaScript calls to train toy models of superposition.
#include "codes.h"
#include "exports.h"
#include "../operations/toy_models.h"

namespace monosem {
namespace {

Trained adam_trained(Arguments& a, const std::string& name, int64_t n) {
  float* parameter = a.floats((name + ".parameter").c_str(), n);
  float* m = a.floats((name + ".m").c_str(), n);
  return {parameter, m, a.floats((name + ".v").c_str(), n)};
}

ToyModels toy_models(Arguments& a) {
  ToyModels models{};
  models.precision = a.flag("bf16");
  const int64_t instances = models.instances = a.count("instances", 1);
  const int64_t features = models.features = a.count("features", 1);
  models.hidden = a.count("hidden", 1);
  models.batch = a.count("batch", 1);
  if (static_cast<double>(models.batch + 96) * static_cast<double>(features + 16) > 4294967295.0)
    a.refuse("batch: with so many features it could have more than 2^32 entries");
  models.hidden_relu = a.flag("hiddenRelu");
  models.output_relu = a.flag("outputRelu");
  models.absolute = a.flag("magnitude");
  models.importance = a.floats("importance", instances * features);
  const int64_t weights = instances * features * models.hidden;
  models.encoder = adam_trained(a, "encoder", weights);
  if (a.flag("decoder")) models.decoder = adam_trained(a, "decoder", weights);
  if (a.flag("bias")) models.bias = adam_trained(a, "bias", instances * features);
  return models;
}

ToySteps toy_steps(Arguments& a) {
  ToySteps steps{};
  steps.first = a.count("firstStep", 1);
  steps.count = a.count("steps");
  steps.rates = a.doubles("rates", steps.count);
  steps.beta1 = a.number("beta1");
  steps.beta2 = a.number("beta2");
  steps.epsilon = a.number("epsilon");
  steps.weight_decay = a.number("weightDecay");
  steps.bias_decay = a.number("biasDecay");
  return steps;
}

ToyInputs toy_inputs(Arguments& a, const ToyModels& models) {
  if (a.flag("drawn")) {
    DrawnInputs drawn{};
    drawn.probabilities = a.floats("probabilities", models.instances * models.features);
    for (int64_t i = 0; i < models.instances * models.features; i++) {
      if (!(drawn.probabilities[i] >= 0 && drawn.probabilities[i] <= 1))
        a.refuse("probabilities: not all are from 0 to 1");
    }
    drawn.low = static_cast<float>(a.number("low"));
    drawn.high = static_cast<float>(a.number("high"));
    drawn.keys = a.uints("keys", 4 * models.instances);
    return drawn;
  }
  GivenInputs given;
  const int64_t batches = a.count("rows", 1);
  if (batches != 1 && batches != models.instances)
    a.refuse("rows: " + std::to_string(batches) + " batches, but there must be one, or one for each instance");
  for (int64_t i = 0; i < batches; i++) {
    const SparseView& view = given.emplace_back(sparse_rows(a, models.features));
    if (view.rows != models.batch)
      a.refuse("rows: " + std::to_string(view.rows) + " rows, but the batch is " + std::to_string(models.batch));
    for (int64_t r = 0; r < view.rows; r++) {
      for (uint32_t e = view.offsets[r] + 1; e < view.offsets[r + 1]; e++) {
        if (view.indices[e - 1] >= view.indices[e]) a.refuse("rows: columns must ascend in each row");
      }
    }
  }
  return given;
}

Napi::Value StepToyModels(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const ToyModels models = toy_models(a);
  const ToySteps steps = toy_steps(a);
  double* losses = a.doubles("losses", steps.count * models.instances);
  const ToyInputs inputs = toy_inputs(a, models);
  return in_background(info, [=] { train_toy_models(models, inputs, steps, losses); });
}

}  // namespace

void export_toy(Napi::Env env, Napi::Object exports) {
  exports["stepToyModels"] = Napi::Function::New(env, StepToyModels, "stepToyModels");
}

}  // namespace monosem
