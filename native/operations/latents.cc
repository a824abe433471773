// Gradients of the latents' parameters, a latent at a time, from entries sorted by latent: formed in a buffer that stays
// in the first cache, and used there. They are formed twice, once to measure and once to step, and never written down:
// memory for them would be as large as the parameters.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "buffer.h"
#include "operations.h"
#include "subnormals.h"
#include "../pool.h"

namespace monosem {
namespace {

// Fixed, so that partial sums are the same for any number of threads.
constexpr int64_t kLatents = 128;

// Calls body(task, first, last) for stretches of latents.
template <class Body>
void over_latents(int64_t latents, Body body) {
  parallel_for(ceil_div(latents, kLatents), [&](int64_t task) {
    body(task, task * kLatents, std::min(latents, (task + 1) * kLatents));
  });
}

// out = sum over the parts, in their order, of coefficients(part)[entry] * rows_of(part)[row of the entry].
template <class Coefficients, class Rows>
void form(const LatentGradients& from, int64_t latent, float* out, Coefficients coefficients, Rows rows_of) {
  const float* start = nullptr;
  for (const EntryGradients& part : from.parts) {
    const uint32_t first = part.offsets[latent];
    kernels().gather_sum(part.rows + first, part.entries + first, coefficients(part), part.offsets[latent + 1] - first,
                         rows_of(part), from.width, start, out);
    start = out;
  }
}

void form_encoder_row(const LatentGradients& from, int64_t latent, float* out) {
  form(from, latent, out, [](const EntryGradients& part) { return part.pre_gradients; },
       [&](const EntryGradients&) { return from.input; });
}

// Still with its part along the decoder row.
void form_decoder_row(const LatentGradients& from, int64_t latent, float* out) {
  form(from, latent, out, [](const EntryGradients& part) { return part.values; },
       [](const EntryGradients& part) { return part.output_gradient; });
}

// Calls body(part, entry) for a latent's entries, in their order.
template <class Body>
void over_entries(const LatentGradients& from, int64_t latent, Body body) {
  for (const EntryGradients& part : from.parts)
    for (uint32_t i = part.offsets[latent]; i < part.offsets[latent + 1]; i++) body(part, part.entries[i]);
}

float encoder_bias_gradient(const LatentGradients& from, int64_t latent) {
  double sum = 0;
  over_entries(from, latent, [&](const EntryGradients& part, uint32_t e) { sum += part.pre_gradients[e]; });
  return static_cast<float>(sum);
}

// The dot product of the decoder row with its gradient.
double along_decoder_row(const LatentGradients& from, int64_t latent) {
  double sum = 0;
  over_entries(from, latent, [&](const EntryGradients& part, uint32_t e) {
    sum += static_cast<double>(part.values[e]) * part.value_gradients[e];
  });
  return sum;
}

// m [rows, width] in slices of columns, [ceil(width / kSlice)][rows][kSlice], zero padded.
void slice(const float* m, int64_t rows, int64_t width, float* out) {
  constexpr int64_t kRows = 64;
  parallel_for(ceil_div(rows, kRows), [&](int64_t task) {
    for (int64_t r = task * kRows; r < std::min(rows, (task + 1) * kRows); r++) {
      for (int64_t s = 0; s * kSlice < width; s++) {
        const int64_t count = std::min(kSlice, width - s * kSlice);
        float* to = std::copy_n(m + r * width + s * kSlice, count, out + (s * rows + r) * kSlice);
        std::fill_n(to, kSlice - count, 0.0f);
      }
    }
  });
}

// The sum of squares of the rows that `form` makes of all latents, from slices: each row of the batch is read as
// often as it has entries, and a slice of all rows stays in the second cache where the rows themselves do not.
template <class Coefficients, class Rows>
double squares_of_rows(const LatentGradients& from, float* sliced, Coefficients coefficients, Rows rows_of) {
  constexpr int64_t kGroup = 1024;
  const int64_t slices = ceil_div(from.width, kSlice), groups = ceil_div(from.latents, kGroup);
  std::vector<std::vector<float>> sorted(from.parts.size());
  std::vector<SliceSums> sums(from.parts.size());
  for (size_t p = 0; p < from.parts.size(); p++) {
    const EntryGradients& part = from.parts[p];
    const int64_t count = part.offsets[from.latents];
    sorted[p].resize(count);
    for (int64_t i = 0; i < count; i++) sorted[p][i] = coefficients(part)[part.entries[i]];
    const bool again = p > 0 && rows_of(part) == rows_of(from.parts[p - 1]);
    float* m = again ? const_cast<float*>(sums[p - 1].m) : sliced + p * slices * from.rows * kSlice;
    if (!again) slice(rows_of(part), from.rows, from.width, m);
    sums[p] = {part.offsets, part.rows, sorted[p].data(), m};
  }
  std::vector<double> partial(slices * groups);
  parallel_for(slices * groups, [&](int64_t task) {
    const int64_t s = task / groups, first = task % groups * kGroup;
    std::vector<SliceSums> here = sums;
    for (SliceSums& part : here) part.m += s * from.rows * kSlice;
    partial[task] = kernels().slice_squares(here.data(), static_cast<int64_t>(here.size()), first,
                                            std::min(from.latents, first + kGroup));
  });
  return std::accumulate(partial.begin(), partial.end(), 0.0);
}

}  // namespace

void latent_gradients(const LatentGradients& from, float* encoder_weight, float* encoder_bias, float* decoder_weight) {
  over_latents(from.latents, [&](int64_t, int64_t first, int64_t last) {
    for (int64_t j = first; j < last; j++) {
      form_encoder_row(from, j, encoder_weight + j * from.width);
      form_decoder_row(from, j, decoder_weight + j * from.width);
      encoder_bias[j] = encoder_bias_gradient(from, j);
    }
  });
}

double measure_latent_gradients(const LatentGradients& from, double* through_input) {
  const int64_t width = from.width, tasks = ceil_div(from.latents, kLatents);
  std::vector<double> squares(tasks, 0.0);
  std::vector<float> through(tasks * width);
  over_latents(from.latents, [&](int64_t task, int64_t first, int64_t last) {
    uint32_t active[kLatents];
    float biases[kLatents];
    int64_t count = 0;
    for (int64_t j = first; j < last; j++) {
      // |g - a w|^2 = |g|^2 - a^2, with w of unit norm and a = <g, w>.
      const double along = along_decoder_row(from, j), bias = encoder_bias_gradient(from, j);
      squares[task] += bias * bias - along * along;
      if (bias == 0) continue;
      active[count] = static_cast<uint32_t>(j);
      biases[count++] = static_cast<float>(bias);
    }
    kernels().decode_row(active, biases, count, from.encoder_weight, width, nullptr, through.data() + task * width);
  });
  std::fill(through_input, through_input + width, 0.0);
  for (int64_t task = 0; task < tasks; task++)
    for (int64_t i = 0; i < width; i++) through_input[i] += through[task * width + i];

  const auto parts = static_cast<int64_t>(from.parts.size());
  const Borrowed<float> sliced = borrow<float>(parts * from.rows * ceil_div(width, kSlice) * kSlice);
  const double encoder = squares_of_rows(
      from, sliced.get(), [](const EntryGradients& part) { return part.pre_gradients; },
      [&](const EntryGradients&) { return from.input; });
  const double decoder = squares_of_rows(
      from, sliced.get(), [](const EntryGradients& part) { return part.values; },
      [](const EntryGradients& part) { return part.output_gradient; });
  // Rounding could leave less than nothing of a gradient that lies along its rows.
  return std::max(0.0, std::accumulate(squares.begin(), squares.end(), encoder + decoder));
}

void update_latents(const LatentGradients& from, const AdamOptions& options, const Trained& encoder_weight,
                    const Trained& encoder_bias, const Trained& decoder_weight) {
  const Kernels& k = kernels();
  const AdamStep step = adam_step(options);
  const int64_t width = from.width;
  over_latents(from.latents, [&](int64_t, int64_t first, int64_t last) {
    const FlushSubnormals flush;
    float* gradient = scratch(width);
    float biases[kLatents];
    const auto adam = [&](const Trained& to, float along, int64_t j) {
      const int64_t at = j * width;
      return k.adam(step, gradient, along, width, to.parameter + at, to.m + at, to.v + at);
    };
    for (int64_t j = first; j < last; j++) {
      biases[j - first] = encoder_bias_gradient(from, j);
      form_encoder_row(from, j, gradient);
      adam(encoder_weight, 0, j);
      form_decoder_row(from, j, gradient);
      const float square = adam(decoder_weight, static_cast<float>(along_decoder_row(from, j)), j);
      float* row = decoder_weight.parameter + j * width;
      if (square > 0) k.scale_row(row, 1 / std::sqrt(square), width, row);
    }
    k.adam(step, biases, 0, last - first, encoder_bias.parameter + first, encoder_bias.m + first,
           encoder_bias.v + first);
  });
}

}  // namespace monosem
