// operations/dense.cc against sums in double.
#include <algorithm>

#include "../operations/operations.h"
#include "suites.h"

namespace monosem::test {
namespace {

double activated(Activation activation, double x) {
  switch (activation) {
    case Activation::kRelu: return std::max(0.0, x);
    case Activation::kSilu: return x / (1 + std::exp(-x));
    case Activation::kGelu: return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Activation::kGeluTanh: return x * 0.5 * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    case Activation::kTanh: return std::tanh(x);
    default: return x;
  }
}

void linear_products(Random& random) {
  const int64_t rows = random.between(1, 90), inputs = random.between(1, 70), outputs = random.between(1, 110);
  const std::vector<float> x = normals(random, rows * inputs), weight = normals(random, outputs * inputs);
  const std::vector<float> bias = normals(random, outputs), start = normals(random, rows * outputs);
  const DenseProduct& product = kernels().dense[random.coin()];
  Epilogue epilogue;
  epilogue.bias = random.coin() ? bias.data() : nullptr;
  epilogue.activation = static_cast<Activation>(random.between(0, 5));
  epilogue.add = random.coin();
  const std::vector<float> found = for_any_threads([&] {
    std::vector<char> packed(packed_bytes(product, outputs, inputs));
    std::vector<float> out = start;
    pack(product, weight.data(), outputs, inputs, packed.data());
    linear(product, x.data(), rows, packed.data(), inputs, outputs, epilogue, out.data());
    return out;
  });
  std::vector<double> expected(rows * outputs), scale(rows * outputs);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t o = 0; o < outputs; o++) {
      const int64_t at = r * outputs + o;
      double sum = epilogue.bias ? bias[o] : 0;
      for (int64_t i = 0; i < inputs; i++) {
        const double term = static_cast<double>(x[r * inputs + i]) * weight[o * inputs + i];
        sum += term;
        scale[at] += std::abs(term);
      }
      expected[at] = activated(epilogue.activation, sum) + (epilogue.add ? start[at] : 0);
      scale[at] += std::abs(expected[at]);
    }
  }
  expect_near(found, expected, scale, product.bytes == 2 ? 0x1p-7 : 1e-5, "linear");
}

void transposed_products(Random& random) {
  const int64_t rows = random.coin() ? random.between(0, 90) : random.between(900, 1300);
  const int64_t a_width = random.between(1, 70), b_width = random.between(1, 70);
  const std::vector<float> a = normals(random, rows * a_width), b = normals(random, rows * b_width);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(a_width * b_width, 1.0f);
    transposed_product(a.data(), b.data(), rows, a_width, b_width, out.data());
    return out;
  });
  std::vector<double> expected(a_width * b_width), scale(a_width * b_width);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t at = 0; at < a_width * b_width; at++) {
      const double term = static_cast<double>(a[r * a_width + at / b_width]) * b[r * b_width + at % b_width];
      expected[at] += term;
      scale[at] += std::abs(term);
    }
  }
  expect_near(found, expected, scale, 2e-6, "transposed_product");
}

void moments_by_group(Random& random) {
  const int64_t rows = random.between(0, 300), inputs = random.between(1, 70), outputs = random.between(1, 600);
  const int64_t groups = random.between(1, 4);
  const std::vector<float> x = normals(random, rows * inputs);
  const std::vector<float> weight = normals(random, outputs * inputs, 1 / std::sqrt(static_cast<float>(inputs)));
  std::vector<uint32_t> group(rows);
  // Neighbours are mostly of one group.
  for (int64_t r = 0; r < rows; r++)
    group[r] = r > 0 && random.between(0, 9) ? group[r - 1] : static_cast<uint32_t>(random.between(0, groups - 1));
  const DenseProduct& product = kernels().dense[0];
  const std::vector<double> found = for_any_threads([&] {
    std::vector<char> packed(packed_bytes(product, outputs, inputs));
    std::vector<double> tables(2 * groups * outputs, 1.0);
    pack(product, weight.data(), outputs, inputs, packed.data());
    add_moments(product, x.data(), rows, packed.data(), inputs, outputs, group.data(), tables.data(),
                tables.data() + groups * outputs);
    return tables;
  });
  std::vector<double> expected(found.size(), 1.0);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t o = 0; o < outputs; o++) {
      double p = 0;
      for (int64_t i = 0; i < inputs; i++) p += static_cast<double>(x[r * inputs + i]) * weight[o * inputs + i];
      expected[group[r] * outputs + o] += p * p;
      expected[(groups + group[r]) * outputs + o] += p * p * p * p;
    }
  }
  for (std::size_t i = 0; i < found.size(); i++)
    expect(std::abs(found[i] - expected[i]) <= 1e-5 * expected[i], "add_moments: off at " + std::to_string(i));
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

// With the mean taken away first, or not.
void norms_of_rows(Random& random) {
  const int64_t rows = random.between(0, 200), width = random.between(1, 70);
  const bool centered = random.coin();
  const float epsilon = 1e-3f;
  const std::vector<float> x = normals(random, rows * width, 2);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(rows * width), scale(rows);
    (centered ? layer_norm : rms_norm)(x.data(), rows, width, epsilon, scale.data(), out.data());
    out.insert(out.end(), scale.begin(), scale.end());
    return out;
  });
  std::vector<double> expected(rows * width), scales(rows);
  for (int64_t r = 0; r < rows; r++) {
    const float* row = x.data() + r * width;
    double mean = 0, squares = 0;
    for (int64_t i = 0; centered && i < width; i++) mean += row[i] / static_cast<double>(width);
    for (int64_t i = 0; i < width; i++) squares += (row[i] - mean) * (row[i] - mean);
    scales[r] = std::sqrt(squares / static_cast<double>(width) + epsilon);
    for (int64_t i = 0; i < width; i++) expected[r * width + i] = (row[i] - mean) / scales[r];
  }
  expected.insert(expected.end(), scales.begin(), scales.end());
  expect_near(found, expected, std::vector<double>(expected.size(), 100), 1e-6, "norm");
}

void rows_of_a_table(Random& random) {
  const int64_t entries = random.between(1, 50), rows = random.between(0, 300), width = random.between(1, 70);
  const std::vector<float> table = normals(random, entries * width);
  std::vector<int32_t> indices(rows);
  for (int32_t& index : indices) index = static_cast<int32_t>(random.between(0, entries - 1));
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(rows * width);
    take_rows(table.data(), width, indices.data(), rows, out.data());
    return out;
  });
  for (int64_t i = 0; i < rows * width; i++)
    expect(found[i] == table[indices[i / width] * width + i % width], "take_rows: another value");
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
  return {{"dense: linear", 50, linear_products},
          {"dense: transposed_product", 6, transposed_products},
          {"dense: add_moments", 10, moments_by_group},
          {"dense: add and swiglu", 10, elementwise},
          {"dense: rms_norm and layer_norm", 20, norms_of_rows},
          {"dense: take_rows", 5, rows_of_a_table},
          {"dense: rotary", 10, rotations}};
}

}  // namespace monosem::test
