#include <algorithm>
#include <cmath>
#include <memory>

#include "operations.h"
#include "../pool.h"

namespace monosem {
namespace {

struct Kept {
  int64_t row;
  Entry entry;
};

void by_column(Entry* entries, int64_t count) {
  std::sort(entries, entries + count, [](const Entry& a, const Entry& b) { return a.column < b.column; });
}

// As few blocks as keep the threads busy, for each reads all of the weight; a multiple of the strip.
int64_t rows_per_block(const Kernels& k, int64_t rows) {
  const int64_t wanted = ceil_div(rows, std::max<int64_t>(threads(), 1) * 2);
  return std::clamp<int64_t>(ceil_div(wanted, k.strip), 1, ceil_div(768, k.strip)) * k.strip;
}

EncodeBlock block_at(const EncodeBlock& all, int64_t first, int64_t rows) {
  EncodeBlock block = all;
  block.x = all.x + first * all.width;
  block.rows = std::min(rows, all.rows - first);
  return block;
}

// Everything above the thresholds, by rows.
std::vector<std::vector<Kept>> above(const EncodeBlock& all, const float* threshold) {
  const Kernels& k = kernels();
  const int64_t each = rows_per_block(k, all.rows);
  std::vector<std::vector<Kept>> blocks(ceil_div(all.rows, each));
  parallel_for(static_cast<int64_t>(blocks.size()), [&](int64_t task) {
    const EncodeBlock block = block_at(all, task * each, each);
    std::vector<Kept>& kept = blocks[task];
    Selection selection{};
    selection.kind = Selection::kThreshold;
    selection.threshold = threshold;
    selection.context = &kept;
    selection.append = [](void* context, int64_t row, Entry entry) {
      static_cast<std::vector<Kept>*>(context)->push_back({row, entry});
    };
    k.encode(block, selection, scratch(k.encode_scratch(block.rows, block.width, 0)));
    for (Kept& one : kept) one.row += task * each;
  });
  return blocks;
}

Sparse compress(const std::vector<std::vector<Kept>>& blocks, int64_t rows) {
  Sparse out;
  out.offsets.assign(rows + 1, 0);
  for (const auto& block : blocks)
    for (const Kept& one : block) out.offsets[one.row + 1]++;
  for (int64_t r = 0; r < rows; r++) out.offsets[r + 1] += out.offsets[r];
  std::vector<Entry> entries(out.offsets[rows]);
  std::vector<uint32_t> next(out.offsets.begin(), out.offsets.end() - 1);
  for (const auto& block : blocks)
    for (const Kept& one : block) entries[next[one.row]++] = one.entry;
  out.indices.resize(entries.size());
  out.values.resize(entries.size());
  parallel_for(ceil_div(rows, 256), [&](int64_t task) {
    for (int64_t r = task * 256; r < std::min(rows, (task + 1) * 256); r++) {
      by_column(entries.data() + out.offsets[r], out.offsets[r + 1] - out.offsets[r]);
      for (uint32_t e = out.offsets[r]; e < out.offsets[r + 1]; e++) {
        out.indices[e] = entries[e].column;
        out.values[e] = entries[e].value;
      }
    }
  });
  return out;
}

// A threshold that the `total` strongest of the batch are expected to pass with room to spare, from a sample of
// its rows. A guess: the caller checks it, so that it decides the time and never the result.
float guess_threshold(const EncodeBlock& all, int64_t total, const float* zero) {
  const int64_t sampled = std::min<int64_t>(all.rows, 96);
  std::vector<float> x(sampled * all.width);
  for (int64_t r = 0; r < sampled; r++) {
    const float* row = all.x + r * all.rows / sampled * all.width;
    std::copy(row, row + all.width, x.begin() + r * all.width);
  }
  EncodeBlock sample = all;
  sample.x = x.data();
  sample.rows = sampled;
  std::vector<float> values;
  for (const auto& block : above(sample, zero))
    for (const Kept& one : block) values.push_back(one.entry.value);
  const int64_t rank = static_cast<int64_t>(std::ceil(1.5 * static_cast<double>(total) * sampled / all.rows)) + 8;
  if (rank >= static_cast<int64_t>(values.size())) return 0;
  std::nth_element(values.begin(), values.begin() + rank, values.end(), std::greater<float>());
  return values[rank];
}

int64_t count_of(const std::vector<std::vector<Kept>>& blocks) {
  int64_t count = 0;
  for (const auto& block : blocks) count += static_cast<int64_t>(block.size());
  return count;
}

}  // namespace

Sparse encode_top_k(const EncodeBlock& all, int64_t k) {
  const Kernels& kernel = kernels();
  const int64_t each = rows_per_block(kernel, all.rows);
  const int64_t capacity = std::min(all.columns + 1, 2 * k + 32);
  k = std::min(k, all.columns);
  std::vector<uint32_t> counts(all.rows);
  std::unique_ptr<Entry[]> best(new Entry[all.rows * k]);
  parallel_for(ceil_div(all.rows, each), [&](int64_t task) {
    const EncodeBlock block = block_at(all, task * each, each);
    std::vector<Entry> buffer(block.rows * capacity);
    std::vector<TopK> top(block.rows);
    for (int64_t r = 0; r < block.rows; r++) top[r] = {buffer.data() + r * capacity, 0, 0};
    Selection selection{};
    selection.kind = Selection::kTopK;
    selection.top = top.data();
    selection.k = static_cast<int32_t>(k);
    selection.capacity = static_cast<int32_t>(capacity);
    kernel.encode(block, selection, scratch(kernel.encode_scratch(block.rows, block.width, k)));
    for (int64_t r = 0; r < block.rows; r++) {
      by_column(top[r].buffer, top[r].count);
      counts[task * each + r] = top[r].count;
      std::copy(top[r].buffer, top[r].buffer + top[r].count, best.get() + (task * each + r) * k);
    }
  });
  Sparse out;
  out.offsets.assign(all.rows + 1, 0);
  for (int64_t r = 0; r < all.rows; r++) out.offsets[r + 1] = out.offsets[r] + counts[r];
  out.indices.resize(out.offsets[all.rows]);
  out.values.resize(out.offsets[all.rows]);
  for (int64_t r = 0; r < all.rows; r++) {
    for (uint32_t i = 0; i < counts[r]; i++) {
      out.indices[out.offsets[r] + i] = best[r * k + i].column;
      out.values[out.offsets[r] + i] = best[r * k + i].value;
    }
  }
  return out;
}

Sparse encode_batch_top_k(const EncodeBlock& all, int64_t total) {
  int64_t width = all.columns;
  if (all.subset && all.columns > 0) width = all.subset[all.columns - 1] + 1;
  std::vector<float> threshold(width, 0.0f);
  const float guess = guess_threshold(all, total, threshold.data());
  // Just below, so that what equals the guess is kept too.
  std::fill(threshold.begin(), threshold.end(), std::nextafter(guess, 0.0f));
  std::vector<std::vector<Kept>> blocks = above(all, threshold.data());
  if (count_of(blocks) < total && guess > 0) {
    std::fill(threshold.begin(), threshold.end(), 0.0f);
    blocks = above(all, threshold.data());
  }
  if (count_of(blocks) > total) {
    std::vector<Kept> kept;
    kept.reserve(count_of(blocks));
    for (const auto& block : blocks) kept.insert(kept.end(), block.begin(), block.end());
    std::nth_element(kept.begin(), kept.begin() + total, kept.end(), [](const Kept& a, const Kept& b) {
      if (a.entry.value != b.entry.value) return a.entry.value > b.entry.value;
      return a.row != b.row ? a.row < b.row : a.entry.column < b.entry.column;
    });
    kept.resize(total);
    blocks.assign(1, std::move(kept));
  }
  return compress(blocks, all.rows);
}

Sparse encode_threshold(const EncodeBlock& all, const float* threshold) {
  return compress(above(all, threshold), all.rows);
}

}  // namespace monosem
