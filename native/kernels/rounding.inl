// Operands rounded to bfloat16, as pairs, with the norms that bound what that does to a product. For sets with
// AVX-512's bfloat16 instructions.

namespace monosem {
namespace {

// 32 values of a row as 16 pairs of bfloat16, what lies past its end zero.
inline __m512i round_pairs(const float* row, int64_t left) {
  const auto mask = [](int64_t n) {
    return n >= 16 ? (__mmask16)0xffff : n <= 0 ? (__mmask16)0 : (__mmask16)((1u << n) - 1);
  };
  const __m512 low = _mm512_maskz_loadu_ps(mask(left), row);
  const __m512 high = _mm512_maskz_loadu_ps(mask(left - 16), row + 16);
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

// Up to 16 values each of two rows `stride` apart, as pairs of one of each; `rows` of them are there, the rest is zero.
inline __m512i pair_rows(const float* row, int64_t stride, int64_t values, int64_t rows) {
  const __mmask16 mask = values >= 16 ? 0xffff : values <= 0 ? 0 : (__mmask16)((1u << values) - 1);
  const __m512 first = _mm512_maskz_loadu_ps(rows > 0 ? mask : 0, row);
  const __m512 second = _mm512_maskz_loadu_ps(rows > 1 ? mask : 0, row + stride);
  const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(first));
  const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(second));
  return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

// The norm of a row, or of the rounded row where that is larger, with room for the rounding of sums; and the norm of
// what rounding took away, with the part of `norm` that the rounding of a product's sums may take.
void rounding_norms(const float* row, int64_t width, float* norm, float* rounding) {
  __m512 squares = _mm512_setzero_ps(), rounded_squares = squares, errors = squares;
  for (int64_t i = 0; i < width; i += 16) {
    const __mmask16 mask = width - i >= 16 ? 0xffff : (__mmask16)((1u << (width - i)) - 1);
    const __m512 x = _mm512_maskz_loadu_ps(mask, row + i);
    const __m512 y = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x)), 16));
    const __m512 e = _mm512_sub_ps(x, y);
    squares = _mm512_fmadd_ps(x, x, squares);
    rounded_squares = _mm512_fmadd_ps(y, y, rounded_squares);
    errors = _mm512_fmadd_ps(e, e, errors);
  }
  const float a = sum_lanes((V)squares), b = sum_lanes((V)rounded_squares);
  *norm = __builtin_sqrtf(a > b ? a : b) * 1.0001f;
  *rounding = __builtin_sqrtf(sum_lanes((V)errors)) * 1.0001f;
}

// A row's share of the error also covers the sums' own rounding, (width + 16) * 2^-23 of the norms' product.
void row_norms(const float* x, int64_t rows, int64_t width, float* norm, float* rounding) {
  for (int64_t r = 0; r < rows; r++) {
    rounding_norms(x + r * width, width, norm + r, rounding + r);
    rounding[r] += ((float)width + 16) * 1.2e-7f * norm[r];
  }
}

const float* column_of(const EncodeOperands& operands, int64_t at) {
  return operands.weight + (operands.subset ? operands.subset[at] : at) * operands.width;
}

void column_norms(const EncodeOperands& operands, int64_t first, int64_t columns, float* norm, float* rounding) {
  for (int64_t i = 0; i < columns; i++)
    rounding_norms(column_of(operands, first + i), operands.width, norm + i, rounding + i);
}

}  // namespace
}  // namespace monosem
