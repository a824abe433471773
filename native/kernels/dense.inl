// Products with packed weights, for any way to multiply a strip by a panel. Such a way, `P` here, is a struct with
//   kStrip, kPanel    rows and columns of a block
//   kBytes, kInputs   as in DenseProduct
//   kVectors          vectors in a row of a block
//   Scope             what this thread needs while it multiplies
//   Block             the sums of one block; `get(r, j)` is vector j of row r
//   steps(inputs), product(strip, panel, inputs, block, meanwhile)
//                     fills the block, and calls meanwhile(step) `steps` times before it writes to the block
//   pack_rows, pack_panel, pack_panel_transposed, put
// A sum runs over the inputs in ascending order, whatever the split of rows and outputs.

namespace monosem {
namespace {

template <class P>
inline int64_t strip_size(int64_t inputs) {
  return round_up(inputs, P::kInputs) * P::kStrip * P::kBytes;
}

template <class P>
inline int64_t panel_size(int64_t inputs) {
  return round_up(inputs, P::kInputs) * P::kPanel * P::kBytes;
}

// Calls finish(row, panel, block, row in block) for all rows given and panels first..last, each row of a block while
// the next block is multiplied. The caller holds a Scope. A panel stays in the nearest cache while the strips pass by.
template <class P, class Finish>
inline void multiply_blocks(const char* strips, int64_t rows, const char* panels, int64_t panel_bytes, int64_t first,
                            int64_t last, int64_t inputs, Finish finish) {
  typename P::Block block;
  const int64_t steps = P::steps(inputs), rows_a_step = ceil_div(P::kStrip, steps), strip_bytes = strip_size<P>(inputs);
  int64_t done_row = 0, done_count = 0, done_panel = 0;
  const auto finish_rows = [&](int64_t from, int64_t to) __attribute__((always_inline)) {
    for (int64_t r = from; r < to; r++) finish(done_row + r, done_panel, block, r);
  };
  for (int64_t p = first; p < last; p++) {
    for (int64_t r = 0; r < rows; r += P::kStrip) {
      P::product(strips + r / P::kStrip * strip_bytes, panels + p * panel_bytes, inputs, block, [&](int64_t step) {
        const int64_t from = smaller(step * rows_a_step, done_count);
        finish_rows(from, smaller(from + rows_a_step, done_count));
      });
      done_row = r, done_panel = p, done_count = smaller(P::kStrip, rows - r);
    }
  }
  finish_rows(0, done_count);
}

template <Activation activation>
inline V activate(V x) {
  if constexpr (activation == Activation::kRelu) return max_of(x, V{});
  if constexpr (activation == Activation::kSilu) return silu(x);
  if constexpr (activation == Activation::kGelu) return gelu(x);
  if constexpr (activation == Activation::kGeluTanh) return gelu_tanh(x);
  if constexpr (activation == Activation::kTanh) return hyperbolic_tangent(x);
  return x;
}

template <class P, Activation activation>
void multiply_and_activate(const void* strips, int64_t rows, const void* packed, int64_t inputs, int64_t outputs,
                           int64_t first, int64_t last, const Epilogue& epilogue, float* out, int64_t stride) {
  const typename P::Scope scope;
  const auto finish = [&](int64_t row, int64_t panel, const typename P::Block& block, int64_t r) {
    float* whole = out + row * stride + panel * P::kPanel;
    if (!epilogue.bias && (panel + 1) * P::kPanel <= outputs) {
#pragma GCC unroll 4
      for (int j = 0; j < P::kVectors; j++, whole += LANES) {
        const V value = activate<activation>(block.get(r, j));
        store(whole, epilogue.add ? value + load(whole) : value);
      }
      return;
    }
#pragma GCC unroll 4
    for (int j = 0; j < P::kVectors; j++) {
      const int64_t column = panel * P::kPanel + j * LANES, count = smaller(LANES, outputs - column);
      if (count <= 0) return;
      V value = block.get(r, j);
      if (epilogue.bias) value += load_part(epilogue.bias + column, count);
      value = activate<activation>(value);
      float* to = out + row * stride + column;
      if (epilogue.add) value += load_part(to, count);
      store_part(to, value, count);
    }
  };
  multiply_blocks<P>(static_cast<const char*>(strips), rows, static_cast<const char*>(packed), panel_size<P>(inputs),
                     first, last, inputs, finish);
}

template <class P>
void multiply(const void* strips, int64_t rows, const void* packed, int64_t inputs, int64_t outputs, int64_t first,
              int64_t last, const Epilogue& epilogue, float* out, int64_t stride) {
  using A = Activation;
  constexpr decltype(&multiply<P>) kFor[] = {multiply_and_activate<P, A::kNone>, multiply_and_activate<P, A::kRelu>,
                                             multiply_and_activate<P, A::kSilu>, multiply_and_activate<P, A::kGelu>,
                                             multiply_and_activate<P, A::kGeluTanh>, multiply_and_activate<P, A::kTanh>};
  kFor[static_cast<int>(epilogue.activation)](strips, rows, packed, inputs, outputs, first, last, epilogue, out, stride);
}

// The vector units take as long for a block as the product does, so a block is gated while both products of the next
// are made.
template <class P>
void multiply_gated(const void* strips, int64_t rows, const void* gate, const void* up, int64_t inputs,
                    int64_t outputs, void* gated) {
  const typename P::Scope scope;
  struct {
    typename P::Block gates, ups;
  } blocks[2];
  int made = 0;
  const int64_t steps = P::steps(inputs), rows_a_step = ceil_div(P::kStrip, 2 * steps);
  const int64_t strip_bytes = strip_size<P>(inputs), out_bytes = strip_size<P>(outputs);
  char* to = nullptr;
  int64_t column = 0;
  const auto finish = [&](int64_t step, int64_t count) {
    const auto& done = blocks[made];
    const int64_t first = smaller(step * rows_a_step, P::kStrip), last = smaller(first + count, P::kStrip);
    for (int64_t r = first; r < last; r++) {
      V values[P::kVectors];
#pragma GCC unroll 4
      for (int j = 0; j < P::kVectors; j++) values[j] = silu(done.gates.get(r, j)) * done.ups.get(r, j);
      P::put(to, r, column, outputs, values);
    }
  };
  for (int64_t p = 0; p < ceil_div(outputs, P::kPanel); p++) {
    const int64_t at = p * panel_size<P>(inputs);
    for (int64_t s = 0; s < ceil_div(rows, P::kStrip); s++) {
      const char* strip = static_cast<const char*>(strips) + s * strip_bytes;
      auto& next = blocks[1 - made];
      P::product(strip, static_cast<const char*>(gate) + at, inputs, next.gates, [&](int64_t step) {
        if (to) finish(step, rows_a_step);
      });
      P::product(strip, static_cast<const char*>(up) + at, inputs, next.ups, [&](int64_t step) {
        if (to) finish(steps + step, rows_a_step);
      });
      made = 1 - made;
      to = static_cast<char*>(gated) + s * out_bytes;
      column = p * P::kPanel;
    }
  }
  finish(0, P::kStrip);
}

template <class P>
void pack(const float* weight, int64_t outputs, int64_t inputs, int64_t first, int64_t last, void* packed) {
  for (int64_t p = first; p < last; p++) {
    P::pack_panel(weight + p * P::kPanel * inputs, inputs, smaller(P::kPanel, outputs - p * P::kPanel), inputs,
                  static_cast<char*>(packed) + p * panel_size<P>(inputs));
  }
}

template <class P>
void pack_transposed(const float* m, int64_t stride, int64_t inputs, int64_t outputs, int64_t panel_bytes,
                     void* packed) {
  const int64_t padded = round_up(inputs, P::kInputs);
  for (int64_t p = 0; p * P::kPanel < outputs; p++)
    P::pack_panel_transposed(m + p * P::kPanel, stride, smaller(P::kPanel, outputs - p * P::kPanel), inputs, padded,
                             static_cast<char*>(packed) + p * panel_bytes);
}

template <class P>
void pack_rows(const float* x, int64_t stride, int64_t rows, int64_t inputs, void* strips) {
  for (int64_t r = 0; r < rows; r += P::kStrip) {
    P::pack_rows(x + r * stride, stride, smaller(P::kStrip, rows - r), inputs,
                 static_cast<char*>(strips) + r / P::kStrip * strip_size<P>(inputs));
  }
}

}  // namespace
}  // namespace monosem
