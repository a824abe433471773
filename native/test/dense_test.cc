// operations/dense.cc against sums in double.
#include "../operations/operations.h"
#include "suites.h"

namespace monosem::test {
namespace {

void linear_products(Random& random) {
  const int64_t rows = random.between(1, 90), inputs = random.between(1, 70), outputs = random.between(1, 110);
  const std::vector<float> x = normals(random, rows * inputs), weight = normals(random, outputs * inputs);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> packed(panels(kernels(), outputs) * kernels().panel * inputs), out(rows * outputs);
    pack(weight.data(), outputs, inputs, packed.data());
    linear(x.data(), rows, packed.data(), inputs, outputs, out.data());
    return out;
  });
  std::vector<double> expected(rows * outputs), scale(rows * outputs);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t o = 0; o < outputs; o++) {
      for (int64_t i = 0; i < inputs; i++) {
        const double term = static_cast<double>(x[r * inputs + i]) * weight[o * inputs + i];
        expected[r * outputs + o] += term;
        scale[r * outputs + o] += std::abs(term);
      }
    }
  }
  expect_near(found, expected, scale, 1e-5, "linear");
}

void elementwise(Random& random) {
  const int64_t n = random.between(0, 40000);
  const std::vector<float> a = normals(random, n, 3), b = normals(random, n, 3);
  const auto over = [&](auto operation) {
    return for_any_threads([&] {
      std::vector<float> out(n);
      operation(a.data(), b.data(), n, out.data());
      return out;
    });
  };
  std::vector<double> sum(n), gated(n), scale(n);
  for (int64_t i = 0; i < n; i++) {
    sum[i] = static_cast<double>(a[i]) + b[i];
    gated[i] = a[i] / (1 + std::exp(-static_cast<double>(a[i]))) * b[i];
    scale[i] = std::abs(a[i]) * (1.0 + std::abs(b[i]));
  }
  expect_near(over(add), sum, scale, 1e-6, "add");
  expect_near(over(swiglu), gated, scale, 2e-6, "swiglu");
}

void rms_norms(Random& random) {
  const int64_t rows = random.between(0, 200), width = random.between(1, 70);
  const float epsilon = 1e-5f;
  const std::vector<float> x = normals(random, rows * width, 2);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(rows * width), scale(rows);
    rms_norm(x.data(), rows, width, epsilon, scale.data(), out.data());
    out.insert(out.end(), scale.begin(), scale.end());
    return out;
  });
  std::vector<double> expected(rows * width), scales(rows);
  for (int64_t r = 0; r < rows; r++) {
    double squares = 0;
    for (int64_t i = 0; i < width; i++) squares += static_cast<double>(x[r * width + i]) * x[r * width + i];
    scales[r] = std::sqrt(squares / static_cast<double>(width) + epsilon);
    for (int64_t i = 0; i < width; i++) expected[r * width + i] = x[r * width + i] / scales[r];
  }
  expected.insert(expected.end(), scales.begin(), scales.end());
  expect_near(found, expected, std::vector<double>(expected.size(), 10), 1e-6, "rms_norm");
}

void rotations(Random& random) {
  const int64_t length = random.between(1, 40), rows = length * random.between(1, 4), start = random.between(0, 5);
  const int64_t heads = random.between(1, 3), half = random.between(1, 9), width = heads * half * 2;
  std::vector<float> cos((start + length) * half), sin(cos.size());
  for (std::size_t i = 0; i < cos.size(); i++) {
    const double angle = 6 * random.uniform();
    cos[i] = static_cast<float>(std::cos(angle));
    sin[i] = static_cast<float>(std::sin(angle));
  }
  const std::vector<float> x = normals(random, rows * width);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out = x;
    rotary(out.data(), rows, length, start, heads, 2 * half, cos.data(), sin.data(), out.data());
    return out;
  });
  std::vector<double> expected(rows * width);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t i = 0; i < width / 2; i++) {
      const int64_t angle = (start + r % length) * half + i % half, at = r * width + 2 * i;
      expected[at] = static_cast<double>(x[at]) * cos[angle] - static_cast<double>(x[at + 1]) * sin[angle];
      expected[at + 1] = static_cast<double>(x[at]) * sin[angle] + static_cast<double>(x[at + 1]) * cos[angle];
    }
  }
  expect_near(found, expected, std::vector<double>(expected.size(), 2), 1e-6, "rotary");
}

}  // namespace

std::vector<Test> dense_tests() {
  return {{"dense: linear", 25, linear_products},
          {"dense: add and swiglu", 10, elementwise},
          {"dense: rms_norm", 10, rms_norms},
          {"dense: rotary", 10, rotations}};
}

}  // namespace monosem::test
