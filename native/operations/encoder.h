// The operands of an encoder on their way through the kernels: the columns are packed a group at a time, a group that
// fits a core's cache, and every strip of rows is multiplied with it and compared at once. What passes stands in lists;
// rows x columns is never written. While the strips meet one group the next is packed. What is done with the lists is
// not known here.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "../pool.h"
#include "buffer.h"
#include "operations.h"

namespace monosem {

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

  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

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

  static constexpr int64_t kGroupBytes = 1 << 20;
  static constexpr int64_t kPanelsATask = 4;
  static constexpr int64_t kRowsATask = 128;

  const EncodeOperands& operands_;
  const EncodeProduct& product_;
  const Choice choice_;
  int64_t run_columns_, run_panels_;
  bool scouts_;
  int64_t row_bytes_, group_panels_, strips_a_task_;
  Borrowed<char> strips_;
  Borrowed<float> norms_, roundings_;
};

}  // namespace monosem
