// How operations read a `SparseRows`.
#pragma once

#include "arguments.h"

namespace monosem {

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
  for (uint32_t e = view.offsets[0]; e < entries; e++) {
    if (view.indices[e] >= columns) a.refuse("codes.indices: past the last column, " + std::to_string(columns));
  }
  return view;
}

}  // namespace monosem
