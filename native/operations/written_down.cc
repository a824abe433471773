#include "written_down.h"

#include <algorithm>
#include <limits>

#include "../pool.h"
#include "buffer.h"

namespace monosem {
namespace {

constexpr int64_t kRows = 128;

// Calls body(row, its pre-activations).
template <class Body>
void over_rows(const float* values, int64_t rows, int64_t columns, Body body) {
  parallel_for(ceil_div(rows, kRows), [&](int64_t task) {
    for (int64_t r = task * kRows; r < std::min(rows, (task + 1) * kRows); r++) body(r, values + r * columns);
  });
}

// Negative ones are 0. Room for kListSlack more.
Borrowed<float> positive_parts(const EncodeOperands& operands) {
  const DenseProduct& product = kernels().dense[0];
  const Borrowed<char> packed = borrow<char>(packed_bytes(product, operands.columns, operands.width));
  pack(product, operands.weight, operands.columns, operands.width, packed.get());
  Borrowed<float> values = borrow<float>(operands.rows * operands.columns + kListSlack);
  Epilogue epilogue;
  epilogue.bias = operands.bias;
  epilogue.activation = Activation::kRelu;
  linear(product, operands.x, operands.rows, packed.get(), operands.width, operands.columns, epilogue, values.get());
  return values;
}

struct Chosen {
  int64_t count;
  const uint32_t* columns;
  const float* values;
};

}  // namespace

Sparse strongest_written_down(const EncodeOperands& operands, int64_t total) {
  const int64_t rows = operands.rows, columns = operands.columns, all = rows * columns;
  const Borrowed<float> values = positive_parts(operands);
  float weakest = 0;
  if (total < all) {
    weakest = kernels().bound_of(values.get(), all, total, total);
    const auto reaches = [&](float value) { return value >= weakest; };
    // Where equal values straddle the last place, the last of them go.
    int64_t surplus = weakest > 0 ? std::count_if(values.get(), values.get() + all, reaches) - total : 0;
    for (int64_t i = all - 1; surplus > 0; i--) {
      if (values[i] != weakest) continue;
      values[i] = 0;
      surplus--;
    }
  }
  // What chooses a row writes beyond its end, so it writes beside the result.
  const float least = std::max(weakest, std::numeric_limits<float>::denorm_min());
  const int64_t stride = round_up(columns + kListSlack, 16);
  const auto choose = [&](const float* row) {
    float* memory = scratch(2 * stride);
    auto* chosen = reinterpret_cast<uint32_t*>(memory + stride);
    return Chosen{kernels().choose_row(row, columns, least, chosen, memory), chosen, memory};
  };
  std::vector<uint32_t> counts(rows);
  over_rows(values.get(), rows, columns,
            [&](int64_t r, const float* row) { counts[r] = static_cast<uint32_t>(choose(row).count); });
  Sparse out = with_offsets(counts);
  over_rows(values.get(), rows, columns, [&](int64_t r, const float* row) {
    const Chosen chosen = choose(row);
    std::copy_n(chosen.columns, chosen.count, &out.indices[out.offsets[r]]);
    std::copy_n(chosen.values, chosen.count, &out.values[out.offsets[r]]);
  });
  return out;
}

}  // namespace monosem
