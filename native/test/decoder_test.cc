// operations/decoder_blocks.cc and decoder_step.cc against the same blocks in double, one step after another.
#include <algorithm>

#include "../operations/buffer.h"
#include "../operations/operations.h"
#include "exact.h"
#include "suites.h"

namespace monosem::test {
namespace {

using Doubles = std::vector<double>;

// The weights of a block, [outputs, inputs] each.
struct Block {
  std::vector<float> q, k, v, o, gate, up, down;

  Block(Random& random, int64_t width, int64_t mlp_width) {
    const auto weight = [&](int64_t outputs, int64_t inputs) {
      return normals(random, outputs * inputs, 1 / std::sqrt(static_cast<float>(inputs)));
    };
    q = weight(width, width);
    k = weight(width, width);
    v = weight(width, width);
    o = weight(width, width);
    gate = weight(mlp_width, width);
    up = weight(mlp_width, width);
    down = weight(width, mlp_width);
  }
};

Doubles normalized(const Doubles& x, int64_t width, double epsilon) {
  Doubles out(x.size());
  for (size_t row = 0; row < x.size(); row += width) {
    double squares = 0;
    for (int64_t i = 0; i < width; i++) squares += x[row + i] * x[row + i];
    for (int64_t i = 0; i < width; i++)
      out[row + i] = x[row + i] / std::sqrt(squares / static_cast<double>(width) + epsilon);
  }
  return out;
}

Doubles projected(const Doubles& x, const std::vector<float>& weight, int64_t inputs) {
  const int64_t rows = static_cast<int64_t>(x.size()) / inputs, outputs = static_cast<int64_t>(weight.size()) / inputs;
  Doubles out(rows * outputs);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t o = 0; o < outputs; o++)
      for (int64_t i = 0; i < inputs; i++) out[r * outputs + o] += x[r * inputs + i] * weight[o * inputs + i];
  return out;
}

void rotate(Doubles& x, const BlockShape& s) {
  const int64_t width = s.heads * s.head_width, half = s.head_width / 2;
  for (size_t i = 0; i + 1 < x.size(); i += 2) {
    const int64_t angle = static_cast<int64_t>(i) / width % s.length * half + static_cast<int64_t>(i) / 2 % half;
    const double even = x[i], odd = x[i + 1];
    x[i] = even * s.cos[angle] - odd * s.sin[angle];
    x[i + 1] = even * s.sin[angle] + odd * s.cos[angle];
  }
}

void run_exactly(const BlockShape& s, const Block& block, Doubles& residual) {
  const int64_t width = s.heads * s.head_width;
  const auto add = [&](const Doubles& change) {
    for (size_t i = 0; i < residual.size(); i++) residual[i] += change[i];
  };
  const Doubles input = normalized(residual, width, s.epsilon);
  Doubles q = projected(input, block.q, width), k = projected(input, block.k, width);
  const Doubles v = projected(input, block.v, width);
  rotate(q, s);
  rotate(k, s);
  Doubles mixed(residual.size());
  for (int64_t b = 0; b < s.batch; b++) {
    for (int64_t t = 0; t < s.length; t++) {
      for (int64_t h = 0; h < s.heads; h++) {
        const int64_t first = b * s.length * width + h * s.head_width, at = first + t * width;
        attend(&q[at], &k[first], &v[first], t + 1, width, s.head_width, &mixed[at]);
      }
    }
  }
  add(projected(mixed, block.o, width));
  const Doubles inner = normalized(residual, width, s.epsilon);
  Doubles gated = projected(inner, block.gate, width);
  const Doubles up = projected(inner, block.up, width);
  for (size_t i = 0; i < gated.size(); i++) gated[i] = gated[i] / (1 + std::exp(-gated[i])) * up[i];
  add(projected(gated, block.down, s.mlp_width));
}

// Blocks of random shape and weights, packed, and what they make of random sequences.
struct Problem {
  int precision;
  const DenseProduct& product;
  BlockShape shape{};
  std::vector<float> cos, sin, start;
  std::vector<Block> blocks;
  std::vector<std::vector<char>> memory;
  std::vector<BlockWeights> weights;
  Doubles expected;

  explicit Problem(Random& random) : precision(random.coin()), product(kernels().dense[precision]) {
    BlockShape& s = shape;
    s.batch = random.between(1, 5);
    s.length = random.between(1, 40);
    s.heads = random.between(1, 3);
    s.head_width = 2 * random.between(1, 12);
    s.mlp_width = random.between(1, 60);
    s.epsilon = 1e-5f;
    for (int64_t i = 0; i < s.length * s.head_width / 2; i++) {
      const double angle = 6 * random.uniform();
      cos.push_back(static_cast<float>(std::cos(angle)));
      sin.push_back(static_cast<float>(std::sin(angle)));
    }
    s.cos = cos.data();
    s.sin = sin.data();
    for (int64_t i = random.between(1, 2); i > 0; i--) blocks.emplace_back(random, width(), s.mlp_width);
    for (const Block& b : blocks)
      weights.push_back({packed(b.q, width()), packed(b.k, width()), packed(b.v, width()), packed(b.o, width()),
                         packed(b.gate, width()), packed(b.up, width()), packed(b.down, s.mlp_width)});
    start = normals(random, s.batch * s.length * width());
    expected.assign(start.begin(), start.end());
    for (const Block& block : blocks) run_exactly(s, block, expected);
  }

  int64_t width() const { return shape.heads * shape.head_width; }

  void expect_right(const std::vector<float>& found) const {
    expect_near(found, expected, Doubles(expected.size(), 4), product.bytes == 2 ? 0.03 : 3e-5, "residual stream");
  }

 private:
  const void* packed(const std::vector<float>& weight, int64_t inputs) {
    const int64_t outputs = static_cast<int64_t>(weight.size()) / inputs;
    memory.emplace_back(packed_bytes(product, outputs, inputs));
    pack(product, weight.data(), outputs, inputs, memory.back().data());
    return memory.back().data();
  }
};

void whole_sequences(Random& random) {
  const Problem problem(random);
  problem.expect_right(for_any_threads([&] {
    std::vector<float> residual = problem.start;
    decoder_blocks(problem.product, problem.shape, problem.weights, residual.data());
    return residual;
  }));
}

// A position of all sequences at a time, against the cache.
void position_by_position(Random& random) {
  const Problem problem(random);
  const BlockShape& s = problem.shape;
  const int64_t width = problem.width(), half = s.head_width / 2;
  const int64_t bytes = cache_bytes(problem.precision, static_cast<int64_t>(problem.blocks.size()), s.batch, s.length,
                                    s.heads, s.head_width);
  problem.expect_right(for_any_threads([&] {
    const Buffer<char> cache = make_buffer<char>(bytes);
    std::fill_n(cache.get(), bytes, 0);
    std::vector<float> residual = problem.start, step(s.batch * width);
    for (int64_t t = 0; t < s.length; t++) {
      BlockShape here = s;
      here.cos += t * half;
      here.sin += t * half;
      const auto row = [&](int64_t b) { return residual.begin() + (b * s.length + t) * width; };
      for (int64_t b = 0; b < s.batch; b++) std::copy_n(row(b), width, step.begin() + b * width);
      decoder_step(problem.precision, here, problem.weights, t, cache.get(), step.data());
      for (int64_t b = 0; b < s.batch; b++) std::copy_n(step.begin() + b * width, width, row(b));
    }
    return residual;
  }));
}

}  // namespace

std::vector<Test> decoder_tests() { 
  return {{"decoder: blocks", 20, whole_sequences}, {"decoder: steps", 20, position_by_position}};
}

}  // namespace monosem::test
