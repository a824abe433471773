// Sparse rows, as an encoder makes them, for the suites that work on these.
#pragma once

#include <algorithm>
#include <cmath>

#include "../operations/operations.h"
#include "test.h"

namespace monosem::test {

// Rows of entries, some of them empty and some of them full, or all with few; by ascending column or, now and then, by
// descending.
struct Codes {
  int64_t rows, columns;
  std::vector<uint32_t> offsets, indices;
  std::vector<float> values;

  Codes(Random& random, int64_t rows, int64_t columns) : rows(rows), columns(columns), offsets{0} {
    const double most = random.coin() ? 1 : 0.08;
    const bool descending = random.between(0, 5) == 0;
    for (int64_t r = 0; r < rows; r++) {
      const double density = most * std::min(1.0, random.between(0, 3) * 0.5 * (0.5 + random.uniform()));
      for (int64_t place = 0; place < columns; place++) {
        const int64_t c = descending ? columns - 1 - place : place;
        if (random.uniform() >= density) continue;
        indices.push_back(static_cast<uint32_t>(c));
        values.push_back(random.between(0, 9) == 0 ? 0 : random.normal());
      }
      offsets.push_back(static_cast<uint32_t>(indices.size()));
    }
  }

  SparseView view() const { return {rows, columns, offsets.data(), indices.data(), values.data()}; }

  template <class Body>
  void for_each(Body body) const {
    for (int64_t r = 0; r < rows; r++)
      for (uint32_t e = offsets[r]; e < offsets[r + 1]; e++) body(r, static_cast<int64_t>(indices[e]), e);
  }
};

}  // namespace monosem::test
