// The processor's matrix tiles (Intel AMX): eight registers of 16 rows of 64 bytes, and the product of two tiles of
// bfloat16 added to one of float32. Written as assembly, because the compilers' intrinsics do not say which memory
// they read. Only the AMX set includes this.
#pragma once

#include <cstdint>

namespace {

constexpr int kTileRows = 16;
constexpr int kTileBytes = 1024;
constexpr int kTileInputs = 32;  // bfloat16 values in a row of a tile

struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Full tiles for this thread, until the end of the scope: whoever holds tiles makes every switch of threads dearer.
class Tiles {
 public:
  Tiles() {
    static const TileConfig config;
    asm volatile("ldtilecfg %0" ::"m"(config) : "memory");
  }
  ~Tiles() { asm volatile("tilerelease"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

template <int t>
inline __attribute__((always_inline)) void tile_zero() {
  asm volatile("tilezero %%tmm%c0" ::"i"(t));
}

// 16 rows of 64 bytes, `stride` bytes apart.
template <int t>
inline __attribute__((always_inline)) void tile_load(const void* from, std::int64_t stride = 64) {
  asm volatile("tileloadd (%1,%2,1), %%tmm%c0" ::"i"(t), "r"(from), "r"(stride) : "memory");
}

template <int t>
inline __attribute__((always_inline)) void tile_store(void* to, std::int64_t stride = 64) {
  asm volatile("tilestored %%tmm%c0, (%1,%2,1)" ::"i"(t), "r"(to), "r"(stride) : "memory");
}

// c[m][n] += sum over i of a[m][2i] * b[i][2n] + a[m][2i + 1] * b[i][2n + 1]
template <int c, int a, int b>
inline __attribute__((always_inline)) void tile_multiply() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(c), "i"(a), "i"(b));
}

}  // namespace
