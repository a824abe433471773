// How fast this instruction set can multiply and add when it waits for nothing: operands in registers, sums enough to
// hide the latency. Only the benchmark calls these, to have a measured limit beside what it measures.

namespace monosem {
namespace {

// Returns the number of floating-point operations that `rounds` took; a product and a sum are two.
double peak_fp32(int64_t rounds) {
  constexpr int kSums = TILE_ROWS * TILE_VECTORS;
  // Sums that differ: equal ones the compiler would take for one.
  V sums[kSums];
#pragma GCC unroll 32
  for (int j = 0; j < kSums; j++) sums[j] = splat((float)j);
  const V factor = splat(0.999f), term = splat(0.001f);
  for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 32
    for (int j = 0; j < kSums; j++) sums[j] = sums[j] * factor + term;
  }
  V total = {};
  for (int j = 0; j < kSums; j++) total += sums[j];
  volatile float kept = sum_lanes(total);
  (void)kept;
  return 2.0 * LANES * kSums * (double)rounds;
}

#if defined(__AVX512BF16__)
double peak_pairs(int64_t rounds) {
  constexpr int kSums = TILE_ROWS * TILE_VECTORS;
  __m512 sums[kSums];
#pragma GCC unroll 32
  for (int j = 0; j < kSums; j++) sums[j] = _mm512_set1_ps((float)j);
  const __m512bh ones = (__m512bh)_mm512_set1_epi16(0x3f80);
  for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 32
    for (int j = 0; j < kSums; j++) sums[j] = _mm512_dpbf16_ps(sums[j], ones, ones);
  }
  __m512 total = _mm512_setzero_ps();
  for (int j = 0; j < kSums; j++) total = _mm512_add_ps(total, sums[j]);
  volatile float kept = sum_lanes((V)total);
  (void)kept;
  return 2.0 * 2 * LANES * kSums * (double)rounds;
}
#endif

#if defined(__AMX_BF16__)
double peak_tiles(int64_t rounds) {
  const Tiles tiles;
  tile_zero<0>();
  tile_zero<1>();
  tile_zero<2>();
  tile_zero<3>();
  tile_zero<4>();
  tile_zero<5>();
  tile_zero<6>();
  tile_zero<7>();
  for (int64_t i = 0; i < rounds; i++) {
    tile_multiply<0, 4, 6>();
    tile_multiply<1, 4, 7>();
    tile_multiply<2, 5, 6>();
    tile_multiply<3, 5, 7>();
  }
  return 4 * 2.0 * 16 * 16 * kTileInputs * (double)rounds;
}
#endif

constexpr Peaks kPeaks = {
    peak_fp32,
#if defined(__AVX512BF16__)
    peak_pairs,
#else
    nullptr,
#endif
#if defined(__AMX_BF16__)
    peak_tiles,
#else
    nullptr,
#endif
};

}  // namespace
}  // namespace monosem
