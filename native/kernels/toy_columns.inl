// What a narrow toy model does to a block of its rows, which lie across the lanes: [units, kToyRows]. Neither features nor
// hidden units are padded to vectors then, and weights are used as they lie.

namespace monosem {
namespace {

// Sums that a tile keeps in registers: of so many outputs for so many vectors of rows.
constexpr int kTileOutputs = LANES == 16 ? 8 : 4, kTileRows = 3 * LANES;
static_assert(kToyRows % kTileRows == 0);

// Calls tile<outputs>(first) for all outputs, most of them kTileOutputs at a time.
template <class Tile>
inline void over_outputs(int64_t outputs, Tile tile) {
  int64_t first = 0;
  for (; first + kTileOutputs <= outputs; first += kTileOutputs) tile.template operator()<kTileOutputs>(first);
  if (kTileOutputs > 4 && first + 4 <= outputs) {
    tile.template operator()<4>(first);
    first += 4;
  }
  if (first + 2 <= outputs) {
    tile.template operator()<2>(first);
    first += 2;
  }
  if (first < outputs) tile.template operator()<1>(first);
}

// sum[o][v] = sum over i of weight[i * by_input + o * by_output] * x[i, rows]
template <int kOutputs>
inline void tile_of_columns(const float* x, const float* weight, int64_t by_input, int64_t by_output, int64_t inputs,
                            V sum[kOutputs][3]) {
  V sums[kOutputs][3] = {};
  for (int64_t i = 0; i < inputs; i++) {
    const V x0 = load(x), x1 = load(x + LANES), x2 = load(x + 2 * LANES);
#pragma GCC unroll 8
    for (int o = 0; o < kOutputs; o++) {
      const V w = splat(weight[o * by_output]);
      sums[o][0] += w * x0;
      sums[o][1] += w * x1;
      sums[o][2] += w * x2;
    }
    x += kToyRows;
    weight += by_input;
  }
#pragma GCC unroll 8
  for (int o = 0; o < kOutputs; o++)
    for (int v = 0; v < 3; v++) sum[o][v] = sums[o][v];
}

void embed_columns(const float* x, const float* weight, int64_t inputs, int64_t outputs, float* out) {
  for (int64_t row = 0; row < kToyRows; row += kTileRows) {
    over_outputs(outputs, [&]<int kOutputs>(int64_t first) __attribute__((always_inline)) {
      V sum[kOutputs][3];
      tile_of_columns<kOutputs>(x + row, weight + first, outputs, 1, inputs, sum);
#pragma GCC unroll 8
      for (int o = 0; o < kOutputs; o++)
#pragma GCC unroll 3
        for (int v = 0; v < 3; v++) store(out + (first + o) * kToyRows + row + v * LANES, sum[o][v]);
    });
  }
}

template <bool relu, bool magnitude>
double errors_and_gradients(const OutputColumns& c) {
  float live[kToyRows];
  for (int64_t r = 0; r < kToyRows; r++) live[r] = r < c.rows ? 1 : 0;
  double loss = 0;
  over_outputs(c.features, [&]<int kOutputs>(int64_t first) __attribute__((always_inline)) {
    V squares = {}, totals[kOutputs] = {};
    for (int64_t row = 0; row < kToyRows; row += kTileRows) {
      V sum[kOutputs][3];
      tile_of_columns<kOutputs>(c.hidden_values + row, c.weight + first * c.hidden, 1, c.hidden, c.hidden, sum);
#pragma GCC unroll 8
      for (int o = 0; o < kOutputs; o++) {
        const V bias = splat(c.bias ? c.bias[first + o] : 0), factor = splat(c.factor[first + o]);
#pragma GCC unroll 3
        for (int v = 0; v < 3; v++) {
          const int64_t at = (first + o) * kToyRows + row + v * LANES;
          const V z = sum[o][v] + bias, x = load(c.inputs + at);
          const V error = (relu ? max_of(z, V{}) : z) - (magnitude ? max_of(x, -x) : x);
          V gradient = factor * load(live + row + v * LANES) * error;
          squares += gradient * error;
          if (relu) gradient = z > V{} ? gradient : V{};
          store(c.gradient + at, gradient);
          totals[o] += gradient;
        }
      }
    }
    loss += sum_lanes(squares);
    for (int o = 0; o < kOutputs; o++) c.sums[first + o] = sum_lanes(totals[o]);
  });
  return loss;
}

double output_columns(const OutputColumns& c, bool relu, bool magnitude) {
  if (magnitude) return relu ? errors_and_gradients<true, true>(c) : errors_and_gradients<false, true>(c);
  return relu ? errors_and_gradients<true, false>(c) : errors_and_gradients<false, false>(c);
}

// A tile's features go with two hidden units, so that it has as many sums as there are lanes, each over the rows.
constexpr int kTileFeatures = LANES / 2;

// sum[2 i + j] += the product of feature i and hidden unit j.
inline void add_products(const float* features, const float* hidden, V sum[LANES]) {
  for (int64_t row = 0; row < kToyRows; row += LANES) {
    const V first = load(hidden + row), second = load(hidden + kToyRows + row);
#pragma GCC unroll 8
    for (int i = 0; i < kTileFeatures; i++) {
      V value = load(features + i * kToyRows + row);
#if defined(__AVX512F__)
      __asm__("" : "+v"(value));  // or each product loads it for itself, and loads are what there is too little time for
#endif
      sum[2 * i] += value * first;
      sum[2 * i + 1] += value * second;
    }
  }
}

// Of each feature the first `kUnits` sums of two, rows of which lie `stride` apart.
template <int kUnits>
inline void keep_sums(V total, int64_t features, int64_t stride, bool add, float* to) {
  float sums[LANES];
  store(sums, total);
  for (int64_t i = 0; i < features; i++, to += stride)
#pragma GCC unroll 2
    for (int k = 0; k < kUnits; k++) to[k] = sums[2 * i + k] + (add ? to[k] : 0);
}

void column_products(const ColumnProducts& p) {
  for (int64_t i = p.first; i < p.last; i += kTileFeatures) {
    const int64_t features = smaller(kTileFeatures, p.last - i);
    for (int64_t j = 0; j < p.hidden; j += 2) {
      V sum[LANES];
#pragma GCC unroll 16
      for (int k = 0; k < LANES; k++) sum[k] = V{};
      for (int64_t t = 0; t < p.count; t++) {
        const float *a = p.terms[t].features + i * kToyRows, *b = p.terms[t].hidden + j * kToyRows;
        for (int64_t block = 0; block < p.blocks; block++, a += p.feature_step, b += p.hidden_step)
          add_products(a, b, sum);
      }
      const V total = lane_sums(sum);
      float* to = p.sums + i * p.hidden + j;
      if (j + 1 < p.hidden) {
        keep_sums<2>(total, features, p.hidden, p.add, to);
      } else {
        keep_sums<1>(total, features, p.hidden, p.add, to);
      }
    }
  }
}

// LANES features of as many rows, where each row's words lie `width` apart.
inline void amplitudes(const DrawnColumns& d, const uint32_t* words, int64_t width, int64_t feature, float* to) {
  V parts[LANES];
#pragma GCC unroll 16
  for (int r = 0; r < LANES; r++) parts[r] = load(reinterpret_cast<const float*>(words + r * width));
  transpose(parts);
  const int64_t count = smaller(LANES, d.features - feature);
  for (int64_t i = 0; i < count; i++) {
    const VI part = (VI)parts[i], fires = part <= d.last[feature + i] - VI{};
    const V value = __builtin_convertvector(part, V) * d.scale[feature + i] + d.offset[feature + i];
    store(to + i * kToyRows, (V)((VI)value & fires));
  }
}

void draw_columns(const DrawnColumns& d) {
  Generators generators(d.key, d.step, d.block);
  const int64_t width = round_up(d.features, kGenerators);
  for (int64_t first = 0; first < d.rows; first += kGenerators) {
    for (int64_t at = 0; at < kGenerators * width; at += kGenerators) {
      const Words words = generators.next() >> 1;
      __builtin_memcpy(d.room + at, &words, sizeof words);
    }
    for (int64_t row = 0; row < kGenerators; row += LANES)
      for (int64_t feature = 0; feature < d.features; feature += LANES)
        amplitudes(d, d.room + row * width + feature, width, feature, d.columns + feature * kToyRows + first + row);
  }
  if (d.rows == kToyRows) return;
  for (int64_t i = 0; i < d.features; i++)
    for (int64_t r = d.rows; r < kToyRows; r++) d.columns[i * kToyRows + r] = 0;
}

}  // namespace
}  // namespace monosem
