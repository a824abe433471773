// operations/attention.cc against softmax in double.
#include "../operations/operations.h"
#include "exact.h"
#include "suites.h"

namespace monosem::test {
namespace {

void causal_attention(Random& random) {
  const int64_t batch = random.between(1, 3), length = random.between(1, 90), heads = random.between(1, 3);
  const int64_t head_width = 2 * random.between(1, 26), width = heads * head_width, n = batch * length * width;
  const std::vector<float> q = normals(random, n), k = normals(random, n), v = normals(random, n);
  const DenseProduct& product = kernels().dense[random.coin()];
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(n);
    attention(product, q.data(), k.data(), v.data(), batch, length, heads, head_width, out.data());
    return out;
  });
  std::vector<double> expected(n);
  for (int64_t b = 0; b < batch; b++) {
    for (int64_t t = 0; t < length; t++) {
      for (int64_t h = 0; h < heads; h++) {
        const int64_t first = b * length * width + h * head_width, at = first + t * width;
        attend(q.data() + at, k.data() + first, v.data() + first, t + 1, width, head_width, expected.data() + at);
      }
    }
  }
  expect_near(found, expected, std::vector<double>(n, 3), product.bytes == 2 ? 0x1p-6 : 1e-5, "attention");
}

}  // namespace

std::vector<Test> attention_tests() { return {{"attention", 40, causal_attention}}; }

}  // namespace monosem::test
