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

// The operands of one call: rows packed once, columns group by group.
class Encoder {
 public:
  // `threshold`, for each column that takes part, may be null.
  Encoder(const EncodeOperands& operands, bool rounded, const float* threshold)
      : operands_(operands),
        product_(kernels().encode),
        threshold_(threshold),
        scouts_(product_.rounds && !rounded),
        row_bytes_(ceil_div(operands.width, product_.inputs) * product_.inputs * product_.bytes),
        strips_(borrow<char>(ceil_div(operands.rows, product_.strip) * product_.strip * row_bytes_)),
        norms_(borrow<float>(operands.rows)),
        roundings_(borrow<float>(operands.rows)) {
    const int64_t panels_that_fit = std::max<int64_t>(1, kGroupBytes / (product_.panel * row_bytes_));
    const int64_t panels_in_all = ceil_div(operands.columns, product_.panel);
    group_columns_ = std::clamp<int64_t>(panels_in_all, 1, panels_that_fit) * product_.panel;
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
  int64_t group_columns() const { return group_columns_; }
  int64_t strip() const { return product_.strip; }
  int64_t partial_floats() const { return ceil_div(product_.strip * group_columns_, 16) * 16; }
  int64_t tasks() const { return ceil_div(ceil_div(operands_.rows, product_.strip), strips_a_task_); }

  // Body(first row, rows) for the strips of a task.
  template <class Body>
  void for_strips(int64_t task, Body body) const {
    const int64_t each = strips_a_task_ * product_.strip, end = std::min(operands_.rows, (task + 1) * each);
    for (int64_t row = task * each; row < end; row += product_.strip)
      body(row, std::min<int64_t>(product_.strip, end - row));
  }

  // Calls each(task, scan) for every strip and group, columns ascending: `scan` has all but the lists. No two calls
  // with one task at a time.
  template <class Each>
  void run(Each each) const {
    const int64_t count = ceil_div(operands_.columns, group_columns_);
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
  }

 private:
  Group make_group() const {
    const std::vector<float> column(group_columns_);
    return {borrow<char>(group_columns_ * row_bytes_), column, column, column, column};
  }

  int64_t columns_of(int64_t group) const {
    return std::min(group_columns_, operands_.columns - group * group_columns_);
  }
  int64_t panels_of(int64_t group) const { return ceil_div(columns_of(group), product_.panel); }

  void pack(int64_t g, int64_t first_panel, Group& group) const {
    const int64_t last_panel = std::min(first_panel + kPanelsATask, panels_of(g));
    for (int64_t p = first_panel; p < last_panel; p++) {
      const int64_t at = p * product_.panel, first = g * group_columns_ + at;
      const int64_t columns = std::min<int64_t>(product_.panel, operands_.columns - first);
      product_.pack_columns(operands_, first, columns, group.panels.get() + at * row_bytes_,
                            scouts_ ? group.norm.data() + at : nullptr,
                            scouts_ ? group.rounding.data() + at : nullptr);
      for (int64_t i = 0; i < product_.panel; i++) {
        const bool present = i < columns;
        const int64_t column = present && operands_.subset ? operands_.subset[first + i] : first + i;
        group.bias[at + i] = present ? operands_.bias[column] : -std::numeric_limits<float>::infinity();
        group.threshold[at + i] = present && threshold_ ? threshold_[first + i] : 0;
      }
    }
  }

  template <class Each>
  void scan(int64_t g, int64_t task, const Group& group, Each& each) const {
    for_strips(task, [&](int64_t row, int64_t rows) {
      Scan scan{};
      scan.strip = strips_.get() + row * row_bytes_;
      scan.first_row = row;
      scan.rows = rows;
      scan.panels = group.panels.get();
      scan.first_column = g * group_columns_;
      scan.columns = columns_of(g);
      scan.bias = group.bias.data();
      scan.threshold = threshold_ ? group.threshold.data() : nullptr;
      scan.norm = scouts_ ? group.norm.data() : nullptr;
      scan.rounding = scouts_ ? group.rounding.data() : nullptr;
      scan.operands = &operands_;
      each(task, scan);
    });
  }

  const EncodeOperands& operands_;
  const EncodeProduct& product_;
  const float* threshold_;
  bool scouts_;
  int64_t row_bytes_, group_columns_, strips_a_task_;
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
  out.indices.resize(out.offsets.back());
  out.values.resize(out.offsets.back());
  return out;
}

struct Kept {
  uint32_t row;
  uint32_t column;
  float value;
};

// What passes the thresholds: for each task of the encoder the entries of its rows, not yet in the order of rows.
using Passed = std::vector<std::vector<Kept>>;

// All pre-activations above `threshold` (>= 0, for each column that takes part).
Passed above(const EncodeOperands& operands, bool rounded, const float* threshold) {
  const Encoder encoder(operands, rounded, threshold);
  const int64_t capacity = encoder.group_columns(), stride = list_stride(capacity);
  Passed passed(encoder.tasks());
  encoder.run([&](int64_t task, Scan& scan) {
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
        passed[task].push_back({static_cast<uint32_t>(row), named(operands, list.column[i]), list.value[i]});
    }
  });
  return passed;
}

// Columns ascend within a row already, as groups were scanned in order.
Sparse compress(const Passed& passed, int64_t rows) {
  std::vector<uint32_t> counts(rows, 0);
  parallel_for(static_cast<int64_t>(passed.size()), [&](int64_t part) {
    for (const Kept& one : passed[part]) counts[one.row]++;
  });
  Sparse out = with_offsets(counts);
  std::vector<uint32_t> next(out.offsets.begin(), out.offsets.end() - 1);
  parallel_for(static_cast<int64_t>(passed.size()), [&](int64_t part) {
    for (const Kept& one : passed[part]) {
      const uint32_t to = next[one.row]++;
      out.indices[to] = one.column;
      out.values[to] = one.value;
    }
  });
  return out;
}

int64_t count_of(const Passed& passed) {
  int64_t count = 0;
  for (const auto& part : passed) count += static_cast<int64_t>(part.size());
  return count;
}

// Keeps the `total` strongest: of equal values the lower row, then the lower column.
void keep_strongest(Passed& passed, int64_t total) {
  if (count_of(passed) <= total) return;
  std::vector<float> values;
  values.reserve(count_of(passed) + kListSlack);
  for (const auto& part : passed)
    for (const Kept& one : part) values.push_back(one.value);
  const int64_t count = static_cast<int64_t>(values.size());
  values.resize(count + kListSlack);
  const float weakest = kernels().bound_of(values.data(), count, total, total);
  const int64_t reached = std::count_if(values.begin(), values.begin() + count, [&](float v) { return v >= weakest; });
  // Where equal values straddle the last place, the last of them go.
  std::vector<Kept> equal;
  if (reached > total) {
    for (const auto& part : passed)
      for (const Kept& one : part)
        if (one.value == weakest) equal.push_back(one);
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
    passed[part].erase(std::remove_if(passed[part].begin(), passed[part].end(), goes), passed[part].end());
  });
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
  std::vector<float> values = encode_top_k(part, rounded, kOfEach).values;
  std::sort(values.begin(), values.end(), std::greater<float>());
  return {std::move(values), static_cast<double>(rows * columns) / static_cast<double>(all.rows * all.columns)};
}

}  // namespace

Sparse encode_top_k(const EncodeOperands& operands, bool rounded, int64_t k) {
  k = std::min(k, operands.columns);
  std::vector<uint32_t> counts(operands.rows);
  if (k == 0) return with_offsets(counts);
  const Encoder encoder(operands, rounded, nullptr);
  // Where values scout, several times k may have to wait for float32.
  const int64_t capacity = ceil_div(encoder.scouts() ? 4 * k + 256 : 2 * k + 64, 16) * 16;
  const int64_t stride = list_stride(capacity);
  const int64_t arrays = encoder.scouts() ? 3 : 2;
  const Borrowed<float> memory = borrow<float>(operands.rows * arrays * stride);
  std::vector<RowList> lists(operands.rows);
  for (int64_t r = 0; r < operands.rows; r++) {
    RowList& list = lists[r];
    list.value = memory.get() + r * arrays * stride;
    list.column = reinterpret_cast<uint32_t*>(list.value + stride);
    list.error = encoder.scouts() ? list.value + 2 * stride : nullptr;
    list.capacity = static_cast<int32_t>(capacity);
    encoder.begin_list(list, r);
  }
  encoder.run([&](int64_t, Scan& scan) {
    scan.lists = lists.data() + scan.first_row;
    scan.k = k;
    scan.partial = scratch(encoder.partial_floats() + stride);
    scan.room = scan.partial + encoder.partial_floats();
    kernels().encode.scan(scan);
  });
  parallel_for(encoder.tasks(), [&](int64_t task) {
    encoder.for_strips(task, [&](int64_t row, int64_t rows) {
      for (int64_t r = row; r < row + rows; r++) {
        kernels().finish_list(lists[r], operands, r, nullptr, k, scratch(stride));
        counts[r] = lists[r].count;
      }
    });
  });
  Sparse out = with_offsets(counts);
  parallel_for(encoder.tasks(), [&](int64_t task) {
    encoder.for_strips(task, [&](int64_t row, int64_t rows) {
      for (int64_t r = row; r < row + rows; r++) {
        for (uint32_t i = 0; i < counts[r]; i++) {
          out.indices[out.offsets[r] + i] = named(operands, lists[r].column[i]);
          out.values[out.offsets[r] + i] = lists[r].value[i];
        }
      }
    });
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
  for (int64_t i = 0; i < operands.columns; i++) least[i] = std::max(0.0f, threshold[named(operands, i)]);
  return compress(above(operands, rounded, least.data()), operands.rows);
}

}  // namespace monosem
