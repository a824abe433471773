#include "toy_instance.h"

#include "../pool.h"

namespace monosem {
namespace {

constexpr double kDraws = 2147483648.0;
constexpr int64_t kVector = 16;  // features that are drawn together
// The widest hidden layer of a narrow model, by precision: measured at 5 to 1,000 features, of which 1 to 30 % fire. Products
// of tiles in bfloat16 overtake sooner.
constexpr int64_t kNarrow[] = {48, 24};

}  // namespace

Thresholds::Thresholds(const DrawnInputs& inputs, int64_t instance, int64_t features)
    : features_(features), last_(round_up(features, kVector), -1), scale_(last_.size(), 0), offset_(last_.size(), 0) {
  for (int64_t i = 0; i < features; i++) {
    const double fires = std::round(inputs.probabilities[instance * features + i] * kDraws);
    const double scale = fires > 0 ? (static_cast<double>(inputs.high) - inputs.low) / fires : 0;
    last_[i] = static_cast<int32_t>(fires - 1);
    scale_[i] = static_cast<float>(scale);
    offset_[i] = static_cast<float>(inputs.low + scale / 2);
  }
}

// Instances share nothing, so each goes its own way through all steps; threads that find none left help with the parts
// of those that are under way.
void train_toy_models(const ToyModels& models, const ToyInputs& inputs, const ToySteps& steps, double* losses) {
  parallel_for(models.instances, [&](int64_t instance) {
    (models.hidden <= kNarrow[models.precision] ? train_narrow : train_wide)(models, inputs, steps, instance, losses + instance);
  });
}

}  // namespace monosem
