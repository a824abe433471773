// What JavaScript calls to draw sparse rows at random.
#include "../operations/firings.h"
#include "exports.h"

namespace monosem {
namespace {

// Offsets that ascend from `first` to `last`.
const uint32_t* offsets(Arguments& a, const char* name, int64_t count, int64_t first, int64_t last) {
  const uint32_t* array = a.uints(name, count + 1);
  if (array[0] != first || array[count] != last)
    a.refuse(std::string(name) + ": must lead from " + std::to_string(first) + " to " + std::to_string(last));
  for (int64_t i = 0; i < count; i++)
    if (array[i] > array[i + 1]) a.refuse(std::string(name) + ": must not descend");
  return array;
}

const uint32_t* features_below(Arguments& a, const char* name, int64_t count, int64_t features, bool or_none = false) {
  const uint32_t* array = a.uints(name, count);
  for (int64_t i = 0; i < count; i++)
    if (array[i] >= features && !(or_none && array[i] == kNoFeature))
      a.refuse(std::string(name) + ": past the last feature, " + std::to_string(features));
  return array;
}

FiringPlan firing_plan(Arguments& a) {
  FiringPlan p{};
  p.features = a.count("features");
  p.nodes = a.count("nodes");
  p.groups = a.count("groups");
  p.classes = a.count("classes");
  const int64_t counts = a.count("counts");
  p.roots = a.count("roots");
  p.rank = a.count("rank");
  p.feature = features_below(a, "feature", p.nodes, p.features, true);
  p.probability = a.doubles("probability", p.nodes);
  p.scaled = a.bytes("scaled", p.nodes);
  p.group_offsets = offsets(a, "groupOffsets", p.nodes, 0, p.groups);
  p.member_offsets = offsets(a, "memberOffsets", p.groups, p.roots, p.nodes);
  p.exclusive = a.bytes("exclusive", p.groups);
  for (int64_t i = 0; i < p.nodes; i++)
    if (p.group_offsets[i] < p.group_offsets[i + 1] && p.member_offsets[p.group_offsets[i]] <= i)
      a.refuse("memberOffsets: children must stand after their parents");
  p.class_offsets = offsets(a, "classOffsets", p.classes, 0, p.roots);
  p.bound = a.doubles("bound", p.classes);
  p.count_offsets = offsets(a, "countOffsets", p.classes, 0, counts);
  p.counts = a.doubles("counts", counts);
  if (p.rank > 0) {
    p.loadings = a.doubles("loadings", p.roots * p.rank);
    p.threshold = a.doubles("threshold", p.roots);
    p.residual = a.doubles("residual", p.roots);
    p.ceiling = a.doubles("ceiling", p.classes);
  }
  p.law = a.bytes("law", p.features);
  p.shift = a.doubles("shift", p.features);
  p.spread = a.doubles("spread", p.features);
  p.mean = a.doubles("mean", p.features);
  p.conjunctions = a.count("conjunctions");
  p.first = features_below(a, "first", p.conjunctions, p.features);
  p.second = features_below(a, "second", p.conjunctions, p.features);
  p.joint = features_below(a, "conjunctions.feature", p.conjunctions, p.features);
  p.product = a.bytes("product", p.conjunctions);
  p.positions = a.absent() ? nullptr : a.uints("positions", p.features);
  return p;
}

Napi::Value DrawFirings(const Napi::CallbackInfo& info) {
  Arguments a(info);
  const FiringPlan plan = firing_plan(a);
  const int64_t block_rows = a.count("blockRows", 1), skip = a.count("skip"), rows = a.count("rows");
  const uint32_t* streams =
      reinterpret_cast<const uint32_t*>(a.ints("streams", 8 * ceil_div(skip + rows, block_rows)));
  auto drawn = std::make_shared<Firings>();
  return in_background(
      info, [=] { *drawn = draw_firings(plan, streams, block_rows, skip, rows); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object labels = Napi::Object::New(env), out = Napi::Object::New(env);
        labels["rows"] = static_cast<double>(rows);
        labels["offsets"] = typed(env, drawn->labels.offsets);
        labels["indices"] = typed(env, std::move(drawn->labels.indices));
        labels["values"] = typed(env, std::move(drawn->labels.values));
        out["labels"] = labels;
        if (plan.positions) out["positions"] = typed(env, std::move(drawn->positions));
        return out;
      });
}

}  // namespace

void export_firings(Napi::Env env, Napi::Object exports) {
  exports["drawFirings"] = Napi::Function::New(env, DrawFirings, "drawFirings");
}

}  // namespace monosem
