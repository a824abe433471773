#include <algorithm>
#include <limits>

#include "operations.h"
#include "../pool.h"

namespace monosem {
namespace {

template <class Body>
void over_rows(int64_t rows, int64_t each, Body body) {
  parallel_for(ceil_div(rows, each), [&](int64_t task) {
    for (int64_t r = task * each; r < std::min(rows, (task + 1) * each); r++) body(r);
  });
}

}  // namespace

void decode(const SparseView& codes, const float* weight, const float* bias, int64_t width, float* out) {
  const Kernels& k = kernels();
  over_rows(codes.rows, 64, [&](int64_t r) {
    const uint32_t first = codes.offsets[r];
    k.decode_row(codes.indices + first, codes.values + first, codes.offsets[r + 1] - first, weight, width, bias,
                 out + r * width);
  });
}

void dots(const SparseView& codes, const float* weight, const float* m, int64_t width, float* out) {
  over_rows(codes.rows, 64, [&](int64_t r) {
    for (uint32_t e = codes.offsets[r]; e < codes.offsets[r + 1]; e++)
      out[e] = kernels().dot(m + r * width, weight + codes.indices[e] * width, width);
  });
}

// A counting sort in blocks of rows. Blocks and rows are visited in order, so a column's entries come out in the order
// of their rows.
void sort_by_column(const SparseView& codes, int64_t columns, uint32_t* offsets, uint32_t* rows, uint32_t* entries) {
  constexpr int64_t kBlocks = 8;
  const int64_t each = std::max<int64_t>(1, ceil_div(codes.rows, kBlocks));
  const int64_t blocks = ceil_div(codes.rows, each);
  // How many entries each block has of each column, and then where its next one goes.
  std::vector<uint32_t> next(blocks * columns);
  const auto over_block = [&](int64_t block, auto visit) {
    for (int64_t r = block * each; r < std::min(codes.rows, (block + 1) * each); r++)
      for (uint32_t e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) visit(r, e);
  };
  parallel_for(blocks, [&](int64_t block) {
    uint32_t* count = next.data() + block * columns;
    over_block(block, [&](int64_t, uint32_t e) { count[codes.indices[e]]++; });
  });
  uint32_t total = 0;
  for (int64_t c = 0; c < columns; c++) {
    offsets[c] = total;
    for (int64_t block = 0; block < blocks; block++) {
      const uint32_t count = next[block * columns + c];
      next[block * columns + c] = total;
      total += count;
    }
  }
  offsets[columns] = total;
  parallel_for(blocks, [&](int64_t block) {
    uint32_t* to = next.data() + block * columns;
    over_block(block, [&](int64_t r, uint32_t e) {
      const uint32_t at = to[codes.indices[e]]++;
      rows[at] = static_cast<uint32_t>(r);
      entries[at] = e;
    });
  });
}

// Everything that needs a row's decoder rows is done while these are in the cache.
Reconstruction reconstruct(const SparseView& codes, const float* weight, const float* target, float factor,
                           float scale, int64_t width, float* out, float* dots, double* sums) {
  // Fixed, so that partial sums are the same for any number of threads.
  constexpr int64_t kRows = 32;
  const Kernels& k = kernels();
  const int64_t tasks = ceil_div(codes.rows, kRows);
  std::vector<float> partial_sums(tasks * width, 0.0f);
  std::vector<Reconstruction> partial(tasks);
  parallel_for(tasks, [&](int64_t task) {
    Reconstruction part{0, std::numeric_limits<float>::infinity()};
    for (int64_t r = task * kRows; r < std::min(codes.rows, (task + 1) * kRows); r++) {
      const uint32_t first = codes.offsets[r], last = codes.offsets[r + 1];
      float* error = out + r * width;
      k.decode_row(codes.indices + first, codes.values + first, last - first, weight, width, nullptr, error);
      part.squares += k.error_row(target + r * width, factor, scale, width, error, partial_sums.data() + task * width);
      for (uint32_t e = first; e < last; e++) {
        dots[e] = k.dot(error, weight + codes.indices[e] * width, width);
        part.smallest = std::min(part.smallest, codes.values[e]);
      }
    }
    partial[task] = part;
  });
  Reconstruction whole{0, std::numeric_limits<float>::infinity()};
  std::fill(sums, sums + width, 0.0);
  for (int64_t task = 0; task < tasks; task++) {
    whole.squares += partial[task].squares;
    whole.smallest = std::min(whole.smallest, partial[task].smallest);
    for (int64_t i = 0; i < width; i++) sums[i] += partial_sums[task * width + i];
  }
  return whole;
}

}  // namespace monosem
