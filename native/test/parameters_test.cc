// operations/parameters.cc against sums in double.
#include "../operations/operations.h"
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
  const std::vector<float> m = normals(random, n), weights = normals(random, rows);
  const bool weighted = random.coin();
  const std::vector<double> columns = for_any_threads([&] {
    std::vector<double> out(width);
    column_sum(m.data(), rows, width, weighted ? weights.data() : nullptr, out.data());
    return out;
  });
  const std::vector<double> squares =
      for_any_threads([&] { return std::vector<double>{sum_of_squares(m.data(), n)}; });
  std::vector<double> expected(width), square(1);
  for (int64_t i = 0; i < n; i++) {
    expected[i % width] += static_cast<double>(weighted ? weights[i / width] : 1) * m[i];
    square[0] += static_cast<double>(m[i]) * m[i];
  }
  expect_near(columns, expected, std::vector<double>(width, static_cast<double>(rows)), 1e-12, "column_sum");
  expect_near(squares, square, square, 1e-6, "sum_of_squares");
}

// Rows lose what lies along unit rows, and rows become unit rows; a zero row stays.
void unit_directions(Random& random) {
  const int64_t rows = random.between(1, 300), width = random.between(1, 90);
  std::vector<float> start = normals(random, rows * width, 3);
  const int64_t zero = random.between(0, rows - 1);
  std::fill_n(start.begin() + zero * width, width, 0.0f);
  const std::vector<float> unit = for_any_threads([&] {
    std::vector<float> out = start;
    unit_rows(out.data(), rows, width);
    return out;
  });
  const std::vector<float> gradient = normals(random, rows * width);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out = gradient;
    remove_parallel(out.data(), unit.data(), rows, width);
    return out;
  });
  std::vector<double> expected(rows * width), turned(rows * width);
  for (int64_t r = 0; r < rows; r++) {
    double square = 0, along = 0;
    for (int64_t i = r * width; i < (r + 1) * width; i++) {
      square += static_cast<double>(start[i]) * start[i];
      along += static_cast<double>(gradient[i]) * unit[i];
    }
    for (int64_t i = r * width; i < (r + 1) * width; i++) {
      expected[i] = square > 0 ? start[i] / std::sqrt(square) : 0;
      turned[i] = gradient[i] - along * unit[i];
    }
  }
  expect_near(unit, expected, std::vector<double>(expected.size(), 0), 1e-6, "unit_rows");
  expect_near(found, turned, std::vector<double>(turned.size(), static_cast<double>(width)), 1e-6, "remove_parallel");
}

// Kingma and Ba 2015, algorithm 1.
void adam_steps(Random& random) {
  const int64_t n = random.between(0, 40000), step = random.between(1, 1000);
  const double rate = 1e-2, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, shrink = random.uniform();
  const std::vector<float> p = normals(random, n), g = normals(random, n), m = normals(random, n);
  std::vector<float> v = normals(random, n);
  for (float& value : v) value *= value;
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> parameter = p, gradient = g, first = m, second = v;
    adam(parameter.data(), gradient.data(), first.data(), second.data(), n, step, rate, beta1, beta2, epsilon, shrink);
    for (float value : gradient) expect(value == 0, "adam: the gradient is not zero after");
    parameter.insert(parameter.end(), first.begin(), first.end());
    parameter.insert(parameter.end(), second.begin(), second.end());
    return parameter;
  });
  std::vector<double> expected(3 * n), scale(3 * n);
  for (int64_t i = 0; i < n; i++) {
    const double slope = shrink * g[i];
    const double first = beta1 * m[i] + (1 - beta1) * slope, second = beta2 * v[i] + (1 - beta2) * slope * slope;
    const double change = rate * (first / (1 - std::pow(beta1, step))) /
                          (std::sqrt(second / (1 - std::pow(beta2, step))) + epsilon);
    expected[i] = p[i] - change;
    expected[n + i] = first;
    expected[2 * n + i] = second;
    scale[i] = std::abs(p[i]) + 10 * std::abs(change);
    scale[n + i] = std::abs(m[i]) + std::abs(g[i]);
    scale[2 * n + i] = v[i] + g[i] * g[i];
  }
  expect_near(found, expected, scale, 1e-6, "adam");
}

}  // namespace

std::vector<Test> parameters_tests() {
  return {{"parameters: center and residual", 15, residuals},
          {"parameters: column_sum and sum_of_squares", 10, sums},
          {"parameters: unit_rows and remove_parallel", 10, unit_directions},
          {"parameters: adam", 8, adam_steps}};
}

}  // namespace monosem::test
