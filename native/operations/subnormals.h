// Moments of a latent that never fires decay for ever; below 1e-38 each multiplication of such numbers costs a hundred
// cycles, and they move nothing. While this lives, its thread takes them for zero.
#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace monosem {

class FlushSubnormals {
 public:
#if defined(__SSE2__)
  FlushSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlushResults | kZeroOperands); }
  ~FlushSubnormals() { _mm_setcsr(before_); }

 private:
  static constexpr unsigned kFlushResults = 0x8000, kZeroOperands = 0x0040;
  const unsigned before_;
#elif defined(__aarch64__)
  FlushSubnormals() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(before_));
    __asm__ volatile("msr fpcr, %0" : : "r"(before_ | kFlush) : "memory");
  }
  ~FlushSubnormals() { __asm__ volatile("msr fpcr, %0" : : "r"(before_) : "memory"); }

 private:
  static constexpr unsigned long kFlush = 1ul << 24;
  unsigned long before_;
#else
  FlushSubnormals() {}
#endif
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;
};

}  // namespace monosem
