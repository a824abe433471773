// What a toy model of superposition does to each row beside dense products: inputs drawn, sums of a few rows of the
// weights and back, the error and its gradient.

namespace monosem {
namespace {

// Sixteen generators side by side, on any set: place i of a row is drawn by generator i mod 16.
constexpr int kGenerators = 16;
typedef uint32_t Words __attribute__((vector_size(kGenerators * 4)));

// The last step of MurmurHash3 (Appleby 2011): every bit of the result depends on every bit of x.
inline Words mixed(Words x) {
  x ^= x >> 16;
  x *= 0x85ebca6bu;
  x ^= x >> 13;
  x *= 0xc2b2ae35u;
  return x ^ x >> 16;
}

// xoshiro128** 1.1 (Blackman and Vigna 2021), begun at words that are mixed from the stream's name.
struct Generators {
  Words s0, s1, s2, s3;

  Generators(const uint32_t key[4], uint32_t step, uint32_t block)
      : s0(start(key[0], step, block)),
        s1(start(key[1], step, block)),
        s2(start(key[2], step, block)),
        s3(start(key[3], step, block)) {}

  static Words start(uint32_t key, uint32_t step, uint32_t block) {
    const Words lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return mixed(mixed(mixed(Words{} + key + step) + block) + lane);
  }

  Words next() {
    const Words five = s1 + (s1 << 2), turned = five << 7 | five >> 25, shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = s3 << 11 | s3 >> 21;
    return turned + (turned << 3);
  }
};

template <bool written_out>
void draw_rows_as(const DrawnRows& d) {
  Generators generators(d.key, d.step, d.block);
  VI lane;
  for (int i = 0; i < LANES; i++) lane[i] = i;
  int64_t entries = 0;
  for (int64_t r = 0; r < d.rows; r++) {
    d.start[r] = d.first + entries;
    for (int64_t place = 0; place < d.features; place += kGenerators) {
      const Words words = generators.next() >> 1;
      VI parts[kGenerators / LANES];
      __builtin_memcpy(parts, &words, sizeof words);
#pragma GCC unroll 4
      for (int part = 0; part < kGenerators / LANES; part++) {
        const int64_t at = place + part * LANES;
        VI last;
        __builtin_memcpy(&last, d.last + at, sizeof last);
        const uint32_t fires = at_most_mask(parts[part], last);
        if (!written_out && !fires) continue;
        const V value = __builtin_convertvector(parts[part], V) * load(d.scale + at) + load(d.offset + at);
        if (written_out) store(d.dense + r * d.width + at, (V)((VI)value & (VI)(parts[part] <= last)));
        const VI feature = lane + (int32_t)at;
        V index;
        __builtin_memcpy(&index, &feature, sizeof index);
        store_chosen(d.values + entries, value, fires);
        store_chosen(reinterpret_cast<float*>(d.indices) + entries, index, fires);
        entries += __builtin_popcount(fires);
      }
    }
    d.end[r] = d.first + entries;
    if (!written_out) continue;
    for (int64_t at = round_up(d.features, kGenerators); at < d.width; at += LANES) store(d.dense + r * d.width + at, V{});
  }
}

void draw_rows(const DrawnRows& d) {
  if (d.dense) draw_rows_as<true>(d);
  else draw_rows_as<false>(d);
}

// Calls body(column, constant vectors) over whole vectors, four at a time.
template <class Body>
inline void over_columns(int64_t width, Body body) {
  int64_t column = 0;
  for (; column + 4 * LANES <= width; column += 4 * LANES) body.template run<4>(column);
  if (column + 3 * LANES <= width) body.template run<3>(column);
  else if (column + 2 * LANES <= width) body.template run<2>(column);
  else if (column + LANES <= width) body.template run<1>(column);
}

struct Embed {
  const SparseRow& x;
  const float* weight;
  int64_t width;
  float* out;

  // Even and odd entries are summed apart: a sum waits for the one before it.
  template <int kVectors>
  void run(int64_t column) const {
    V sum[2][kVectors] = {};
    int64_t e = 0;
    const auto add = [&](int64_t entry, V* to) __attribute__((always_inline)) {
      const float* row = weight + x.indices[entry] * width + column;
      const V value = splat(x.values[entry]);
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; j++) to[j] += value * load(row + j * LANES);
    };
    for (; e + 2 <= x.count; e += 2) {
      add(e, sum[0]);
      add(e + 1, sum[1]);
    }
    if (e < x.count) add(e, sum[0]);
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; j++) store(out + column + j * LANES, sum[0][j] + sum[1][j]);
  }
};

void embed_row(const SparseRow& x, const float* weight, int64_t width, float* out) {
  over_columns(width, Embed{x, weight, width, out});
}

struct Spread {
  const SparseRow& x;
  const float* row;
  int64_t first, width;
  float* sums;

  template <int kVectors>
  void run(int64_t column) const {
    V values[kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; j++) values[j] = load(row + column + j * LANES);
    for (int64_t e = 0; e < x.count; e++) {
      float* to = sums + (x.indices[e] - first) * width + column;
      const V value = splat(x.values[e]);
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; j++) store(to + j * LANES, load(to + j * LANES) + value * values[j]);
    }
  }
};

void spread_row(const SparseRow& x, const float* row, int64_t first, int64_t width, float* sums) {
  over_columns(width, Spread{x, row, first, width, sums});
}

template <bool relu, bool magnitude>
float error_and_gradient(const OutputRow& e) {
  V squares = {};
  for (int64_t i = 0; i < e.width; i += LANES) {
    const V sum = load(e.out + i) + load(e.bias + i), x = load(e.input + i);
    const V error = (relu ? max_of(sum, V{}) : sum) - (magnitude ? max_of(x, -x) : x);
    V gradient = load(e.factor + i) * error;
    squares += gradient * error;
    if (relu) gradient = sum > V{} ? gradient : V{};
    store(e.out + i, gradient);
    store(e.sums + i, load(e.sums + i) + gradient);
  }
  return sum_lanes(squares);
}

float output_row(const OutputRow& e, bool relu, bool magnitude) {
  if (magnitude) return relu ? error_and_gradient<true, true>(e) : error_and_gradient<false, true>(e);
  return relu ? error_and_gradient<true, false>(e) : error_and_gradient<false, false>(e);
}

}  // namespace
}  // namespace monosem
