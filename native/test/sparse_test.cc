// operations/sparse.cc against sums in double.
#include <algorithm>

#include "../operations/operations.h"
#include "suites.h"

namespace monosem::test {
namespace {

// Rows of entries by ascending column, some of them empty.
struct Codes {
  int64_t rows, columns;
  std::vector<uint32_t> offsets, indices;
  std::vector<float> values;

  Codes(Random& random, int64_t rows, int64_t columns) : rows(rows), columns(columns), offsets{0} {
    for (int64_t r = 0; r < rows; r++) {
      const double density = random.coin() ? random.uniform() : 0;
      for (int64_t c = 0; c < columns; c++) {
        if (random.uniform() >= density) continue;
        indices.push_back(static_cast<uint32_t>(c));
        values.push_back(std::abs(random.normal()));
      }
      offsets.push_back(static_cast<uint32_t>(indices.size()));
    }
  }

  SparseView view() const { return {rows, offsets.data(), indices.data(), values.data()}; }

  template <class Body>
  void for_each(Body body) const {
    for (int64_t r = 0; r < rows; r++)
      for (uint32_t e = offsets[r]; e < offsets[r + 1]; e++) body(r, static_cast<int64_t>(indices[e]), e);
  }
};

struct Shape {
  int64_t rows, columns, width;
  explicit Shape(Random& random)
      : rows(random.between(0, 150)), columns(random.between(1, 60)), width(random.between(1, 300)) {}
};

void reconstructions(Random& random) {
  const Shape s(random);
  const Codes codes(random, s.rows, s.columns);
  const std::vector<float> weight = normals(random, s.columns * s.width), bias = normals(random, s.width);
  const bool biased = random.coin();
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(s.rows * s.width);
    decode(codes.view(), weight.data(), biased ? bias.data() : nullptr, s.width, out.data());
    return out;
  });
  std::vector<double> expected(s.rows * s.width), scale(s.rows * s.width);
  for (int64_t i = 0; biased && i < s.rows * s.width; i++) expected[i] = bias[i % s.width];
  codes.for_each([&](int64_t r, int64_t c, uint32_t e) {
    for (int64_t i = 0; i < s.width; i++) {
      const double term = static_cast<double>(codes.values[e]) * weight[c * s.width + i];
      expected[r * s.width + i] += term;
      scale[r * s.width + i] += std::abs(term);
    }
  });
  expect_near(found, expected, scale, 2e-6, "decode");
}

void gradients_of_values(Random& random) {
  const Shape s(random);
  const Codes codes(random, s.rows, s.columns);
  const std::vector<float> weight = normals(random, s.columns * s.width), m = normals(random, s.rows * s.width);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(codes.values.size());
    entry_dots(codes.view(), m.data(), weight.data(), s.width, out.data());
    return out;
  });
  std::vector<double> expected(codes.values.size()), scale(codes.values.size());
  codes.for_each([&](int64_t r, int64_t c, uint32_t e) {
    for (int64_t i = 0; i < s.width; i++) {
      const double term = static_cast<double>(m[r * s.width + i]) * weight[c * s.width + i];
      expected[e] += term;
      scale[e] += std::abs(term);
    }
  });
  expect_near(found, expected, scale, 2e-6, "entry_dots");
}

void sums_by_column(Random& random) {
  const Shape s(random);
  const Codes codes(random, s.rows, s.columns);
  const Columns order = sort_by_column(codes.view(), s.columns);
  for (int64_t c = 0; c < s.columns; c++) {
    for (uint32_t at = order.offsets[c]; at < order.offsets[c + 1]; at++) {
      const uint32_t row = order.rows[at], entry = order.entries[at];
      expect(codes.indices[entry] == c, "sort_by_column: an entry of another column");
      expect(codes.offsets[row] <= entry && entry < codes.offsets[row + 1], "sort_by_column: an entry of another row");
      expect(at == order.offsets[c] || order.rows[at - 1] < row, "sort_by_column: rows do not ascend");
    }
  }
  expect(order.offsets.back() == codes.values.size(), "sort_by_column: entries were lost");

  const std::vector<float> m = normals(random, s.rows * s.width), start = normals(random, s.columns * s.width);
  const bool summed = random.coin();
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out = start, sums(s.columns, 1.0f);
    add_column_sums(s.columns, order.offsets.data(), order.rows.data(), order.entries.data(), codes.values.data(),
                    m.data(), s.width, out.data(), summed ? sums.data() : nullptr);
    out.insert(out.end(), sums.begin(), sums.end());
    return out;
  });
  std::vector<double> expected(start.begin(), start.end()), sums(s.columns, 1.0);
  std::vector<double> scale(s.columns * s.width), weights(s.columns);
  codes.for_each([&](int64_t r, int64_t c, uint32_t e) {
    for (int64_t i = 0; i < s.width; i++) {
      const double term = static_cast<double>(codes.values[e]) * m[r * s.width + i];
      expected[c * s.width + i] += term;
      scale[c * s.width + i] += std::abs(term);
    }
    if (summed) sums[c] += codes.values[e];
    weights[c] += codes.values[e];
  });
  expected.insert(expected.end(), sums.begin(), sums.end());
  scale.insert(scale.end(), weights.begin(), weights.end());
  expect_near(found, expected, scale, 5e-6, "add_column_sums");
}

}  // namespace

std::vector<Test> sparse_tests() {
  return {{"sparse: decode", 15, reconstructions},
          {"sparse: entry_dots", 15, gradients_of_values},
          {"sparse: sort_by_column and add_column_sums", 15, sums_by_column}};
}

}  // namespace monosem::test
