// operations/parameters.cc against sums in double.
#include <algorithm>

#include "../operations/operations.h"
#include "exact.h"
#include "suites.h"

namespace monosem::test {
namespace {

void residuals(Random& random) {
  const int64_t rows = random.between(0, 600), width = random.between(1, 70);
  const float factor = random.normal();
  const std::vector<float> a = normals(random, rows * width), b = normals(random, rows * width);
  const std::vector<float> centered = for_any_threads([&] {
    std::vector<float> out = a;
    center(out.data(), b.data(), rows, rows ? width : 0, factor, out.data());
    return out;
  });
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(rows * width), squares(rows);
    residual(a.data(), b.data(), rows, width, factor, out.data(), squares.data());
    out.insert(out.end(), squares.begin(), squares.end());
    return out;
  });
  std::vector<double> middle(rows * width), expected(rows * width), squares(rows);
  for (int64_t i = 0; i < rows * width; i++) {
    middle[i] = factor * (static_cast<double>(a[i]) - b[i % width]);
    const double difference = static_cast<double>(a[i]) - b[i];
    expected[i] = factor * difference;
    squares[i / width] += difference * difference;
  }
  expected.insert(expected.end(), squares.begin(), squares.end());
  expect_near(centered, middle, std::vector<double>(middle.size(), 10), 1e-6, "center");
  std::vector<double> scale(expected);
  for (double& value : scale) value = std::abs(value) + 10;
  expect_near(found, expected, scale, 1e-6, "residual");
}

void sums(Random& random) {
  const int64_t rows = random.between(0, 900), width = random.between(1, 90), n = rows * width;
  const std::vector<float> m = normals(random, n);
  const std::vector<double> columns = for_any_threads([&] {
    std::vector<double> out(width);
    column_sum(m.data(), rows, width, out.data());
    return out;
  });
  const std::vector<double> squares =
      for_any_threads([&] { return std::vector<double>{sum_of_squares(m.data(), n)}; });
  std::vector<double> expected(width), square(1);
  for (int64_t i = 0; i < n; i++) {
    expected[i % width] += m[i];
    square[0] += static_cast<double>(m[i]) * m[i];
  }
  // Columns may be summed in float32 for a stretch of rows.
  expect_near(columns, expected, std::vector<double>(width, static_cast<double>(rows)), 1e-6, "column_sum");
  expect_near(squares, square, square, 1e-6, "sum_of_squares");
}

void shifts(Random& random) {
  const int64_t rows = random.between(0, 900), width = random.between(1, 90), n = rows * width;
  const std::vector<float> x = normals(random, n), middle = normals(random, width);
  const float factor = random.normal();
  const auto run = [&](std::vector<double>& numbers) {
    return for_any_threads([&] {
      std::vector<float> out = x;
      numbers.assign(width, 0);
      numbers.push_back(shift(out.data(), factor, middle.data(), rows, width, out.data(), numbers.data()));
      return out;
    });
  };
  std::vector<double> found_sums, expected(n), sums(width), scale(width, static_cast<double>(3 * rows));
  const std::vector<float> found = run(found_sums);
  double squares = 0;
  for (int64_t i = 0; i < n; i++) {
    expected[i] = static_cast<double>(factor) * x[i] - middle[i % width];
    sums[i % width] += expected[i];
    squares += expected[i] * expected[i];
  }
  sums.push_back(squares);
  scale.push_back(squares);
  expect_near(found, expected, std::vector<double>(n, 10), 1e-6, "shift");
  expect_near(found_sums, sums, scale, 1e-6, "sums of shift");
}

void unit_directions(Random& random) {
  const int64_t rows = random.between(1, 300), width = random.between(1, 90);
  std::vector<float> start = normals(random, rows * width, 3);
  std::fill_n(start.begin() + random.between(0, rows - 1) * width, width, 0.0f);
  const std::vector<float> unit = for_any_threads([&] {
    std::vector<float> out = start;
    unit_rows(out.data(), rows, width);
    return out;
  });
  std::vector<double> expected(rows * width);
  for (int64_t r = 0; r < rows; r++) {
    double square = 0;
    for (int64_t i = r * width; i < (r + 1) * width; i++) square += static_cast<double>(start[i]) * start[i];
    for (int64_t i = r * width; i < (r + 1) * width; i++) expected[i] = square > 0 ? start[i] / std::sqrt(square) : 0;
  }
  expect_near(unit, expected, std::vector<double>(expected.size(), 0), 1e-6, "unit_rows");
}

// Kingma and Ba 2015, algorithm 1.
void adam_steps(Random& random) {
  const int64_t n = random.between(0, 40000);
  const AdamOptions options{random.between(1, 1000), 1e-2, 0.9, 0.999, 1e-8, random.uniform()};
  const std::vector<float> p = normals(random, n), g = normals(random, n), m = normals(random, n);
  std::vector<float> v = normals(random, n);
  for (float& value : v) value *= value;
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> parameter = p, first = m, second = v;
    step_array(options, g.data(), n, {parameter.data(), first.data(), second.data()});
    parameter.insert(parameter.end(), first.begin(), first.end());
    parameter.insert(parameter.end(), second.begin(), second.end());
    return parameter;
  });
  std::vector<double> expected(3 * n), scale(3 * n);
  for (int64_t i = 0; i < n; i++) {
    const ExactAdam exact(options, p[i], g[i], m[i], v[i]);
    expected[i] = exact.parameter;
    expected[n + i] = exact.m;
    expected[2 * n + i] = exact.v;
    scale[i] = std::abs(p[i]) + 10 * std::abs(exact.parameter - p[i]);
    scale[n + i] = std::abs(m[i]) + std::abs(g[i]);
    scale[2 * n + i] = v[i] + g[i] * g[i];
  }
  expect_near(found, expected, scale, 1e-6, "adam");
}

void signum_steps(Random& random) {
  const int64_t n = random.between(0, 40000);
  const SignumOptions options{random.between(1, 1000), 1e-2, 0.5 + 0.5 * random.uniform()};
  const std::vector<float> p = normals(random, n), z = normals(random, n), g = whole_numbers(random, n, 2);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> parameter = p, moved = z;
    step_array(options, g.data(), n, {parameter.data(), moved.data(), nullptr});
    parameter.insert(parameter.end(), moved.begin(), moved.end());
    return parameter;
  });
  std::vector<double> expected(2 * n), scale(2 * n);
  for (int64_t i = 0; i < n; i++) {
    const ExactSignum exact(options, p[i], g[i], z[i]);
    expected[i] = exact.parameter;
    expected[n + i] = exact.z;
    scale[i] = scale[n + i] = std::abs(p[i]) + std::abs(z[i]);
  }
  expect_near(found, expected, scale, 1e-6, "signum");
}

}  // namespace

std::vector<Test> parameters_tests() {
  return {{"parameters: center and residual", 15, residuals},
          {"parameters: column_sum and sum_of_squares", 10, sums},
          {"parameters: shift", 10, shifts},
          {"parameters: unit_rows", 10, unit_directions},
          {"parameters: adam", 8, adam_steps},
          {"parameters: signum", 8, signum_steps}};
}

}  // namespace monosem::test
