// Attention of one query to a cache of float32. Of a sequence: keys [capacity][width], then values [capacity][width].

namespace monosem {
namespace {

int64_t cache_bytes_fp32(int64_t capacity, int64_t heads, int64_t head_width) {
  return 2 * capacity * heads * head_width * 4;
}

void cached_step_fp32(const CachedStep& s) {
  const int64_t width = s.heads * s.head_width;
  float* keys = static_cast<float*>(s.cache);
  float* values = keys + s.capacity * width;
  __builtin_memcpy(keys + s.position * width, s.k, width * sizeof(float));
  __builtin_memcpy(values + s.position * width, s.v, width * sizeof(float));
  attention_step(s.q, keys, values, s.position + 1, s.heads, s.head_width, s.scratch, s.out);
}

[[maybe_unused]] constexpr CachedAttention kCachedFp32 = {cache_bytes_fp32, cached_step_fp32};

}  // namespace
}  // namespace monosem
