#include <algorithm>

#include "buffer.h"
#include "operations.h"
#include "../pool.h"

namespace monosem {
namespace {

constexpr int64_t kElements = 16384;

// Calls body(first, count) over stretches of n elements.
template <class Body>
void over_elements(int64_t n, Body body) {
  parallel_for(ceil_div(n, kElements), [&](int64_t task) {
    const int64_t first = task * kElements;
    body(first, std::min(kElements, n - first));
  });
}

// Calls body(row), some rows a task.
template <class Body>
void over_rows(int64_t rows, Body body) {
  constexpr int64_t kRows = 64;
  parallel_for(ceil_div(rows, kRows), [&](int64_t task) {
    for (int64_t r = task * kRows; r < std::min(rows, (task + 1) * kRows); r++) body(r);
  });
}

template <class Norm>
void norm(Norm norm_row, const float* x, int64_t rows, int64_t width, float epsilon, float* scale, float* out) {
  over_rows(rows, [&](int64_t r) { scale[r] = norm_row(x + r * width, width, epsilon, out + r * width); });
}

// out [width, rows] = m [rows, width] transposed, in squares that fit into the nearest cache.
void transpose(const float* m, int64_t rows, int64_t width, float* out) {
  constexpr int64_t kSide = 32;
  const int64_t across = ceil_div(width, kSide);
  parallel_for(across, [&](int64_t task) {
    const int64_t first = task * kSide, last = std::min(width, first + kSide);
    for (int64_t top = 0; top < rows; top += kSide) {
      for (int64_t r = top; r < std::min(rows, top + kSide); r++)
        for (int64_t i = first; i < last; i++) out[i * rows + r] = m[r * width + i];
    }
  });
}

}  // namespace

void pack(const DenseProduct& p, const float* weight, int64_t outputs, int64_t inputs, void* packed) {
  const int64_t count = panels(p, outputs), each = 16;
  parallel_for(ceil_div(count, each), [&](int64_t task) {
    p.pack(weight, outputs, inputs, task * each, std::min(count, (task + 1) * each), packed);
  });
}

void pack_transposed(const DenseProduct& p, const float* m, int64_t rows, int64_t width, void* packed) {
  const int64_t panel_bytes = packed_bytes(p, p.panel, rows);
  parallel_for(panels(p, width), [&](int64_t panel) {
    const int64_t first = panel * p.panel;
    p.pack_transposed(m + first, width, rows, std::min<int64_t>(p.panel, width - first), panel_bytes,
                      static_cast<char*>(packed) + panel * panel_bytes);
  });
}

// As many blocks of rows as threads, or more where there are many rows, each split by outputs where these are so many
// that packing the rows again for each part costs little.
void linear(const DenseProduct& p, const float* x, int64_t rows, const void* packed, int64_t inputs, int64_t outputs,
            const Epilogue& epilogue, float* out) {
  const int64_t strips = ceil_div(rows, p.strip), count = panels(p, outputs);
  const int64_t block = std::min<int64_t>(ceil_div(strips, threads()), 16) * p.strip;
  const int64_t row_blocks = ceil_div(rows, block);
  const int64_t most = row_blocks < threads() ? count : std::max<int64_t>(1, count / 8);
  const int64_t splits = std::clamp<int64_t>(ceil_div(2 * threads(), row_blocks), 1, most);
  const int64_t each = ceil_div(count, splits), column_blocks = ceil_div(count, each);
  parallel_for(row_blocks * column_blocks, [&](int64_t task) {
    const int64_t r = task / column_blocks * block, first = task % column_blocks * each;
    const int64_t n = std::min(block, rows - r);
    void* packed_rows = scratch(ceil_div(strip_bytes(p, n, inputs), 4));
    p.pack_rows(x + r * inputs, inputs, n, inputs, packed_rows);
    p.multiply(packed_rows, n, packed, inputs, outputs, first, std::min(count, first + each), epilogue,
               out + r * outputs, outputs);
  });
}

// A stretch of the rows at a time, which are the inputs of a product: fixed, as sums are kept between stretches.
void transposed_product(const float* a, const float* b, int64_t rows, int64_t a_width, int64_t b_width, float* out) {
  constexpr int64_t kStretch = 512;
  const DenseProduct& p = kernels().dense[0];
  const int64_t most = std::min(rows, kStretch);
  const Borrowed<float> left = borrow<float>(most * a_width);
  const Borrowed<char> packed = borrow<char>(packed_bytes(p, b_width, most));
  std::fill_n(out, a_width * b_width, 0.0f);
  Epilogue epilogue;
  epilogue.add = true;
  for (int64_t first = 0; first < rows; first += kStretch) {
    const int64_t count = std::min(kStretch, rows - first);
    transpose(a + first * a_width, count, a_width, left.get());
    pack_transposed(p, b + first * b_width, count, b_width, packed.get());
    linear(p, left.get(), a_width, packed.get(), count, b_width, epilogue, out);
  }
}

// A task has some outputs, and goes through the rows in their order: each place of the tables is one thread's.
void add_moments(const DenseProduct& p, const float* x, int64_t rows, const void* packed, int64_t inputs,
                 int64_t outputs, const uint32_t* group, double* second, double* fourth) {
  constexpr int64_t kRows = 128, kPanels = 8;
  // Rows whose sums are float32.
  constexpr int64_t kTogether = 32;
  const int64_t block = round_up(kRows, p.strip), block_bytes = strip_bytes(p, block, inputs);
  const int64_t blocks = ceil_div(rows, block), width = kPanels * p.panel;
  const auto rows_of = [&](int64_t b) { return std::min(block, rows - b * block); };
  const Borrowed<char> strips = borrow<char>(blocks * block_bytes);
  parallel_for(blocks, [&](int64_t b) {
    p.pack_rows(x + b * block * inputs, inputs, rows_of(b), inputs, strips.get() + b * block_bytes);
  });
  parallel_for(ceil_div(outputs, width), [&](int64_t task) {
    const int64_t first = task * width, count = std::min(width, outputs - first);
    const char* weight = static_cast<const char*>(packed) + packed_bytes(p, first, inputs);
    float* out = scratch(block * width);
    for (int64_t b = 0; b < blocks; b++) {
      const int64_t n = rows_of(b);
      const uint32_t* of = group + b * block;
      p.multiply(strips.get() + b * block_bytes, n, weight, inputs, count, 0, panels(p, count), {}, out, width);
      for (int64_t r = 0, end; r < n; r = end) {
        for (end = r + 1; end < std::min(n, r + kTogether) && of[end] == of[r];) end++;
        const int64_t at = of[r] * outputs + first;
        kernels().add_moments(out + r * width, width, end - r, count, second + at, fourth + at);
      }
    }
  });
}

void add(const float* a, const float* b, int64_t n, float* out) {
  over_elements(n, [&](int64_t first, int64_t count) { kernels().add(a + first, b + first, count, out + first); });
}

void swiglu(const float* gate, const float* up, int64_t n, float* out) {
  over_elements(n,
                [&](int64_t first, int64_t count) { kernels().swiglu(gate + first, up + first, count, out + first); });
}

void rms_norm(const float* x, int64_t rows, int64_t width, float epsilon, float* scale, float* out) {
  norm(kernels().rms_norm_row, x, rows, width, epsilon, scale, out);
}

void layer_norm(const float* x, int64_t rows, int64_t width, float epsilon, float* scale, float* out) {
  norm(kernels().layer_norm_row, x, rows, width, epsilon, scale, out);
}

void rotary(const float* x, int64_t rows, int64_t length, int64_t start, int64_t heads, int64_t head_width,
            const float* cos, const float* sin, float* out) {
  const int64_t width = heads * head_width;
  over_rows(rows, [&](int64_t r) {
    float* row = out + r * width;
    if (out != x) std::copy_n(x + r * width, width, row);
    const int64_t angles = (start + r % length) * head_width / 2;
    kernels().rotate_row(row, heads, head_width, cos + angles, sin + angles);
  });
}

void take_rows(const float* table, int64_t width, const int32_t* indices, int64_t rows, float* out) {
  over_rows(rows, [&](int64_t r) { std::copy_n(table + indices[r] * width, width, out + r * width); });
}

}  // namespace monosem
