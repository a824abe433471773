// Whole transformer blocks, a sequence at a time: what one block leaves of a sequence is in the nearest caches when
// the next reads it, and nothing but the residual stream is written to memory. The same kernels as the operations
// that do one step of a block, so the same bits.
#include <algorithm>

#include "operations.h"
#include "../pool.h"

namespace monosem {
namespace {

constexpr int64_t kLine = 64;

// Memory of one task. q, k, v and what attention needs are done with before the gated activations come.
struct Workspace {
  Workspace(const DenseProduct& p, const BlockShape& s) {
    const int64_t row = s.heads * s.head_width, floats = round_up(s.length * row, kLine / 4);
    const int64_t normalized_floats = round_up(p.strip * row, kLine / 4);
    const int64_t strip_floats = round_up(strip_bytes(p, s.length, row), kLine) / 4;
    const int64_t attention_floats = 3 * floats + attention_scratch(p, s.length, s.head_width);
    const int64_t gated_floats = ceil_div(strip_bytes(p, s.length, s.mlp_width), 4);
    normalized = scratch(normalized_floats + strip_floats + std::max(attention_floats, gated_floats));
    strips = normalized + normalized_floats;
    q = gated = strips + strip_floats;
    k = q + floats;
    v = k + floats;
    attention = v + floats;
  }
  float *normalized, *strips, *q, *k, *v, *attention, *gated;
};

void pack_normalized(const DenseProduct& p, const BlockShape& s, const float* residual, const Workspace& w) {
  const int64_t width = s.heads * s.head_width, bytes = strip_bytes(p, p.strip, width);
  for (int64_t first = 0; first < s.length; first += p.strip) {
    const int64_t rows = std::min<int64_t>(p.strip, s.length - first);
    for (int64_t r = 0; r < rows; r++)
      kernels().rms_norm_row(residual + (first + r) * width, width, s.epsilon, w.normalized + r * width);
    p.pack_rows(w.normalized, width, rows, width, reinterpret_cast<char*>(w.strips) + first / p.strip * bytes);
  }
}

void run_block(const DenseProduct& p, const BlockShape& s, const BlockWeights& block, float* residual,
               const Workspace& w) {
  const int64_t width = s.heads * s.head_width;
  const auto multiply = [&](const void* strips, const void* weight, int64_t inputs, bool add, float* out) {
    Epilogue epilogue;
    epilogue.add = add;
    p.multiply(strips, s.length, weight, inputs, width, 0, panels(p, width), epilogue, out, width);
  };
  pack_normalized(p, s, residual, w);
  multiply(w.strips, block.q, width, false, w.q);
  multiply(w.strips, block.k, width, false, w.k);
  multiply(w.strips, block.v, width, false, w.v);
  for (int64_t t = 0; t < s.length; t++) {
    const int64_t angles = t * s.head_width / 2;
    kernels().rotate_row(w.q + t * width, s.heads, s.head_width, s.cos + angles, s.sin + angles);
    kernels().rotate_row(w.k + t * width, s.heads, s.head_width, s.cos + angles, s.sin + angles);
  }
  for (int64_t h = 0; h < s.heads; h++) {
    const int64_t at = h * s.head_width;
    p.attention_head(w.q + at, w.k + at, w.v + at, s.length, width, s.head_width, w.attention, w.q + at);
  }
  p.pack_rows(w.q, width, s.length, width, w.strips);
  multiply(w.strips, block.o, width, true, residual);

  pack_normalized(p, s, residual, w);
  p.multiply_gated(w.strips, s.length, block.gate, block.up, width, s.mlp_width, w.gated);
  multiply(w.gated, block.down, s.mlp_width, true, residual);
}

}  // namespace

void decoder_blocks(const DenseProduct& product, const BlockShape& shape, const std::vector<BlockWeights>& blocks,
                    float* residual) {
  const int64_t values = shape.length * shape.heads * shape.head_width;
  parallel_for(shape.batch, [&](int64_t b) {
    const Workspace workspace(product, shape);
    for (const BlockWeights& block : blocks) run_block(product, shape, block, residual + b * values, workspace);
  });
}

}  // namespace monosem
