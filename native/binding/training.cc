// What JavaScript calls to train dictionaries.
#include <cstring>

#include "codes.h"
#include "exports.h"
#include "../operations/buffer.h"

namespace monosem {
namespace {

// Zeros. JavaScript's own memory starts in the middle of a cache line, so that each vector of it straddles two.
Napi::Value Allocate(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t length = a.count("length");
  Array<float> zeros(length);
  if (length > 0) std::memset(&zeros[0], 0, length * sizeof(float));
  return typed(info.Env(), std::move(zeros));
}

Napi::Value Shift(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  const float scale = static_cast<float>(a.number("scale"));
  const float *x = a.floats("x", rows * width), *middle = a.floats("center", width);
  float* out = a.floats("out", rows * width);
  double* sums = a.doubles("sums", width);
  auto squares = std::make_shared<double>();
  return soon_or_in_background(
      info, elements_time(rows * width), [=] { *squares = shift(x, scale, middle, rows, width, out, sums); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, *squares); });
}

Napi::Value Reconstruct(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t width = a.count("width", 1), columns = a.count("columns");
  const float factor = static_cast<float>(a.number("targetFactor")), scale = static_cast<float>(a.number("scale"));
  const float* weight = a.floats("weight", columns * width);
  const SparseView codes = sparse_rows(a, columns);
  const float* target = a.floats("target", codes.rows * width);
  float* out = a.floats("out", codes.rows * width);
  float* dots = a.floats("dots", codes.offsets[codes.rows]);
  double* sums = a.doubles("sums", width);
  auto result = std::make_shared<Reconstruction>();
  return soon_or_in_background(
      info, 2 * entries_time(codes.offsets[codes.rows], codes.rows, columns, width) + elements_time(codes.rows * width),
      [=] { *result = reconstruct(codes, weight, target, factor, scale, width, out, dots, sums); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object["squares"] = result->squares;
        object["smallest"] = static_cast<double>(result->smallest);
        return object;
      });
}

Napi::Value Dots(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t width = a.count("width", 1), columns = a.count("columns");
  const float* weight = a.floats("weight", columns * width);
  const SparseView codes = sparse_rows(a, columns);
  const float* m = a.floats("m", codes.rows * width);
  float* out = a.floats("out", codes.offsets[codes.rows]);
  return soon_or_in_background(info, entries_time(codes.offsets[codes.rows], codes.rows, columns, width), [=] { dots(codes, weight, m, width, out); });
}

Napi::Value TransposedProduct(const Napi::CallbackInfo& info) {
  Arguments args(info);
  const int64_t rows = args.count("rows"), a_width = args.count("aWidth", 1), b_width = args.count("bWidth", 1);
  const float *a = args.floats("a", rows * a_width), *b = args.floats("b", rows * b_width);
  float* out = args.floats("out", a_width * b_width);
  return soon_or_in_background(info, product_time(rows, a_width, b_width), [=] { transposed_product(a, b, rows, a_width, b_width, out); });
}

Napi::Value SortByColumn(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t columns = a.count("columns");
  const SparseView codes = sparse_rows(a, columns);
  uint32_t* offsets = a.uints("offsets", columns + 1);
  uint32_t* rows = a.uints("rows", codes.offsets[codes.rows]);
  uint32_t* entries = a.uints("entries", codes.offsets[codes.rows]);
  return soon_or_in_background(info, 20 * elements_time(codes.offsets[codes.rows] + columns), [=] { sort_by_column(codes, columns, offsets, rows, entries); });
}

EntryGradients entry_gradients(Arguments& a, int64_t rows, int64_t latents, int64_t output_width) {
  EntryGradients part{};
  part.offsets = a.uints("order.offsets", latents + 1);
  for (int64_t j = 0; j < latents; j++) {
    if (part.offsets[j] > part.offsets[j + 1]) a.refuse("order.offsets: must not descend");
  }
  const int64_t count = part.offsets[latents];
  part.rows = a.uints("order.rows", count);
  part.entries = a.uints("order.entries", count);
  const int64_t values = a.next_length();
  part.values = a.floats("values", 0);
  const int64_t value_gradients = a.next_length();
  part.value_gradients = a.floats("valueGradients", 0);
  const int64_t pre_gradients = a.next_length();
  part.pre_gradients = a.floats("preGradients", 0);
  part.output_gradient = a.floats("outputGradient", rows * output_width);
  part.frozen_decoder = a.flag("frozenDecoder");
  part.own_bias = a.flag("ownBias");
  if (!all_below(part.rows, count, rows)) a.refuse("order.rows: past the last row of input");
  if (!all_below(part.entries, count, std::min({values, value_gradients, pre_gradients})))
    a.refuse("order.entries: past the last of values, valueGradients or preGradients");
  return part;
}

void along_decoder(Arguments& a, LatentGradients& from) {
  const int64_t bounds = a.next_length();
  from.blocks = bounds - 1;
  from.bounds = a.uints("alongDecoder.bounds", 2);
  for (int64_t b = 0; b < from.blocks; b++) {
    if (from.bounds[b] > from.bounds[b + 1]) a.refuse("alongDecoder.bounds: must not descend");
  }
  if (from.bounds[from.blocks] > from.output_width)
    a.refuse("alongDecoder.bounds: past the last column, " + std::to_string(from.output_width));
  from.along_decoder = a.floats("alongDecoder.coefficients", from.latents * from.blocks);
  if (from.unit_decoder) a.refuse("alongDecoder: unitDecoder leaves nothing along the decoder's rows");
}

LatentGradients gradients_of(Arguments& a) {
  LatentGradients from{};
  const int64_t rows = from.rows = a.count("rows");
  from.latents = a.count("latents");
  from.width = a.count("width", 1);
  from.output_width = a.count("outputWidth", 1);
  from.unit_decoder = a.flag("unitDecoder");
  from.input = a.floats("input", rows * from.width);
  from.encoder_weight = a.floats("encoderWeight", from.latents * from.width);
  from.decoder_weight = a.floats("decoderWeight", from.latents * from.output_width);
  if (a.flag("everyRow")) {
    from.every_row = a.floats("everyRow.coefficients", from.latents);
    from.input_sum = a.floats("everyRow.inputSum", from.width);
  }
  if (a.flag("alongDecoder")) along_decoder(a, from);
  if (a.flag("kept")) from.kept = a.floats("kept", from.latents * (from.width + from.output_width));
  const int64_t parts = a.count("parts", 1);
  for (int64_t i = 0; i < parts; i++) from.parts.push_back(entry_gradients(a, rows, from.latents, from.output_width));
  return from;
}

// Of forming and using all gradients once.
double time_of(const LatentGradients& from) {
  const int64_t width = from.width + from.output_width;
  double time = 3 * elements_time(from.latents * width);
  for (const EntryGradients& part : from.parts)
    time += entries_time(part.offsets[from.latents], from.rows, from.latents, width);
  return time;
}

OptimiserOptions optimiser_options(Arguments& a) {
  if (a.flag("signum")) {
    SignumOptions options{};
    options.step = a.count("step", 1);
    options.rate = a.number("rate");
    options.momentum = a.number("momentum");
    if (!(options.momentum > 0 && options.momentum <= 1)) a.refuse("momentum: must be above 0 and at most 1");
    return options;
  }
  AdamOptions options{};
  options.step = a.count("step", 1);
  options.rate = a.number("rate");
  options.beta1 = a.number("beta1");
  options.beta2 = a.number("beta2");
  options.epsilon = a.number("epsilon");
  options.gradient_scale = a.number("gradientScale");
  return options;
}

Napi::Value GradientsOfLatents(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const LatentGradients from = gradients_of(a);
  float* encoder_weight = a.floats("out.encoderWeight", from.latents * from.width);
  float* encoder_bias = a.floats("out.encoderBias", from.latents);
  float* decoder_weight = a.floats("out.decoderWeight", from.latents * from.output_width);
  return soon_or_in_background(info, time_of(from), [=] { latent_gradients(from, encoder_weight, encoder_bias, decoder_weight); });
}

Napi::Value MeasureLatentGradients(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const LatentGradients from = gradients_of(a);
  double* through_input = a.doubles("throughInput", from.width);
  auto squares = std::make_shared<double>();
  return soon_or_in_background(
      info, time_of(from), [=] { *squares = measure_latent_gradients(from, through_input); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, *squares); });
}

Trained trained(Arguments& a, const OptimiserOptions& options, const std::string& name, int64_t n) {
  const bool has_second = std::holds_alternative<AdamOptions>(options);
  float* parameter = a.floats((name + ".parameter").c_str(), n);
  float* m = a.floats((name + ".m").c_str(), n);
  float* v = a.floats((name + ".v").c_str(), has_second ? n : 0);
  return {parameter, m, has_second ? v : nullptr};
}

Napi::Value UpdateLatents(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const LatentGradients from = gradients_of(a);
  const OptimiserOptions options = optimiser_options(a);
  const Trained encoder_weight = trained(a, options, "encoderWeight", from.latents * from.width);
  const Trained encoder_bias = trained(a, options, "encoderBias", from.latents);
  const Trained decoder_weight = trained(a, options, "decoderWeight", from.latents * from.output_width);
  return soon_or_in_background(info, time_of(from), [=] { update_latents(from, options, encoder_weight, encoder_bias, decoder_weight); });
}

Napi::Value StepArray(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const OptimiserOptions options = optimiser_options(a);
  const int64_t n = a.count("length");
  const float* gradient = a.floats("gradient", n);
  const Trained to = trained(a, options, "trained", n);
  return soon_or_in_background(info, elements_time(n), [=] { step_array(options, gradient, n, to); });
}

Napi::Value UnitRows(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t rows = a.count("rows"), width = a.count("width", 1);
  float* weight = a.floats("weight", rows * width);
  return soon_or_in_background(info, elements_time(rows * width), [=] { unit_rows(weight, rows, width); });
}

}  // namespace

void export_training(Napi::Env env, Napi::Object exports) {
  const std::pair<const char*, Napi::Value (*)(const Napi::CallbackInfo&)> functions[] = {
      {"allocate", Allocate},
      {"shift", Shift},
      {"reconstruct", Reconstruct},
      {"dots", Dots},
      {"transposedProduct", TransposedProduct},
      {"sortByColumn", SortByColumn},
      {"latentGradients", GradientsOfLatents},
      {"measureLatentGradients", MeasureLatentGradients},
      {"updateLatents", UpdateLatents},
      {"stepArray", StepArray},
      {"unitRows", UnitRows},
  };
  for (const auto& [name, function] : functions) exports[name] = Napi::Function::New(env, function, name);
}

}  // namespace monosem
