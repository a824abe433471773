// What softmax needs of a run of outputs, taken from each block of a product as it is made: the outputs of many rows
// are never written. For any product of dense.inl.

namespace monosem {
namespace {

// A row's reference rises only when an output exceeds it by so much: exp of that, times a run, is far from infinite.
constexpr float kRise = 24;

// The outputs from `column` on, times `factor`, those past the last -infinity.
template <class Block>
inline __attribute__((always_inline)) V scaled_outputs(const OutputRun& run, const Block& block, int64_t r, int j,
                                                       int64_t column) {
  const V value = block.get(r, j) * run.factor;
  if (column + LANES <= run.outputs) return value;
  float lanes[LANES];
  store(lanes, value);
  for (int64_t i = 0; i < LANES; i++) lanes[i] = column + i < run.outputs ? lanes[i] : -__builtin_inff();
  return load(lanes);
}

inline void raise(float& top, V& sum, V outputs) {
  const float raised = max_lanes(outputs);
  sum *= exponential(splat(top - raised));
  top = raised;
}

template <class P>
void exp_sums(const OutputRun& run) {
  const typename P::Scope scope;
  for (int64_t r = 0; r < run.rows * LANES; r++) run.lanes[r] = 0;
  const auto finish = [&](int64_t row, int64_t panel, const typename P::Block& block,
                          int64_t r) __attribute__((always_inline)) {
    V sum = load(run.lanes + row * LANES);
#pragma GCC unroll 4
    for (int j = 0; j < P::kVectors; j++) {
      const V outputs = scaled_outputs(run, block, r, j, panel * P::kPanel + j * LANES);
      if (greater_mask(outputs, splat(run.top[row] + kRise))) raise(run.top[row], sum, outputs);
      sum += exponential(outputs - run.top[row]);
    }
    store(run.lanes + row * LANES, sum);
  };
  multiply_blocks<P>(static_cast<const char*>(run.strips), run.rows, static_cast<const char*>(run.packed),
                     panel_size<P>(run.inputs), run.first, run.last, run.inputs, finish);
  for (int64_t r = 0; r < run.rows; r++) run.sum[r] = sum_lanes(load(run.lanes + r * LANES));
}

template <class P>
void largest(const OutputRun& run) {
  const typename P::Scope scope;
  for (int64_t r = 0; r < run.rows * LANES; r++) run.lanes[r] = -__builtin_inff();
  const auto finish = [&](int64_t row, int64_t panel, const typename P::Block& block, int64_t r) {
    V most = load(run.lanes + row * LANES);
#pragma GCC unroll 4
    for (int j = 0; j < P::kVectors; j++)
      most = max_of(most, scaled_outputs(run, block, r, j, panel * P::kPanel + j * LANES));
    store(run.lanes + row * LANES, most);
  };
  multiply_blocks<P>(static_cast<const char*>(run.strips), run.rows, static_cast<const char*>(run.packed),
                     panel_size<P>(run.inputs), run.first, run.last, run.inputs, finish);
  for (int64_t r = 0; r < run.rows; r++) run.top[r] = max_lanes(load(run.lanes + r * LANES));
}

}  // namespace
}  // namespace monosem
