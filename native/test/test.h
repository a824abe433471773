// What a test of an operation needs: seeded random operands, comparisons that say what differs and where, and one run
// for each of several numbers of threads. Knows nothing of any operation.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "../pool.h"

namespace monosem::test {

// SplitMix64 (Steele, Lea and Flood 2014): the same shapes and values on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits();
  double uniform();  // [0, 1)
  std::int64_t between(std::int64_t least, std::int64_t most);
  bool coin() { return bits() & 1; }
  float normal();

 private:
  std::uint64_t state_;
};

std::vector<float> normals(Random& random, std::int64_t count, float deviation = 1);

// Whole numbers from -most to most: products and sums of small ones are exact in any order, bfloat16 included, so that
// ties are ties everywhere.
std::vector<float> whole_numbers(Random& random, std::int64_t count, int most);

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Fails with `what` where `holds` is false.
void expect(bool holds, const std::string& what);

// |found[i] - expected[i]| <= tolerance * (1 + scale[i]), where scale is the sum of the terms' magnitudes: rounding
// errors grow with it, not with what is left after the terms cancel.
template <class Found>
void expect_near(const std::vector<Found>& found, const std::vector<double>& expected,
                 const std::vector<double>& scale, double tolerance, const std::string& what) {
  expect(found.size() == expected.size(), what + ": " + std::to_string(found.size()) + " values");
  for (std::size_t i = 0; i < found.size(); i++) {
    const bool near = std::abs(found[i] - expected[i]) <= tolerance * (1 + scale[i]);
    expect(near, what + "[" + std::to_string(i) + "]: " + std::to_string(found[i]) + ", expected " +
                     std::to_string(expected[i]));
  }
}

template <class T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

// What `run` returns, which must be the same bytes with 1, 2 and 5 threads. The result is a vector, or has same_bytes.
template <class Run>
auto for_any_threads(Run run) {
  set_threads(1);
  const auto result = run();
  for (int count : {2, 5}) {
    set_threads(count);
    expect(same_bytes(result, run()), "other bytes with " + std::to_string(count) + " threads");
  }
  return result;
}

struct Test {
  const char* name;
  int rounds;  // each with a seed of its own
  void (*run)(Random& random);
};

}  // namespace monosem::test
