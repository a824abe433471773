// Products of sparse rows that are so full that dense products are faster: a few groups of entries at a time are written
// out as a dense block, a stretch of columns wide. The array of all groups by all columns is never made.
// Knows nothing of dictionaries: groups are rows of codes, or latents with their entries sorted.
#pragma once

#include <vector>

#include "buffer.h"
#include "operations.h"

namespace monosem {

// Group g has coefficients[entries[i]] in column columns[i], over offsets[g] <= i < offsets[g + 1]; coefficients[i] where
// `entries` is null.
struct Groups {
  const uint32_t* offsets;
  const uint32_t* columns;
  const uint32_t* entries;
  const float* coefficients;
};

// Whether `count` groups fill so much of their `width` columns that dense blocks are faster. Blocks need columns that
// ascend in each group: others are never worth it. Says the same for any number of threads.
bool worth_blocks(const Groups& groups, int64_t count, int64_t width);

constexpr int64_t kMostGroups = 128;   // in a block
constexpr int64_t kMostColumns = 512;  // of a stretch: what is packed of it stays in the second cache

// Floats that the functions below need of one thread's memory, for matrices of so many columns.
int64_t block_space(int64_t width);

// Rows of m [rows, width], summed: packed once for all blocks.
class RowSums {
 public:
  RowSums(const float* m, int64_t rows, int64_t width);

  // out [last - first, width] += for each group, the sum of its coefficients times the rows of m that its columns name.
  void add(const Groups& groups, int64_t first, int64_t last, float* space, float* out) const;

 private:
  int64_t rows_, width_, stretch_bytes_;
  Borrowed<char> packed_;
};

// Dot products with rows of m [rows, width], packed once for all blocks.
class RowDots {
 public:
  RowDots(const float* m, int64_t rows, int64_t width);

  // out[i] = <x's row of the group, row columns[i] of m> for all entries of groups first..last, x [last - first, width].
  void take(const Groups& groups, const float* x, int64_t first, int64_t last, float* space, float* out) const;

 private:
  int64_t rows_, width_, stretch_bytes_;
  Borrowed<char> packed_;
};

}  // namespace monosem
