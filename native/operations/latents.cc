// Gradients of the latents' parameters, a latent at a time, from entries sorted by latent: formed in a buffer that stays
// in the first cache, and used there. Forming them twice, once to measure and once to step, moves fewer bytes than
// writing them down and reading them again.
#include <algorithm>
#include <cmath>

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

bool has_entries(const LatentGradients& from, int64_t latent) {
  return std::any_of(from.parts.begin(), from.parts.end(), [&](const EntryGradients& part) {
    return part.offsets[latent] < part.offsets[latent + 1];
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

// Still with its part along the decoder row; returns the size of that part.
float form_decoder_row(const LatentGradients& from, int64_t latent, float* out) {
  form(from, latent, out, [](const EntryGradients& part) { return part.values; },
       [](const EntryGradients& part) { return part.output_gradient; });
  return kernels().dot(out, from.decoder_weight + latent * from.width, from.width);
}

float encoder_bias_gradient(const LatentGradients& from, int64_t latent) {
  double sum = 0;
  for (const EntryGradients& part : from.parts)
    for (uint32_t i = part.offsets[latent]; i < part.offsets[latent + 1]; i++)
      sum += part.pre_gradients[part.entries[i]];
  return static_cast<float>(sum);
}

}  // namespace

void latent_gradients(const LatentGradients& from, float* encoder_weight, float* encoder_bias, float* decoder_weight) {
  over_latents(from.latents, [&](int64_t, int64_t first, int64_t last) {
    for (int64_t j = first; j < last; j++) {
      const int64_t at = j * from.width;
      form_encoder_row(from, j, encoder_weight + at);
      const float along = form_decoder_row(from, j, decoder_weight + at);
      kernels().subtract_scaled(from.decoder_weight + at, along, from.width, decoder_weight + at);
      encoder_bias[j] = encoder_bias_gradient(from, j);
    }
  });
}

double measure_latent_gradients(const LatentGradients& from, double* through_input) {
  const Kernels& k = kernels();
  const int64_t width = from.width, tasks = ceil_div(from.latents, kLatents);
  std::vector<double> squares(tasks, 0.0);
  std::vector<float> through(tasks * width);
  over_latents(from.latents, [&](int64_t task, int64_t first, int64_t last) {
    float* row = scratch(width);
    uint32_t active[kLatents];
    float biases[kLatents];
    int64_t count = 0;
    for (int64_t j = first; j < last; j++) {
      if (!has_entries(from, j)) continue;
      const float bias = encoder_bias_gradient(from, j);
      active[count] = static_cast<uint32_t>(j);
      biases[count++] = bias;
      squares[task] += static_cast<double>(bias) * bias;
      form_encoder_row(from, j, row);
      squares[task] += k.dot(row, row, width);
      const float along = form_decoder_row(from, j, row);
      k.subtract_scaled(from.decoder_weight + j * width, along, width, row);
      squares[task] += k.dot(row, row, width);
    }
    k.decode_row(active, biases, count, from.encoder_weight, width, nullptr, through.data() + task * width);
  });
  std::fill(through_input, through_input + width, 0.0);
  double total = 0;
  for (int64_t task = 0; task < tasks; task++) {
    total += squares[task];
    for (int64_t i = 0; i < width; i++) through_input[i] += through[task * width + i];
  }
  return total;
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
      const float along = form_decoder_row(from, j, gradient);
      const float square = adam(decoder_weight, along, j);
      float* row = decoder_weight.parameter + j * width;
      if (square > 0) k.scale_row(row, 1 / std::sqrt(square), width, row);
    }
    k.adam(step, biases, 0, last - first, encoder_bias.parameter + first, encoder_bias.m + first,
           encoder_bias.v + first);
  });
}

}  // namespace monosem
