// The operations of src/kernels/backend.ts on plain pointers: each splits its work into tasks for the pool and
// calls the kernels of the chosen instruction set. Shapes are checked before, in binding.cc.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "../kernels/kernels.h"
#include "buffer.h"

namespace monosem {

// Chooses by name, or the best that this processor has for an empty name; false where it is not there.
bool choose_kernels(const std::string& name);
const Kernels& kernels();

struct Sparse {
  std::vector<uint32_t> offsets;
  Array<uint32_t> indices;
  Array<float> values;
};

// Of so many entries a row, nothing written yet.
Sparse with_offsets(const std::vector<uint32_t>& counts);

struct SparseView {
  int64_t rows;
  int64_t columns;
  const uint32_t* offsets;
  const uint32_t* indices;
  const float* values;
};

// dense.cc
void pack(const DenseProduct& product, const float* weight, int64_t outputs, int64_t inputs, void* packed);
// m [rows, width] transposed, packed as a weight of `width` outputs.
void pack_transposed(const DenseProduct& product, const float* m, int64_t rows, int64_t width, void* packed);
void linear(const DenseProduct& product, const float* x, int64_t rows, const void* packed, int64_t inputs,
            int64_t outputs, const Epilogue& epilogue, float* out);
// out [a_width, b_width] = a^T b, a [rows, a_width], b [rows, b_width], in float32.
void transposed_product(const float* a, const float* b, int64_t rows, int64_t a_width, int64_t b_width, float* out);
// second[group[r], o] += p^2 and fourth[group[r], o] += p^4 over all rows, p = <x[r], weight[o]>; both [groups, outputs].
void add_moments(const DenseProduct& product, const float* x, int64_t rows, const void* packed, int64_t inputs,
                 int64_t outputs, const uint32_t* group, double* second, double* fourth);
void add(const float* a, const float* b, int64_t n, float* out);
void swiglu(const float* gate, const float* up, int64_t n, float* out);
void rms_norm(const float* x, int64_t rows, int64_t width, float epsilon, float* scale, float* out);
void layer_norm(const float* x, int64_t rows, int64_t width, float epsilon, float* scale, float* out);
void take_rows(const float* table, int64_t width, const int32_t* indices, int64_t rows, float* out);
void rotary(const float* x, int64_t rows, int64_t length, int64_t start, int64_t heads, int64_t head_width,
            const float* cos, const float* sin, float* out);

// decoder_blocks.cc
struct BlockShape {
  int64_t batch, length, heads, head_width, mlp_width;
  float epsilon;
  const float *cos, *sin;  // [length, head_width / 2]
};
struct BlockWeights {
  const void *q, *k, *v, *o, *gate, *up, *down;  // packed
};
void decoder_blocks(const DenseProduct& product, const BlockShape& shape, const std::vector<BlockWeights>& blocks,
                    float* residual);

// decoder_step.cc: one position of each sequence, after those in the cache [blocks][batch][a set's own layout].
// `shape.length` is the capacity of the cache; cos and sin are those of the position.
int64_t cache_bytes(int precision, int64_t blocks, int64_t batch, int64_t capacity, int64_t heads, int64_t head_width);
void decoder_step(int precision, const BlockShape& shape, const std::vector<BlockWeights>& blocks, int64_t position,
                  void* cache, float* residual);

// attention.cc
void attention(const DenseProduct& product, const float* q, const float* k, const float* v, int64_t batch,
               int64_t length, int64_t heads, int64_t head_width, float* out);

// unembed.cc: what is asked of the distributions softmax(x @ weight^T), of which [rows, outputs] is never written.
struct Unembedding {
  const DenseProduct* product;
  const void* packed;
  int64_t outputs, inputs;
};
// -log softmax[targets]
void cross_entropy(const Unembedding& u, const float* x, int64_t rows, const int32_t* targets, float* out);
// KL(p || q), and the cross-entropy of q.
void divergence(const Unembedding& u, const float* p, const float* q, int64_t rows, const int32_t* targets, float* kl,
                float* cross_entropy);
void sample(const Unembedding& u, const float* x, int64_t rows, float temperature, const float* uniforms,
            int32_t* out);

// encode.cc. `rounded`: operands may be rounded to bfloat16, where that is faster; otherwise choice and values are those
// of float32.
Sparse encode_top_k(const EncodeOperands& operands, bool rounded, int64_t k);
Sparse encode_batch_top_k(const EncodeOperands& operands, bool rounded, int64_t total);
// Of largest magnitude, signed.
Sparse encode_abs_top_k(const EncodeOperands& operands, bool rounded, int64_t k);
// The largest of each of `groups` equal runs of columns, where it is > 0. Without a subset.
Sparse encode_group_max(const EncodeOperands& operands, bool rounded, int64_t groups);
Sparse encode_threshold(const EncodeOperands& operands, bool rounded, const float* threshold);

// sparse.cc: rows of a few entries one by one, fuller ones in dense blocks.
void decode(const SparseView& codes, const float* weight, const float* bias, int64_t width, float* out);
// out[e] = <m[row of e], weight[column of e]>
void dots(const SparseView& codes, const float* weight, const float* m, int64_t width, float* out);
// offsets [columns + 1], rows and entries [entries]
void sort_by_column(const SparseView& codes, int64_t columns, uint32_t* offsets, uint32_t* rows, uint32_t* entries);
struct Reconstruction {
  double squares;
  float smallest;
};
Reconstruction reconstruct(const SparseView& codes, const float* weight, const float* target, float factor,
                           float scale, int64_t width, float* out, float* dots, double* sums);

// parameters.cc
void center(const float* x, const float* center, int64_t rows, int64_t width, float scale, float* out);
double shift(const float* x, float scale, const float* center, int64_t rows, int64_t width, float* out, double* sums);
void residual(const float* a, const float* b, int64_t rows, int64_t width, float scale, float* out, float* squares);
void column_sum(const float* m, int64_t rows, int64_t width, double* out);
double sum_of_squares(const float* x, int64_t n);
void unit_rows(float* weight, int64_t rows, int64_t width);

struct AdamOptions {
  int64_t step;
  double rate, beta1, beta2, epsilon, gradient_scale;
};
struct SignumOptions {
  int64_t step;
  double rate, momentum;
};
using OptimiserOptions = std::variant<AdamOptions, SignumOptions>;

struct Trained {
  float* parameter;
  float* m;
  float* v;  // null for signum
};

// One step of either optimiser along some elements: see the kernels `adam` and `signum`.
class Optimiser {
 public:
  explicit Optimiser(const OptimiserOptions& options);

  // Steps n elements, from the trained array's `at` on, and returns the sum of squares of these parameters.
  float step(const Trained& to, int64_t at, int64_t n, const float* gradient, float along) const;

 private:
  std::variant<AdamStep, SignumStep> step_;
};

void step_array(const OptimiserOptions& options, const float* gradient, int64_t n, const Trained& to);

// latents.cc: latents of a few entries one by one, fuller ones in dense blocks.
// Entries sorted by latent, with what each adds: values[e] * output_gradient[row] to the gradient of the latent's
// decoder row (which value_gradients[e] is the dot product with), pre_gradients[e] * input[row] to that of its encoder
// row, pre_gradients[e] to that of its bias.
struct EntryGradients {
  const uint32_t* offsets;
  const uint32_t* rows;
  const uint32_t* entries;
  const float* values;
  const float* value_gradients;
  const float* pre_gradients;
  const float* output_gradient;
  bool frozen_decoder;  // nothing of them goes to the decoder row
  bool own_bias;        // nothing of them goes to the bias
};
struct LatentGradients {
  int64_t rows;
  int64_t latents;
  int64_t width;         // of the input
  int64_t output_width;  // of decoder rows
  bool unit_decoder;     // decoder rows are of unit norm and keep it
  const float* input;
  const float* encoder_weight;
  const float* decoder_weight;
  std::vector<EntryGradients> parts;
  // A gradient of latent j's pre-activation that every row of the batch has, [latents], or null; and the sum of the
  // rows, [width].
  const float* every_row = nullptr;
  const float* input_sum = nullptr;
  // What of each block of its columns, bounds[b] .. bounds[b + 1], the gradient of a decoder row has besides,
  // [latents, blocks], or null; only without `unit_decoder`.
  const float* along_decoder = nullptr;
  const uint32_t* bounds = nullptr;
  int64_t blocks = 0;
  // Where measuring leaves the rows of the two gradients, of the encoder and then of the decoder, for the update;
  // [latents, width + output_width], or null.
  float* kept = nullptr;
};
void latent_gradients(const LatentGradients& from, float* encoder_weight, float* encoder_bias, float* decoder_weight);
double measure_latent_gradients(const LatentGradients& from, double* through_input);
void update_latents(const LatentGradients& from, const OptimiserOptions& options, const Trained& encoder_weight,
                    const Trained& encoder_bias, const Trained& decoder_weight);

// limits.cc, for the benchmark.
// Runs one of the kernels' Peaks on all threads and returns how many floating-point operations that took.
double run_peak(double (*peak)(int64_t rounds), int64_t tasks);
// Reads every element once, on all threads: the sum of squares, to have a result.
double read_all(const float* x, int64_t n);

}  // namespace monosem
