// What is asked of the distributions that rows predict: softmax over the outputs of one product. The outputs are made
// a run at a time, in the nearest caches, and of each run only its sum of exponentials is kept. Runs and segments have
// fixed places, so a row's result depends on no other row and on no split.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "operations.h"
#include "../pool.h"

namespace monosem {
namespace {

// Those of a run are made again for the row that draws from it. Segments are the tasks where there are few rows.
constexpr int64_t kRunOutputs = 64, kSegmentOutputs = 8192, kBlockRows = 128;

constexpr double kLog2E = 1.4426950408889634;

// Of each run of outputs of each row: the largest, or the sum of 2^(output - top).
struct Runs {
  Runs(const Unembedding& u, int64_t rows, int64_t run_outputs)
      : count(ceil_div(u.outputs, run_outputs)), rows(rows), tops(rows * count), sums(rows * count) {}
  float top(int64_t r, int64_t run) const { return tops[run * rows + r]; }
  float sum(int64_t r, int64_t run) const { return sums[run * rows + r]; }
  int64_t largest(int64_t r) const {
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++) best = top(r, i) > top(r, best) ? i : best;
    return best;
  }
  int64_t count, rows;
  std::vector<float> tops, sums;  // [count][rows]
};

int64_t block_rows(const Unembedding& u, int64_t rows) {
  const int64_t share = round_up(ceil_div(rows, threads()), u.product->strip);
  return std::min(share, round_up(kBlockRows, u.product->strip));
}

// `kernel` is the product's power_sums or largest.
Runs make_runs(const Unembedding& u, void (*kernel)(const OutputRuns&), const float* x, int64_t rows,
               int64_t run_outputs, double factor) {
  const DenseProduct& p = *u.product;
  Runs runs(u, rows, run_outputs);
  const int64_t block = block_rows(u, rows), blocks = ceil_div(rows, block), segment_panels = kSegmentOutputs / p.panel;
  parallel_for(blocks * ceil_div(u.outputs, kSegmentOutputs), [&](int64_t task) {
    const int64_t first = task % blocks * block, segment = task / blocks, n = std::min(block, rows - first);
    const int64_t strip_floats = round_up(ceil_div(strip_bytes(p, n, u.inputs), 4), 16);
    float* strips = scratch(strip_floats + n * (kMostLanes + 1));
    p.pack_rows(x + first * u.inputs, u.inputs, n, u.inputs, strips);
    const int64_t last = std::min((segment + 1) * segment_panels, panels(p, u.outputs));
    kernel({strips, n, u.packed, u.inputs, u.outputs, segment * segment_panels, last, run_outputs / p.panel,
            static_cast<float>(factor),
            &runs.tops[first], &runs.sums[first], rows, strips + strip_floats});
  });
  return runs;
}

// The weights from one output, the first of a panel, on.
const void* packed_from(const Unembedding& u, int64_t output) {
  return static_cast<const char*>(u.packed) + packed_bytes(*u.product, output, u.inputs);
}

// Outputs of one row, those of the run that output `at` belongs to.
struct OneRun {
  OneRun(const Unembedding& u, const float* row, int64_t at) : first(at / kRunOutputs * kRunOutputs) {
    const DenseProduct& p = *u.product;
    count = std::min(kRunOutputs, u.outputs - first);
    const int64_t strip_floats = round_up(ceil_div(strip_bytes(p, 1, u.inputs), 4), 16);
    float* strip = scratch(strip_floats + kRunOutputs);
    values = strip + strip_floats;
    p.pack_rows(row, u.inputs, 1, u.inputs, strip);
    p.multiply(strip, 1, packed_from(u, first), u.inputs, count, 0, panels(p, count), {}, values, count);
  }
  int64_t first, count;
  float* values;
};

// log of the sum of exp(outputs) of row r, where the runs' outputs are in units of log 2.
double log_sum(const Runs& runs, int64_t r) {
  const double most = runs.top(r, runs.largest(r));
  double total = 0;
  for (int64_t i = 0; i < runs.count; i++) total += runs.sum(r, i) * std::exp2(runs.top(r, i) - most);
  return (most + std::log2(total)) / kLog2E;
}

// The first of the largest outputs.
int32_t first_largest(const Unembedding& u, const Runs& runs, int64_t r, const float* row) {
  const OneRun run(u, row, runs.largest(r) * kRunOutputs);
  return static_cast<int32_t>(run.first + (std::max_element(run.values, run.values + run.count) - run.values));
}

// The output where the cumulative sum of 2^(factor * output) passes `uniform` times the whole.
int32_t invert(const Unembedding& u, const Runs& runs, int64_t r, const float* row, double factor, double uniform) {
  const double most = runs.top(r, runs.largest(r));
  double total = 0;
  // Most runs have the same top: what they are to be multiplied by is kept.
  float held_top = 0;
  double held_scale = std::exp2(-most);
  const auto weight_of = [&](int64_t i) {
    if (runs.top(r, i) != held_top) held_top = runs.top(r, i), held_scale = std::exp2(held_top - most);
    return runs.sum(r, i) * held_scale;
  };
  for (int64_t i = 0; i < runs.count; i++) total += weight_of(i);
  double left = uniform * total;
  // Rounding may leave something past the last run that has any weight.
  int64_t chosen = 0;
  for (int64_t i = 0; i < runs.count; i++) {
    const double weight = weight_of(i);
    if (!(weight > 0)) continue;
    chosen = i;
    if (left < weight) break;
    left -= weight;
  }
  const OneRun run(u, row, chosen * kRunOutputs);
  int64_t last = 0;
  for (int64_t i = 0; i < run.count; i++) {
    const double weight = std::exp2(factor * run.values[i] - most);
    if (weight > 0) last = i;
    if ((left -= weight) < 0) break;
  }
  return static_cast<int32_t>(run.first + last);
}

}  // namespace

void cross_entropy(const Unembedding& u, const float* x, int64_t rows, const int32_t* targets, float* out) {
  const Runs runs = make_runs(u, u.product->power_sums, x, rows, kSegmentOutputs, kLog2E);
  parallel_for(rows, [&](int64_t r) {
    const OneRun run(u, x + r * u.inputs, targets[r]);
    out[r] = static_cast<float>(log_sum(runs, r) - run.values[targets[r] - run.first]);
  });
}

void sample(const Unembedding& u, const float* x, int64_t rows, float temperature, const float* uniforms,
            int32_t* out) {
  const bool greedy = temperature == 0;
  const double factor = greedy ? 1 : kLog2E / temperature;
  const Runs runs = make_runs(u, greedy ? u.product->largest : u.product->power_sums, x, rows, kRunOutputs, factor);
  const int64_t block = 16;
  parallel_for(ceil_div(rows, block), [&](int64_t task) {
    for (int64_t r = task * block; r < std::min(rows, (task + 1) * block); r++) {
      const float* row = x + r * u.inputs;
      out[r] = greedy ? first_largest(u, runs, r, row) : invert(u, runs, r, row, factor, uniforms[r]);
    }
  });
}

namespace {

constexpr int64_t kPairRun = 256;

// Sums over the outputs p and q of two rows, run after run, held against the largest so far.
struct PairSums {
  double top_p = -std::numeric_limits<double>::infinity(), top_q = top_p;
  double sum_p = 0, sum_q = 0;  // of exp(p - top_p), exp(q - top_q)
  double difference = 0;        // of exp(p - top_p) * (p - q)

  void add(const float* p, const float* q, int64_t n) {
    const Kernels& k = kernels();
    const float run_p = k.max(p, n), run_q = k.max(q, n);
    const double most_p = std::max<double>(top_p, run_p), most_q = std::max<double>(top_q, run_q);
    const double keep = std::exp(top_p - most_p), take = std::exp(run_p - most_p);
    sum_p = sum_p * keep + k.exp_sum(p, n, run_p) * take;
    difference = difference * keep + k.exp_weighted_difference(p, q, n, run_p) * take;
    sum_q = sum_q * std::exp(top_q - most_q) + k.exp_sum(q, n, run_q) * std::exp(run_q - most_q);
    top_p = most_p, top_q = most_q;
  }
};

}  // namespace

// KL(P || Q) = E_P[p - q] - log Z_p + log Z_q.
void divergence(const Unembedding& u, const float* p, const float* q, int64_t rows, const int32_t* targets, float* kl,
                float* cross_entropy) {
  const DenseProduct& product = *u.product;
  const int64_t runs = ceil_div(u.outputs, kPairRun);
  const int64_t block = product.strip;
  parallel_for(ceil_div(rows, block), [&](int64_t task) {
    const int64_t from = task * block, n = std::min(block, rows - from);
    const int64_t strip_floats = round_up(ceil_div(strip_bytes(product, n, u.inputs), 4), 16);
    float* p_strips = scratch(2 * (strip_floats + n * kPairRun));
    float* q_strips = p_strips + strip_floats;
    float* p_outputs = q_strips + strip_floats;
    float* q_outputs = p_outputs + n * kPairRun;
    product.pack_rows(p + from * u.inputs, u.inputs, n, u.inputs, p_strips);
    product.pack_rows(q + from * u.inputs, u.inputs, n, u.inputs, q_strips);
    std::vector<PairSums> sums(n);
    std::vector<float> wanted(n);
    for (int64_t run = 0; run < runs; run++) {
      const int64_t first = run * kPairRun, count = std::min(kPairRun, u.outputs - first);
      const auto multiply = [&](const float* strips, float* outputs) {
        product.multiply(strips, n, packed_from(u, first), u.inputs, count, 0, panels(product, count), {}, outputs,
                         kPairRun);
      };
      multiply(p_strips, p_outputs);
      multiply(q_strips, q_outputs);
      for (int64_t r = 0; r < n; r++) {
        sums[r].add(p_outputs + r * kPairRun, q_outputs + r * kPairRun, count);
        const int64_t target = targets[from + r] - first;
        if (target >= 0 && target < count) wanted[r] = q_outputs[r * kPairRun + target];
      }
    }
    for (int64_t r = 0; r < n; r++) {
      const PairSums& s = sums[r];
      const double log_p = std::log(s.sum_p) + s.top_p, log_q = std::log(s.sum_q) + s.top_q;
      kl[from + r] = static_cast<float>(std::max(0.0, s.difference / s.sum_p - log_p + log_q));
      cross_entropy[from + r] = static_cast<float>(log_q - wanted[r]);
    }
  });
}

}  // namespace monosem
