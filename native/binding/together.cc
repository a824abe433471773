// Short operations. Trainings that share a stream ask for theirs in one turn of JavaScript's: each is done by one thread
// alone, so that what the next one reads of it is in that core's cache, and several by several threads. Splitting one over
// threads would move as much data between caches as it saves time.
#include "../pool.h"
#include "arguments.h"

namespace monosem {
namespace {

struct Waiting {
  Napi::Promise::Deferred deferred;
  std::function<void()> task;
  Finish finish;
  std::string failure;

  void run() {
    try {
      task();
    } catch (const std::exception& error) {
      failure = error.what();
    }
  }

  void settle(Napi::Env env) {
    const Napi::HandleScope scope(env);
    if (!failure.empty()) deferred.Reject(Napi::Error::New(env, failure).Value());
    else deferred.Resolve(finish ? finish(env) : env.Undefined());
  }
};

// Of the event loop that this thread runs: what waits, and the arguments of all of it, which are given up when they were
// used and never later: the process may go down before.
thread_local std::vector<Waiting> waiting;
thread_local Napi::ObjectReference held;

void run_all(const Napi::CallbackInfo& info) {
  std::vector<Waiting> all = std::move(waiting);
  waiting.clear();
  Napi::ObjectReference arguments = std::move(held);
  together(static_cast<int64_t>(all.size()), [&](int64_t i) { all[i].run(); });
  for (Waiting& one : all) one.settle(info.Env());
  arguments.Reset();
}

}  // namespace

Napi::Value soon(const Napi::CallbackInfo& info, std::function<void()> task, Finish finish) {
  const Napi::Env env = info.Env();
  // A tick comes when all that promises have led to is done.
  if (waiting.empty()) {
    const Napi::Object process = env.Global().Get("process").As<Napi::Object>();
    process.Get("nextTick").As<Napi::Function>().Call(process, {Napi::Function::New(env, run_all)});
    held = Napi::Persistent(static_cast<Napi::Object>(Napi::Array::New(env)));
    held.SuppressDestruct();
  }
  held.Set(static_cast<uint32_t>(waiting.size()), all_of(info));
  waiting.push_back({Napi::Promise::Deferred::New(env), std::move(task), std::move(finish), {}});
  return waiting.back().deferred.Promise();
}

}  // namespace monosem
