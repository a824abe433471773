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

// The rows that are encoded, packed in strips, a few of which make a task.
class PackedRows {
 public:
  // Where the product rounds and the caller wants float32, values are to scout, and what rounding did is noted.
  PackedRows(const float* x, int64_t rows, int64_t width, bool rounded)
      : product_(kernels().encode),
        scouts_(product_.rounds && !rounded),
        rows_(rows),
        row_bytes_(ceil_div(width, product_.inputs) * product_.inputs * product_.bytes),
        strips_a_task_(std::max<int64_t>(1, kRowsATask / product_.strip)),
        strips_(borrow<char>(ceil_div(rows, product_.strip) * product_.strip * row_bytes_)),
        norms_(borrow<float>(rows)),
        roundings_(borrow<float>(rows)) {
    parallel_for(tasks(), [&](int64_t task) {
      for_strips(task, [&](int64_t row, int64_t count) {
        product_.pack_rows(x + row * width, count, width, strips_.get() + row * row_bytes_,
                           scouts_ ? norms_.get() + row : nullptr, scouts_ ? roundings_.get() + row : nullptr);
      });
    });
  }

  const EncodeProduct& product() const { return product_; }
  bool scouts() const { return scouts_; }
  int64_t row_bytes() const { return row_bytes_; }
  const void* strip_of(int64_t row) const { return strips_.get() + row * row_bytes_; }
  float norm(int64_t row) const { return scouts_ ? norms_[row] : 0; }
  float rounding(int64_t row) const { return scouts_ ? roundings_[row] : 0; }
  int64_t tasks() const { return ceil_div(ceil_div(rows_, product_.strip), strips_a_task_); }

  // Body(first row, rows) for the strips of a task.
  template <class Body>
  void for_strips(int64_t task, Body body) const {
    const int64_t each = strips_a_task_ * product_.strip, end = std::min(rows_, (task + 1) * each);
    for (int64_t row = task * each; row < end; row += product_.strip)
      body(row, std::min<int64_t>(product_.strip, end - row));
  }

 private:
  const EncodeProduct& product_;
  bool scouts_;
  int64_t rows_, row_bytes_, strips_a_task_;
  Borrowed<char> strips_;
  Borrowed<float> norms_, roundings_;
};

// Packed rows against columns, which are packed group by group.
class Encoder {
 public:
  // `threshold`, for each column that takes part, may be null.
  Encoder(const PackedRows& rows, const EncodeOperands& operands, const float* threshold)
      : rows_(rows), operands_(operands), product_(rows.product()), threshold_(threshold) {
    const int64_t panels_that_fit = std::max<int64_t>(1, kGroupBytes / (product_.panel * rows.row_bytes()));
    const int64_t panels_in_all = ceil_div(operands.columns, product_.panel);
    group_columns_ = std::clamp<int64_t>(panels_in_all, 1, panels_that_fit) * product_.panel;
  }

  int64_t group_columns() const { return group_columns_; }
  int64_t strip() const { return product_.strip; }
  int64_t partial_floats() const { return ceil_div(product_.strip * group_columns_, 16) * 16; }

  // Calls each(task, scan) for every strip and group, columns ascending: `scan` has all but the lists. No two calls
  // with one task at a time.
  template <class Each>
  void run(Each each) const {
    const int64_t count = ceil_div(operands_.columns, group_columns_);
    Group groups[2] = {make_group(), make_group()};
    for (int64_t g = -1; g < count; g++) {
      const int64_t packing = g + 1 < count ? ceil_div(panels_of(g + 1), kPanelsATask) : 0;
      parallel_for(packing + (g < 0 ? 0 : rows_.tasks()), [&](int64_t task) {
        if (task < packing) pack(g + 1, task * kPanelsATask, groups[(g + 1) % 2]);
        else scan(g, task - packing, groups[g % 2], each);
      });
    }
  }

  void begin_list(RowList& list, int64_t row) const {
    list.count = 0;
    list.threshold = 0;
    list.norm = rows_.norm(row);
    list.rounding = rows_.rounding(row);
  }

 private:
  Group make_group() const {
    const std::vector<float> column(group_columns_);
    return {borrow<char>(group_columns_ * rows_.row_bytes()), column, column, column, column};
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
      const bool scouts = rows_.scouts();
      product_.pack_columns(operands_, first, columns, group.panels.get() + at * rows_.row_bytes(),
                            scouts ? group.norm.data() + at : nullptr,
                            scouts ? group.rounding.data() + at : nullptr);
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
    rows_.for_strips(task, [&](int64_t row, int64_t rows) {
      Scan scan{};
      scan.strip = rows_.strip_of(row);
      scan.first_row = row;
      scan.rows = rows;
      scan.panels = group.panels.get();
      scan.first_column = g * group_columns_;
      scan.columns = columns_of(g);
      scan.bias = group.bias.data();
      scan.threshold = threshold_ ? group.threshold.data() : nullptr;
      scan.norm = rows_.scouts() ? group.norm.data() : nullptr;
      scan.rounding = rows_.scouts() ? group.rounding.data() : nullptr;
      scan.operands = &operands_;
      each(task, scan);
    });
  }

  const PackedRows& rows_;
  const EncodeOperands& operands_;
  const EncodeProduct& product_;
  const float* threshold_;
  int64_t group_columns_;
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

// What passes the thresholds: for each task of the encoder the entries of its rows, not yet in the order of rows. 12
// bytes an entry, up to twice that while it grows.
using Passed = std::vector<std::vector<Kept>>;

// All pre-activations above `threshold`, for each column that takes part.
Passed above(const EncodeOperands& operands, bool rounded, const float* threshold) {
  const PackedRows packed(operands.x, operands.rows, operands.width, rounded);
  const Encoder encoder(packed, operands, threshold);
  const int64_t capacity = encoder.group_columns(), stride = list_stride(capacity);
  Passed passed(packed.tasks());
  encoder.run([&](int64_t task, Scan& scan) {
    float* memory = scratch(encoder.partial_floats() + encoder.strip() * 3 * stride);
    scan.partial = memory;
    memory += encoder.partial_floats();
    RowList lists[64];
    for (int64_t r = 0; r < scan.rows; r++, memory += 3 * stride) {
      lists[r].value = memory;
      lists[r].error = packed.scouts() ? memory + stride : nullptr;
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

// Finds the k strongest of each row, and hands each row's list to done(row, list).
template <class Done>
void strongest(const PackedRows& packed, const EncodeOperands& operands, int64_t k, Done done) {
  const Encoder encoder(packed, operands, nullptr);
  // Where values scout, several times k may have to wait for float32.
  const int64_t capacity = ceil_div(packed.scouts() ? 4 * k + 256 : 2 * k + 64, 16) * 16;
  const int64_t stride = list_stride(capacity);
  const int64_t arrays = packed.scouts() ? 3 : 2;
  const Borrowed<float> memory = borrow<float>(operands.rows * arrays * stride);
  std::vector<RowList> lists(operands.rows);
  for (int64_t r = 0; r < operands.rows; r++) {
    RowList& list = lists[r];
    list.value = memory.get() + r * arrays * stride;
    list.column = reinterpret_cast<uint32_t*>(list.value + stride);
    list.error = packed.scouts() ? list.value + 2 * stride : nullptr;
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
  parallel_for(packed.tasks(), [&](int64_t task) {
    packed.for_strips(task, [&](int64_t row, int64_t rows) {
      for (int64_t r = row; r < row + rows; r++) {
        kernels().finish_list(lists[r], operands, r, nullptr, k, scratch(stride));
        done(r, lists[r]);
      }
    });
  });
}

// At most `most` entries a row, found row by row in any order, put behind each other.
class Rows {
 public:
  Rows(int64_t rows, int64_t most) : most_(most), counts_(rows), columns_(rows * most), values_(rows * most) {}

  void add(int64_t row, uint32_t column, float value) {
    const int64_t at = row * most_ + counts_[row]++;
    columns_[at] = column;
    values_[at] = value;
  }

  Sparse joined() const {
    Sparse out = with_offsets(counts_);
    for (size_t r = 0; r < counts_.size(); r++) {
      const int64_t from = static_cast<int64_t>(r) * most_;
      std::copy_n(columns_.begin() + from, counts_[r], out.indices.begin() + out.offsets[r]);
      std::copy_n(values_.begin() + from, counts_[r], out.values.begin() + out.offsets[r]);
    }
    return out;
  }

 private:
  int64_t most_;
  std::vector<uint32_t> counts_, columns_;
  std::vector<float> values_;
};

}  // namespace

Sparse encode_top_k(const EncodeOperands& operands, bool rounded, int64_t k) {
  k = std::min(k, operands.columns);
  Rows found(operands.rows, k);
  if (k > 0) {
    const PackedRows packed(operands.x, operands.rows, operands.width, rounded);
    strongest(packed, operands, k, [&](int64_t r, const RowList& list) {
      for (int32_t i = 0; i < list.count; i++) found.add(r, named(operands, list.column[i]), list.value[i]);
    });
  }
  return found.joined();
}

// Once for the positive ones and once, with -x and -bias, for the negative ones: twice the work of encode_top_k.
Sparse encode_abs_top_k(const EncodeOperands& operands, bool rounded, int64_t k) {
  if (operands.columns == 0) return with_offsets(std::vector<uint32_t>(operands.rows, 0));
  const int64_t columns = named(operands, static_cast<uint32_t>(operands.columns - 1)) + 1;
  std::vector<float> x(operands.rows * operands.width), bias(columns);
  for (size_t i = 0; i < x.size(); i++) x[i] = -operands.x[i];
  for (size_t i = 0; i < bias.size(); i++) bias[i] = -operands.bias[i];
  EncodeOperands negated = operands;
  negated.x = x.data();
  negated.bias = bias.data();
  const Sparse up = encode_top_k(operands, rounded, k), down = encode_top_k(negated, rounded, k);
  Rows found(operands.rows, std::min(k, operands.columns));
  using Entry = std::pair<uint32_t, float>;
  const auto stronger = [](const Entry& a, const Entry& b) {
    const float left = std::abs(a.second), right = std::abs(b.second);
    return left != right ? left > right : a.first < b.first;
  };
  std::vector<Entry> row;
  for (int64_t r = 0; r < operands.rows; r++) {
    row.clear();
    for (uint32_t e = up.offsets[r]; e < up.offsets[r + 1]; e++) row.push_back({up.indices[e], up.values[e]});
    for (uint32_t e = down.offsets[r]; e < down.offsets[r + 1]; e++) row.push_back({down.indices[e], -down.values[e]});
    if (static_cast<int64_t>(row.size()) > k) {
      std::nth_element(row.begin(), row.begin() + k, row.end(), stronger);
      row.resize(k);
    }
    std::sort(row.begin(), row.end());
    for (const Entry& one : row) found.add(r, one.first, one.second);
  }
  return found.joined();
}

Sparse encode_group_max(const EncodeOperands& operands, bool rounded, int64_t groups) {
  const PackedRows packed(operands.x, operands.rows, operands.width, rounded);
  Rows found(operands.rows, groups);
  EncodeOperands group = operands;
  group.columns = operands.columns / groups;
  for (int64_t g = 0; g < groups; g++) {
    const int64_t first = g * group.columns;
    group.weight = operands.weight + first * operands.width;
    group.bias = operands.bias + first;
    strongest(packed, group, 1, [&](int64_t r, const RowList& list) {
      if (list.count > 0) found.add(r, static_cast<uint32_t>(first) + list.column[0], list.value[0]);
    });
  }
  return found.joined();
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
  for (int64_t i = 0; i < operands.columns; i++) least[i] = threshold[named(operands, i)];
  return compress(above(operands, rounded, least.data()), operands.rows);
}

}  // namespace monosem
