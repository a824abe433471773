// operations/encode.cc against pre-activations in double. Among whole numbers the choice must be the exact one, ties
// included; otherwise nothing may be left out that is stronger, beyond rounding, than what was chosen.
#include <algorithm>

#include "../operations/operations.h"
#include "suites.h"

namespace monosem::test {
namespace {

bool same_bytes(const Sparse& a, const Sparse& b) {
  const auto same = [](const auto& x, const auto& y) {
    return x.size() == y.size() && std::memcmp(x.begin(), y.begin(), x.size() * sizeof(x[0])) == 0;
  };
  return test::same_bytes(a.offsets, b.offsets) && same(a.indices, b.indices) && same(a.values, b.values);
}

struct Entry {
  int64_t row, column;
  double value;
};

// Operands of random shape, columns left out at random, and what the encoder makes of them in double.
struct Problem {
  int64_t rows, width, all;  // all columns of weight
  std::vector<float> x, weight, bias;
  std::vector<uint32_t> subset;
  bool has_subset, rounded;
  std::vector<double> exact, tolerance;  // [rows, all]
  std::vector<bool> present;             // [all]

  Problem(Random& random, bool whole)
      : rows(random.between(0, 90)),
        width(random.between(1, 75)),
        all(random.between(1, 230)),
        has_subset(random.coin()),
        rounded(random.coin()),
        exact(rows * all),
        tolerance(rows * all),
        present(all, true) {
    x = whole ? whole_numbers(random, rows * width, 2) : normals(random, rows * width);
    weight = whole ? whole_numbers(random, all * width, 2) : normals(random, all * width);
    bias = whole ? whole_numbers(random, all, 3) : normals(random, all);
    const double share = random.between(0, 3) / 3.0;
    for (int64_t c = 0; has_subset && c < all; c++) {
      present[c] = random.uniform() < share;
      if (present[c]) subset.push_back(static_cast<uint32_t>(c));
    }
    const double unit = whole ? 0 : rounded && kernels().encode.rounds ? 0x1p-7 : 1e-6;
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t c = 0; c < all; c++) {
        double sum = bias[c], scale = std::abs(bias[c]);
        for (int64_t i = 0; i < width; i++) {
          const double term = static_cast<double>(x[r * width + i]) * weight[c * width + i];
          sum += term;
          scale += std::abs(term);
        }
        exact[r * all + c] = sum;
        tolerance[r * all + c] = unit * scale;
      }
    }
  }

  EncodeOperands operands() const {
    // An empty vector has no address, and no subset is a null one.
    static const uint32_t none = 0;
    return {x.data(), rows, width, weight.data(), bias.data(),
            !has_subset ? nullptr : subset.empty() ? &none : subset.data(),
            has_subset ? static_cast<int64_t>(subset.size()) : all};
  }

  double threshold_of(const std::vector<float>& threshold, int64_t column) const {
    return threshold.empty() ? 0 : threshold[column];
  }

  // All pre-activations of rows first..last above their thresholds, or positive ones where there are none, strongest
  // first: of equal ones the lower row, then the lower column.
  std::vector<Entry> strongest(int64_t first, int64_t last, const std::vector<float>& threshold) const {
    std::vector<Entry> entries;
    for (int64_t r = first; r < last; r++)
      for (int64_t c = 0; c < all; c++)
        if (present[c] && exact[r * all + c] > threshold_of(threshold, c))
          entries.push_back({r, c, exact[r * all + c]});
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.value > b.value; });
    return entries;
  }
};

// Entries are well formed, and their values right. Returns which pre-activations were chosen, [rows, all].
std::vector<bool> chosen_of(const Problem& problem, const Sparse& found) {
  expect(static_cast<int64_t>(found.offsets.size()) == problem.rows + 1, "offsets of another number of rows");
  expect(found.indices.size() == found.offsets.back() && found.values.size() == found.offsets.back(),
         "entries and offsets differ in number");
  std::vector<bool> chosen(problem.rows * problem.all, false);
  for (int64_t r = 0; r < problem.rows; r++) {
    for (uint32_t e = found.offsets[r]; e < found.offsets[r + 1]; e++) {
      const uint32_t column = found.indices[e];
      expect(column < problem.all && problem.present[column], "a column that does not take part");
      expect(e == found.offsets[r] || found.indices[e - 1] < column, "columns do not ascend");
      const int64_t at = r * problem.all + column;
      expect(std::abs(found.values[e] - problem.exact[at]) <= problem.tolerance[at],
             "value " + std::to_string(found.values[e]) + ", expected " + std::to_string(problem.exact[at]));
      chosen[at] = true;
    }
  }
  return chosen;
}

void expect_positive(const Sparse& found) {
  for (float value : found.values) expect(value > 0, "a value that is not positive");
}

// Of rows first..last at most `limit` were chosen, and what was left out is not surely stronger than any of them; where
// fewer than `limit` were, not surely positive.
void expect_strongest(const Problem& problem, const std::vector<bool>& chosen, int64_t first, int64_t last,
                      int64_t limit) {
  int64_t count = 0;
  double weakest = INFINITY;
  for (int64_t at = first * problem.all; at < last * problem.all; at++) {
    if (!chosen[at]) continue;
    count++;
    weakest = std::min(weakest, problem.exact[at] + problem.tolerance[at]);
  }
  expect(count <= limit, "more were chosen than asked for");
  const double bar = count == limit ? weakest : 0;
  for (int64_t at = first * problem.all; at < last * problem.all; at++) {
    if (chosen[at] || !problem.present[at % problem.all]) continue;
    expect(problem.exact[at] - problem.tolerance[at] <= bar, "a stronger one was left out");
  }
}

// `entries`, in the order of rows and columns, are all there is.
void expect_exactly(const Problem& problem, const Sparse& found, std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.row != b.row ? a.row < b.row : a.column < b.column;
  });
  expect(found.values.size() == entries.size(), std::to_string(found.values.size()) + " entries, expected " +
                                                    std::to_string(entries.size()));
  size_t at = 0;
  for (int64_t r = 0; r < problem.rows; r++) {
    for (uint32_t e = found.offsets[r]; e < found.offsets[r + 1]; e++, at++)
      expect(entries[at].row == r && entries[at].column == found.indices[e] && entries[at].value == found.values[e],
             "another choice among equal ones");
  }
}

template <class Run>
Sparse with_any_threads(Run run) {
  set_threads(1);
  Sparse result = run();
  for (int count : {2, 5}) {
    set_threads(count);
    expect(same_bytes(result, run()), "other bytes with " + std::to_string(count) + " threads");
  }
  return result;
}

void top_k(Random& random) {
  const bool whole = random.coin();
  const Problem problem(random, whole);
  const int64_t k = random.coin() ? random.between(1, 12) : random.between(1, 300);
  const Sparse found = with_any_threads([&] { return encode_top_k(problem.operands(), problem.rounded, k); });
  const std::vector<bool> chosen = chosen_of(problem, found);
  expect_positive(found);
  std::vector<Entry> entries;
  for (int64_t r = 0; r < problem.rows; r++) {
    expect_strongest(problem, chosen, r, r + 1, k);
    const std::vector<Entry> row = problem.strongest(r, r + 1, {});
    entries.insert(entries.end(), row.begin(), row.begin() + std::min<int64_t>(k, row.size()));
  }
  if (whole) expect_exactly(problem, found, entries);
}

void batch_top_k(Random& random) {
  const bool whole = random.coin();
  const Problem problem(random, whole);
  const int64_t total = random.between(1, random.coin() ? 300 : 30000);
  const Sparse found = with_any_threads([&] { return encode_batch_top_k(problem.operands(), problem.rounded, total); });
  expect_strongest(problem, chosen_of(problem, found), 0, problem.rows, total);
  expect_positive(found);
  std::vector<Entry> entries = problem.strongest(0, problem.rows, {});
  entries.resize(std::min<size_t>(entries.size(), total));
  if (whole) expect_exactly(problem, found, entries);
}

// As the strongest of the magnitudes, with the signs put back.
void abs_top_k(Random& random) {
  const bool whole = random.coin();
  const Problem problem(random, whole);
  const int64_t k = random.coin() ? random.between(1, 12) : random.between(1, 300);
  const Sparse found = with_any_threads([&] { return encode_abs_top_k(problem.operands(), problem.rounded, k); });
  const std::vector<bool> chosen = chosen_of(problem, found);
  for (float value : found.values) expect(value != 0, "a value that is 0");
  Problem magnitudes = problem;
  for (double& value : magnitudes.exact) value = std::abs(value);
  std::vector<Entry> entries;
  for (int64_t r = 0; r < problem.rows; r++) {
    expect_strongest(magnitudes, chosen, r, r + 1, k);
    std::vector<Entry> row = magnitudes.strongest(r, r + 1, {});
    row.resize(std::min<size_t>(k, row.size()));
    for (const Entry& entry : row)
      entries.push_back({r, entry.column, problem.exact[r * problem.all + entry.column]});
  }
  if (whole) expect_exactly(problem, found, entries);
}

void group_max(Random& random) {
  const bool whole = random.coin();
  Problem problem(random, whole);
  problem.has_subset = false;
  problem.present.assign(problem.all, true);
  int64_t groups = random.between(1, problem.all);
  while (problem.all % groups != 0) groups--;
  const int64_t each = problem.all / groups;
  const Sparse found = with_any_threads([&] { return encode_group_max(problem.operands(), problem.rounded, groups); });
  const std::vector<bool> chosen = chosen_of(problem, found);
  expect_positive(found);
  std::vector<Entry> entries;
  for (int64_t group = 0; group < groups; group++) {
    const auto inside = [&](int64_t column) { return column / each == group; };
    std::vector<bool> of_group = chosen;
    for (size_t at = 0; at < chosen.size(); at++) of_group[at] = chosen[at] && inside(at % problem.all);
    for (int64_t c = 0; c < problem.all; c++) problem.present[c] = inside(c);
    for (int64_t r = 0; r < problem.rows; r++) {
      expect_strongest(problem, of_group, r, r + 1, 1);
      const std::vector<Entry> row = problem.strongest(r, r + 1, {});
      if (!row.empty()) entries.push_back(row.front());
    }
  }
  if (whole) expect_exactly(problem, found, entries);
}

void thresholds(Random& random) {
  const bool whole = random.coin();
  const Problem problem(random, whole);
  const std::vector<float> threshold =
      whole ? whole_numbers(random, problem.all, 6) : normals(random, problem.all, 2);
  const Sparse found = with_any_threads(
      [&] { return encode_threshold(problem.operands(), problem.rounded, threshold.data()); });
  const std::vector<bool> chosen = chosen_of(problem, found);
  for (int64_t at = 0; at < problem.rows * problem.all; at++) {
    if (!problem.present[at % problem.all]) continue;
    const double above = problem.exact[at] - problem.threshold_of(threshold, at % problem.all);
    expect(chosen[at] ? above > -problem.tolerance[at] : above <= problem.tolerance[at],
           chosen[at] ? "chosen below its threshold" : "left out above its threshold");
  }
  if (whole) expect_exactly(problem, found, problem.strongest(0, problem.rows, threshold));
}

// Many groups of columns, lists that fill up and are pruned again and again, rows that differ in strength, and runs of
// columns that end within a group.
void many_columns(Random& random) {
  const int64_t rows = random.between(30, 70), width = 256, columns = 6000, k = random.between(1, 40);
  const int64_t groups = 1 << random.between(0, 4);
  const bool rounded = random.coin();
  std::vector<float> x = whole_numbers(random, rows * width, 1), weight = whole_numbers(random, columns * width, 1);
  const std::vector<float> bias(columns, 0.0f);
  const EncodeOperands operands{x.data(), rows, width, weight.data(), bias.data(), nullptr, columns};
  const Sparse top = with_any_threads([&] { return encode_top_k(operands, rounded, k); });
  const Sparse signed_top = with_any_threads([&] { return encode_abs_top_k(operands, rounded, k); });
  const Sparse best = with_any_threads([&] { return encode_group_max(operands, rounded, groups); });
  const auto expect_row = [](const Sparse& found, int64_t r, std::vector<Entry> row) {
    std::sort(row.begin(), row.end(), [](const Entry& a, const Entry& b) { return a.column < b.column; });
    expect(found.offsets[r + 1] - found.offsets[r] == row.size(), "not as many as there are of a row");
    for (size_t i = 0; i < row.size(); i++) {
      const size_t e = found.offsets[r] + i;
      expect(found.indices[e] == row[i].column && found.values[e] == row[i].value, "not the strongest of many");
    }
  };
  for (int64_t r = 0; r < rows; r++) {
    std::vector<Entry> row(columns);
    for (int64_t c = 0; c < columns; c++) {
      int sum = 0;
      for (int64_t i = 0; i < width; i++)
        sum += static_cast<int>(x[r * width + i]) * static_cast<int>(weight[c * width + i]);
      row[c] = {r, c, static_cast<double>(sum)};
    }
    const auto strongest = [&](int64_t first, int64_t last, int64_t limit, auto strength) {
      std::vector<Entry> entries(row.begin() + first, row.begin() + last);
      std::stable_sort(entries.begin(), entries.end(),
                       [&](const Entry& a, const Entry& b) { return strength(a) > strength(b); });
      entries.resize(limit);
      return entries;
    };
    const auto value = [](const Entry& one) { return one.value; };
    expect_row(top, r, strongest(0, columns, k, value));
    expect_row(signed_top, r, strongest(0, columns, k, [](const Entry& one) { return std::abs(one.value); }));
    std::vector<Entry> firsts;
    for (int64_t first = 0, each = columns / groups; first < columns; first += each)
      firsts.push_back(strongest(first, first + each, 1, value).front());
    expect_row(best, r, firsts);
  }
}

}  // namespace

std::vector<Test> encode_tests() {
  return {{"encode: top k", 60, top_k},
          {"encode: batch top k", 60, batch_top_k},
          {"encode: abs top k", 60, abs_top_k},
          {"encode: group max", 20, group_max},
          {"encode: threshold", 60, thresholds},
          {"encode: many columns", 2, many_columns}};
}

}  // namespace monosem::test
