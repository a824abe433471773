#include "toy_instance.h"

#include <algorithm>
#include <numeric>

#include "../pool.h"

namespace monosem {
namespace {

// Fixed, so that partial sums are the same for any number of threads.
constexpr int64_t kRows = kToyRows;  // of a batch that are drawn and passed through the model together
constexpr int64_t kColumns = 512;    // features whose outputs are made together
constexpr int64_t kUpdated = 256;    // features that are stepped together
// Blocks of rows in a stretch, over which gradients of weights are summed before the next: as many as have their columns
// packed in a core's cache, and where these are too few, so many that sums are seldom read and written again.
constexpr int64_t kCacheBytes = 1 << 20, kFewest = 4, kMost = 12;
constexpr int64_t kVector = 16;     // rows that are summed are padded to whole vectors of every set
constexpr int64_t kPlacesAnEntry = 8;  // dense products are worth it from about one entry in so many places on

int64_t floats(int64_t bytes) { return round_up(ceil_div(bytes, 4), 16); }

// One batch: row t has the entries start[t] .. end[t].
struct Rows {
  const uint32_t *start, *end, *indices;
  const float* values;
};

// One instance, and the memory of its steps. Features are padded to whole panels with ones that have no part in anything,
// hidden units to whole vectors. Where inputs are dense, so is the product that makes the encoder's gradient.
class WideModel {
 public:
  WideModel(const ToyModels& models, const ToySteps& steps, int64_t instance, bool dense)
      : models_(models),
        parameters_(models, steps, instance),
        product_(kernels().dense[models.precision]),
        n_(models.features),
        m_(models.hidden),
        wide_(round_up(n_, product_.panel)),
        narrow_(round_up(m_, kVector)),
        batch_(models.batch),
        blocks_(ceil_div(batch_, kRows)),
        dense_(dense),
        stretch_(std::min(blocks_, stretch_of((dense ? 2 : 1) * packed_bytes(product_, n_, kRows)))),
        output_panel_(packed_bytes(product_, product_.panel, m_)),
        column_panel_(packed_bytes(product_, product_.panel, stretch_ * kRows)),
        back_bytes_(packed_bytes(product_, m_, std::min(n_, kColumns))),
        across_bytes_(strip_bytes(product_, m_, stretch_ * kRows)),
        outputs_(borrow<char>(panels(product_, n_) * output_panel_)),
        back_(borrow<char>(ceil_div(n_, kColumns) * back_bytes_)),
        rows_of_encoder_(borrow<float>(narrow_ == m_ ? 0 : n_ * narrow_)),
        hidden_(borrow<float>(batch_ * narrow_)),
        hidden_gradient_(borrow<float>(batch_ * narrow_)),
        across_(borrow<float>(2 * m_ * stretch_ * kRows)),
        across_strips_(borrow<char>(2 * across_bytes_)),
        gradient_(borrow<char>(panels(product_, n_) * column_panel_)),
        inputs_(borrow<char>(dense ? panels(product_, n_) * column_panel_ : 0)),
        sums_(borrow<float>((dense ? 2 : 1) * m_ * wide_)),
        factor_(parameters_.factors()),
        bias_(wide_, 0.0f),
        bias_sums_(blocks_ * wide_),
        losses_(blocks_) {
    factor_.resize(wide_, 0.0f);
  }

  // `prepare(block, inputs, width)` has the rows of a block ready. Where `inputs` is not null it may write them there too, with
  // zeros, `width` apart, and returns whether it did.
  template <class Prepare>
  double step(int64_t at, const Rows& rows, Prepare prepare) {
    if (parameters_.bias()) std::copy_n(parameters_.bias(), n_, bias_.data());
    parallel_for(ceil_div(n_, kColumns), [&](int64_t chunk) { pack_weights(chunk * kColumns); });
    for (int64_t first = 0; first < blocks_; first += stretch_) {
      const int64_t count = std::min(stretch_, blocks_ - first);
      parallel_for(count, [&](int64_t block) {
        pass(rows, first + block, block, prepare);
      });
      sum_products(std::min(count * kRows, batch_ - first * kRows), first > 0);
    }
    parallel_for(ceil_div(n_, kUpdated), [&](int64_t chunk) { update(rows, chunk * kUpdated, at); });
    for (int64_t block = 1; block < blocks_; block++)
      for (int64_t i = 0; i < n_; i++) bias_sums_[i] += bias_sums_[block * wide_ + i];
    parameters_.step_bias(at, bias_sums_.data());
    return std::accumulate(losses_.begin(), losses_.end(), 0.0) / 2;
  }

 private:
  static int64_t stretch_of(int64_t block_bytes) {
    const int64_t fitting = kCacheBytes / block_bytes;
    return fitting < kFewest ? kMost : std::min(fitting, kMost);
  }

  static SparseRow entries(const Rows& rows, uint32_t first, uint32_t last) {
    return {rows.indices + first, rows.values + first, static_cast<int64_t>(last) - first};
  }

  // Anew for each step: as the outputs of the hidden layer, and for the way back.
  void pack_weights(int64_t first) {
    const int64_t count = std::min(kColumns, n_ - first), panel = first / product_.panel;
    product_.pack(parameters_.decoder(), n_, m_, panel, panel + panels(product_, count), outputs_.get());
    product_.pack_transposed(parameters_.decoder() + first * m_, m_, count, m_, packed_bytes(product_, product_.panel, count),
                             back_.get() + first / kColumns * back_bytes_);
    if (narrow_ == m_) return;
    for (int64_t i = first; i < first + count; i++) {
      float* to = rows_of_encoder_.get() + i * narrow_;
      std::fill_n(std::copy_n(parameters_.encoder() + i * m_, m_, to), narrow_ - m_, 0.0f);
    }
  }

  // Rows of one block forward and back, as far as the hidden layer's gradient; it is the stretch's `place`th.
  template <class Prepare>
  void pass(const Rows& rows, int64_t block, int64_t place, Prepare prepare) {
    const int64_t first = block * kRows, count = std::min(kRows, batch_ - first), most = std::min(wide_, kColumns);
    const int64_t hidden_strips = floats(strip_bytes(product_, kRows, m_)),
                  strips = floats(strip_bytes(product_, kRows, most));
    float* hidden_strip = scratch(hidden_strips + strips + 2 * kRows * most);
    float *strip = hidden_strip + hidden_strips, *out = strip + strips, *inputs = out + kRows * most;
    float *hidden = hidden_.get() + first * narrow_, *back = hidden_gradient_.get() + first * narrow_;
    const bool written_out = prepare(block, wide_ <= kColumns ? inputs : nullptr, wide_);
    embed(rows, first, count);
    product_.pack_rows(hidden, narrow_, count, m_, hidden_strip);
    std::fill_n(bias_sums_.data() + block * wide_, wide_, 0.0f);
    std::fill_n(back, count * narrow_, 0.0f);
    uint32_t next[kRows];
    std::copy_n(rows.start + first, count, next);
    Epilogue sum_up;
    sum_up.add = true;
    double loss = 0;
    for (int64_t column = 0; column < n_; column += kColumns) {
      const int64_t width = std::min(kColumns, wide_ - column), inside = std::min(kColumns, n_ - column);
      const int64_t panel = column / product_.panel;
      product_.multiply(hidden_strip, count, outputs_.get() + panel * output_panel_, m_, width, 0,
                        panels(product_, width), {}, out, width);
      if (!written_out) write_out(rows, first, count, column, width, next, inputs);
      for (int64_t r = 0; r < count; r++) {
        const OutputRow row{bias_.data() + column, inputs + r * width, factor_.data() + column,
                            width,                 out + r * width,    bias_sums_.data() + block * wide_ + column};
        loss += kernels().output_row(row, models_.output_relu, models_.absolute);
      }
      product_.pack_rows(out, width, count, inside, strip);
      product_.multiply(strip, count, back_.get() + column / kColumns * back_bytes_, inside, narrow_, 0,
                        panels(product_, m_), sum_up, back, narrow_);
      pack_columns(out, width, place, count, gradient_.get() + panel * column_panel_);
      if (dense_) pack_columns(inputs, width, place, count, inputs_.get() + panel * column_panel_);
    }
    losses_[block] = loss;
    if (models_.hidden_relu) {
      for (int64_t i = 0; i < count * narrow_; i++) back[i] = hidden[i] > 0 ? back[i] : 0;
    }
    turn(hidden, place, count, 0);
    if (dense_) turn(back, place, count, 1);
  }

  // Some columns of a block's rows; next[r] is the first entry of row r that lies in them.
  static void write_out(const Rows& rows, int64_t first, int64_t count, int64_t column, int64_t width, uint32_t* next,
                        float* inputs) {
    std::fill_n(inputs, count * width, 0.0f);
    for (int64_t r = 0; r < count; r++) {
      float* input = inputs + r * width - column;
      uint32_t e = next[r];
      for (; e < rows.end[first + r] && rows.indices[e] < column + width; e++) input[rows.indices[e]] = rows.values[e];
      next[r] = e;
    }
  }

  void embed(const Rows& rows, int64_t first, int64_t count) {
    const float* weights = narrow_ == m_ ? parameters_.encoder() : rows_of_encoder_.get();
    for (int64_t r = first; r < first + count; r++) {
      float* h = hidden_.get() + r * narrow_;
      kernels().embed_row(entries(rows, rows.start[r], rows.end[r]), weights, narrow_, h);
      if (!models_.hidden_relu) continue;
      for (int64_t j = 0; j < m_; j++) h[j] = h[j] > 0 ? h[j] : 0;
    }
  }

  // Rows of a block as inputs of a product over the stretch.
  void pack_columns(const float* rows, int64_t width, int64_t place, int64_t count, char* to) const {
    product_.pack_transposed(rows, width, count, width, column_panel_,
                             to + place * kRows * product_.panel * product_.bytes);
  }

  // across [2][hidden, rows of the stretch]: hidden values, and their gradients.
  float* across(int64_t which, int64_t unit) const {
    return across_.get() + (which * m_ + unit) * stretch_ * kRows;
  }

  void turn(const float* rows, int64_t place, int64_t count, int64_t which) const {
    for (int64_t j = 0; j < m_; j++) {
      float* to = across(which, j) + place * kRows;
      for (int64_t r = 0; r < count; r++) to[r] = rows[r * narrow_ + j];
    }
  }

  // sums[which][first feature of a chunk][hidden, features of the chunk] (+)= sum over the stretch's rows of across times
  // outputs' gradients, and times inputs where these are dense.
  void sum_products(int64_t rows, bool add) {
    const int64_t kinds = dense_ ? 2 : 1, strips = ceil_div(m_, product_.strip), chunks = ceil_div(n_, kUpdated);
    parallel_for(kinds * strips, [&](int64_t task) {
      const int64_t which = task / strips, strip = task % strips, first = strip * product_.strip;
      product_.pack_rows(across(which, first), stretch_ * kRows, std::min<int64_t>(product_.strip, m_ - first), rows,
                         across_strips_.get() + which * across_bytes_ + strip * strip_bytes(product_, 1, rows));
    });
    Epilogue epilogue;
    epilogue.add = add;
    parallel_for(kinds * chunks, [&](int64_t task) {
      const int64_t which = task / chunks, first = task % chunks * kUpdated, width = std::min(kUpdated, wide_ - first);
      const char* columns = (which == 0 ? gradient_ : inputs_).get() + first / product_.panel * column_panel_;
      for (int64_t p = 0; p < panels(product_, width); p++) {
        product_.multiply(across_strips_.get() + which * across_bytes_, m_, columns + p * column_panel_, rows,
                          product_.panel, 0, 1, epilogue, sums(which, first) + p * product_.panel, width);
      }
    });
  }

  float* sums(int64_t which, int64_t first) const { return sums_.get() + which * m_ * wide_ + first * m_; }

  void add_sums(int64_t which, int64_t first, int64_t count, float* gradient) const {
    const int64_t width = std::min(kUpdated, wide_ - first);
    const float* from = sums(which, first);
    for (int64_t i = 0; i < count; i++) {
      for (int64_t j = 0; j < m_; j++) gradient[i * narrow_ + j] += from[j * width + i];
    }
  }

  // Steps the weights of some features: the gradients of decoder rows are products of outputs' gradients and hidden
  // values over the batch, those of encoder rows products of inputs and hidden gradients.
  void update(const Rows& rows, int64_t first, int64_t at) {
    const FlushSubnormals flush;
    const int64_t count = std::min(kUpdated, n_ - first);
    float *encoder = scratch(2 * count * narrow_), *decoder = parameters_.tied() ? encoder : encoder + count * narrow_;
    std::fill_n(encoder, 2 * count * narrow_, 0.0f);
    add_sums(0, first, count, decoder);
    if (dense_) add_sums(1, first, count, encoder);
    else spread(rows, first, count, encoder);
    parameters_.step_encoder(at, first, count, encoder, narrow_);
    if (!parameters_.tied()) parameters_.step_decoder(at, first, count, decoder, narrow_);
  }

  void spread(const Rows& rows, int64_t first, int64_t count, float* sums) const {
    for (int64_t r = 0; r < batch_; r++) {
      const uint32_t *begin = rows.indices + rows.start[r], *end = rows.indices + rows.end[r];
      if (count < n_) {
        begin = std::lower_bound(begin, end, static_cast<uint32_t>(first));
        end = std::lower_bound(begin, end, static_cast<uint32_t>(first + count));
      }
      kernels().spread_row(entries(rows, begin - rows.indices, end - rows.indices),
                           hidden_gradient_.get() + r * narrow_, first, narrow_, sums);
    }
  }

  const ToyModels& models_;
  const ToyParameters parameters_;
  const DenseProduct& product_;
  const int64_t n_, m_, wide_, narrow_, batch_, blocks_;
  const bool dense_;
  const int64_t stretch_, output_panel_, column_panel_, back_bytes_, across_bytes_;
  const Borrowed<char> outputs_, back_;
  const Borrowed<float> rows_of_encoder_, hidden_, hidden_gradient_, across_;
  const Borrowed<char> across_strips_, gradient_, inputs_;
  const Borrowed<float> sums_;
  std::vector<float> factor_, bias_, bias_sums_;
  std::vector<double> losses_;
};

// Each block of rows is drawn to where there is room for all features in each row.
void train_on_drawn(const ToyModels& models, const DrawnInputs& inputs, const ToySteps& steps, int64_t instance,
                    double* losses) {
  const int64_t batch = models.batch, n = models.features, room = kRows * n + kVector, blocks = ceil_div(batch, kRows);
  const Thresholds thresholds(inputs, instance, n);
  const float* p = inputs.probabilities + instance * n;
  WideModel model(models, steps, instance, std::accumulate(p, p + n, 0.0) * kPlacesAnEntry > static_cast<double>(n));
  const Borrowed<uint32_t> start = borrow<uint32_t>(batch), end = borrow<uint32_t>(batch),
                           indices = borrow<uint32_t>(blocks * room);
  const Borrowed<float> values = borrow<float>(blocks * room);
  const Rows rows{start.get(), end.get(), indices.get(), values.get()};
  for (int64_t at = 0; at < steps.count; at++) {
    losses[at * models.instances] = model.step(at, rows, [&](int64_t block, float* dense, int64_t width) {
      DrawnRows drawn{};
      thresholds.give(inputs, instance, steps.first + at, block, drawn);
      drawn.rows = std::min(kRows, batch - block * kRows);
      drawn.first = static_cast<uint32_t>(block * room);
      drawn.start = start.get() + block * kRows;
      drawn.end = end.get() + block * kRows;
      drawn.indices = indices.get() + block * room;
      drawn.values = values.get() + block * room;
      drawn.dense = dense;
      drawn.width = width;
      kernels().draw_rows(drawn);
      return dense != nullptr;
    });
  }
}

void train_on_given(const ToyModels& models, const SparseView& view, const ToySteps& steps, int64_t instance,
                    double* losses) {
  const int64_t entries = static_cast<int64_t>(view.offsets[view.rows]) - view.offsets[0];
  WideModel model(models, steps, instance, entries * kPlacesAnEntry > view.rows * models.features);
  const Rows rows{view.offsets, view.offsets + 1, view.indices, view.values};
  for (int64_t at = 0; at < steps.count; at++)
    losses[at * models.instances] = model.step(at, rows, [](int64_t, float*, int64_t) { return false; });
}

}  // namespace

void train_wide(const ToyModels& models, const ToyInputs& inputs, const ToySteps& steps, int64_t instance,
                double* losses) {
  if (const DrawnInputs* drawn = std::get_if<DrawnInputs>(&inputs)) {
    train_on_drawn(models, *drawn, steps, instance, losses);
  } else {
    const GivenInputs& given = std::get<GivenInputs>(inputs);
    train_on_given(models, given[given.size() == 1 ? 0 : instance], steps, instance, losses);
  }
}

}  // namespace monosem
