#include <algorithm>

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

void entry_dots(const SparseView& codes, const float* m, const float* weight, int64_t width, float* out) {
  const Kernels& k = kernels();
  over_rows(codes.rows, 64, [&](int64_t r) {
    for (uint32_t e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
      out[e] = k.dot(m + r * width, weight + codes.indices[e] * width, width);
    }
  });
}

// A counting sort: rows are visited in order, so a column's entries come out in the order of their rows.
Columns sort_by_column(const SparseView& codes, int64_t columns) {
  const uint32_t count = codes.offsets[codes.rows];
  Columns out;
  out.offsets.assign(columns + 1, 0);
  out.rows.resize(count);
  out.entries.resize(count);
  for (uint32_t e = 0; e < count; e++) out.offsets[codes.indices[e] + 1]++;
  for (int64_t c = 0; c < columns; c++) out.offsets[c + 1] += out.offsets[c];
  std::vector<uint32_t> next(out.offsets.begin(), out.offsets.end() - 1);
  for (int64_t r = 0; r < codes.rows; r++) {
    for (uint32_t e = codes.offsets[r]; e < codes.offsets[r + 1]; e++) {
      const uint32_t to = next[codes.indices[e]]++;
      out.rows[to] = static_cast<uint32_t>(r);
      out.entries[to] = e;
    }
  }
  return out;
}

void add_column_sums(int64_t columns, const uint32_t* offsets, const uint32_t* rows, const uint32_t* entries,
                     const float* coefficients, const float* m, int64_t width, float* out, float* sums) {
  const Kernels& k = kernels();
  over_rows(columns, 64, [&](int64_t c) {
    const uint32_t first = offsets[c], count = offsets[c + 1] - first;
    if (count == 0) return;
    k.gather_sum(rows + first, entries + first, coefficients, count, m, width, out + c * width);
    if (!sums) return;
    double sum = sums[c];
    for (uint32_t e = first; e < first + count; e++) sum += coefficients[entries[e]];
    sums[c] = static_cast<float>(sum);
  });
}

}  // namespace monosem
