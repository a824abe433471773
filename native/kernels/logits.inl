// What softmax needs of a run of outputs, taken from each block of a product as it is made: the outputs of many rows
// are never written. For any product of dense.inl.

namespace monosem {
namespace {

// A row's reference rises only when an output exceeds it by so much: 2 to that, times a run, is far from infinite.
constexpr float kRise = 40;

// The outputs, those from `count` on -infinity.
inline __attribute__((noinline)) V only_first(V outputs, int64_t count) {
  float lanes[LANES];
  store(lanes, outputs);
  for (int64_t i = count < 0 ? 0 : count; i < LANES; i++) lanes[i] = -__builtin_inff();
  return load(lanes);
}

inline void raise(float& top, V& sum, V outputs) {
  const float raised = max_lanes(outputs);
  sum *= power_of_two(splat(top - raised));
  top = raised;
}

// Calls add(row, outputs of a block) for all rows and panels, and close(row, where its result goes) at the end of each
// run. Meanwhile the panel after the next is fetched: one block is finished while the next is multiplied.
template <class P, class Add, class Close>
inline __attribute__((always_inline)) void over_runs(const OutputRuns& runs, Add add, Close close) {
  const typename P::Scope scope;
  const char* packed = static_cast<const char*>(runs.packed);
  const int64_t count = runs.outputs, last = runs.last, stride = runs.stride, whole_panels = count / P::kPanel;
  const V factor = splat(runs.factor);
  const int64_t panel_bytes = panel_size<P>(runs.inputs), share = panel_bytes / ceil_div(runs.rows, P::kStrip);
  const int64_t run_mask = runs.run_panels - 1;
  const int run_shift = __builtin_ctzll(runs.run_panels);
  const auto finish = [&](int64_t row, int64_t panel, const typename P::Block& block,
                          int64_t r) __attribute__((always_inline)) {
    if (r == 0 && panel + 2 < last) {
      const char* ahead = packed + (panel + 2) * panel_bytes + row / P::kStrip * share;
      for (int64_t at = 0; at < share; at += 64) __builtin_prefetch(ahead + at, 0, 2);
    }
    V outputs[P::kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < P::kVectors; j++)
      outputs[j] = block.get(r, j) * factor;
    if (panel >= whole_panels) {
      for (int j = 0; j < P::kVectors; j++)
        outputs[j] = only_first(outputs[j], count - panel * P::kPanel - j * LANES);
    }
    add(row, outputs);
    if (((panel + 1) & run_mask) == 0 || panel + 1 == last) close(row, (panel >> run_shift) * stride + row);
  };
  multiply_blocks<P>(static_cast<const char*>(runs.strips), runs.rows, packed, panel_bytes, runs.first, runs.last,
                     runs.inputs, finish);
}

template <class P>
void power_sums(const OutputRuns& runs) {
  float *const sums = runs.scratch, *const top = sums + runs.rows * LANES;
  for (int64_t r = 0; r < runs.rows; r++) {
    store(sums + r * LANES, V{});
    top[r] = -__builtin_inff();
  }
  const auto add = [&](int64_t row, const V outputs[P::kVectors]) __attribute__((always_inline)) {
    V sum = load(sums + row * LANES), most = outputs[0];
#pragma GCC unroll 4
    for (int j = 1; j < P::kVectors; j++) most = max_of(most, outputs[j]);
    if (greater_mask(most, splat(top[row] + kRise))) raise(top[row], sum, most);
#pragma GCC unroll 4
    for (int j = 0; j < P::kVectors; j++) sum += power_of_two(outputs[j] - top[row]);
    store(sums + row * LANES, sum);
  };
  const auto close = [&](int64_t row, int64_t at) __attribute__((always_inline)) {
    runs.sum[at] = sum_lanes(load(sums + row * LANES));
    runs.top[at] = top[row];
    store(sums + row * LANES, V{});
  };
  over_runs<P>(runs, add, close);
}

template <class P>
void largest(const OutputRuns& runs) {
  const V least = splat(-__builtin_inff());
  for (int64_t r = 0; r < runs.rows; r++) store(runs.scratch + r * LANES, least);
  const auto add = [&](int64_t row, const V outputs[P::kVectors]) __attribute__((always_inline)) {
    V most = load(runs.scratch + row * LANES);
#pragma GCC unroll 4
    for (int j = 0; j < P::kVectors; j++) most = max_of(most, outputs[j]);
    store(runs.scratch + row * LANES, most);
  };
  const auto close = [&](int64_t row, int64_t at) __attribute__((always_inline)) {
    runs.top[at] = max_lanes(load(runs.scratch + row * LANES));
    store(runs.scratch + row * LANES, least);
  };
  over_runs<P>(runs, add, close);
}

}  // namespace
}  // namespace monosem
