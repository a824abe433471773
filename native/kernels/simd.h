// Vectors of the instruction set that the including file was compiled for, in the compilers' own vector type,
// so that one text serves them all. Only common.inl includes this.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#elif defined(USE_NEON)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#define TILE_ROWS 12
#define TILE_VECTORS 2
#elif defined(__AVX2__)
#define LANES 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
#elif defined(USE_NEON)
#define LANES 4
#define TILE_ROWS 12  // 24 sums, two vectors of a panel, and the row's values fill the 32 registers
#define TILE_VECTORS 2
#else
#define LANES 4
#define TILE_ROWS 4
#define TILE_VECTORS 2
#endif

namespace {

typedef float V __attribute__((vector_size(LANES * 4)));
typedef std::int32_t VI __attribute__((vector_size(LANES * 4)));
typedef float VUnaligned __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

inline V load(const float* p) { return *reinterpret_cast<const VUnaligned*>(p); }
inline void store(float* p, V v) { *reinterpret_cast<VUnaligned*>(p) = v; }
inline V splat(float s) { return s - V{}; }

inline V max_of(V a, V b) {
#if defined(USE_NEON)
  return (V)vmaxq_f32((float32x4_t)a, (float32x4_t)b);
#endif
  return a > b ? a : b;
}

// Always in this order, so that a sum has one value on an instruction set.
inline float sum_lanes(V v) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps((__m512)v);
#elif defined(USE_NEON)
  return vaddvq_f32((float32x4_t)v);
#endif
  float lane[LANES];
  std::memcpy(lane, &v, sizeof v);
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) lane[i] += lane[i + width];
  return lane[0];
}

inline float max_lanes(V v) {
#if defined(__AVX512F__)
  return _mm512_reduce_max_ps((__m512)v);
#elif defined(USE_NEON)
  return vmaxvq_f32((float32x4_t)v);
#endif
  float best = v[0];
  for (int i = 1; i < LANES; i++) best = v[i] > best ? v[i] : best;
  return best;
}

inline float min_lanes(V v) { return -max_lanes(-v); }

#if defined(USE_NEON)
inline std::uint32_t mask_of(uint32x4_t lanes) {
  const uint32x4_t bits = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(lanes, bits));
}
#endif

// Bit i is set where a[i] > b[i].
inline std::uint32_t greater_mask(V a, V b) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ);
#elif defined(__AVX2__)
  return (std::uint32_t)_mm256_movemask_ps((__m256)(a > b));
#elif defined(__SSE2__)
  return (std::uint32_t)_mm_movemask_ps((__m128)(a > b));
#elif defined(USE_NEON)
  return mask_of(vcgtq_f32((float32x4_t)a, (float32x4_t)b));
#else
  VI m = a > b;
  std::uint32_t mask = 0;
  for (int i = 0; i < LANES; i++) mask |= (std::uint32_t)(m[i] & 1) << i;
  return mask;
#endif
}

inline std::uint32_t at_least_mask(V a, V b) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GE_OQ);
#elif defined(__AVX2__)
  return (std::uint32_t)_mm256_movemask_ps((__m256)(a >= b));
#elif defined(__SSE2__)
  return (std::uint32_t)_mm_movemask_ps((__m128)(a >= b));
#elif defined(USE_NEON)
  return mask_of(vcgeq_f32((float32x4_t)a, (float32x4_t)b));
#else
  VI m = a >= b;
  std::uint32_t mask = 0;
  for (int i = 0; i < LANES; i++) mask |= (std::uint32_t)(m[i] & 1) << i;
  return mask;
#endif
}

// The same for whole numbers, where a[i] <= b[i].
inline std::uint32_t at_most_mask(VI a, VI b) {
#if defined(__AVX512F__)
  return _mm512_cmple_epi32_mask((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (std::uint32_t)_mm256_movemask_ps((__m256)(a <= b));
#elif defined(__SSE2__)
  return (std::uint32_t)_mm_movemask_ps((__m128)(a <= b));
#elif defined(USE_NEON)
  return mask_of(vcleq_s32((int32x4_t)a, (int32x4_t)b));
#else
  VI m = a <= b;
  std::uint32_t mask = 0;
  for (int i = 0; i < LANES; i++) mask |= (std::uint32_t)(m[i] & 1) << i;
  return mask;
#endif
}

#if defined(USE_NEON)
// For each mask of four lanes, the bytes of the chosen ones moved to the front.
struct Gathering {
  std::uint8_t bytes[16][16] = {};
  constexpr Gathering() {
    for (int mask = 0; mask < 16; mask++) {
      int to = 0;
      for (int lane = 0; lane < 4; lane++) {
        if (!(mask >> lane & 1)) continue;
        for (int byte = 0; byte < 4; byte++) bytes[mask][to++] = (std::uint8_t)(lane * 4 + byte);
      }
    }
  }
};
constexpr Gathering kGathering;
#endif

// Writes the lanes of `v` whose bit is set one after another; up to LANES values past them may be overwritten.
inline void store_chosen(float* to, V v, std::uint32_t mask) {
#if defined(__AVX512F__)
  _mm512_storeu_ps(to, _mm512_maskz_compress_ps((__mmask16)mask, (__m512)v));
#elif defined(USE_NEON)
  vst1q_u8(reinterpret_cast<std::uint8_t*>(to), vqtbl1q_u8((uint8x16_t)v, vld1q_u8(kGathering.bytes[mask])));
#else
  for (; mask; mask &= mask - 1) *to++ = v[__builtin_ctz(mask)];
#endif
}

inline V square_root(V v) {
#if defined(__AVX512F__)
  return (V)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX2__)
  return (V)_mm256_sqrt_ps((__m256)v);
#elif defined(__SSE2__)
  return (V)_mm_sqrt_ps((__m128)v);
#elif defined(USE_NEON)
  return (V)vsqrtq_f32((float32x4_t)v);
#else
  for (int i = 0; i < LANES; i++) v[i] = __builtin_sqrtf(v[i]);
  return v;
#endif
}

#if defined(__AVX512F__)
// Rows and columns of 16 x 16 words change places.
inline void transpose(__m512i m[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    t[2 * i] = _mm512_unpacklo_epi32(m[2 * i], m[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(m[2 * i], m[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    m[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    m[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    m[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    m[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(m[i], m[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_i32x4(m[i], m[4 + i], 0xdd);
    t[8 + i] = _mm512_shuffle_i32x4(m[8 + i], m[12 + i], 0x88);
    t[12 + i] = _mm512_shuffle_i32x4(m[8 + i], m[12 + i], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    m[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
    m[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xdd);
    m[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
    m[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xdd);
  }
}
#endif

// a and b become the first and the second half of a[0], b[0], a[1], b[1], ...
inline void zip(V& a, V& b) {
  const V first = a, second = b;
#if defined(__AVX512F__)
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  a = (V)_mm512_permutex2var_ps((__m512)first, low, (__m512)second);
  b = (V)_mm512_permutex2var_ps((__m512)first, _mm512_add_epi32(low, _mm512_set1_epi32(8)), (__m512)second);
#elif defined(__AVX2__)
  const __m256 low = _mm256_unpacklo_ps((__m256)first, (__m256)second);
  const __m256 high = _mm256_unpackhi_ps((__m256)first, (__m256)second);
  a = (V)_mm256_permute2f128_ps(low, high, 0x20);
  b = (V)_mm256_permute2f128_ps(low, high, 0x31);
#elif defined(__SSE2__)
  a = (V)_mm_unpacklo_ps((__m128)first, (__m128)second);
  b = (V)_mm_unpackhi_ps((__m128)first, (__m128)second);
#elif defined(USE_NEON)
  a = (V)vzip1q_f32((float32x4_t)first, (float32x4_t)second);
  b = (V)vzip2q_f32((float32x4_t)first, (float32x4_t)second);
#else
  for (int i = 0; i < LANES / 2; i++) {
    a[2 * i] = first[i], a[2 * i + 1] = second[i];
    b[2 * i] = first[LANES / 2 + i], b[2 * i + 1] = second[LANES / 2 + i];
  }
#endif
}

// Rows and columns of LANES x LANES values change places.
inline void transpose(V m[LANES]) {
#if defined(__AVX512F__)
  transpose(reinterpret_cast<__m512i*>(m));
#else
  V t[LANES];
  for (int round = 1; round < LANES; round *= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < LANES / 2; i++) {
      t[2 * i] = m[i], t[2 * i + 1] = m[LANES / 2 + i];
      zip(t[2 * i], t[2 * i + 1]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < LANES; i++) m[i] = t[i];
  }
#endif
}

// Lane i of the result is the sum of the lanes of m[i], which is overwritten.
template <int kCount = LANES>
inline V lane_sums(V m[LANES]) {
  if constexpr (kCount == 1) {
    return m[0];
  } else {
#pragma GCC unroll 8
    for (int i = 0; i < kCount / 2; i++) {
      zip(m[i], m[kCount / 2 + i]);
      m[i] += m[kCount / 2 + i];
    }
    return lane_sums<kCount / 2>(m);
  }
}

// 1 / v, to a unit in the last place or two.
inline V reciprocal(V v) {
#if defined(__AVX512F__)
  const V r = (V)_mm512_rcp14_ps((__m512)v);
  return r * (2.0f - v * r);
#else
  return 1.0f / v;
#endif
}

// exp by 2^n * p(r), |r| <= ln 2 / 2, relative error below 2e-7 (Cephes' expf coefficients). Below -87: 0.
inline V exponential(V x) {
  const V low = splat(-87.0f), high = splat(88.0f);
#if defined(__AVX512F__)
  const __mmask16 in_range = _mm512_cmp_ps_mask((__m512)x, (__m512)low, _CMP_NLT_UQ);
  x = (V)_mm512_min_ps((__m512)high, (__m512)x);
  const V n = (V)_mm512_roundscale_ps((__m512)(x * 1.44269504088896341f), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
  const VI underflow = x < low;
  x = x < low ? low : (x > high ? high : x);
  const V magic = splat(12582912.0f);
  const V n = (x * 1.44269504088896341f + magic) - magic;
#endif
  const V r = x - n * 0.693359375f + n * 2.12194440e-4f;
  V p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
#if defined(__AVX512F__)
  return (V)_mm512_maskz_scalef_ps(in_range, (__m512)p, (__m512)n);
#else
  const VI exponent = (__builtin_convertvector(n, VI) + 127) << 23;
  V power;
  std::memcpy(&power, &exponent, sizeof power);
  const V result = p * power;
  return underflow ? V{} : result;
#endif
}

// 2^x, relative error below 3e-7 (Chebyshev interpolation on [0, 1)); what is too small for a float may be 0.
inline V power_of_two(V x) {
#if defined(__AVX512DQ__)
  const V r = (V)_mm512_reduce_ps((__m512)x, 1);  // x - floor(x)
  V p = r * 0.00189375406f + 0.00894959042f;
  p = p * r + 0.0558603371f;
  p = p * r + 0.240141818f;
  p = p * r + 0.69315449f;
  p = p * r + 0.9999998984f;
  return (V)_mm512_scalef_ps((__m512)p, (__m512)x);
#else
  return exponential(x * 0.69314718056f);
#endif
}

}  // namespace
