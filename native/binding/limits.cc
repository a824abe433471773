// What the benchmark calls to measure this machine's limits. No part of the library's interface.
#include "exports.h"

namespace monosem {
namespace {

Napi::Value number_in_background(const Napi::CallbackInfo& info, std::function<double()> task) {
  auto result = std::make_shared<double>();
  return in_background(
      info, [=] { *result = task(); }, [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, *result); });
}

// peak(unit, tasks): floating-point operations done by `unit` ("fp32", "pairs" or "tiles"), 0 where the instruction set
// has no such unit.
Napi::Value Peak(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const std::string unit = a.text("unit");
  const int64_t tasks = a.count("tasks", 1);
  const Peaks& peaks = kernels().peaks;
  const auto peak = unit == "fp32"    ? peaks.fp32
                    : unit == "pairs" ? peaks.pairs
                    : unit == "tiles" ? peaks.tiles
                                      : nullptr;
  return number_in_background(info, [=] { return peak ? run_peak(peak, tasks) : 0; });
}

// readAll(length, x): the sum of squares of `x`, each element read once.
Napi::Value ReadAll(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const int64_t n = a.count("length");
  const float* x = a.floats("x", n);
  return number_in_background(info, [=] { return read_all(x, n); });
}

}  // namespace

void export_limits(Napi::Env env, Napi::Object exports) {
  exports["peak"] = Napi::Function::New(env, Peak, "peak");
  exports["readAll"] = Napi::Function::New(env, ReadAll, "readAll");
}

}  // namespace monosem
