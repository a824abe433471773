// The groups of functions that make up the addon.
#pragma once

#include "arguments.h"

namespace monosem {

void export_transformer(Napi::Env env, Napi::Object exports);
void export_dictionary(Napi::Env env, Napi::Object exports);
void export_firings(Napi::Env env, Napi::Object exports);
void export_limits(Napi::Env env, Napi::Object exports);
void export_training(Napi::Env env, Napi::Object exports);
void export_toy(Napi::Env env, Napi::Object exports);

}  // namespace monosem
