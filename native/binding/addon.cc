// The addon: its settings, and all that it exports.
#include "../pool.h"
#include "exports.h"

namespace monosem {
namespace {

Napi::Value Configure(const Napi::CallbackInfo& info) {
  Arguments a(info);
  set_threads(static_cast<int>(a.count("threads", 1)));
  const std::string name = info[1].IsString() ? info[1].As<Napi::String>().Utf8Value() : "";
  return Napi::Boolean::New(info.Env(), choose_kernels(name));
}

Napi::Value InstructionSet(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), kernels().name);
}

// Whether operands are rounded to bfloat16 where the caller allows it.
Napi::Value Rounds(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), kernels().encode.rounds); }

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports["configure"] = Napi::Function::New(env, Configure, "configure");
  exports["instructionSet"] = Napi::Function::New(env, InstructionSet, "instructionSet");
  exports["rounds"] = Napi::Function::New(env, Rounds, "rounds");
  export_transformer(env, exports);
  export_dictionary(env, exports);
  export_firings(env, exports);
  export_limits(env, exports);
  export_training(env, exports);
  export_toy(env, exports);
  return exports;
}

NODE_API_MODULE(monosem, Init)

}  // namespace
}  // namespace monosem
