// The encoder fused with its selection, in float32: pre-activations are compared as they leave the registers.

namespace monosem {
namespace {

// Moves the strongest k entries to the front: quickselect with the middle as the pivot.
void keep_strongest(Entry* entries, int64_t count, int64_t k) {
  int64_t low = 0, high = count - 1;
  while (low < high) {
    const Entry pivot = entries[(low + high) / 2];
    int64_t i = low, j = high;
    while (i <= j) {
      while (stronger(entries[i], pivot)) i++;
      while (stronger(pivot, entries[j])) j--;
      if (i <= j) {
        const Entry swap = entries[i];
        entries[i++] = entries[j];
        entries[j--] = swap;
      }
    }
    if (k - 1 <= j) high = j;
    else if (k - 1 >= i) low = i;
    else break;
  }
}

inline void offer(TopK& top, const Selection& selection, Entry entry) {
  if (!(entry.value > top.threshold)) return;
  top.buffer[top.count++] = entry;
  if (top.count < selection.capacity) return;
  keep_strongest(top.buffer, top.count, selection.k);
  top.count = selection.k;
  float weakest = top.buffer[0].value;
  for (int32_t i = 1; i < selection.k; i++) weakest = top.buffer[i].value < weakest ? top.buffer[i].value : weakest;
  top.threshold = weakest;
}

[[maybe_unused]] void encode(const EncodeBlock& block, Selection& selection, float* scratch) {
  float* panel = scratch + ceil_div(block.rows, kStrip) * kStrip * block.width;
  pack_strips(block.x, block.rows, block.width, scratch);
  for (int64_t first = 0; first < block.columns; first += kPanel) {
    const int64_t columns = smaller(kPanel, block.columns - first);
    pack_panel(block.weight, block.subset, first, columns, block.width, panel);
    float bias[kPanel] = {}, threshold[kPanel] = {};
    uint32_t column[kPanel] = {};
    for (int64_t i = 0; i < columns; i++) {
      column[i] = block.subset ? block.subset[first + i] : first + i;
      bias[i] = block.bias[column[i]];
      if (selection.kind == Selection::kThreshold) {
        const float t = selection.threshold[column[i]];
        threshold[i] = t > 0 ? t : 0;
      }
    }
    // Columns past the end are zero weights with zero bias: never > 0, so never kept.
    for (int64_t r0 = 0; r0 < block.rows; r0 += kStrip) {
      V c[TILE_ROWS][TILE_VECTORS];
      tile(scratch + r0 * block.width, panel, block.width, c);
      const int64_t count = smaller(kStrip, block.rows - r0);
      for (int64_t r = 0; r < count; r++) {
        for (int j = 0; j < TILE_VECTORS; j++) {
          const V value = c[r][j] + load(bias + j * LANES);
          const bool top = selection.kind == Selection::kTopK;
          const V bound = top ? splat(selection.top[r0 + r].threshold) : load(threshold + j * LANES);
          for (uint32_t mask = greater_mask(value, bound); mask; mask &= mask - 1) {
            const int lane = __builtin_ctz(mask);
            const Entry entry = {value[lane], column[j * LANES + lane]};
            if (top) offer(selection.top[r0 + r], selection, entry);
            else selection.append(selection.context, r0 + r, entry);
          }
        }
      }
    }
  }
  if (selection.kind != Selection::kTopK) return;
  for (int64_t r = 0; r < block.rows; r++) {
    TopK& top = selection.top[r];
    if (top.count <= selection.k) continue;
    keep_strongest(top.buffer, top.count, selection.k);
    top.count = selection.k;
  }
}

[[maybe_unused]] int64_t encode_scratch(int64_t rows, int64_t width, int64_t) {
  return (ceil_div(rows, kStrip) * kStrip + kPanel) * width;
}

}  // namespace
}  // namespace monosem
