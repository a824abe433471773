#include "dense_blocks.h"

#include <algorithm>
#include <atomic>

#include "../pool.h"

namespace monosem {
namespace {

// Dense blocks are worth it from about one entry in so many places on.
constexpr int64_t kPlacesAnEntry = 8;

const DenseProduct& product() { return kernels().dense[0]; }

// Floats, in whole cache lines.
int64_t strip_floats(int64_t inputs) { return round_up(ceil_div(strip_bytes(product(), kMostGroups, inputs), 4), 16); }

bool columns_ascend(const Groups& groups, int64_t count) {
  constexpr int64_t kEach = 64;
  std::atomic<bool> ascend{true};
  parallel_for(ceil_div(count, kEach), [&](int64_t task) {
    for (int64_t g = task * kEach; g < std::min(count, (task + 1) * kEach); g++) {
      const uint32_t *first = groups.columns + groups.offsets[g], *last = groups.columns + groups.offsets[g + 1];
      if (!std::is_sorted(first, last)) ascend = false;
    }
  });
  return ascend;
}

// Calls body(stretch, first column, count of columns).
template <class Body>
void over_stretches(int64_t columns, Body body) {
  for (int64_t s = 0; s * kMostColumns < columns; s++)
    body(s, s * kMostColumns, std::min(kMostColumns, columns - s * kMostColumns));
}

// Groups first..last, visited in one stretch of columns after the other.
class Cursor {
 public:
  Cursor(const Groups& groups, int64_t first, int64_t last)
      : groups_(groups), first_(first), count_(last - first), next_(groups.offsets + first, groups.offsets + last) {}

  // Calls visit(place in a block of `width` columns, i) for what lies in the columns from `column` on.
  template <class Visit>
  void visit(int64_t column, int64_t width, Visit visit) {
    for (int64_t g = 0; g < count_; g++) {
      const uint32_t last = groups_.offsets[first_ + g + 1];
      uint32_t i = next_[g];
      for (; i < last && groups_.columns[i] < column + width; i++) visit(g * width + groups_.columns[i] - column, i);
      next_[g] = i;
    }
  }

 private:
  const Groups& groups_;
  int64_t first_, count_;
  std::vector<uint32_t> next_;
};

}  // namespace

bool worth_blocks(const Groups& groups, int64_t count, int64_t width) {
  const int64_t entries = static_cast<int64_t>(groups.offsets[count]) - groups.offsets[0];
  return entries * kPlacesAnEntry > count * width && columns_ascend(groups, count);
}

int64_t block_space(int64_t width) {
  return kMostGroups * kMostColumns + strip_floats(std::max(width, kMostColumns));
}

RowSums::RowSums(const float* m, int64_t rows, int64_t width)
    : rows_(rows),
      width_(width),
      stretch_bytes_(packed_bytes(product(), width, std::min(rows, kMostColumns))),
      packed_(borrow<char>(ceil_div(rows, kMostColumns) * stretch_bytes_)) {
  over_stretches(rows, [&](int64_t s, int64_t row, int64_t count) {
    pack_transposed(product(), m + row * width, count, width, packed_.get() + s * stretch_bytes_);
  });
}

void RowSums::add(const Groups& groups, int64_t first, int64_t last, float* space, float* out) const {
  const DenseProduct& p = product();
  float *block = space, *strips = space + kMostGroups * kMostColumns;
  Cursor cursor(groups, first, last);
  Epilogue epilogue;
  epilogue.add = true;
  over_stretches(rows_, [&](int64_t s, int64_t column, int64_t count) {
    std::fill_n(block, (last - first) * count, 0.0f);
    cursor.visit(column, count, [&](int64_t at, uint32_t i) {
      block[at] += groups.coefficients[groups.entries ? groups.entries[i] : i];
    });
    p.pack_rows(block, count, last - first, count, strips);
    p.multiply(strips, last - first, packed_.get() + s * stretch_bytes_, count, width_, 0, panels(p, width_), epilogue,
               out, width_);
  });
}

RowDots::RowDots(const float* m, int64_t rows, int64_t width)
    : rows_(rows),
      width_(width),
      stretch_bytes_(packed_bytes(product(), std::min(rows, kMostColumns), width)),
      packed_(borrow<char>(ceil_div(rows, kMostColumns) * stretch_bytes_)) {
  over_stretches(rows, [&](int64_t s, int64_t row, int64_t count) {
    pack(product(), m + row * width, count, width, packed_.get() + s * stretch_bytes_);
  });
}

void RowDots::take(const Groups& groups, const float* x, int64_t first, int64_t last, float* space, float* out) const {
  const DenseProduct& p = product();
  float *block = space, *strips = space + kMostGroups * kMostColumns;
  Cursor cursor(groups, first, last);
  p.pack_rows(x, width_, last - first, width_, strips);
  over_stretches(rows_, [&](int64_t s, int64_t column, int64_t count) {
    p.multiply(strips, last - first, packed_.get() + s * stretch_bytes_, width_, count, 0, panels(p, count), {}, block,
               count);
    cursor.visit(column, count, [&](int64_t at, uint32_t i) { out[i] = block[at]; });
  });
}

}  // namespace monosem
