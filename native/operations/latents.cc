// Gradients of the latents' parameters from entries sorted by latent: formed in a buffer that stays in the first cache, a
// latent at a time, or where these have many entries in the second, a block of latents at a time, and used there. They are
// formed twice, once to measure and once to step, and not written down unless they are few: memory for them would be as
// large as the parameters.
#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "buffer.h"
#include "dense_blocks.h"
#include "operations.h"
#include "subnormals.h"
#include "../pool.h"

namespace monosem {
namespace {

// Most latents of a task.
constexpr int64_t kLatents = kMostGroups;

// Latents of a task, whole strips of a dense product: a few tasks even where there are few latents. Depends on nothing
// else, so that partial sums are the same for any number of threads.
int64_t latents_a_task(int64_t latents) {
  constexpr int64_t kTasks = 8;
  return std::min<int64_t>(kLatents, round_up(ceil_div(latents, kTasks), kernels().dense[0].strip));
}

int64_t latent_tasks(int64_t latents) { return latents == 0 ? 0 : ceil_div(latents, latents_a_task(latents)); }

// Calls body(task, first, last) for stretches of latents.
template <class Body>
void over_latents(int64_t latents, Body body) {
  const int64_t each = latents_a_task(latents);
  parallel_for(latent_tasks(latents), [&](int64_t task) {
    body(task, task * each, std::min(latents, (task + 1) * each));
  });
}

// What one part, or what stands for one, adds to the row of latent j: the sum of coefficients[entries[i]] * m[rows[i]]
// over offsets[j] <= i < offsets[j + 1].
struct Addend {
  const uint32_t* offsets;
  const uint32_t* rows;
  const uint32_t* entries;
  const float* coefficients;
  const float* m;
  int64_t m_rows;
};

Groups groups_of(const Addend& a) { return {a.offsets, a.rows, a.entries, a.coefficients}; }

// An entry of every latent, in the one row of a matrix.
class EveryLatent {
 public:
  explicit EveryLatent(int64_t latents) : counted_(latents + 1), zeros_(latents) {
    std::iota(counted_.begin(), counted_.end(), 0u);
  }
  Addend addend(const float* coefficients, const float* row) const {
    return {counted_.data(), zeros_.data(), counted_.data(), coefficients, row, 1};
  }

 private:
  std::vector<uint32_t> counted_, zeros_;
};

// The gradients of all latents' rows of one matrix: what a few entries add is gathered, what many add is multiplied.
class Addends {
 public:
  Addends(int64_t latents, int64_t width) : latents_(latents), width_(width) {}

  void add(const Addend& addend) {
    if (worth_blocks(groups_of(addend), latents_, addend.m_rows)) full_.push_back({addend, packed(addend)});
    else gather(addend);
  }

  // Whatever it has of entries.
  void gather(const Addend& addend) { sparse_.push_back(addend); }

  bool all_sparse() const { return full_.empty(); }
  const std::vector<Addend>& sparse() const { return sparse_; }

  // How many latents are best formed at once.
  int64_t at_once() const { return full_.empty() ? 1 : kLatents; }

  // Floats of one thread's memory that `form` needs.
  int64_t space() const { return full_.empty() ? 0 : block_space(width_); }

  // The rows of latents first..last: gathered addends first, in their order.
  void form(int64_t first, int64_t last, float* space, float* out) const {
    for (int64_t j = first; j < last; j++) gather_row(j, out + (j - first) * width_);
    for (const Full& full : full_) full.m->add(groups_of(full.addend), first, last, space, out);
  }

 private:
  struct Full {
    Addend addend;
    std::shared_ptr<const RowSums> m;  // which addends may share
  };

  std::shared_ptr<const RowSums> packed(const Addend& addend) const {
    for (const Full& full : full_)
      if (full.addend.m == addend.m) return full.m;
    return std::make_shared<const RowSums>(addend.m, addend.m_rows, width_);
  }

  void gather_row(int64_t latent, float* out) const {
    const float* start = nullptr;
    for (const Addend& addend : sparse_) {
      const uint32_t first = addend.offsets[latent];
      kernels().gather_sum(addend.rows + first, addend.entries + first, addend.coefficients,
                           addend.offsets[latent + 1] - first, addend.m, width_, start, out);
      start = out;
    }
    if (!start) std::fill_n(out, width_, 0.0f);
  }

  int64_t latents_, width_;
  std::vector<Addend> sparse_;
  std::vector<Full> full_;
};

// The sums that encoder rows' and decoder rows' gradients are; the latter without what is along the row.
class Sums {
 public:
  explicit Sums(const LatentGradients& from)
      : encoder(from.latents, from.width),
        decoder(from.latents, from.output_width),
        every_latent_(from.every_row ? from.latents : 0) {
    for (const EntryGradients& part : from.parts) {
      encoder.add({part.offsets, part.rows, part.entries, part.pre_gradients, from.input, from.rows});
      if (part.frozen_decoder) continue;
      decoder.add({part.offsets, part.rows, part.entries, part.values, part.output_gradient, from.rows});
    }
    if (from.every_row) encoder.gather(every_latent_.addend(from.every_row, from.input_sum));
  }
  Sums(const Sums&) = delete;
  Sums& operator=(const Sums&) = delete;

  Addends encoder, decoder;

 private:
  EveryLatent every_latent_;
};

void add_along_decoder(const LatentGradients& from, int64_t latent, float* out) {
  const uint32_t row = 0;
  for (int64_t b = 0; b < from.blocks; b++) {
    const auto coefficient = static_cast<uint32_t>(latent * from.blocks + b);
    const int64_t first = from.bounds[b], count = from.bounds[b + 1] - first;
    kernels().gather_sum(&row, &coefficient, from.along_decoder, 1,
                         from.decoder_weight + latent * from.output_width + first, count, out + first, out + first);
  }
}

void form_decoder_rows(const LatentGradients& from, const Sums& sums, int64_t first, int64_t last, float* space,
                       float* out) {
  sums.decoder.form(first, last, space, out);
  if (!from.along_decoder) return;
  for (int64_t j = first; j < last; j++) add_along_decoder(from, j, out + (j - first) * from.output_width);
}

// Where the decoder's rows are kept: after the encoder's.
float* kept_decoder_rows(const LatentGradients& from) {
  return from.kept ? from.kept + from.latents * from.width : nullptr;
}

// What a latent's entries add up to, beside the rows.
struct EntrySums {
  double shared, apart;  // gradients of pre-activations; apart: of parts with a bias of their own
  double along;          // dot product of a unit decoder row with its gradient; 0 where rows are free

  float bias() const { return static_cast<float>(shared); }
  float pre_activations() const { return static_cast<float>(shared + apart); }
};

// Of latents first..last. Neighbours' entries in the same rows lie side by side, so a stretch of rows is visited at once.
void sum_entries(const LatentGradients& from, int64_t first, int64_t last, EntrySums* sums) {
  for (int64_t j = first; j < last; j++) {
    const double every_row = from.every_row ? from.every_row[j] : 0;
    sums[j - first] = {every_row * static_cast<double>(from.rows), 0, 0};
  }
  for (const EntryGradients& part : from.parts) {
    const bool along = from.unit_decoder && !part.frozen_decoder;
    uint32_t next[kLatents];
    std::copy(part.offsets + first, part.offsets + last, next);
    for (int64_t row = 0; row < from.rows; row += kMostColumns) {
      for (int64_t j = first; j < last; j++) {
        EntrySums& sum = sums[j - first];
        double& pre_activations = part.own_bias ? sum.apart : sum.shared;
        uint32_t i = next[j - first];
        for (; i < part.offsets[j + 1] && part.rows[i] < row + kMostColumns; i++) {
          const uint32_t e = part.entries[i];
          pre_activations += part.pre_gradients[e];
          if (along) sum.along += static_cast<double>(part.values[e]) * part.value_gradients[e];
        }
        next[j - first] = i;
      }
    }
  }
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

// The sum of squares of the rows that sparse addends make, from slices: each row of the batch is read as often as it
// has entries, and a slice of all rows stays in the second cache where the rows themselves do not.
double squares_of_slices(const std::vector<Addend>& addends, int64_t latents, int64_t width) {
  constexpr int64_t kGroup = 1024;
  const int64_t slices = ceil_div(width, kSlice), groups = ceil_div(latents, kGroup);
  std::vector<std::vector<float>> sorted;
  std::vector<Borrowed<float>> sliced;
  std::vector<SliceSums> sums;
  const float* last = nullptr;
  for (const Addend& addend : addends) {
    const int64_t count = addend.offsets[latents];
    std::vector<float>& coefficients = sorted.emplace_back(count);
    for (int64_t i = 0; i < count; i++) coefficients[i] = addend.coefficients[addend.entries[i]];
    if (addend.m != last) {
      sliced.push_back(borrow<float>(addend.m_rows * slices * kSlice));
      slice(addend.m, addend.m_rows, width, sliced.back().get());
      last = addend.m;
    }
    sums.push_back({addend.offsets, addend.rows, coefficients.data(), sliced.back().get()});
  }
  std::vector<double> partial(slices * groups);
  parallel_for(slices * groups, [&](int64_t task) {
    const int64_t s = task / groups, first = task % groups * kGroup;
    std::vector<SliceSums> here = sums;
    for (size_t i = 0; i < here.size(); i++) here[i].m += s * addends[i].m_rows * kSlice;
    partial[task] = kernels().slice_squares(here.data(), static_cast<int64_t>(here.size()), first,
                                            std::min(latents, first + kGroup));
  });
  return std::accumulate(partial.begin(), partial.end(), 0.0);
}

// The same of rows that form(first, last, space, out) makes whole, some at once, in `kept` where that is not null.
template <class Form>
double squares_of_formed(const Addends& addends, int64_t latents, int64_t width, float* kept, Form form) {
  std::vector<double> partial(latent_tasks(latents));
  over_latents(latents, [&](int64_t task, int64_t first, int64_t last) {
    float* space = scratch(addends.space() + addends.at_once() * width);
    for (int64_t j = first; j < last; j += addends.at_once()) {
      const int64_t end = std::min(last, j + addends.at_once());
      float* gradients = kept ? kept + j * width : space + addends.space();
      form(j, end, space, gradients);
      for (int64_t i = 0; i < end - j; i++)
        partial[task] += kernels().dot(gradients + i * width, gradients + i * width, width);
    }
  });
  return std::accumulate(partial.begin(), partial.end(), 0.0);
}

double squares_of_encoder_rows(const LatentGradients& from, const Sums& sums) {
  const Addends& addends = sums.encoder;
  if (addends.all_sparse() && !from.kept) return squares_of_slices(addends.sparse(), from.latents, from.width);
  return squares_of_formed(
      addends, from.latents, from.width, from.kept,
      [&](int64_t first, int64_t last, float* space, float* out) { addends.form(first, last, space, out); });
}

double squares_of_decoder_rows(const LatentGradients& from, const Sums& sums) {
  const Addends& addends = sums.decoder;
  if (addends.all_sparse() && !from.along_decoder && !from.kept)
    return squares_of_slices(addends.sparse(), from.latents, from.output_width);
  return squares_of_formed(addends, from.latents, from.output_width, kept_decoder_rows(from),
                           [&](int64_t first, int64_t last, float* space, float* out) {
                             form_decoder_rows(from, sums, first, last, space, out);
                           });
}

}  // namespace

void latent_gradients(const LatentGradients& from, float* encoder_weight, float* encoder_bias, float* decoder_weight) {
  const Sums sums(from);
  over_latents(from.latents, [&](int64_t, int64_t first, int64_t last) {
    float* space = scratch(std::max(sums.encoder.space(), sums.decoder.space()));
    sums.encoder.form(first, last, space, encoder_weight + first * from.width);
    form_decoder_rows(from, sums, first, last, space, decoder_weight + first * from.output_width);
    EntrySums entries[kLatents];
    sum_entries(from, first, last, entries);
    for (int64_t j = first; j < last; j++) encoder_bias[j] = entries[j - first].bias();
  });
}

double measure_latent_gradients(const LatentGradients& from, double* through_input) {
  const int64_t width = from.width, tasks = latent_tasks(from.latents);
  std::vector<double> squares(tasks, 0.0);
  std::vector<float> through(tasks * width);
  over_latents(from.latents, [&](int64_t task, int64_t first, int64_t last) {
    EntrySums entries[kLatents];
    sum_entries(from, first, last, entries);
    uint32_t active[kLatents];
    float gradients[kLatents];
    int64_t count = 0;
    for (int64_t j = first; j < last; j++) {
      // |g - a w|^2 = |g|^2 - a^2, with w of unit norm and a = <g, w>.
      const EntrySums& sum = entries[j - first];
      squares[task] += static_cast<double>(sum.bias()) * sum.bias() - sum.along * sum.along;
      if (sum.pre_activations() == 0) continue;
      active[count] = static_cast<uint32_t>(j);
      gradients[count++] = sum.pre_activations();
    }
    kernels().decode_row(active, gradients, count, from.encoder_weight, width, nullptr, through.data() + task * width);
  });
  std::fill(through_input, through_input + width, 0.0);
  for (int64_t task = 0; task < tasks; task++)
    for (int64_t i = 0; i < width; i++) through_input[i] += through[task * width + i];

  const Sums sums(from);
  const double encoder = squares_of_encoder_rows(from, sums), decoder = squares_of_decoder_rows(from, sums);
  // Rounding could leave less than nothing of a gradient that lies along its rows.
  return std::max(0.0, std::accumulate(squares.begin(), squares.end(), encoder + decoder));
}

void update_latents(const LatentGradients& from, const OptimiserOptions& options, const Trained& encoder_weight,
                    const Trained& encoder_bias, const Trained& decoder_weight) {
  const Optimiser optimiser(options);
  const int64_t width = from.width, output_width = from.output_width;
  const auto step_encoder_row = [&](int64_t j, const float* gradient) {
    optimiser.step(encoder_weight, j * width, width, gradient, 0);
  };
  const auto step_decoder_row = [&](int64_t j, const float* gradient, float along) {
    const float square = optimiser.step(decoder_weight, j * output_width, output_width, gradient, along);
    float* row = decoder_weight.parameter + j * output_width;
    if (from.unit_decoder && square > 0) kernels().scale_row(row, 1 / std::sqrt(square), output_width, row);
  };
  // Calls step_rows(first, last, what the entries of each add up to).
  const auto over_stretches = [&](auto step_rows) {
    over_latents(from.latents, [&](int64_t, int64_t first, int64_t last) {
      const FlushSubnormals flush;
      float biases[kLatents];
      EntrySums entries[kLatents];
      sum_entries(from, first, last, entries);
      for (int64_t j = first; j < last; j++) biases[j - first] = entries[j - first].bias();
      step_rows(first, last, entries);
      optimiser.step(encoder_bias, first, last - first, biases, 0);
    });
  };
  if (from.kept) {
    return over_stretches([&](int64_t first, int64_t last, const EntrySums* entries) {
      for (int64_t j = first; j < last; j++) {
        step_encoder_row(j, from.kept + j * width);
        step_decoder_row(j, kept_decoder_rows(from) + j * output_width, static_cast<float>(entries[j - first].along));
      }
    });
  }
  const Sums sums(from);
  const int64_t at_once = std::max(sums.encoder.at_once(), sums.decoder.at_once());
  const int64_t space_size = std::max(sums.encoder.space(), sums.decoder.space());
  over_stretches([&](int64_t first, int64_t last, const EntrySums* entries) {
    float* space = scratch(space_size + at_once * std::max(width, output_width));
    float* gradients = space + space_size;
    for (int64_t j = first; j < last; j += at_once) {
      const int64_t end = std::min(last, j + at_once);
      sums.encoder.form(j, end, space, gradients);
      for (int64_t i = j; i < end; i++) step_encoder_row(i, gradients + (i - j) * width);
      form_decoder_rows(from, sums, j, end, space, gradients);
      for (int64_t i = j; i < end; i++)
        step_decoder_row(i, gradients + (i - j) * output_width, static_cast<float>(entries[i - first].along));
    }
  });
}

}  // namespace monosem
