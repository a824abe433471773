#include "test.h"

namespace monosem::test {

std::uint64_t Random::bits() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double Random::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

std::int64_t Random::between(std::int64_t least, std::int64_t most) {
  return least + static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(most - least + 1));
}

// Box and Muller 1958.
float Random::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return static_cast<float>(radius * std::cos(6.283185307179586 * uniform()));
}

std::vector<float> normals(Random& random, std::int64_t count, float deviation) {
  std::vector<float> values(count);
  for (float& value : values) value = deviation * random.normal();
  return values;
}

std::vector<float> whole_numbers(Random& random, std::int64_t count, int most) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.between(-most, most));
  return values;
}

void expect(bool holds, const std::string& what) {
  if (!holds) throw Failure(what);
}

}  // namespace monosem::test
