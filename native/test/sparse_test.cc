// operations/sparse.cc against sums in double.
#include <algorithm>

#include "codes.h"
#include "suites.h"

namespace monosem::test {
namespace {

struct Shape {
  int64_t rows, columns, width;
  explicit Shape(Random& random)
      : rows(random.between(0, 150)), columns(random.between(1, 60)), width(random.between(1, 300)) {
    if (random.between(0, 3) == 0) columns = random.between(500, 1100), width = random.between(1, 50);
  }
};

void decoded_rows(Random& random) {
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

void dot_products(Random& random) {
  const Shape s(random);
  const Codes codes(random, s.rows, s.columns);
  const std::vector<float> weight = normals(random, s.columns * s.width), m = normals(random, s.rows * s.width);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(codes.values.size());
    dots(codes.view(), weight.data(), m.data(), s.width, out.data());
    return out;
  });
  std::vector<double> expected(found.size()), scale(found.size());
  codes.for_each([&](int64_t r, int64_t c, uint32_t e) {
    for (int64_t i = 0; i < s.width; i++) {
      const double term = static_cast<double>(m[r * s.width + i]) * weight[c * s.width + i];
      expected[e] += term;
      scale[e] += std::abs(term);
    }
  });
  expect_near(found, expected, scale, 2e-6, "dots");
}

void reconstructions(Random& random) {
  const Shape s(random);
  const Codes codes(random, s.rows, s.columns);
  const std::vector<float> weight = normals(random, s.columns * s.width), target = normals(random, s.rows * s.width);
  const float factor = random.normal(), scale = random.normal();
  Reconstruction result{};
  std::vector<double> sums(s.width);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(s.rows * s.width), dots(codes.values.size());
    result = reconstruct(codes.view(), weight.data(), target.data(), factor, scale, s.width, out.data(), dots.data(),
                         sums.data());
    out.insert(out.end(), dots.begin(), dots.end());
    return out;
  });
  std::vector<double> error(s.rows * s.width), magnitude(s.rows * s.width);
  for (int64_t i = 0; i < s.rows * s.width; i++) {
    error[i] = -static_cast<double>(factor) * target[i];
    magnitude[i] = std::abs(error[i]);
  }
  double smallest = INFINITY;
  codes.for_each([&](int64_t r, int64_t c, uint32_t e) {
    smallest = std::min<double>(smallest, codes.values[e]);
    for (int64_t i = 0; i < s.width; i++) {
      const double term = static_cast<double>(codes.values[e]) * weight[c * s.width + i];
      error[r * s.width + i] += term;
      magnitude[r * s.width + i] += std::abs(term);
    }
  });
  std::vector<double> expected(error), bound(magnitude), column(s.width), column_bound(s.width);
  double squares = 0;
  for (size_t i = 0; i < error.size(); i++) {
    squares += error[i] * error[i];
    expected[i] *= scale;
    bound[i] *= std::abs(scale);
    column[i % s.width] += expected[i];
    column_bound[i % s.width] += bound[i];
  }
  codes.for_each([&](int64_t r, int64_t c, uint32_t) {
    double dot = 0, terms = 0;
    for (int64_t i = 0; i < s.width; i++) {
      dot += scale * error[r * s.width + i] * weight[c * s.width + i];
      terms += std::abs(scale) * magnitude[r * s.width + i] * std::abs(weight[c * s.width + i]);
    }
    expected.push_back(dot);
    bound.push_back(terms);
  });
  expect_near(found, expected, bound, 5e-6, "reconstruct");
  expect_near(sums, column, column_bound, 5e-6, "sums of reconstruct");
  expect(std::abs(result.squares - squares) <= 2e-5 * (1 + squares), "squares of reconstruct");
  expect(result.smallest == smallest, "the smallest of the codes");
}

void entries_by_column(Random& random) {
  const int64_t rows = random.between(0, 3000), columns = random.between(1, 60);
  const Codes codes(random, rows, columns);
  const size_t count = codes.values.size();
  const std::vector<uint32_t> found = for_any_threads([&] {
    std::vector<uint32_t> out(columns + 1 + 2 * count);
    uint32_t* entry_rows = out.data() + columns + 1;
    sort_by_column(codes.view(), columns, out.data(), entry_rows, entry_rows + count);
    return out;
  });
  const uint32_t *offsets = found.data(), *row_of = offsets + columns + 1, *entries = row_of + count;
  expect(offsets[0] == 0 && offsets[columns] == count, "sort_by_column: entries were lost");
  for (int64_t c = 0; c < columns; c++) {
    for (uint32_t at = offsets[c]; at < offsets[c + 1]; at++) {
      const uint32_t row = row_of[at], entry = entries[at];
      expect(codes.indices[entry] == c, "sort_by_column: an entry of another column");
      expect(codes.offsets[row] <= entry && entry < codes.offsets[row + 1], "sort_by_column: an entry of another row");
      expect(at == offsets[c] || row_of[at - 1] < row, "sort_by_column: rows do not ascend");
    }
  }
}

}  // namespace

std::vector<Test> sparse_tests() {
  return {{"sparse: decode", 25, decoded_rows},
          {"sparse: dots", 25, dot_products},
          {"sparse: reconstruct", 30, reconstructions},
          {"sparse: sort_by_column", 10, entries_by_column}};
}

}  // namespace monosem::test
