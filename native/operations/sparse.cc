#include <algorithm>
#include <limits>

#include "dense_blocks.h"
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

Groups groups_of(const SparseView& codes) { return {codes.offsets, codes.indices, nullptr, codes.values}; }

bool worth_blocks(const SparseView& codes) { return worth_blocks(groups_of(codes), codes.rows, codes.columns); }

// Calls body(first, last) for blocks of rows.
template <class Body>
void over_blocks(int64_t rows, Body body) {
  parallel_for(ceil_div(rows, kMostGroups), [&](int64_t task) {
    body(task * kMostGroups, std::min(rows, (task + 1) * kMostGroups));
  });
}

void decode_blocks(const SparseView& codes, const float* weight, const float* bias, int64_t width, float* out) {
  const RowSums sums(weight, codes.columns, width);
  over_blocks(codes.rows, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; r++) {
      if (bias) std::copy_n(bias, width, out + r * width);
      else std::fill_n(out + r * width, width, 0.0f);
    }
    sums.add(groups_of(codes), first, last, scratch(block_space(width)), out + first * width);
  });
}

}  // namespace

void decode(const SparseView& codes, const float* weight, const float* bias, int64_t width, float* out) {
  if (worth_blocks(codes)) return decode_blocks(codes, weight, bias, width, out);
  const Kernels& k = kernels();
  over_rows(codes.rows, 64, [&](int64_t r) {
    const uint32_t first = codes.offsets[r];
    k.decode_row(codes.indices + first, codes.values + first, codes.offsets[r + 1] - first, weight, width, bias,
                 out + r * width);
  });
}

void dots(const SparseView& codes, const float* weight, const float* m, int64_t width, float* out) {
  if (worth_blocks(codes)) {
    const RowDots products(weight, codes.columns, width);
    return over_blocks(codes.rows, [&](int64_t first, int64_t last) {
      products.take(groups_of(codes), m + first * width, first, last, scratch(block_space(width)), out);
    });
  }
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

namespace {

// Some of the rows, `each` a task: form(first, last, sums) decodes rows first..last, takes the target from them, adds up
// their columns and writes their dot products, and returns the sum of squares.
template <class Form>
Reconstruction reconstruct_tasks(const SparseView& codes, int64_t each, int64_t width, double* sums, Form form) {
  const int64_t tasks = ceil_div(codes.rows, each);
  std::vector<float> partial_sums(tasks * width, 0.0f);
  std::vector<Reconstruction> partial(tasks);
  parallel_for(tasks, [&](int64_t task) {
    const int64_t first = task * each, last = std::min(codes.rows, first + each);
    float smallest = std::numeric_limits<float>::infinity();
    for (uint32_t e = codes.offsets[first]; e < codes.offsets[last]; e++) smallest = std::min(smallest, codes.values[e]);
    partial[task] = {form(first, last, partial_sums.data() + task * width), smallest};
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

}  // namespace

// The sizes of tasks are fixed, so that partial sums are the same for any number of threads.
Reconstruction reconstruct(const SparseView& codes, const float* weight, const float* target, float factor,
                           float scale, int64_t width, float* out, float* dots, double* sums) {
  const Kernels& k = kernels();
  const auto take_target = [&](int64_t r, float* totals) {
    return k.error_row(target + r * width, factor, scale, width, out + r * width, totals);
  };
  if (worth_blocks(codes)) {
    const RowSums decoded(weight, codes.columns, width);
    const RowDots products(weight, codes.columns, width);
    return reconstruct_tasks(codes, kMostGroups, width, sums, [&](int64_t first, int64_t last, float* totals) {
      float *space = scratch(block_space(width)), *error = out + first * width;
      std::fill_n(error, (last - first) * width, 0.0f);
      decoded.add(groups_of(codes), first, last, space, error);
      double squares = 0;
      for (int64_t r = first; r < last; r++) squares += take_target(r, totals);
      products.take(groups_of(codes), error, first, last, space, dots);
      return squares;
    });
  }
  // Everything that needs a row's decoder rows is done while these are in the cache.
  return reconstruct_tasks(codes, 32, width, sums, [&](int64_t first, int64_t last, float* totals) {
    double squares = 0;
    for (int64_t r = first; r < last; r++) {
      const uint32_t begin = codes.offsets[r], end = codes.offsets[r + 1];
      k.decode_row(codes.indices + begin, codes.values + begin, end - begin, weight, width, nullptr, out + r * width);
      squares += take_target(r, totals);
      for (uint32_t e = begin; e < end; e++) dots[e] = k.dot(out + r * width, weight + codes.indices[e] * width, width);
    }
    return squares;
  });
}

}  // namespace monosem
