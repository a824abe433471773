// How operations read a `SparseRows`.
#pragma once

#include "arguments.h"

namespace monosem {

// Whether all of `count` numbers are below a bound. Without a branch, as there are many: a number of 2^31 or more has its
// highest bit, and one past a lower bound gives it to the difference.
inline bool all_below(const uint32_t* numbers, int64_t count, int64_t bound) {
  if (count == 0) return true;
  if (bound <= 0) return false;
  const uint32_t last = static_cast<uint32_t>(std::min<int64_t>(bound, int64_t{1} << 31) - 1);
  uint32_t seen = 0;
  for (int64_t i = 0; i < count; i++) seen |= numbers[i] | (last - numbers[i]);
  return seen >> 31 == 0;
}

inline SparseView sparse_rows(Arguments& a, int64_t columns) {
  SparseView view{};
  view.rows = a.count("codes.rows");
  view.columns = columns;
  view.offsets = a.uints("codes.offsets", view.rows + 1);
  for (int64_t r = 0; r < view.rows; r++) {
    if (view.offsets[r] > view.offsets[r + 1]) a.refuse("codes.offsets: must not descend");
  }
  const uint32_t entries = view.offsets[view.rows];
  view.indices = a.uints("codes.indices", entries);
  view.values = a.floats("codes.values", entries);
  const uint32_t first = view.offsets[0];
  if (!all_below(view.indices + first, entries - first, columns))
    a.refuse("codes.indices: past the last column, " + std::to_string(columns));
  return view;
}

}  // namespace monosem
