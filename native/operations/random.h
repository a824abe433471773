// The random streams of src/math/random.ts and src/math/ziggurat.ts and the normal distribution of src/math/normal.ts: the
// same numbers, operation by operation. Compiled without contracted products, so that not even rounding differs.
#pragma once

#include <cmath>
#include <cstdint>

namespace monosem {

// xoshiro128** 1.1 (Blackman and Vigna 2021).
class RandomStream {
 public:
  explicit RandomStream(const std::uint32_t* state) : s0_(state[0]), s1_(state[1]), s2_(state[2]), s3_(state[3]) {}

  std::uint32_t bits() {
    const std::uint32_t result = rotate_left(s1_ * 5, 7) * 9, shifted = s1_ << 9;
    s2_ ^= s0_;
    s3_ ^= s1_;
    s1_ ^= s2_;
    s0_ ^= s3_;
    s2_ ^= shifted;
    s3_ = rotate_left(s3_, 11);
    return result;
  }

  // In [0, 1), a multiple of 2^-53.
  double uniform() {
    const std::uint32_t high = bits() >> 5, low = bits() >> 6;
    return (high * 0x1p26 + low) * 0x1p-53;
  }

  // In [0, 1), a multiple of 2^-24.
  float uniform_float() { return static_cast<float>(bits() >> 8) * 0x1p-24f; }

 private:
  static std::uint32_t rotate_left(std::uint32_t x, int k) { return (x << k) | (x >> (32 - k)); }

  std::uint32_t s0_, s1_, s2_, s3_;
};

// The ziggurat's layers (Marsaglia and Tsang 2000), as src/math/ziggurat.ts has them.
struct Ziggurat {
  static constexpr int kLayers = 128;
  static constexpr double kTail = 3.442619855899, kArea = 9.91256303526217e-3;
  double edges[kLayers + 1] = {}, heights[kLayers + 1], safe[kLayers];

  Ziggurat() {
    edges[0] = kArea / std::exp(-0.5 * kTail * kTail);
    edges[1] = kTail;
    for (int i = 2; i < kLayers; i++) {
      const double x = edges[i - 1];
      edges[i] = std::sqrt(-2 * std::log(kArea / x + std::exp(-0.5 * x * x)));
    }
    for (int i = 0; i <= kLayers; i++) heights[i] = std::exp(-0.5 * edges[i] * edges[i]);
    for (int i = 0; i < kLayers; i++) safe[i] = edges[i + 1] / edges[i];
  }
};

inline const Ziggurat& ziggurat() {
  static const Ziggurat tables;
  return tables;
}

class NormalStream {
 public:
  explicit NormalStream(const std::uint32_t* state) : random_(state) {}

  double next() {
    const Ziggurat& z = ziggurat();
    for (;;) {
      if (used_ == kWords) refill();
      const std::uint32_t bits = words_[used_];
      const double place = (static_cast<std::int32_t>(words_[used_ + 1]) * 0x1p21 + (bits >> 11)) * 0x1p-52;
      used_ += 2;
      const int layer = bits & (Ziggurat::kLayers - 1);
      const double x = place * z.edges[layer];
      if (std::abs(place) < z.safe[layer]) return x;
      if (layer == 0) return place < 0 ? -beyond_tail() : beyond_tail();
      const double height = z.heights[layer] + random_.uniform() * (z.heights[layer + 1] - z.heights[layer]);
      if (height < std::exp(-0.5 * x * x)) return x;
    }
  }

 private:
  static constexpr int kWords = 1024;

  // Bits are drawn so far ahead that what rejections draw besides comes after them.
  void refill() {
    for (std::uint32_t& word : words_) word = random_.bits();
    used_ = 0;
  }

  double beyond_tail() {
    for (;;) {
      const double x = -std::log(1 - random_.uniform()) / Ziggurat::kTail;
      const double y = -std::log(1 - random_.uniform());
      if (2 * y > x * x) return Ziggurat::kTail + x;
    }
  }

  RandomStream random_;
  std::uint32_t words_[kWords];
  int used_ = kWords;
};

template <int kCount>
double polynomial(const double (&coefficients)[kCount], double x) {
  double value = 0;
  for (double coefficient : coefficients) value = value * x + coefficient;
  return value;
}

// P(normal <= x): Hart 1968, algorithm 5666.
inline double normal_probability(double x) {
  constexpr double kOver[] = {0.0352624965998911, 0.700383064443688, 6.37396220353165, 33.912866078383,
                              112.079291497871,   221.213596169931,  220.206867912376};
  constexpr double kUnder[] = {0.0883883476483184, 1.75566716318264, 16.064177579207,  86.7807322029461,
                               296.564248779674,   637.333633378831, 793.826512519948, 440.413735824752};
  const double size = std::abs(x);
  double tail = 0;
  if (size < 7.07106781186547) {
    tail = std::exp(-0.5 * size * size) * polynomial(kOver, size) / polynomial(kUnder, size);
  } else if (size < 37) {
    const double fraction = size + 1 / (size + 2 / (size + 3 / (size + 4 / (size + 0.65))));
    tail = std::exp(-0.5 * size * size) / (fraction * 2.506628274631);
  }
  return x > 0 ? 1 - tail : tail;
}

}  // namespace monosem
