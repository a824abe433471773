// Causal attention over whole sequences.
#include "operations.h"
#include "../pool.h"

namespace monosem {

void attention(const DenseProduct& product, const float* q, const float* k, const float* v, int64_t batch,
               int64_t length, int64_t heads, int64_t head_width, float* out) {
  const int64_t width = heads * head_width;
  parallel_for(batch * heads, [&](int64_t task) {
    const int64_t at = task / heads * length * width + task % heads * head_width;
    product.attention_head(q + at, k + at, v + at, length, width, head_width,
                           scratch(attention_scratch(product, length, head_width)), out + at);
  });
}

}  // namespace monosem
