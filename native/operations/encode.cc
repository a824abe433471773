// Encode and select: the columns are packed a group at a time, a group that fits a core's cache, and every strip of
// rows is multiplied with it and compared at once. What passes stands in lists; rows x columns is never written.
// While the strips meet one group the next is packed.
#include <algorithm>
#include <cmath>
#include <limits>

#include "../pool.h"
#include "buffer.h"
#include "operations.h"

namespace monosem {
namespace {

constexpr int64_t kGroupBytes = 1 << 20;
constexpr int64_t kPanelsATask = 4;
constexpr int64_t kRowsATask = 128;

// A group of packed columns, and what is known of each.
struct Group {
  Borrowed<char> panels;
  std::vector<float> bias, threshold, norm, rounding;
};

// What is chosen among: all columns or equal runs of them, by value or by magnitude.
struct Choice {
  int64_t runs = 1;
  bool magnitudes = false;
  const float* threshold = nullptr;  // for each column that takes part; without magnitudes
};

// The part of a run that lies in one group.
struct Stretch {
  int64_t run;
  bool begins, ends;
};

// The operands of one call: rows packed once, columns group by group. Each run begins a panel, whose missing columns
// cost as much as those that are there.
class Encoder {
 public:
  Encoder(const EncodeOperands& operands, bool rounded, const Choice& choice)
      : operands_(operands),
        product_(kernels().encode),
        choice_(choice),
        run_columns_(operands.columns / choice.runs),
        run_panels_(ceil_div(run_columns_, product_.panel)),
        scouts_(product_.rounds && !rounded),
        row_bytes_(ceil_div(operands.width, product_.inputs) * product_.inputs * product_.bytes),
        strips_(borrow<char>(ceil_div(operands.rows, product_.strip) * product_.strip * row_bytes_)),
        norms_(borrow<float>(operands.rows)),
        roundings_(borrow<float>(operands.rows)) {
    const int64_t panels_that_fit = std::max<int64_t>(1, kGroupBytes / (product_.panel * row_bytes_));
    group_panels_ = std::clamp<int64_t>(panels(), 1, panels_that_fit);
    strips_a_task_ = std::max<int64_t>(1, kRowsATask / product_.strip);
    parallel_for(tasks(), [&](int64_t task) {
      for_strips(task, [&](int64_t row, int64_t rows) {
        product_.pack_rows(operands_.x + row * operands_.width, rows, operands_.width,
                           strips_.get() + row * row_bytes_, scouts_ ? norms_.get() + row : nullptr,
                           scouts_ ? roundings_.get() + row : nullptr);
      });
    });
  }

  bool scouts() const { return scouts_; }
  int64_t group_columns() const { return group_panels_ * product_.panel; }
  int64_t strip() const { return product_.strip; }
  int64_t partial_floats() const { return ceil_div(product_.strip * group_columns(), 16) * 16; }
  int64_t tasks() const { return ceil_div(ceil_div(operands_.rows, product_.strip), strips_a_task_); }

  // Body(first row, rows) for the strips of a task.
  template <class Body>
  void for_strips(int64_t task, Body body) const {
    const int64_t each = strips_a_task_ * product_.strip, end = std::min(operands_.rows, (task + 1) * each);
    for (int64_t row = task * each; row < end; row += product_.strip)
      body(row, std::min<int64_t>(product_.strip, end - row));
  }

  // Body(row) for every row.
  template <class Body>
  void over_rows(Body body) const {
    parallel_for(tasks(), [&](int64_t task) {
      for_strips(task, [&](int64_t row, int64_t rows) {
        for (int64_t r = row; r < row + rows; r++) body(r);
      });
    });
  }

  // Calls each(task, scan, stretch) for every strip and stretch of a run, columns ascending: `scan` has all but the
  // lists. No two calls with one task at a time.
  template <class Each>
  void run(Each each) const {
    const int64_t count = ceil_div(panels(), group_panels_);
    Group groups[2] = {make_group(), make_group()};
    for (int64_t g = -1; g < count; g++) {
      const int64_t packing = g + 1 < count ? ceil_div(panels_of(g + 1), kPanelsATask) : 0;
      parallel_for(packing + (g < 0 ? 0 : tasks()), [&](int64_t task) {
        if (task < packing) pack(g + 1, task * kPanelsATask, groups[(g + 1) % 2]);
        else scan(g, task - packing, groups[g % 2], each);
      });
    }
  }

  void begin_list(RowList& list, int64_t row) const {
    list.count = 0;
    list.threshold = 0;
    list.norm = scouts_ ? norms_[row] : 0;
    list.rounding = scouts_ ? roundings_[row] : 0;
    list.magnitudes = choice_.magnitudes;
  }

 private:
  Group make_group() const {
    const std::vector<float> column(group_columns());
    return {borrow<char>(group_columns() * row_bytes_), column, column, column, column};
  }

  int64_t panels() const { return choice_.runs * run_panels_; }
  int64_t panels_of(int64_t group) const { return std::min(group_panels_, panels() - group * group_panels_); }

  // Of panels `panel` on, counted from the first of all, up to `last`: the columns that are there, in the panel's run.
  struct Columns {
    int64_t first, count;
  };
  Columns columns_of(int64_t panel, int64_t last) const {
    const int64_t run = panel / run_panels_, within = (panel - run * run_panels_) * product_.panel;
    return {run * run_columns_ + within, std::min((last - panel) * product_.panel, run_columns_ - within)};
  }

  void pack(int64_t g, int64_t first_panel, Group& group) const {
    const int64_t last_panel = std::min(first_panel + kPanelsATask, panels_of(g));
    const float none = choice_.magnitudes ? 0 : -std::numeric_limits<float>::infinity();
    for (int64_t p = first_panel; p < last_panel; p++) {
      const int64_t at = p * product_.panel, panel = g * group_panels_ + p;
      const auto [first, columns] = columns_of(panel, panel + 1);
      product_.pack_columns(operands_, first, columns, group.panels.get() + at * row_bytes_,
                            scouts_ ? group.norm.data() + at : nullptr,
                            scouts_ ? group.rounding.data() + at : nullptr);
      for (int64_t i = 0; i < product_.panel; i++) {
        const bool present = i < columns;
        const int64_t column = present && operands_.subset ? operands_.subset[first + i] : first + i;
        group.bias[at + i] = present ? operands_.bias[column] : none;
        group.threshold[at + i] = present && choice_.threshold ? choice_.threshold[first + i] : 0;
        if (!present) group.norm[at + i] = group.rounding[at + i] = 0;
      }
    }
  }

  template <class Each>
  void scan(int64_t g, int64_t task, const Group& group, Each& each) const {
    const int64_t start = g * group_panels_, end = start + panels_of(g);
    for_strips(task, [&](int64_t row, int64_t rows) {
      for (int64_t first = start, last; first < end; first = last) {
        const int64_t run = first / run_panels_, at = (first - start) * product_.panel;
        last = std::min(end, (run + 1) * run_panels_);
        const auto [first_column, columns] = columns_of(first, last);
        Scan scan{};
        scan.strip = strips_.get() + row * row_bytes_;
        scan.first_row = row;
        scan.rows = rows;
        scan.panels = group.panels.get() + at * row_bytes_;
        scan.first_column = first_column;
        scan.columns = columns;
        scan.bias = group.bias.data() + at;
        scan.threshold = choice_.threshold ? group.threshold.data() + at : nullptr;
        scan.norm = scouts_ ? group.norm.data() + at : nullptr;
        scan.rounding = scouts_ ? group.rounding.data() + at : nullptr;
        scan.magnitudes = choice_.magnitudes;
        scan.operands = &operands_;
        each(task, scan, Stretch{run, first == run * run_panels_, last == (run + 1) * run_panels_});
      }
    });
  }

  const EncodeOperands& operands_;
  const EncodeProduct& product_;
  const Choice choice_;
  int64_t run_columns_, run_panels_;
  bool scouts_;
  int64_t row_bytes_, group_panels_, strips_a_task_;
  Borrowed<char> strips_;
  Borrowed<float> norms_, roundings_;
};

int64_t list_stride(int64_t capacity) { return ceil_div(capacity + kListSlack, 16) * 16; }

// The columns that a list names, in the numbering of `weight`.
uint32_t named(const EncodeOperands& operands, uint32_t column) {
  return operands.subset ? operands.subset[column] : column;
}

Sparse with_offsets(const std::vector<uint32_t>& counts) {
  Sparse out;
  out.offsets.assign(counts.size() + 1, 0);
  for (size_t r = 0; r < counts.size(); r++) out.offsets[r + 1] = out.offsets[r] + counts[r];
  out.indices = Array<uint32_t>(out.offsets.back());
  out.values = Array<float>(out.offsets.back());
  return out;
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

}  // namespace

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
