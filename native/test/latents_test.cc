// operations/latents.cc against gradients written down in double.
#include <algorithm>
#include <memory>

#include "codes.h"
#include "exact.h"
#include "suites.h"

namespace monosem::test {
namespace {

using Doubles = std::vector<double>;

// One selection: its entries sorted by latent, and what each adds.
struct Part {
  Codes codes;
  std::vector<uint32_t> offsets, rows, entries;
  std::vector<float> value_gradients, pre_gradients, output_gradient;
  bool frozen_decoder, own_bias;

  Part(Random& random, int64_t batch, int64_t latents, int64_t output_width, const std::vector<float>& decoder)
      : codes(random, batch, latents),
        offsets(latents + 1),
        rows(codes.values.size()),
        entries(codes.values.size()),
        value_gradients(codes.values.size()),
        pre_gradients(normals(random, static_cast<int64_t>(codes.values.size()))),
        output_gradient(normals(random, batch * output_width)),
        frozen_decoder(random.between(0, 3) == 0),
        own_bias(random.between(0, 3) == 0) {
    sort_by_column(codes.view(), latents, offsets.data(), rows.data(), entries.data());
    codes.for_each([&](int64_t r, int64_t j, uint32_t e) {
      double dot = 0;
      for (int64_t i = 0; i < output_width; i++)
        dot += static_cast<double>(output_gradient[r * output_width + i]) * decoder[j * output_width + i];
      value_gradients[e] = static_cast<float>(dot);
    });
  }
};

struct Problem {
  int64_t batch, latents, width, output_width;
  bool unit_decoder;
  std::vector<float> input, encoder, bias, decoder;
  std::vector<std::unique_ptr<Part>> parts;
  std::vector<float> every_row, input_sum, along_decoder;
  std::vector<uint32_t> bounds;
  // Of encoder rows, biases and decoder rows, one after another; and the magnitude of their terms.
  Doubles gradient, scale;
  Doubles pre_activations, pre_activations_scale;  // the gradient of each latent's

  // Of many latents, or of a batch so large that blocks take several stretches of it.
  explicit Problem(Random& random) : Problem(random, random.between(0, 3) == 0) {}

  Problem(Random& random, bool large_batch)
      : batch(large_batch ? random.between(500, 1100) : random.between(1, 120)),
        latents(large_batch ? random.between(1, 40) : random.between(1, 300)),
        width(random.between(1, 90)),
        output_width(random.coin() ? width : random.between(1, 90)),
        unit_decoder(random.coin()),
        input(normals(random, batch * width)),
        encoder(normals(random, latents * width)),
        bias(normals(random, latents)),
        decoder(normals(random, latents * output_width)),
        gradient((width + 1 + output_width) * latents),
        scale(gradient.size()),
        pre_activations(latents),
        pre_activations_scale(latents) {
    if (unit_decoder) unit_rows(decoder.data(), latents, output_width);
    for (int64_t i = random.between(1, 2); i > 0; i--)
      parts.push_back(std::make_unique<Part>(random, batch, latents, output_width, decoder));
    for (const auto& part : parts) add_entries(*part);
    if (random.coin()) add_every_row(random);
    if (!unit_decoder && random.coin()) add_along_decoder(random);
  }

  int64_t biases() const { return latents * width; }
  int64_t decoder_rows() const { return latents * (width + 1); }

  LatentGradients operands() const {
    LatentGradients from{};
    from.rows = batch, from.latents = latents;
    from.width = width, from.output_width = output_width;
    from.unit_decoder = unit_decoder;
    from.input = input.data(), from.encoder_weight = encoder.data(), from.decoder_weight = decoder.data();
    for (const auto& p : parts)
      from.parts.push_back({p->offsets.data(), p->rows.data(), p->entries.data(), p->codes.values.data(),
                            p->value_gradients.data(), p->pre_gradients.data(), p->output_gradient.data(),
                            p->frozen_decoder, p->own_bias});
    if (!every_row.empty()) from.every_row = every_row.data(), from.input_sum = input_sum.data();
    if (!bounds.empty()) {
      from.along_decoder = along_decoder.data(), from.bounds = bounds.data();
      from.blocks = static_cast<int64_t>(bounds.size()) - 1;
    }
    return from;
  }

  // The gradient with each unit decoder row's part along the row taken away.
  Doubles direction() const {
    Doubles result = gradient;
    double* rows = result.data() + decoder_rows();
    for (int64_t j = 0; unit_decoder && j < latents; j++) {
      double along = 0;
      for (int64_t i = j * output_width; i < (j + 1) * output_width; i++) along += rows[i] * decoder[i];
      for (int64_t i = j * output_width; i < (j + 1) * output_width; i++) rows[i] -= along * decoder[i];
    }
    return result;
  }

 private:
  void add(int64_t at, double term) {
    gradient[at] += term;
    scale[at] += std::abs(term);
  }

  void add_bias(int64_t j, double term, bool own) {
    pre_activations[j] += term;
    pre_activations_scale[j] += std::abs(term);
    if (!own) add(biases() + j, term);
  }

  void add_entries(const Part& part) {
    part.codes.for_each([&](int64_t r, int64_t j, uint32_t e) {
      add_bias(j, part.pre_gradients[e], part.own_bias);
      for (int64_t i = 0; i < width; i++)
        add(j * width + i, static_cast<double>(part.pre_gradients[e]) * input[r * width + i]);
      for (int64_t i = 0; i < output_width && !part.frozen_decoder; i++)
        add(decoder_rows() + j * output_width + i,
            static_cast<double>(part.codes.values[e]) * part.output_gradient[r * output_width + i]);
    });
  }

  void add_every_row(Random& random) {
    every_row = normals(random, latents);
    input_sum = normals(random, width);
    for (int64_t j = 0; j < latents; j++) {
      add_bias(j, static_cast<double>(every_row[j]) * static_cast<double>(batch), false);
      for (int64_t i = 0; i < width; i++) add(j * width + i, static_cast<double>(every_row[j]) * input_sum[i]);
    }
  }

  void add_along_decoder(Random& random) {
    bounds = {0, static_cast<uint32_t>(random.between(0, output_width)), static_cast<uint32_t>(output_width)};
    along_decoder = normals(random, 2 * latents);
    for (int64_t j = 0; j < latents; j++)
      for (int64_t i = 0; i < output_width; i++)
        add(decoder_rows() + j * output_width + i,
            static_cast<double>(along_decoder[2 * j + (i >= bounds[1])]) * decoder[j * output_width + i]);
  }
};

void gradients(Random& random) {
  const Problem problem(random);
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(problem.gradient.size());
    latent_gradients(problem.operands(), out.data(), out.data() + problem.biases(),
                     out.data() + problem.decoder_rows());
    return out;
  });
  expect_near(found, problem.gradient, problem.scale, 5e-6, "latent_gradients");
}

void measures(Random& random) {
  const Problem problem(random);
  const int64_t width = problem.width;
  const bool keeps = random.coin();
  const Doubles found = for_any_threads([&] {
    LatentGradients from = problem.operands();
    std::vector<float> kept(problem.latents * (width + problem.output_width));
    if (keeps) from.kept = kept.data();
    Doubles through(width);
    through.push_back(measure_latent_gradients(from, through.data()));
    return through;
  });
  Doubles expected(width), scale(width);
  for (int64_t j = 0; j < problem.latents; j++) {
    for (int64_t i = 0; i < width; i++) {
      expected[i] += problem.pre_activations[j] * problem.encoder[j * width + i];
      scale[i] += problem.pre_activations_scale[j] * std::abs(problem.encoder[j * width + i]);
    }
  }
  double squares = 0, all = 0;
  for (double value : problem.direction()) squares += value * value;
  for (double value : problem.gradient) all += value * value;
  expected.push_back(squares);
  scale.push_back(all);
  expect_near(found, expected, scale, 5e-6, "measure_latent_gradients");
}

// Epsilon is large, as Adam's division by the root of a small second moment would make rounding errors of any size.
void updates(Random& random) {
  const Problem problem(random);
  const int64_t latents = problem.latents, output_width = problem.output_width;
  const AdamOptions options{random.between(1, 100), 1e-2, 0.9, 0.999, 1e-2, random.uniform()};
  const auto total = static_cast<int64_t>(problem.gradient.size());
  const std::vector<float> m = normals(random, total, 0.1f);
  std::vector<float> v = normals(random, total), start = problem.encoder;
  for (float& value : v) value *= value;
  start.insert(start.end(), problem.bias.begin(), problem.bias.end());
  start.insert(start.end(), problem.decoder.begin(), problem.decoder.end());

  const bool keeps = random.coin();
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> parameter = start, first = m, second = v;
    const auto trained = [&](int64_t at) {
      return Trained{parameter.data() + at, first.data() + at, second.data() + at};
    };
    LatentGradients from = problem.operands();
    // The parameters that are stepped are those that the gradients follow from.
    from.encoder_weight = parameter.data();
    from.decoder_weight = parameter.data() + problem.decoder_rows();
    std::vector<float> kept(problem.latents * (problem.width + output_width));
    Doubles through(problem.width);
    if (keeps) {
      from.kept = kept.data();
      measure_latent_gradients(from, through.data());
    }
    update_latents(from, options, trained(0), trained(problem.biases()), trained(problem.decoder_rows()));
    parameter.insert(parameter.end(), first.begin(), first.end());
    parameter.insert(parameter.end(), second.begin(), second.end());
    return parameter;
  });

  const Doubles direction = problem.direction();
  Doubles expected(3 * total), scale(3 * total);
  for (int64_t i = 0; i < total; i++) {
    const ExactAdam exact(options, start[i], direction[i], m[i], v[i]);
    // What a decoder row loses along itself is a sum over all of its entries.
    const double terms = problem.scale[i] + std::abs(direction[i]) + static_cast<double>(problem.batch);
    expected[i] = exact.parameter;
    expected[total + i] = exact.m;
    expected[2 * total + i] = exact.v;
    scale[i] = std::abs(start[i]) + terms;
    scale[total + i] = std::abs(m[i]) + terms;
    scale[2 * total + i] = v[i] + terms * (1 + std::abs(direction[i]));
  }
  for (int64_t j = 0; problem.unit_decoder && j < latents; j++) {
    double* row = expected.data() + problem.decoder_rows() + j * output_width;
    double square = 0;
    for (int64_t i = 0; i < output_width; i++) square += row[i] * row[i];
    for (int64_t i = 0; i < output_width && square > 0; i++) row[i] /= std::sqrt(square);
  }
  expect_near(found, expected, scale, 5e-6, "update_latents");
}

}  // namespace

std::vector<Test> latents_tests() {
  return {{"latents: gradients", 20, gradients},
          {"latents: measured", 20, measures},
          {"latents: updated", 20, updates}};
}

}  // namespace monosem::test
