// Whole transformer blocks for one position of many sequences, whose earlier keys and values are in a cache. A task
// takes its sequences through all blocks; weights are read once for all of them, and the cache once.
#include <algorithm>

#include "operations.h"
#include "../pool.h"

namespace monosem {
namespace {

constexpr int64_t kMostSequences = 128;  // of a task: their activations stay in the second cache

// Memory of one task of `rows` sequences.
struct Workspace {
  Workspace(const DenseProduct& p, const BlockShape& s, int64_t rows) {
    const int64_t width = s.heads * s.head_width, floats = round_up(rows * width, 16);
    const int64_t strip_floats = round_up(strip_bytes(p, rows, width), 64) / 4;
    const int64_t gated_floats = round_up(strip_bytes(p, rows, s.mlp_width), 64) / 4;
    q = scratch(3 * floats + strip_floats + gated_floats + cached_step_scratch(s.length, s.heads, s.head_width));
    k = q + floats;
    v = k + floats;
    strips = v + floats;
    gated = strips + strip_floats;
    attention = gated + gated_floats;
  }
  float *q, *k, *v, *strips, *gated, *attention;
};

// The sequences that one task takes through the blocks.
struct Step {
  const DenseProduct& product;
  const CachedAttention& cached;
  const BlockShape& shape;
  int64_t position, rows;
  int64_t sequence_bytes;  // of the cache, in one block
  float* residual;
  Workspace w;

  int64_t width() const { return shape.heads * shape.head_width; }

  void multiply(const void* strips, const void* weight, int64_t inputs, bool add, float* out) const {
    Epilogue epilogue;
    epilogue.add = add;
    product.multiply(strips, rows, weight, inputs, width(), 0, panels(product, width()), epilogue, out, width());
  }

  // Leaves the rows in w.strips; w.q is overwritten.
  void pack_normalized() const {
    for (int64_t r = 0; r < rows; r++)
      kernels().rms_norm_row(residual + r * width(), width(), shape.epsilon, w.q + r * width());
    product.pack_rows(w.q, width(), rows, width(), w.strips);
  }

  void run_block(const BlockWeights& block, char* cache) const {
    pack_normalized();
    multiply(w.strips, block.q, width(), false, w.q);
    multiply(w.strips, block.k, width(), false, w.k);
    multiply(w.strips, block.v, width(), false, w.v);
    for (int64_t r = 0; r < rows; r++) {
      float *q = w.q + r * width(), *k = w.k + r * width();
      kernels().rotate_row(q, shape.heads, shape.head_width, shape.cos, shape.sin);
      kernels().rotate_row(k, shape.heads, shape.head_width, shape.cos, shape.sin);
      char* own = cache + r * sequence_bytes;
      const char* next = r + 1 < rows ? own + sequence_bytes : own;
      cached.step({q, k, w.v + r * width(), own, next, shape.length, position, shape.heads, shape.head_width,
                   w.attention, q});
    }
    product.pack_rows(w.q, width(), rows, width(), w.strips);
    multiply(w.strips, block.o, width(), true, residual);

    pack_normalized();
    product.multiply_gated(w.strips, rows, block.gate, block.up, width(), shape.mlp_width, w.gated);
    multiply(w.gated, block.down, shape.mlp_width, true, residual);
  }
};

int64_t sequence_bytes(int precision, int64_t capacity, int64_t heads, int64_t head_width) {
  return round_up(kernels().cached[precision].bytes(capacity, heads, head_width), 64);
}

}  // namespace

int64_t cache_bytes(int precision, int64_t blocks, int64_t batch, int64_t capacity, int64_t heads, int64_t head_width) {
  return blocks * batch * sequence_bytes(precision, capacity, heads, head_width);
}

void decoder_step(int precision, const BlockShape& shape, const std::vector<BlockWeights>& blocks, int64_t position,
                  void* cache, float* residual) {
  const DenseProduct& product = kernels().dense[precision];
  const int64_t width = shape.heads * shape.head_width;
  const int64_t bytes = sequence_bytes(precision, shape.length, shape.heads, shape.head_width);
  const int64_t share = round_up(ceil_div(shape.batch, threads()), product.strip);
  const int64_t each = std::min(share, round_up(kMostSequences, product.strip));
  parallel_for(ceil_div(shape.batch, each), [&](int64_t task) {
    const int64_t first = task * each, rows = std::min(each, shape.batch - first);
    const Step step{product, kernels().cached[precision], shape, position, rows, bytes, residual + first * width,
                    Workspace(product, shape, rows)};
    for (size_t b = 0; b < blocks.size(); b++)
      step.run_block(blocks[b], static_cast<char*>(cache) + (b * shape.batch + first) * bytes);
  });
}

}  // namespace monosem
