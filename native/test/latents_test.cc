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

  Part(Random& random, int64_t batch, int64_t latents, int64_t width, const std::vector<float>& decoder)
      : codes(random, batch, latents),
        offsets(latents + 1),
        rows(codes.values.size()),
        entries(codes.values.size()),
        value_gradients(codes.values.size()),
        pre_gradients(normals(random, static_cast<int64_t>(codes.values.size()))),
        output_gradient(normals(random, batch * width)) {
    sort_by_column(codes.view(), latents, offsets.data(), rows.data(), entries.data());
    codes.for_each([&](int64_t r, int64_t j, uint32_t e) {
      double dot = 0;
      for (int64_t i = 0; i < width; i++)
        dot += static_cast<double>(output_gradient[r * width + i]) * decoder[j * width + i];
      value_gradients[e] = static_cast<float>(dot);
    });
  }
};

struct Problem {
  int64_t batch, latents, width;
  std::vector<float> input, encoder, bias, decoder;
  std::vector<std::unique_ptr<Part>> parts;
  // Of encoder rows, biases and decoder rows, one after another; and the magnitude of their terms.
  Doubles gradient, scale;

  explicit Problem(Random& random)
      : batch(random.between(1, 120)),
        latents(random.between(1, 300)),
        width(random.between(1, 90)),
        input(normals(random, batch * width)),
        encoder(normals(random, latents * width)),
        bias(normals(random, latents)),
        decoder(normals(random, latents * width)),
        gradient((2 * width + 1) * latents),
        scale(gradient.size()) {
    unit_rows(decoder.data(), latents, width);
    for (int64_t i = random.between(1, 2); i > 0; i--)
      parts.push_back(std::make_unique<Part>(random, batch, latents, width, decoder));
    for (const auto& part : parts) {
      part->codes.for_each([&](int64_t r, int64_t j, uint32_t e) {
        add(latents * width + j, part->pre_gradients[e]);
        for (int64_t i = 0; i < width; i++) {
          add(j * width + i, static_cast<double>(part->pre_gradients[e]) * input[r * width + i]);
          add(latents * (width + 1) + j * width + i,
              static_cast<double>(part->codes.values[e]) * part->output_gradient[r * width + i]);
        }
      });
    }
  }

  LatentGradients operands() const {
    LatentGradients from{batch, latents, width, input.data(), encoder.data(), decoder.data(), {}};
    for (const auto& p : parts)
      from.parts.push_back({p->offsets.data(), p->rows.data(), p->entries.data(), p->codes.values.data(),
                            p->value_gradients.data(), p->pre_gradients.data(), p->output_gradient.data()});
    return from;
  }

  // The gradient with each decoder row's part along the row taken away.
  Doubles direction() const {
    Doubles result = gradient;
    double* rows = result.data() + latents * (width + 1);
    for (int64_t j = 0; j < latents; j++) {
      double along = 0;
      for (int64_t i = j * width; i < (j + 1) * width; i++) along += rows[i] * decoder[i];
      for (int64_t i = j * width; i < (j + 1) * width; i++) rows[i] -= along * decoder[i];
    }
    return result;
  }

 private:
  void add(int64_t at, double term) {
    gradient[at] += term;
    scale[at] += std::abs(term);
  }
};

void gradients(Random& random) {
  const Problem problem(random);
  const int64_t n = problem.latents * problem.width;
  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> out(problem.gradient.size());
    latent_gradients(problem.operands(), out.data(), out.data() + n, out.data() + n + problem.latents);
    return out;
  });
  expect_near(found, problem.gradient, problem.scale, 5e-6, "latent_gradients");
}

void measures(Random& random) {
  const Problem problem(random);
  const int64_t width = problem.width;
  const Doubles found = for_any_threads([&] {
    Doubles through(width);
    through.push_back(measure_latent_gradients(problem.operands(), through.data()));
    return through;
  });
  Doubles expected(width), scale(width);
  for (int64_t j = 0; j < problem.latents; j++) {
    const double bias = problem.gradient[problem.latents * width + j];
    for (int64_t i = 0; i < width; i++) {
      expected[i] += bias * problem.encoder[j * width + i];
      scale[i] += problem.scale[problem.latents * width + j] * std::abs(problem.encoder[j * width + i]);
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
  const int64_t latents = problem.latents, width = problem.width, n = latents * width;
  const AdamOptions options{random.between(1, 100), 1e-2, 0.9, 0.999, 1e-2, random.uniform()};
  const auto total = static_cast<int64_t>(problem.gradient.size());
  const std::vector<float> m = normals(random, total, 0.1f);
  std::vector<float> v = normals(random, total), start = problem.encoder;
  for (float& value : v) value *= value;
  start.insert(start.end(), problem.bias.begin(), problem.bias.end());
  start.insert(start.end(), problem.decoder.begin(), problem.decoder.end());

  const std::vector<float> found = for_any_threads([&] {
    std::vector<float> parameter = start, first = m, second = v;
    const auto trained = [&](int64_t at) {
      return Trained{parameter.data() + at, first.data() + at, second.data() + at};
    };
    LatentGradients from = problem.operands();
    // The parameters that are stepped are those that the gradients follow from.
    from.encoder_weight = parameter.data();
    from.decoder_weight = parameter.data() + n + latents;
    update_latents(from, options, trained(0), trained(n), trained(n + latents));
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
  for (int64_t j = 0; j < latents; j++) {
    double* row = expected.data() + n + latents + j * width;
    double square = 0;
    for (int64_t i = 0; i < width; i++) square += row[i] * row[i];
    for (int64_t i = 0; i < width && square > 0; i++) row[i] /= std::sqrt(square);
  }
  expect_near(found, expected, scale, 5e-6, "update_latents");
}

}  // namespace

std::vector<Test> latents_tests() {
  return {{"latents: gradients", 10, gradients},
          {"latents: measured", 10, measures},
          {"latents: updated", 10, updates}};
}

}  // namespace monosem::test
