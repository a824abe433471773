// Attention of one query to a cache of bfloat16, with AVX-512's dot products of pairs. The cache is read once, front to
// back, at the speed of memory, so it lies as the products read it. Of a sequence, in blocks of 16 positions:
//   keys    [block][pair of a row][16 positions][2]
//   values  [block][8 pairs of positions][padded row][2], each head padded to whole vectors

namespace monosem {
namespace {

constexpr int64_t kPositions = 16;

inline int64_t key_block_bytes(int64_t heads, int64_t head_width) { return heads * head_width * kPositions * 2; }
inline int64_t padded_head(int64_t head_width) { return round_up(head_width, 16); }
inline int64_t value_block_bytes(int64_t heads, int64_t head_width) {
  return heads * padded_head(head_width) * kPositions * 2;
}

int64_t cache_bytes_pairs(int64_t capacity, int64_t heads, int64_t head_width) {
  return ceil_div(capacity, kPositions) * (key_block_bytes(heads, head_width) + value_block_bytes(heads, head_width));
}

inline void append_key(const float* k, int64_t width, int64_t lane, char* block) {
  uint32_t* to = reinterpret_cast<uint32_t*>(block) + lane;
  const __m512i lines = _mm512_slli_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), 4);
  for (int64_t i = 0; i < width; i += 32) {
    const __mmask16 mask = (__mmask16)((1u << smaller(16, (width - i) / 2)) - 1);
    _mm512_mask_i32scatter_epi32(to + i / 2 * kPositions, mask, lines, round_pairs(k + i, width - i), 4);
  }
}

// An even position opens a pair whose other half is zero until it comes.
inline void append_value(const float* v, int64_t heads, int64_t head_width, int64_t lane, char* block) {
  const int64_t padded = padded_head(head_width);
  char* pair = block + lane / 2 * heads * padded * 4;
  for (int64_t h = 0; h < heads; h++) {
    for (int64_t i = 0; i < head_width; i += 16) {
      const __mmask16 mask = (__mmask16)((1u << smaller(16, head_width - i)) - 1);
      const __m256i rounded = (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, v + h * head_width + i));
      const __m512i half = _mm512_cvtepu16_epi32(rounded);
      char* to = pair + (h * padded + i) * 4;
      _mm512_storeu_si512(to, lane % 2 ? _mm512_or_si512(_mm512_loadu_si512(to), _mm512_slli_epi32(half, 16)) : half);
    }
  }
}

inline __m512bh pairs_at(const char* p) { return (__m512bh)_mm512_loadu_si512(p); }

// Scores of the 16 positions of a block, for each head; meanwhile the block at `next` is fetched.
inline void score_block(const uint32_t* query, const char* block, const char* next, int64_t heads, int64_t head_width,
                        float* scores, int64_t stride) {
  for (int64_t h = 0; h < heads; h++) {
    __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();
    int64_t i = 0;
    for (; i + 2 <= head_width / 2; i += 2) {
      _mm_prefetch(next + i * 64, _MM_HINT_T0);
      _mm_prefetch(next + i * 64 + 64, _MM_HINT_T0);
      even = _mm512_dpbf16_ps(even, pairs_at(block + i * 64), (__m512bh)_mm512_set1_epi32((int)query[i]));
      odd = _mm512_dpbf16_ps(odd, pairs_at(block + i * 64 + 64), (__m512bh)_mm512_set1_epi32((int)query[i + 1]));
    }
    if (i < head_width / 2)
      even = _mm512_dpbf16_ps(even, pairs_at(block + i * 64), (__m512bh)_mm512_set1_epi32((int)query[i]));
    _mm512_storeu_ps(scores + h * stride, _mm512_add_ps(even, odd));
    query += head_width / 2, block += head_width * 32, next += head_width * 32;
  }
}

// Adds the values of a block to `sums`, weighted; meanwhile the block at `next` is fetched.
inline void mix_block(const uint32_t* weights, int64_t stride, const char* block, const char* next, int64_t heads,
                      int64_t padded, float* sums) {
  const int64_t row_bytes = heads * padded * 4;
  for (int64_t h = 0; h < heads; h++) {
    __m512bh weight[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) weight[i] = (__m512bh)_mm512_set1_epi32((int)weights[h * stride + i]);
    for (int64_t c = h * padded; c < (h + 1) * padded; c += 16) {
      __m512 sum = _mm512_loadu_ps(sums + c), other = _mm512_setzero_ps();
#pragma GCC unroll 4
      for (int i = 0; i < 8; i += 2) {
        _mm_prefetch(next + i * row_bytes + c * 4, _MM_HINT_T0);
        _mm_prefetch(next + (i + 1) * row_bytes + c * 4, _MM_HINT_T0);
        sum = _mm512_dpbf16_ps(sum, pairs_at(block + i * row_bytes + c * 4), weight[i]);
        other = _mm512_dpbf16_ps(other, pairs_at(block + (i + 1) * row_bytes + c * 4), weight[i + 1]);
      }
      _mm512_storeu_ps(sums + c, _mm512_add_ps(sum, other));
    }
  }
}

// Scratch: query pairs [width / 2], scores [heads][positions], weights as pairs [heads][positions / 2], sums.
void cached_step_pairs(const CachedStep& s) {
  const int64_t width = s.heads * s.head_width, padded = padded_head(s.head_width), length = s.position + 1;
  const int64_t key_bytes = key_block_bytes(s.heads, s.head_width);
  const int64_t value_bytes = value_block_bytes(s.heads, s.head_width);
  const int64_t last = s.position / kPositions, stride = (last + 1) * kPositions, lane = s.position % kPositions;
  char* keys = static_cast<char*>(s.cache);
  char* values = keys + ceil_div(s.capacity, kPositions) * key_bytes;
  uint32_t* query = reinterpret_cast<uint32_t*>(s.scratch);
  float* scores = s.scratch + round_up(width / 2, 16);
  uint32_t* weights = reinterpret_cast<uint32_t*>(scores + s.heads * stride);
  float* sums = scores + s.heads * stride + s.heads * stride / 2;

  // The blocks that this position is written to are on their way while the others are read.
  for (int64_t at = 0; at < key_bytes; at += 64) __builtin_prefetch(keys + last * key_bytes + at, 1);
  char* value_pair = values + last * value_bytes + lane / 2 * s.heads * padded * 4;
  for (int64_t at = 0; at < s.heads * padded * 4; at += 64) __builtin_prefetch(value_pair + at, 1);

  for (int64_t i = 0; i < width; i += 32) {
    const __mmask16 mask = (__mmask16)((1u << smaller(16, (width - i) / 2)) - 1);
    _mm512_mask_storeu_epi32(query + i / 2, mask, round_pairs(s.q + i, width - i));
  }
  for (int64_t b = 0; b < last; b++) {
    const char* next = b + 1 < last ? keys + (b + 1) * key_bytes : values;
    score_block(query, keys + b * key_bytes, next, s.heads, s.head_width, scores + b * kPositions, stride);
  }
  append_key(s.k, width, lane, keys + last * key_bytes);
  append_value(s.v, s.heads, s.head_width, lane, values + last * value_bytes);
  score_block(query, keys + last * key_bytes, keys + last * key_bytes, s.heads, s.head_width,
              scores + last * kPositions, stride);

  const float shrink = 1 / __builtin_sqrtf((float)s.head_width);
  float* inverse = sums + s.heads * padded;
  for (int64_t h = 0; h < s.heads; h++) {
    float* row = scores + h * stride;
    inverse[h] = soften(row, length, shrink);
    for (int64_t t = length; t < stride; t++) row[t] = 0;
    for (int64_t t = 0; t < stride; t += 16)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(weights + (h * stride + t) / 2),
                          (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(row + t)));
  }
  for (int64_t c = 0; c < s.heads * padded; c += 16) _mm512_storeu_ps(sums + c, _mm512_setzero_ps());
  for (int64_t b = 0; b <= last; b++) {
    const char* next = b < last ? values + (b + 1) * value_bytes : static_cast<const char*>(s.next);
    mix_block(weights + b * kPositions / 2, stride / 2, values + b * value_bytes, next, s.heads, padded, sums);
  }
  for (int64_t h = 0; h < s.heads; h++) {
    for (int64_t i = 0; i < s.head_width; i += LANES)
      store_part(s.out + h * s.head_width + i, load(sums + h * padded + i) * inverse[h],
                 smaller(LANES, s.head_width - i));
  }
}

constexpr CachedAttention kCachedPairs = {cache_bytes_pairs, cached_step_pairs};

}  // namespace
}  // namespace monosem
