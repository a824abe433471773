// Encode and select where the processor multiplies bfloat16 pairs: bfloat16 scouts, float32 decides.
// A pre-activation computed from operands rounded to bfloat16 is off by no more than
//   err(r, j) = |x_r - bf(x_r)| |w_j| + |bf(x_r)| |w_j - bf(w_j)| + rounding of the sums
// (Cauchy-Schwarz, norms computed from the very operands), so every column that could be among the chosen passes,
// and those few are computed again in float32. The choice and the values are those of float32, never of bfloat16.
// Included by the files in isa/ after all.inl.

namespace monosem {
namespace {

struct Candidate {
  float lower;
  float upper;
  uint32_t column;
};

// A row of operands rounded to bfloat16, as pairs, and the norms that the bound needs.
struct Rounded {
  float norm;   // of the row, or of the rounded row where that is larger
  float error;  // of what rounding took away
};

Rounded round_row(const float* row, int64_t width, uint32_t* pairs) {
  __m512 squares = _mm512_setzero_ps(), rounded_squares = squares, errors = squares;
  for (int64_t i = 0; i < width; i += 16) {
    const __mmask16 mask = width - i >= 16 ? 0xffff : (__mmask16)((1u << (width - i)) - 1);
    const __m512 x = _mm512_maskz_loadu_ps(mask, row + i);
    const __m256i half = (__m256i)_mm512_cvtneps_pbh(x);
    const __m512 y = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
    const __m512 e = _mm512_sub_ps(x, y);
    squares = _mm512_fmadd_ps(x, x, squares);
    rounded_squares = _mm512_fmadd_ps(y, y, rounded_squares);
    errors = _mm512_fmadd_ps(e, e, errors);
    const __mmask8 pair_mask = (__mmask8)((1u << ((smaller(16, width - i) + 1) / 2)) - 1);
    _mm256_mask_storeu_epi32(pairs + i / 2, pair_mask, half);
  }
  const float a = sum_lanes((V)squares), b = sum_lanes((V)rounded_squares);
  return {__builtin_sqrtf(a > b ? a : b) * 1.0001f, __builtin_sqrtf(sum_lanes((V)errors)) * 1.0001f};
}

inline __attribute__((always_inline)) void tile_bf16(const uint32_t* strip, const uint32_t* panel, int64_t pairs,
                                                     __m512 c[TILE_ROWS][TILE_VECTORS]) {
#pragma GCC unroll 16
  for (int r = 0; r < TILE_ROWS; r++)
#pragma GCC unroll 4
    for (int j = 0; j < TILE_VECTORS; j++) c[r][j] = _mm512_setzero_ps();
  for (int64_t i = 0; i < pairs; i++) {
    __m512bh b[TILE_VECTORS];
#pragma GCC unroll 4
    for (int j = 0; j < TILE_VECTORS; j++) b[j] = (__m512bh)_mm512_loadu_si512(panel + i * kPanel + j * 16);
#pragma GCC unroll 16
    for (int r = 0; r < TILE_ROWS; r++) {
      const __m512bh a = (__m512bh)_mm512_set1_epi32((int)strip[i * kStrip + r]);
#pragma GCC unroll 4
      for (int j = 0; j < TILE_VECTORS; j++) c[r][j] = _mm512_dpbf16_ps(c[r][j], a, b[j]);
    }
  }
}

// One row's candidates, and the value that a column must be able to exceed.
struct Scout {
  Candidate* candidates;
  int32_t count;
  float threshold;
  float error;  // of the row's rounding, with the rounding of sums
  float norm;
};

// The k-th largest lower bound: k columns are sure to reach it. `room` holds `count` entries.
float sure_of(const Scout& scout, int64_t k, Entry* room) {
  for (int32_t i = 0; i < scout.count; i++) room[i] = {scout.candidates[i].lower, scout.candidates[i].column};
  keep_strongest(room, scout.count, k);
  float weakest = room[0].value;
  for (int64_t i = 1; i < k; i++) weakest = room[i].value < weakest ? room[i].value : weakest;
  return weakest;
}

// Not what just reaches the threshold: a settled candidate may be the very one that set it.
void drop_hopeless(Scout& scout) {
  int32_t kept = 0;
  for (int32_t i = 0; i < scout.count; i++) {
    if (scout.candidates[i].upper >= scout.threshold) scout.candidates[kept++] = scout.candidates[i];
  }
  scout.count = kept;
}

// Computes the candidates in float32 and keeps the k strongest of them.
void settle(Scout& scout, const float* row, const EncodeBlock& block, int64_t k, Entry* room) {
  int32_t count = 0;
  for (int32_t i = 0; i < scout.count; i++) {
    const uint32_t column = scout.candidates[i].column;
    const float value = dot(row, block.weight + column * block.width, block.width) + block.bias[column];
    if (value > 0) room[count++] = {value, column};
  }
  if (count > k) {
    keep_strongest(room, count, k);
    count = (int32_t)k;
  }
  for (int32_t i = 0; i < count; i++) scout.candidates[i] = {room[i].value, room[i].value, room[i].column};
  scout.count = count;
}

// Threshold selection needs no rivals: each candidate is decided as soon as it is computed.
void flush(Scout& scout, int64_t r, const EncodeBlock& block, Selection& selection) {
  const float* row = block.x + r * block.width;
  for (int32_t i = 0; i < scout.count; i++) {
    const uint32_t column = scout.candidates[i].column;
    const float value = dot(row, block.weight + column * block.width, block.width) + block.bias[column];
    const float bound = selection.threshold[column] > 0 ? selection.threshold[column] : 0;
    if (value > bound) selection.append(selection.context, r, {value, column});
  }
  scout.count = 0;
}

inline float max_of_floats(float a, float b) { return a > b ? a : b; }

int64_t scout_capacity(int64_t k) { return 6 * k + 256; }

int64_t encode_scratch_bf16(int64_t rows, int64_t width, int64_t k) {
  const int64_t padded = ceil_div(rows, kStrip) * kStrip, pairs = ceil_div(width, 2);
  const int64_t operands = padded * pairs + 2 * kPanel * pairs + kStrip * pairs;
  const int64_t lists = padded * (int64_t)(sizeof(Scout) + scout_capacity(k) * sizeof(Candidate)) / 4;
  return operands + lists + scout_capacity(k) * 2 + 64;
}

void encode_bf16(const EncodeBlock& block, Selection& selection, float* scratch) {
  const bool top = selection.kind == Selection::kTopK;
  const int64_t k = top ? selection.k : 0, capacity = scout_capacity(k);
  const int64_t pairs = ceil_div(block.width, 2), padded = ceil_div(block.rows, kStrip) * kStrip;
  uint32_t* strips = (uint32_t*)scratch;
  uint32_t* panel = strips + padded * pairs;
  uint32_t* rounded = panel + kPanel * pairs;
  Entry* room = (Entry*)(rounded + (kPanel + kStrip) * pairs + (pairs & 1));
  Scout* scouts = (Scout*)(((uintptr_t)(room + capacity) + 15) & ~(uintptr_t)15);
  Candidate* lists = (Candidate*)(scouts + padded);
  const float sums = ((float)block.width + 16) * 1.2e-7f;

  for (int64_t r0 = 0; r0 < block.rows; r0 += kStrip) {
    const int64_t count = smaller(kStrip, block.rows - r0);
    const float* rows[kStrip];
    for (int64_t r = 0; r < count; r++) {
      uint32_t* to = rounded + r * pairs;
      const Rounded bound = round_row(block.x + (r0 + r) * block.width, block.width, to);
      rows[r] = (const float*)to;
      scouts[r0 + r] = {lists + (r0 + r) * capacity, 0, 0, bound.error + sums * bound.norm, bound.norm};
    }
    interleave<kStrip>(rows, count, pairs, (float*)(strips + r0 * pairs));
  }

  for (int64_t first = 0; first < block.columns; first += kPanel) {
    const int64_t columns = smaller(kPanel, block.columns - first);
    float bias[kPanel] = {}, threshold[kPanel] = {}, norm[kPanel] = {}, error[kPanel] = {};
    uint32_t column[kPanel] = {};
    const float* rows[kPanel];
    for (int64_t i = 0; i < columns; i++) {
      column[i] = block.subset ? block.subset[first + i] : first + i;
      uint32_t* to = rounded + i * pairs;
      const Rounded bound = round_row(block.weight + column[i] * block.width, block.width, to);
      rows[i] = (const float*)to;
      norm[i] = bound.norm;
      error[i] = bound.error;
      bias[i] = block.bias[column[i]];
      if (!top) threshold[i] = selection.threshold[column[i]] > 0 ? selection.threshold[column[i]] : 0;
    }
    interleave<kPanel>(rows, columns, pairs, (float*)panel);
    const uint32_t present = columns == kPanel ? ~0u : (1u << columns) - 1;

    for (int64_t r0 = 0; r0 < block.rows; r0 += kStrip) {
      __m512 c[TILE_ROWS][TILE_VECTORS];
      tile_bf16(strips + r0 * pairs, panel, pairs, c);
      const int64_t count = smaller(kStrip, block.rows - r0);
      for (int64_t r = 0; r < count; r++) {
        Scout& scout = scouts[r0 + r];
        for (int j = 0; j < TILE_VECTORS; j++) {
          const V value = (V)c[r][j] + load(bias + j * LANES);
          const V err = load(norm + j * LANES) * scout.error + load(error + j * LANES) * scout.norm;
          const V upper = value + err;
          uint32_t mask = greater_mask(upper, top ? splat(scout.threshold) : load(threshold + j * LANES));
          mask &= present >> (j * LANES);
          for (; mask; mask &= mask - 1) {
            const int lane = __builtin_ctz(mask);
            if (scout.count == capacity) {
              if (top) {
                scout.threshold = max_of_floats(scout.threshold, sure_of(scout, k, room));
                drop_hopeless(scout);
                if (scout.count > capacity / 2)
                  settle(scout, block.x + (r0 + r) * block.width, block, k, room);
              } else {
                flush(scout, r0 + r, block, selection);
              }
            }
            scout.candidates[scout.count++] = {value[lane] - err[lane], upper[lane], column[j * LANES + lane]};
          }
        }
      }
    }
    // Early on every column passes: raise the bar as soon as k columns are sure.
    if (top) {
      for (int64_t r = 0; r < block.rows; r++) {
        Scout& scout = scouts[r];
        if (scout.count < 4 * k) continue;
        scout.threshold = max_of_floats(scout.threshold, sure_of(scout, k, room));
        drop_hopeless(scout);
      }
    }
  }

  for (int64_t r = 0; r < block.rows; r++) {
    if (!top) {
      flush(scouts[r], r, block, selection);
      continue;
    }
    Scout& scout = scouts[r];
    if (scout.count > k) {
      scout.threshold = max_of_floats(scout.threshold, sure_of(scout, k, room));
      drop_hopeless(scout);
    }
    settle(scout, block.x + r * block.width, block, k, room);
    TopK& out = selection.top[r];
    out.count = scout.count;
    for (int32_t i = 0; i < scout.count; i++)
      out.buffer[i] = {scout.candidates[i].lower, scout.candidates[i].column};
  }
}

}  // namespace
}  // namespace monosem
