#include <algorithm>
#include <numeric>

#include "../pool.h"
#include "toy_instance.h"

namespace monosem {
namespace {

// Fixed, so that partial sums are the same for any number of threads.
constexpr int64_t kUpdated = 64;    // features that are stepped together; whole runs of `kTall`
constexpr int64_t kTall = 8, kPair = 2;  // ColumnProducts has features and hidden units in whole runs of these
constexpr int64_t kDrawnTogether = 16;
// Blocks of rows in a stretch, over which products are summed before the next: what a tile of them reads stays in the nearest
// cache, and if need be fewer, so that a stretch lies in a core's own.
constexpr int64_t kCacheBytes = 5 << 18, kFewest = 2, kMost = 4;

// One instance, and the memory of its steps: of each block of a stretch inputs, outputs' gradients, hidden values, and the
// gradients of these, each [units, kToyRows].
class NarrowModel {
 public:
  NarrowModel(const ToyModels& models, const ToySteps& steps, int64_t instance)
      : models_(models),
        parameters_(models, steps, instance),
        n_(models.features),
        m_(models.hidden),
        blocks_(ceil_div(models.batch, kToyRows)),
        feature_step_(round_up(n_, kTall) * kToyRows),
        hidden_step_(round_up(m_, kPair) * kToyRows),
        stretch_(std::min(blocks_, std::clamp(kCacheBytes / (8 * feature_step_), kFewest, kMost))),
        inputs_(borrow<float>(stretch_ * feature_step_)),
        gradient_(borrow<float>(stretch_ * feature_step_)),
        hidden_(borrow<float>(stretch_ * hidden_step_)),
        hidden_gradient_(borrow<float>(stretch_ * hidden_step_)),
        encoder_sums_(borrow<float>(n_ * m_)),
        decoder_sums_(borrow<float>(parameters_.tied() ? 0 : n_ * m_)),
        factors_(parameters_.factors()),
        bias_sums_(blocks_ * n_),
        losses_(blocks_) {
    // What fills up runs is multiplied with the rest.
    std::fill_n(inputs_.get(), stretch_ * feature_step_, 0.0f);
    std::fill_n(gradient_.get(), stretch_ * feature_step_, 0.0f);
    std::fill_n(hidden_.get(), stretch_ * hidden_step_, 0.0f);
    std::fill_n(hidden_gradient_.get(), stretch_ * hidden_step_, 0.0f);
  }

  // `fill(block, inputs)` writes the inputs of a block's rows, zeros past the last.
  template <class Fill>
  double step(int64_t at, Fill fill) {
    for (int64_t first = 0; first < blocks_; first += stretch_) {
      const int64_t count = std::min(stretch_, blocks_ - first);
      parallel_for(count, [&](int64_t place) {
        fill(first + place, inputs_.get() + place * feature_step_);
        pass(first + place, place);
      });
      parallel_for(ceil_div(n_, kUpdated), [&](int64_t chunk) {
        sum_products(chunk * kUpdated, count, first > 0);
        if (first + count == blocks_) update(chunk * kUpdated, at);
      });
    }
    for (int64_t block = 1; block < blocks_; block++)
      for (int64_t i = 0; i < n_; i++) bias_sums_[i] += bias_sums_[block * n_ + i];
    parameters_.step_bias(at, bias_sums_.data());
    return std::accumulate(losses_.begin(), losses_.end(), 0.0) / 2;
  }

 private:
  // Forward and back, as far as the hidden layer's gradient; the block is the stretch's `place`th.
  void pass(int64_t block, int64_t place) {
    float *inputs = inputs_.get() + place * feature_step_, *gradient = gradient_.get() + place * feature_step_;
    float *hidden = hidden_.get() + place * hidden_step_, *back = hidden_gradient_.get() + place * hidden_step_;
    kernels().embed_columns(inputs, parameters_.encoder(), n_, m_, hidden);
    if (models_.hidden_relu)
      for (int64_t i = 0; i < m_ * kToyRows; i++) hidden[i] = std::max(hidden[i], 0.0f);
    OutputColumns outputs{};
    outputs.weight = parameters_.decoder();
    outputs.bias = parameters_.bias();
    outputs.factor = factors_.data();
    outputs.features = n_;
    outputs.hidden = m_;
    outputs.rows = std::min(kToyRows, models_.batch - block * kToyRows);
    outputs.hidden_values = hidden;
    outputs.inputs = inputs;
    outputs.gradient = gradient;
    outputs.sums = bias_sums_.data() + block * n_;
    losses_[block] = kernels().output_columns(outputs, models_.output_relu, models_.absolute);
    kernels().embed_columns(gradient, parameters_.decoder(), n_, m_, back);
    if (models_.hidden_relu)
      for (int64_t i = 0; i < m_ * kToyRows; i++) back[i] = hidden[i] > 0 ? back[i] : 0;
  }

  // The gradients of decoder rows are products of outputs' gradients and hidden values over the batch, those of encoder rows
  // products of inputs and hidden gradients.
  void sum_products(int64_t first, int64_t blocks, bool add) {
    const ColumnProduct decoder{gradient_.get(), hidden_.get()}, encoder{inputs_.get(), hidden_gradient_.get()};
    ColumnProducts products{{decoder, encoder}, 2, blocks, feature_step_, hidden_step_, first, last(first), m_, add,
                            encoder_sums_.get()};
    if (!parameters_.tied()) {
      products.count = 1;
      products.sums = decoder_sums_.get();
      kernels().column_products(products);
      products.terms[0] = encoder;
      products.sums = encoder_sums_.get();
    }
    kernels().column_products(products);
  }

  void update(int64_t first, int64_t at) {
    const int64_t count = last(first) - first;
    parameters_.step_encoder(at, first, count, encoder_sums_.get() + first * m_, m_);
    if (!parameters_.tied()) parameters_.step_decoder(at, first, count, decoder_sums_.get() + first * m_, m_);
  }

  int64_t last(int64_t first) const { return std::min(n_, first + kUpdated); }

  const ToyModels& models_;
  const ToyParameters parameters_;
  const int64_t n_, m_, blocks_, feature_step_, hidden_step_, stretch_;
  const Borrowed<float> inputs_, gradient_, hidden_, hidden_gradient_, encoder_sums_, decoder_sums_;
  const std::vector<float> factors_;
  std::vector<float> bias_sums_;
  std::vector<double> losses_;
};

void write_columns(const SparseView& view, int64_t first, int64_t count, float* columns) {
  std::fill_n(columns, view.columns * kToyRows, 0.0f);
  for (int64_t r = 0; r < count; r++)
    for (uint32_t e = view.offsets[first + r]; e < view.offsets[first + r + 1]; e++)
      columns[view.indices[e] * kToyRows + r] = view.values[e];
}

}  // namespace

void train_narrow(const ToyModels& models, const ToyInputs& inputs, const ToySteps& steps, int64_t instance,
                  double* losses) {
  NarrowModel model(models, steps, instance);
  const auto train = [&](auto fill) {
    for (int64_t at = 0; at < steps.count; at++) {
      losses[at * models.instances] = model.step(at, [&](int64_t block, float* columns) {
        fill(at, block, std::min(kToyRows, models.batch - block * kToyRows), columns);
      });
    }
  };
  if (const DrawnInputs* drawn = std::get_if<DrawnInputs>(&inputs)) {
    const Thresholds thresholds(*drawn, instance, models.features);
    train([&](int64_t at, int64_t block, int64_t count, float* columns) {
      DrawnColumns to{};
      thresholds.give(*drawn, instance, steps.first + at, block, to);
      to.rows = count;
      to.room = reinterpret_cast<uint32_t*>(scratch(kDrawnTogether * round_up(models.features, kDrawnTogether)));
      to.columns = columns;
      kernels().draw_columns(to);
    });
  } else {
    const GivenInputs& given = std::get<GivenInputs>(inputs);
    const SparseView& view = given[given.size() == 1 ? 0 : instance];
    train([&](int64_t, int64_t block, int64_t count, float* columns) {
      write_columns(view, block * kToyRows, count, columns);
    });
  }
}

}  // namespace monosem
