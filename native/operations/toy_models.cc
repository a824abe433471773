#include "toy_models.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "subnormals.h"
#include "../pool.h"

namespace monosem {
namespace {

// Fixed, so that partial sums are the same for any number of threads. Rows are whole strips of every set.
constexpr int64_t kRows = 96;       // of a batch that are drawn and passed through the model together
constexpr int64_t kColumns = 512;   // features whose outputs are made together
constexpr int64_t kUpdated = 256;   // features that are stepped together
constexpr int64_t kVector = 16;     // rows that are summed are padded to whole vectors of every set
constexpr double kDraws = 2147483648.0;

int64_t floats(int64_t bytes) { return round_up(ceil_div(bytes, 4), 16); }

// What draw_rows compares with, and makes amplitudes of.
class Thresholds {
 public:
  Thresholds(const DrawnInputs& inputs, int64_t instance, int64_t features)
      : last_(round_up(features, kVector), -1), scale_(last_.size(), 0), offset_(last_.size(), 0) {
    for (int64_t i = 0; i < features; i++) {
      const double fires = std::round(inputs.probabilities[instance * features + i] * kDraws);
      const double scale = fires > 0 ? (static_cast<double>(inputs.high) - inputs.low) / fires : 0;
      last_[i] = static_cast<int32_t>(fires - 1);
      scale_[i] = static_cast<float>(scale);
      offset_[i] = static_cast<float>(inputs.low + scale / 2);
    }
  }

  void give(DrawnRows& rows) const {
    rows.last = last_.data();
    rows.scale = scale_.data();
    rows.offset = offset_.data();
  }

 private:
  std::vector<int32_t> last_;
  std::vector<float> scale_, offset_;
};

// One batch: row t has the entries start[t] .. end[t].
struct Rows {
  const uint32_t *start, *end, *indices;
  const float* values;
};

// One instance, and the memory of its steps. Weights are packed anew for each: as the outputs of the hidden layer, and
// for the way back.
class Instance {
 public:
  Instance(const ToyModels& models, const ToySteps& steps, int64_t instance)
      : models_(models),
        steps_(steps),
        instance_(instance),
        n_(models.features),
        m_(models.hidden),
        padded_(round_up(m_, kVector)),
        batch_(models.batch),
        blocks_(ceil_div(batch_, kRows)),
        product_(kernels().dense[models.precision]),
        gradient_panel_(packed_bytes(product_, product_.panel, batch_)),
        back_bytes_(packed_bytes(product_, m_, std::min(n_, kColumns))),
        outputs_(borrow<char>(packed_bytes(product_, n_, m_))),
        back_(borrow<char>(ceil_div(n_, kColumns) * back_bytes_)),
        rows_of_encoder_(borrow<float>(padded_ == m_ ? 0 : n_ * padded_)),
        hidden_(borrow<float>(batch_ * padded_)),
        across_(borrow<float>(batch_ * m_)),
        across_strips_(borrow<char>(strip_bytes(product_, m_, batch_))),
        hidden_gradient_(borrow<float>(batch_ * padded_)),
        gradient_(borrow<char>(panels(product_, n_) * gradient_panel_)),
        factor_(n_),
        bias_(n_, 0.0f),
        bias_sums_(blocks_ * n_),
        losses_(blocks_) {
    const float* importance = models.importance + instance * n_;
    const double mean = static_cast<double>(batch_) * static_cast<double>(n_);
    for (int64_t i = 0; i < n_; i++) factor_[i] = static_cast<float>(2.0 * importance[i] / mean);
  }

  // `prepare(block)` has the rows of a block ready.
  template <class Prepare>
  double step(int64_t at, const Rows& rows, Prepare prepare) {
    if (models_.bias.parameter) std::copy_n(models_.bias.parameter + instance_ * n_, n_, bias_.data());
    parallel_for(ceil_div(n_, kColumns), [&](int64_t chunk) { pack_weights(chunk * kColumns); });
    parallel_for(blocks_, [&](int64_t block) {
      prepare(block);
      pass(rows, block);
    });
    parallel_for(ceil_div(m_, product_.strip), [&](int64_t strip) {
      const int64_t first = strip * product_.strip;
      product_.pack_rows(across_.get() + first * batch_, batch_, std::min<int64_t>(product_.strip, m_ - first), batch_,
                         across_strips_.get() + strip * strip_bytes(product_, product_.strip, batch_));
    });
    const AdamOptions options{steps_.first + at, steps_.rates[at], steps_.beta1, steps_.beta2, steps_.epsilon, 1};
    const Optimiser optimiser(options);
    parallel_for(ceil_div(n_, kUpdated),
                 [&](int64_t chunk) { update(rows, chunk * kUpdated, optimiser, options.rate); });
    if (models_.bias.parameter) update_bias(optimiser, options.rate);
    double loss = 0;
    for (double part : losses_) loss += part;
    return loss / 2;
  }

 private:
  const float* weight(const Trained& of) const { return of.parameter + instance_ * n_ * m_; }
  const float* encoder() const { return weight(models_.encoder); }
  const float* decoder() const { return models_.decoder.parameter ? weight(models_.decoder) : encoder(); }
  const float* encoder_rows() const { return padded_ == m_ ? encoder() : rows_of_encoder_.get(); }

  void pack_weights(int64_t first) {
    const int64_t count = std::min(kColumns, n_ - first), panel = first / product_.panel;
    product_.pack(decoder(), n_, m_, panel, panel + panels(product_, count),
                  outputs_.get());
    product_.pack_transposed(decoder() + first * m_, m_, count, m_, packed_bytes(product_, product_.panel, count),
                             back_.get() + first / kColumns * back_bytes_);
    if (padded_ == m_) return;
    for (int64_t i = first; i < first + count; i++) {
      float* to = rows_of_encoder_.get() + i * padded_;
      std::fill_n(std::copy_n(encoder() + i * m_, m_, to), padded_ - m_, 0.0f);
    }
  }

  // Rows of one block forward and back, as far as the hidden layer's gradient.
  void pass(const Rows& rows, int64_t block) {
    const int64_t first = block * kRows, count = std::min(kRows, batch_ - first);
    const int64_t hidden_strips = floats(strip_bytes(product_, kRows, m_)),
                  strips = floats(strip_bytes(product_, kRows, kColumns));
    float* hidden_strip = scratch(hidden_strips + strips + (kRows + 1) * kColumns);
    float *strip = hidden_strip + hidden_strips, *out = strip + strips, *target = out + kRows * kColumns;
    embed(rows, first, count);
    product_.pack_rows(hidden_.get() + first * padded_, padded_, count, m_, hidden_strip);
    float *sums = bias_sums_.data() + block * n_, *back = hidden_gradient_.get() + first * padded_;
    std::fill_n(sums, n_, 0.0f);
    std::fill_n(target, kColumns, 0.0f);
    std::fill_n(back, count * padded_, 0.0f);
    uint32_t next[kRows];
    std::copy_n(rows.start + first, count, next);
    Epilogue sum_up;
    sum_up.add = true;
    double loss = 0;
    for (int64_t column = 0; column < n_; column += kColumns) {
      const int64_t width = std::min(kColumns, n_ - column), panel = column / product_.panel;
      const int64_t output_panel = packed_bytes(product_, product_.panel, m_);
      product_.multiply(hidden_strip, count, outputs_.get() + panel * output_panel, m_, width, 0,
                        panels(product_, width), {}, out, width);
      for (int64_t r = 0; r < count; r++) {
        const OutputRow row{bias_.data() + column, target,     factor_.data() + column,
                            width,                 out + r * width, sums + column};
        const uint32_t from = next[r], last = rows.end[first + r];
        uint32_t e = from;
        for (; e < last && rows.indices[e] < column + width; e++)
          target[rows.indices[e] - column] = models_.absolute ? std::abs(rows.values[e]) : rows.values[e];
        next[r] = e;
        loss += kernels().output_row(row, models_.output_relu);
        for (e = from; e < next[r]; e++) target[rows.indices[e] - column] = 0;
      }
      product_.pack_rows(out, width, count, width, strip);
      product_.multiply(strip, count, back_.get() + column / kColumns * back_bytes_, width, m_, 0,
                        panels(product_, m_), sum_up, back, padded_);
      product_.pack_transposed(out, width, count, width, gradient_panel_,
                               gradient_.get() + panel * gradient_panel_ + first * product_.panel * product_.bytes);
    }
    losses_[block] = loss;
    if (!models_.hidden_relu) return;
    const float* h = hidden_.get() + first * padded_;
    for (int64_t i = 0; i < count * padded_; i++) back[i] = h[i] > 0 ? back[i] : 0;
  }

  void embed(const Rows& rows, int64_t first, int64_t count) {
    for (int64_t r = first; r < first + count; r++) {
      float* h = hidden_.get() + r * padded_;
      kernels().embed_row(entries(rows, rows.start[r], rows.end[r]), encoder_rows(), padded_, h);
      if (models_.hidden_relu) {
        for (int64_t j = 0; j < m_; j++) h[j] = h[j] > 0 ? h[j] : 0;
      }
    }
    for (int64_t j = 0; j < m_; j++) {
      for (int64_t r = first; r < first + count; r++) across_[j * batch_ + r] = hidden_[r * padded_ + j];
    }
  }

  static SparseRow entries(const Rows& rows, uint32_t first, uint32_t last) {
    return {rows.indices + first, rows.values + first, static_cast<int64_t>(last) - first};
  }

  // Steps the weights of some features: the gradients of decoder rows are products of outputs' gradients and hidden
  // values over the batch, those of encoder rows sums of hidden gradients over the entries.
  void update(const Rows& rows, int64_t first, const Optimiser& optimiser, double rate) {
    const FlushSubnormals flush;
    const int64_t count = std::min(kUpdated, n_ - first), panel = first / product_.panel;
    const bool tied = !models_.decoder.parameter;
    float* across = scratch(m_ * count + (tied ? 1 : 2) * count * padded_);
    float *decoder = across + m_ * count, *encoder = tied ? decoder : decoder + count * padded_;
    product_.multiply(across_strips_.get(), m_, gradient_.get() + panel * gradient_panel_, batch_, count, 0,
                      panels(product_, count), {}, across, count);
    std::fill_n(encoder, count * padded_, 0.0f);
    for (int64_t i = 0; i < count; i++) {
      for (int64_t j = 0; j < m_; j++) decoder[i * padded_ + j] = across[j * count + i];
    }
    for (int64_t r = 0; r < batch_; r++) {
      const uint32_t *from = rows.indices + rows.start[r], *last = rows.indices + rows.end[r];
      const uint32_t* to = last;
      if (count < n_) {
        from = std::lower_bound(from, last, static_cast<uint32_t>(first));
        to = std::lower_bound(from, last, static_cast<uint32_t>(first + count));
      }
      kernels().spread_row(entries(rows, from - rows.indices, to - rows.indices),
                           hidden_gradient_.get() + r * padded_, first, padded_, encoder);
    }
    for (int64_t i = 0; i < count; i++) {
      step_row(models_.encoder, first + i, encoder + i * padded_, optimiser, rate);
      if (!tied) step_row(models_.decoder, first + i, decoder + i * padded_, optimiser, rate);
    }
  }

  void step_row(const Trained& to, int64_t feature, const float* gradient, const Optimiser& optimiser, double rate) {
    const int64_t at = (instance_ * n_ + feature) * m_;
    float* row = to.parameter + at;
    double shrink = rate * steps_.weight_decay;
    if (shrink < 0) {
      const double norm = std::sqrt(kernels().dot(row, row, m_));
      shrink = norm > 0 ? -shrink * (1 - 1 / norm) : 0;
    }
    if (shrink != 0) kernels().scale_row(row, static_cast<float>(1 - shrink), m_, row);
    optimiser.step(to, at, m_, gradient, 0);
  }

  void update_bias(const Optimiser& optimiser, double rate) {
    const FlushSubnormals flush;
    for (int64_t block = 1; block < blocks_; block++)
      for (int64_t i = 0; i < n_; i++) bias_sums_[i] += bias_sums_[block * n_ + i];
    const int64_t at = instance_ * n_;
    float* bias = models_.bias.parameter + at;
    kernels().scale_row(bias, static_cast<float>(1 - rate * steps_.bias_decay), n_, bias);
    optimiser.step(models_.bias, at, n_, bias_sums_.data(), 0);
  }

  const ToyModels& models_;
  const ToySteps& steps_;
  const int64_t instance_, n_, m_, padded_, batch_, blocks_;
  const DenseProduct& product_;
  const int64_t gradient_panel_, back_bytes_;
  const Borrowed<char> outputs_, back_;
  const Borrowed<float> rows_of_encoder_, hidden_, across_;
  const Borrowed<char> across_strips_;
  const Borrowed<float> hidden_gradient_;
  const Borrowed<char> gradient_;
  std::vector<float> factor_, bias_, bias_sums_;
  std::vector<double> losses_;
};

// Each block of rows is drawn from a stream of its own, to where there is room for all features in each row.
void train_on_drawn(const ToyModels& models, const DrawnInputs& inputs, const ToySteps& steps, int64_t instance,
                    Instance& model, double* losses) {
  const int64_t batch = models.batch, n = models.features, room = kRows * n + kVector, blocks = ceil_div(batch, kRows);
  const Thresholds thresholds(inputs, instance, n);
  const Borrowed<uint32_t> start = borrow<uint32_t>(batch), end = borrow<uint32_t>(batch),
                           indices = borrow<uint32_t>(blocks * room);
  const Borrowed<float> values = borrow<float>(blocks * room);
  const Rows rows{start.get(), end.get(), indices.get(), values.get()};
  for (int64_t at = 0; at < steps.count; at++) {
    losses[at * models.instances + instance] = model.step(at, rows, [&](int64_t block) {
      DrawnRows drawn{};
      drawn.key = inputs.keys + 4 * instance;
      drawn.step = static_cast<uint32_t>(steps.first + at);
      drawn.block = static_cast<uint32_t>(block);
      drawn.rows = std::min(kRows, batch - block * kRows);
      drawn.features = n;
      thresholds.give(drawn);
      drawn.first = static_cast<uint32_t>(block * room);
      drawn.start = start.get() + block * kRows;
      drawn.end = end.get() + block * kRows;
      drawn.indices = indices.get() + block * room;
      drawn.values = values.get() + block * room;
      kernels().draw_rows(drawn);
    });
  }
}

}  // namespace

// Instances share nothing, so each goes its own way through all steps; threads that find none left help with the parts
// of those that are under way.
void train_toy_models(const ToyModels& models, const std::variant<DrawnInputs, GivenInputs>& inputs,
                      const ToySteps& steps, double* losses) {
  parallel_for(models.instances, [&](int64_t instance) {
    Instance model(models, steps, instance);
    if (const DrawnInputs* drawn = std::get_if<DrawnInputs>(&inputs)) {
      train_on_drawn(models, *drawn, steps, instance, model, losses);
      return;
    }
    const GivenInputs& given = std::get<GivenInputs>(inputs);
    const SparseView& view = given[given.size() == 1 ? 0 : instance];
    const Rows rows{view.offsets, view.offsets + 1, view.indices, view.values};
    for (int64_t at = 0; at < steps.count; at++)
      losses[at * models.instances + instance] = model.step(at, rows, [](int64_t) {});
  });
}

}  // namespace monosem
