// What touches each element once.

namespace monosem {
namespace {

// Calls `body(load, store)` for whole vectors and then for what is left over, in a padded copy.
#define FOR_VECTORS(n, body)                              \
  do {                                                    \
    int64_t i = 0;                                        \
    for (; i + LANES <= (n); i += LANES) body(i, LANES);  \
    if (i < (n)) body(i, (n)-i);                          \
  } while (0)

inline V load_part(const float* p, int64_t count) {
  if (count == LANES) return load(p);
  V v = {};
  __builtin_memcpy(&v, p, count * sizeof(float));
  return v;
}

inline void store_part(float* p, V v, int64_t count) {
  if (count == LANES) store(p, v);
  else __builtin_memcpy(p, &v, count * sizeof(float));
}

void add(const float* a, const float* b, int64_t n, float* out) {
  auto body = [&](int64_t i, int64_t c) { store_part(out + i, load_part(a + i, c) + load_part(b + i, c), c); };
  FOR_VECTORS(n, body);
}

inline V silu(V x) { return x * reciprocal(1.0f + exponential(-x)); }

inline V hyperbolic_tangent(V x) { return 1.0f - 2.0f * reciprocal(1.0f + exponential(2.0f * x)); }

// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), by tanh(u) = 2 / (1 + exp(-2u)) - 1.
inline V gelu_tanh(V x) { return x * reciprocal(1.0f + exponential(x * (-1.5957691216f - 0.0713548163f * x * x))); }

// 0.5 x (1 + erf(x / sqrt 2)); erf by Abramowitz and Stegun, 7.1.26, to 1.5e-7.
inline V gelu(V x) {
  const V z = x * 0.70710678118f, size = max_of(z, -z), t = 1.0f / (1.0f + 0.3275911f * size);
  const V p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
  const V tail = 0.5f * p * exponential(-z * z);
  return x * (x < V{} ? tail : 1.0f - tail);
}

void add_moments(const float* m, int64_t stride, int64_t rows, int64_t n, double* second, double* fourth) {
  auto body = [&](int64_t i, int64_t c) {
    V squares = {}, fourths = {};
    for (int64_t r = 0; r < rows; r++) {
      const V value = load_part(m + r * stride + i, c), square = value * value;
      squares += square;
      fourths += square * square;
    }
    for (int64_t j = 0; j < c; j++) {
      second[i + j] += (double)squares[j];
      fourth[i + j] += (double)fourths[j];
    }
  };
  FOR_VECTORS(n, body);
}

void swiglu(const float* gate, const float* up, int64_t n, float* out) {
  auto body = [&](int64_t i, int64_t c) {
    store_part(out + i, silu(load_part(gate + i, c)) * load_part(up + i, c), c);
  };
  FOR_VECTORS(n, body);
}

void scale_row(const float* x, float factor, int64_t n, float* out) {
  auto body = [&](int64_t i, int64_t c) { store_part(out + i, load_part(x + i, c) * factor, c); };
  FOR_VECTORS(n, body);
}

void center_row(const float* x, const float* center, float scale, int64_t n, float* out) {
  auto body = [&](int64_t i, int64_t c) {
    store_part(out + i, (load_part(x + i, c) - load_part(center + i, c)) * scale, c);
  };
  FOR_VECTORS(n, body);
}

float residual_row(const float* a, const float* b, float scale, int64_t n, float* out) {
  V squares = {};
  auto body = [&](int64_t i, int64_t c) {
    const V difference = load_part(a + i, c) - load_part(b + i, c);
    squares += difference * difference;
    store_part(out + i, difference * scale, c);
  };
  FOR_VECTORS(n, body);
  return sum_lanes(squares);
}

float shift_row(const float* x, float scale, const float* center, int64_t n, float* out, float* sums) {
  V squares = {};
  auto body = [&](int64_t i, int64_t c) {
    const V shifted = load_part(x + i, c) * scale - load_part(center + i, c);
    squares += shifted * shifted;
    store_part(out + i, shifted, c);
    store_part(sums + i, load_part(sums + i, c) + shifted, c);
  };
  FOR_VECTORS(n, body);
  return sum_lanes(squares);
}

float error_row(const float* b, float factor, float scale, int64_t n, float* a, float* sums) {
  V squares = {};
  auto body = [&](int64_t i, int64_t c) {
    const V error = load_part(a + i, c) - load_part(b + i, c) * factor;
    squares += error * error;
    store_part(a + i, error * scale, c);
    store_part(sums + i, load_part(sums + i, c) + error * scale, c);
  };
  FOR_VECTORS(n, body);
  return sum_lanes(squares);
}

float adam(const AdamStep& step, const float* gradient, float along, int64_t n, float* parameter, float* m, float* v) {
  V squares = {};
  auto body = [&](int64_t i, int64_t c) {
    const V p = load_part(parameter + i, c);
    const V g = (load_part(gradient + i, c) - p * along) * step.gradient_scale;
    const V mean = load_part(m + i, c) * step.beta1 + g * (1 - step.beta1);
    const V square = load_part(v + i, c) * step.beta2 + g * g * (1 - step.beta2);
    store_part(m + i, mean, c);
    store_part(v + i, square, c);
    const V next = p - mean * step.rate / (square_root(square * step.inverse2) + step.epsilon);
    store_part(parameter + i, next, c);
    squares += next * next;
  };
  FOR_VECTORS(n, body);
  return sum_lanes(squares);
}

float signum(const SignumStep& step, const float* gradient, float along, int64_t n, float* parameter, float* z) {
  const float other = 1 - step.momentum;
  V squares = {};
  auto body = [&](int64_t i, int64_t c) {
    const V p = load_part(parameter + i, c), g = load_part(gradient + i, c) - p * along, before = load_part(z + i, c);
    const V average = (p - before * other) / step.momentum;
    // What is no number stays so.
    const V sign = g > V{} ? splat(1) : g < V{} ? splat(-1) : g;
    const V after = before - sign * step.rate;
    const V next = after * other + (average + (after - average) * step.weight) * step.momentum;
    store_part(z + i, after, c);
    store_part(parameter + i, next, c);
    squares += next * next;
  };
  FOR_VECTORS(n, body);
  return sum_lanes(squares);
}

}  // namespace
}  // namespace monosem
