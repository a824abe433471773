// How an operation reads its arguments and gives its result: arguments are checked here and nowhere behind, the work
// runs on a worker thread, off the event loop, unless it is short, and settles a promise. The arrays are held until then.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>

#include "../operations/operations.h"

namespace monosem {

using Finish = std::function<Napi::Value(Napi::Env)>;

// Reads the arguments in order and refuses, by name, what does not fit.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  int64_t count(const char* name, int64_t least = 0) {
    const double value = number(name);
    if (!(value >= static_cast<double>(least)) || value != std::floor(value) || value > 9007199254740991.0)
      refuse(std::string(name) + ": " + info_[at_ - 1].ToString().Utf8Value() +
             ", but the operation needs a whole number of at least " + std::to_string(least));
    return static_cast<int64_t>(value);
  }

  double number(const char* name) {
    const Napi::Value value = info_[at_++];
    if (!value.IsNumber()) refuse(std::string(name) + ": not a number");
    return value.As<Napi::Number>().DoubleValue();
  }

  bool flag(const char* name) {
    const Napi::Value value = info_[at_++];
    if (!value.IsBoolean()) refuse(std::string(name) + ": not true or false");
    return value.As<Napi::Boolean>().Value();
  }

  std::string text(const char* name) {
    const Napi::Value value = info_[at_++];
    if (!value.IsString()) refuse(std::string(name) + ": not a string");
    return value.As<Napi::String>().Utf8Value();
  }

  // How the chosen set multiplies: whether operands may be rounded to bfloat16 comes next.
  const DenseProduct& product() { return kernels().dense[flag("bf16")]; }

  // A weight in the layout of `product`.
  const void* packed(const char* name, const DenseProduct& product, int64_t outputs, int64_t inputs) {
    const int64_t length = packed_bytes(product, outputs, inputs) / product.bytes;
    if (product.bytes == 2) return array<uint16_t>(name, length, napi_uint16_array);
    return floats(name, length);
  }

  float* floats(const char* name, int64_t length) { return array<float>(name, length, napi_float32_array); }
  double* doubles(const char* name, int64_t length) { return array<double>(name, length, napi_float64_array); }
  uint32_t* uints(const char* name, int64_t length) { return array<uint32_t>(name, length, napi_uint32_array); }
  int32_t* ints(const char* name, int64_t length) { return array<int32_t>(name, length, napi_int32_array); }

  uint8_t* bytes(const char* name, int64_t length) { return array<uint8_t>(name, length, napi_uint8_array); }

  float* optional_floats(const char* name, int64_t length) { return absent() ? nullptr : floats(name, length); }

  // The length of the array that comes next, or -1 where there is none.
  int64_t next_length() {
    const Napi::Value value = info_[at_];
    return value.IsTypedArray() ? static_cast<int64_t>(value.As<Napi::TypedArray>().ElementLength()) : -1;
  }

  bool absent() {
    if (!info_[at_].IsUndefined()) return false;
    at_++;
    return true;
  }

  [[noreturn]] void refuse(const std::string& message) { throw Napi::RangeError::New(info_.Env(), message); }

 private:
  template <class T>
  T* array(const char* name, int64_t length, napi_typedarray_type type) {
    const Napi::Value value = info_[at_++];
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type)
      refuse(std::string(name) + ": not a typed array of the kind that the operation needs");
    const auto view = value.As<Napi::TypedArray>();
    if (static_cast<int64_t>(view.ElementLength()) < length)
      refuse(std::string(name) + ": " + std::to_string(view.ElementLength()) +
             " elements, but the operation needs " + std::to_string(length));
    return reinterpret_cast<T*>(static_cast<char*>(view.ArrayBuffer().Data()) + view.ByteOffset());
  }

  const Napi::CallbackInfo& info_;
  size_t at_ = 0;
};

inline Napi::Array all_of(const Napi::CallbackInfo& info) {
  Napi::Array all = Napi::Array::New(info.Env(), info.Length());
  for (uint32_t i = 0; i < info.Length(); i++) all[i] = info[i];
  return all;
}

class Work : public Napi::AsyncWorker {
 public:
  Work(const Napi::CallbackInfo& info, std::function<void()> task, Finish finish)
      : Napi::AsyncWorker(info.Env()),
        deferred_(Napi::Promise::Deferred::New(info.Env())),
        held_(Napi::Persistent(static_cast<Napi::Object>(all_of(info)))),
        task_(std::move(task)),
        finish_(std::move(finish)) {}

  Napi::Promise promise() { return deferred_.Promise(); }

  void Execute() override { task_(); }
  void OnOK() override { deferred_.Resolve(finish_ ? finish_(Env()) : Env().Undefined()); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference held_;
  std::function<void()> task_;
  Finish finish_;
};

inline Napi::Value in_background(const Napi::CallbackInfo& info, std::function<void()> task, Finish finish = nullptr) {
  Work* work = new Work(info, std::move(task), std::move(finish));
  const Napi::Promise promise = work->promise();
  work->Queue();
  return promise;
}

// What work takes one thread, in nanoseconds: guesses that may be off by a factor of a few.
inline double product_time(int64_t rows, int64_t inputs, int64_t outputs) {
  return static_cast<double>(rows) * static_cast<double>(inputs) * static_cast<double>(outputs) / 40;
}
inline double elements_time(int64_t elements) { return static_cast<double>(elements) / 2; }
// Of entries whose rows of a matrix are read: one by one, or in dense blocks where these would take less.
inline double entries_time(int64_t entries, int64_t rows, int64_t columns, int64_t width) {
  return std::min(static_cast<double>(entries * width) / 8, product_time(rows, columns, width));
}

// A worker thread has to be woken and to report: 0.1 ms and more. Work shorter than half a millisecond waits until
// JavaScript has nothing more to ask for in this turn, and is then done with what else waits: see together.cc.
Napi::Value soon(const Napi::CallbackInfo& info, std::function<void()> task, Finish finish);

inline Napi::Value soon_or_in_background(const Napi::CallbackInfo& info, double nanoseconds, std::function<void()> task,
                                         Finish finish = nullptr) {
  return (nanoseconds < 500'000 ? soon : in_background)(info, std::move(task), std::move(finish));
}

template <class T>
Napi::Value typed(Napi::Env env, const std::vector<T>& values) {
  auto array = Napi::TypedArrayOf<T>::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

// Without a copy.
template <class T>
Napi::Value typed(Napi::Env env, Array<T> values) {
  const std::size_t length = values.size();
  const auto memory = Napi::ArrayBuffer::New(env, values.release(), length * sizeof(T),
                                             [](Napi::Env, void* data) { std::free(data); });
  return Napi::TypedArrayOf<T>::New(env, length, memory, 0);
}

}  // namespace monosem
