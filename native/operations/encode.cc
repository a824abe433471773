// Encode and select: what is kept of the pre-activations that pass by in encoder.h.
#include <algorithm>
#include <cmath>

#include "../pool.h"
#include "buffer.h"
#include "encoder.h"
#include "written_down.h"

namespace monosem {
namespace {

int64_t list_stride(int64_t capacity) { return ceil_div(capacity + kListSlack, 16) * 16; }

// The columns that a list names, in the numbering of `weight`.
uint32_t named(const EncodeOperands& operands, uint32_t column) {
  return operands.subset ? operands.subset[column] : column;
}

struct Kept {
  uint32_t row;
  uint32_t column;
  float value;
};

// Entries in pieces of one size, that never move while their number grows.
class KeptEntries {
 public:
  void add(const Kept& one) {
    if (count_ % kPiece == 0) pieces_.push_back(borrow<Kept>(kPiece));
    pieces_.back()[count_++ % kPiece] = one;
  }

  int64_t count() const { return count_; }

  template <class Body>
  void for_each(Body body) const {
    int64_t left = count_;
    for (const auto& piece : pieces_) {
      const int64_t here = std::min(left, kPiece);
      for (int64_t i = 0; i < here; i++) body(piece[i]);
      left -= here;
    }
  }

 private:
  static constexpr int64_t kPiece = 1 << 15;
  std::vector<Borrowed<Kept>> pieces_;
  int64_t count_ = 0;
};

// What passes the thresholds: for each task of the encoder the entries of its rows, not yet in the order of rows.
using Passed = std::vector<KeptEntries>;

// All pre-activations above `threshold`, for each column that takes part. 12 bytes an entry are kept, and 8 more for
// the result while `compress` makes it: 250 MB at most where half of 4,096 rows of 6,144 columns pass.
Passed above(const EncodeOperands& operands, bool rounded, const float* threshold) {
  Choice choice;
  choice.threshold = threshold;
  const Encoder encoder(operands, rounded, choice);
  const int64_t capacity = encoder.group_columns(), stride = list_stride(capacity);
  Passed passed(encoder.tasks());
  encoder.run([&](int64_t task, Scan& scan, const Stretch&) {
    float* memory = scratch(encoder.partial_floats() + encoder.strip() * 3 * stride);
    scan.partial = memory;
    memory += encoder.partial_floats();
    RowList lists[64];
    for (int64_t r = 0; r < scan.rows; r++, memory += 3 * stride) {
      lists[r].value = memory;
      lists[r].error = encoder.scouts() ? memory + stride : nullptr;
      lists[r].column = reinterpret_cast<uint32_t*>(memory + 2 * stride);
      lists[r].capacity = static_cast<int32_t>(capacity);
      encoder.begin_list(lists[r], scan.first_row + r);
    }
    scan.lists = lists;
    kernels().encode.scan(scan);
    for (int64_t r = 0; r < scan.rows; r++) {
      RowList& list = lists[r];
      const int64_t row = scan.first_row + r;
      kernels().finish_list(list, operands, row, threshold, 0, nullptr);
      for (int32_t i = 0; i < list.count; i++)
        passed[task].add({static_cast<uint32_t>(row), named(operands, list.column[i]), list.value[i]});
    }
  });
  return passed;
}

// Columns ascend within a row already, as groups were scanned in order.
Sparse compress(const Passed& passed, int64_t rows) {
  std::vector<uint32_t> counts(rows, 0);
  parallel_for(static_cast<int64_t>(passed.size()), [&](int64_t part) {
    passed[part].for_each([&](const Kept& one) { counts[one.row]++; });
  });
  Sparse out = with_offsets(counts);
  std::vector<uint32_t> next(out.offsets.begin(), out.offsets.end() - 1);
  parallel_for(static_cast<int64_t>(passed.size()), [&](int64_t part) {
    passed[part].for_each([&](const Kept& one) {
      const uint32_t to = next[one.row]++;
      out.indices[to] = one.column;
      out.values[to] = one.value;
    });
  });
  return out;
}

int64_t count_of(const Passed& passed) {
  int64_t count = 0;
  for (const auto& part : passed) count += part.count();
  return count;
}

// Keeps the `total` strongest: of equal values the lower row, then the lower column.
void keep_strongest(Passed& passed, int64_t total) {
  if (count_of(passed) <= total) return;
  std::vector<float> values;
  values.reserve(count_of(passed) + kListSlack);
  for (const auto& part : passed) part.for_each([&](const Kept& one) { values.push_back(one.value); });
  const int64_t count = static_cast<int64_t>(values.size());
  values.resize(count + kListSlack);
  const float weakest = kernels().bound_of(values.data(), count, total, total);
  const int64_t reached = std::count_if(values.begin(), values.begin() + count, [&](float v) { return v >= weakest; });
  // Where equal values straddle the last place, the last of them go.
  std::vector<Kept> equal;
  if (reached > total) {
    for (const auto& part : passed) {
      part.for_each([&](const Kept& one) {
        if (one.value == weakest) equal.push_back(one);
      });
    }
  }
  const auto before = [](const Kept& a, const Kept& b) {
    return a.row != b.row ? a.row < b.row : a.column < b.column;
  };
  std::sort(equal.begin(), equal.end(), before);
  const Kept* first_out = equal.empty() ? nullptr : &equal[equal.size() - (reached - total)];
  parallel_for(static_cast<int64_t>(passed.size()), [&](int64_t part) {
    const auto goes = [&](const Kept& one) {
      return one.value < weakest || (first_out && one.value == weakest && !before(one, *first_out));
    };
    KeptEntries stay;
    passed[part].for_each([&](const Kept& one) {
      if (!goes(one)) stay.add(one);
    });
    passed[part] = std::move(stay);
  });
}

// A list for each row, of the strongest k of the run that is being scanned.
class RowLists {
 public:
  RowLists(const Encoder& encoder, const EncodeOperands& operands, int64_t k)
      : encoder_(encoder),
        operands_(operands),
        k_(k),
        // Where values scout, several times k may have to wait for float32.
        capacity_(ceil_div(encoder.scouts() ? 4 * k + 256 : 2 * k + 64, 16) * 16),
        stride_(list_stride(capacity_)),
        arrays_(encoder.scouts() ? 3 : 2),
        memory_(borrow<float>(operands.rows * arrays_ * stride_)),
        lists_(operands.rows) {
    for (int64_t r = 0; r < operands.rows; r++) {
      RowList& list = lists_[r];
      list.value = memory_.get() + r * arrays_ * stride_;
      list.column = reinterpret_cast<uint32_t*>(list.value + stride_);
      list.error = encoder.scouts() ? list.value + 2 * stride_ : nullptr;
      list.capacity = static_cast<int32_t>(capacity_);
      encoder.begin_list(list, r);
    }
  }

  const RowList& operator[](int64_t row) const { return lists_[row]; }

  void begin(int64_t row) { encoder_.begin_list(lists_[row], row); }

  void scan(Scan& scan) {
    scan.lists = lists_.data() + scan.first_row;
    scan.k = k_;
    scan.partial = scratch(encoder_.partial_floats() + stride_);
    scan.room = scan.partial + encoder_.partial_floats();
    kernels().encode.scan(scan);
  }

  const RowList& finish(int64_t row) {
    kernels().finish_list(lists_[row], operands_, row, nullptr, k_, scratch(stride_));
    return lists_[row];
  }

 private:
  const Encoder& encoder_;
  const EncodeOperands& operands_;
  int64_t k_, capacity_, stride_, arrays_;
  Borrowed<float> memory_;
  std::vector<RowList> lists_;
};

Sparse strongest_of_rows(const EncodeOperands& operands, bool rounded, int64_t k, bool magnitudes) {
  k = std::min(k, operands.columns);
  std::vector<uint32_t> counts(operands.rows);
  if (k == 0) return with_offsets(counts);
  Choice choice;
  choice.magnitudes = magnitudes;
  const Encoder encoder(operands, rounded, choice);
  RowLists lists(encoder, operands, k);
  encoder.run([&](int64_t, Scan& scan, const Stretch&) { lists.scan(scan); });
  encoder.over_rows([&](int64_t r) { counts[r] = lists.finish(r).count; });
  Sparse out = with_offsets(counts);
  encoder.over_rows([&](int64_t r) {
    const RowList& list = lists[r];
    for (uint32_t i = 0, to = out.offsets[r]; i < counts[r]; i++, to++) {
      const bool minus = magnitudes && (list.column[i] & kMinus);
      out.indices[to] = named(operands, minus ? list.column[i] & ~kMinus : list.column[i]);
      out.values[to] = minus ? -list.value[i] : list.value[i];
    }
  });
  return out;
}

// Pre-activations of a sample of the rows and columns, largest first: enough of them to tell how many of the batch
// pass a threshold.
struct Sample {
  std::vector<float> values;
  double share;  // of all pre-activations that the sample saw
};

Sample sample(const EncodeOperands& all, bool rounded) {
  constexpr int64_t kRows = 512, kColumns = 512, kOfEach = 32;
  const int64_t rows = std::min(all.rows, kRows), columns = std::min(all.columns, kColumns);
  std::vector<float> x(rows * all.width);
  for (int64_t r = 0; r < rows; r++) {
    const float* row = all.x + r * all.rows / rows * all.width;
    std::copy(row, row + all.width, x.begin() + r * all.width);
  }
  std::vector<uint32_t> subset(columns);
  for (int64_t c = 0; c < columns; c++) subset[c] = named(all, static_cast<uint32_t>(c * all.columns / columns));
  EncodeOperands part = all;
  part.x = x.data();
  part.rows = rows;
  part.subset = subset.data();
  part.columns = columns;
  const Array<float> found = encode_top_k(part, rounded, kOfEach).values;
  std::vector<float> values(found.begin(), found.end());
  std::sort(values.begin(), values.end(), std::greater<float>());
  return {std::move(values), static_cast<double>(rows * columns) / static_cast<double>(all.rows * all.columns)};
}

// Whether so many entries are wanted that all pre-activations can as well be written down: they take little more memory
// than the result, or fit a core's cache.
bool worth_writing_down(const EncodeOperands& operands, int64_t total) {
  constexpr int64_t kPlacesAnEntry = 8, kFew = 1 << 18;
  const int64_t places = operands.rows * operands.columns;
  return !operands.subset && places <= std::max(kFew, kPlacesAnEntry * total);
}

}  // namespace

Sparse with_offsets(const std::vector<uint32_t>& counts) {
  Sparse out;
  out.offsets.assign(counts.size() + 1, 0);
  for (size_t r = 0; r < counts.size(); r++) out.offsets[r + 1] = out.offsets[r] + counts[r];
  out.indices = Array<uint32_t>(out.offsets.back());
  out.values = Array<float>(out.offsets.back());
  return out;
}

Sparse encode_top_k(const EncodeOperands& operands, bool rounded, int64_t k) {
  return strongest_of_rows(operands, rounded, k, false);
}

Sparse encode_abs_top_k(const EncodeOperands& operands, bool rounded, int64_t k) {
  return strongest_of_rows(operands, rounded, k, true);
}

// Keeps 8 bytes for each row and group besides the result.
Sparse encode_group_max(const EncodeOperands& operands, bool rounded, int64_t groups) {
  struct Best {
    uint32_t column;
    float value;  // 0 where there is none
  };
  std::vector<uint32_t> counts(operands.rows, 0);
  if (operands.columns == 0) return with_offsets(counts);
  Choice choice;
  choice.runs = groups;
  const Encoder encoder(operands, rounded, choice);
  RowLists lists(encoder, operands, 1);
  const Borrowed<Best> best = borrow<Best>(operands.rows * groups);
  encoder.run([&](int64_t, Scan& scan, const Stretch& stretch) {
    const int64_t first = scan.first_row, last = first + scan.rows;
    for (int64_t r = first; stretch.begins && r < last; r++) lists.begin(r);
    lists.scan(scan);
    for (int64_t r = first; stretch.ends && r < last; r++) {
      const RowList& list = lists.finish(r);
      best[r * groups + stretch.run] = list.count ? Best{list.column[0], list.value[0]} : Best{0, 0};
      counts[r] += list.count;
    }
  });
  Sparse out = with_offsets(counts);
  encoder.over_rows([&](int64_t r) {
    uint32_t to = out.offsets[r];
    for (int64_t group = 0; group < groups; group++) {
      const Best& one = best[r * groups + group];
      if (one.value == 0) continue;
      out.indices[to] = one.column;
      out.values[to++] = one.value;
    }
  });
  return out;
}

// Takes what passes a threshold that somewhat more than `total` are expected to pass; where fewer do, a lower one. So
// the guess decides the time and never the result.
Sparse encode_batch_top_k(const EncodeOperands& operands, bool rounded, int64_t total) {
  if (operands.rows == 0 || operands.columns == 0) return with_offsets(std::vector<uint32_t>(operands.rows, 0));
  if (worth_writing_down(operands, total)) return strongest_written_down(operands, total);
  const Sample known = sample(operands, rounded);
  std::vector<float> threshold(operands.columns);
  for (double margin = 1.3;; margin *= 4) {
    const double rank = std::ceil(margin * static_cast<double>(total) * known.share) + 8;
    const bool certain = rank >= static_cast<double>(known.values.size());
    const float guess = certain ? 0 : known.values[static_cast<size_t>(rank)];
    std::fill(threshold.begin(), threshold.end(), guess);
    Passed passed = above(operands, rounded, threshold.data());
    if (!certain && count_of(passed) < total) continue;
    keep_strongest(passed, total);
    return compress(passed, operands.rows);
  }
}

Sparse encode_threshold(const EncodeOperands& operands, bool rounded, const float* threshold) {
  std::vector<float> least(operands.columns);
  for (int64_t i = 0; i < operands.columns; i++) least[i] = threshold[named(operands, static_cast<uint32_t>(i))];
  return compress(above(operands, rounded, least.data()), operands.rows);
}

}  // namespace monosem
