// Lists of a row's strongest pre-activations, filled while columns are scanned in ascending order. A list keeps that
// order, so that of equal values the lower column stands first.
//
// Of magnitudes the list keeps these in place of values, and the signs in the columns' highest bits.
//
// Values may only scout: computed from rounded operands, they are off by at most their error, and every column whose
// upper bound exceeds the threshold is let through. `settle` then computes those few in float32.

namespace monosem {
namespace {

inline uint32_t bits_of(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline float float_of(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

// The lanes that belong to a list of which `left` entries are left.
inline uint32_t tail_mask(int64_t left) { return left >= LANES ? (1u << LANES) - 1 : (1u << left) - 1; }

inline int64_t count_at_least(const float* values, int64_t n, float bound) {
  const V limit = splat(bound);
  int64_t count = 0;
  for (int64_t i = 0; i < n; i += LANES)
    count += __builtin_popcount(at_least_mask(load(values + i), limit) & tail_mask(n - i));
  return count;
}

// A bound that between `k` and `most` of the values reach (n >= k of them, all >= 0); where equal values make that
// impossible, the k-th largest value. Halves an interval of bits, which order floats >= 0 as integers.
float bound_of(const float* values, int64_t n, int64_t k, int64_t most) {
  V least = splat(values[0]), largest = least;
  for (int64_t i = 0; i + LANES <= n; i += LANES) {
    const V v = load(values + i);
    least = least < v ? least : v;
    largest = max_of(largest, v);
  }
  float lowest = min_lanes(least), highest = max_lanes(largest);
  for (int64_t i = n - n % LANES; i < n; i++) {
    lowest = values[i] < lowest ? values[i] : lowest;
    highest = values[i] > highest ? values[i] : highest;
  }
  uint32_t low = bits_of(lowest), high = bits_of(highest) + 1;
  if (k == 1) return highest;
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    const int64_t count = count_at_least(values, n, float_of(middle));
    if (count >= k) {
      low = middle;
      if (count <= most) break;
    } else {
      high = middle;
    }
  }
  return float_of(low);
}

inline void store_columns(uint32_t* to, const uint32_t* from, uint32_t mask) {
  V columns;
  __builtin_memcpy(&columns, from, sizeof columns);
  store_chosen(reinterpret_cast<float*>(to), columns, mask);
}

// Keeps the entries for which `mask(i)`, for LANES of them from i on, has a bit.
template <class Mask>
inline void keep(RowList& list, Mask mask) {
  int32_t kept = 0;
  for (int32_t i = 0; i < list.count; i += LANES) {
    const uint32_t chosen = mask(i) & tail_mask(list.count - i);
    store_chosen(list.value + kept, load(list.value + i), chosen);
    if (list.error) store_chosen(list.error + kept, load(list.error + i), chosen);
    store_columns(list.column + kept, list.column + i, chosen);
    kept += __builtin_popcount(chosen);
  }
  list.count = kept;
}

// Takes of a row of n pre-activations those that reach `least`; returns how many.
int64_t choose_row(const float* row, int64_t n, float least, uint32_t* columns, float* values) {
  VI column;
  for (int i = 0; i < LANES; i++) column[i] = i;
  int64_t count = 0;
  for (int64_t i = 0; i < n; i += LANES, column += LANES) {
    const V v = load(row + i);
    const uint32_t chosen = at_least_mask(v, splat(least)) & tail_mask(n - i);
    store_chosen(values + count, v, chosen);
    store_chosen(reinterpret_cast<float*>(columns + count), (V)column, chosen);
    count += __builtin_popcount(chosen);
  }
  return count;
}

// Drops all but the strongest k entries, or but somewhat more where that is quicker: never more than `most`.
void keep_strongest(RowList& list, int64_t k, int64_t most) {
  if (list.count <= most) return;
  const float bound = bound_of(list.value, list.count, k, most);
  const int64_t reached = count_at_least(list.value, list.count, bound);
  // Equal values straddle the k-th place: the last of them go.
  int64_t surplus = reached <= most ? 0 : reached - k;
  for (int32_t i = list.count - 1; surplus > 0; i--) {
    if (list.value[i] != bound) continue;
    list.value[i] = -1;
    surplus--;
  }
  keep(list, [&](int32_t i) { return at_least_mask(load(list.value + i), splat(bound)); });
  if (bound > list.threshold) list.threshold = bound;
}

// Computes every entry in float32.
void settle(RowList& list, const EncodeOperands& operands, int64_t row) {
  const float* x = operands.x + row * operands.width;
  for (int32_t i = 0; i < list.count; i++) {
    const uint32_t at = list.magnitudes ? list.column[i] & ~kMinus : list.column[i];
    const uint32_t column = operands.subset ? operands.subset[at] : at;
    float value = dot(x, operands.weight + column * operands.width, operands.width) + operands.bias[column];
    if (list.magnitudes) {
      list.column[i] = value < 0 ? at | kMinus : at;
      value = __builtin_fabsf(value);
    }
    list.value[i] = value;
    list.error[i] = 0;
  }
}

// And drops what is not positive then.
void settle_positive(RowList& list, const EncodeOperands& operands, int64_t row) {
  settle(list, operands, row);
  keep(list, [&](int32_t i) { return greater_mask(load(list.value + i), V{}); });
}

// Raises the threshold to what k columns are sure to reach, and drops what cannot reach it.
void drop_hopeless(RowList& list, int64_t k, float* room) {
  if (list.count <= k) return;
  for (int32_t i = 0; i < list.count; i += LANES)
    store(room + i, max_of(load(list.value + i) - load(list.error + i), V{}));
  const float bound = bound_of(room, list.count, k, k + k / 8);
  if (bound > list.threshold) list.threshold = bound;
  // Not what just reaches the threshold: a settled entry may be the very one that set it.
  keep(list, [&](int32_t i) {
    return at_least_mask(load(list.value + i) + load(list.error + i), splat(list.threshold));
  });
}

// Makes room in a full list.
void __attribute__((noinline)) prune(RowList& list, const Scan& scan, int64_t row) {
  const int64_t k = scan.k;
  if (!list.error) return keep_strongest(list, k, k + k / 4);
  drop_hopeless(list, k, scan.room);
  if (list.count <= (k + list.capacity) / 2) return;
  settle_positive(list, *scan.operands, row);
  keep_strongest(list, k, k);
}

void finish_list(RowList& list, const EncodeOperands& operands, int64_t row, const float* threshold, int64_t k,
                 float* room) {
  if (threshold) {
    if (!list.error) return;
    settle(list, operands, row);
    int32_t kept = 0;
    for (int32_t i = 0; i < list.count; i++) {
      if (!(list.value[i] > threshold[list.column[i]])) continue;
      list.value[kept] = list.value[i];
      list.column[kept++] = list.column[i];
    }
    list.count = kept;
    return;
  }
  if (list.error) {
    drop_hopeless(list, k, room);
    settle_positive(list, operands, row);
  }
  keep_strongest(list, k, k);
}

// What is known of two vectors of columns, from the group's column `at` on. `threshold` only where columns have one.
struct PanelColumns {
  V bias[2];
  V norm[2];
  V rounding[2];
  V threshold[2];
};

template <bool scouting>
inline __attribute__((always_inline)) PanelColumns columns_at(const Scan& scan, int64_t at) {
  PanelColumns c = {};
#pragma GCC unroll 2
  for (int i = 0; i < 2; i++, at += LANES) {
    c.bias[i] = load(scan.bias + at);
    if (scouting) c.norm[i] = load(scan.norm + at);
    if (scouting) c.rounding[i] = load(scan.rounding + at);
    if (scan.threshold) c.threshold[i] = load(scan.threshold + at);
  }
  return c;
}

// Products of one row with the columns, biases added, and how far each may be off: |x_r - bf(x_r)| |w_j| +
// |bf(x_r)| |w_j - bf(w_j)| is what rounding can do (Cauchy-Schwarz), and the rounding of the sums is in the norms.
struct Products {
  V value[2];
  V error[2];
};

template <bool scouting>
inline __attribute__((always_inline)) Products products_of(const PanelColumns& c, float norm, float rounding, V first,
                                                           V second) {
  Products p = {{first + c.bias[0], second + c.bias[1]}, {}};
  if (!scouting) return p;
#pragma GCC unroll 2
  for (int i = 0; i < 2; i++) p.error[i] = c.norm[i] * rounding + c.rounding[i] * norm;
  return p;
}

// What is compared: values with thresholds of the rows, or of the columns; or magnitudes with thresholds of the rows.
enum class By { kRow, kColumn, kMagnitude };

inline By compared(const Scan& scan) {
  return scan.threshold ? By::kColumn : scan.magnitudes ? By::kMagnitude : By::kRow;
}

inline V magnitude(V v) { return (V)((VI)v & (int32_t)~kMinus); }

// A bit for each column that may be chosen. `threshold` is the row's.
template <By by>
inline __attribute__((always_inline)) uint32_t passing(const PanelColumns& c, float threshold, const Products& p) {
  const V a = by == By::kColumn ? c.threshold[0] : splat(threshold), b = by == By::kColumn ? c.threshold[1] : a;
  const V first = by == By::kMagnitude ? magnitude(p.value[0]) : p.value[0];
  const V second = by == By::kMagnitude ? magnitude(p.value[1]) : p.value[1];
  return greater_mask(first + p.error[0], a) | greater_mask(second + p.error[1], b) << LANES;
}

// The columns of the mask go to the row's list. Without branches on either half, which could not be predicted.
template <By by>
inline __attribute__((always_inline)) void take(const Scan& scan, int64_t row, int64_t at, const Products& p,
                                                uint32_t mask) {
  RowList& list = scan.lists[row];
  VI columns;
  for (int i = 0; i < LANES; i++) columns[i] = i;
  columns += (int32_t)(scan.first_column + at);
  int64_t count = list.count;
#pragma GCC unroll 2
  for (int half = 0; half < 2; half++) {
    const uint32_t chosen = mask >> half * LANES & tail_mask(LANES);
    V value = p.value[half], lanes = (V)columns;
    if (by == By::kMagnitude) {
      lanes = (V)(columns | ((VI)value & (int32_t)kMinus));
      value = magnitude(value);
    }
    store_chosen(list.value + count, value, chosen);
    store_chosen(reinterpret_cast<float*>(list.column + count), lanes, chosen);
    if (list.error) store_chosen(list.error + count, p.error[half], chosen);
    columns += LANES;
    count += __builtin_popcount(chosen);
  }
  list.count = (int32_t)count;
  if (by != By::kColumn && count > list.capacity) prune(list, scan, scan.first_row + row);
}

// Compares and takes at once.
template <bool scouting, By by>
inline __attribute__((always_inline)) void select(const Scan& scan, int64_t row, int64_t at, const PanelColumns& c,
                                                  V first, V second) {
  const RowList& list = scan.lists[row];
  const Products p = products_of<scouting>(c, list.norm, list.rounding, first, second);
  const uint32_t mask = passing<by>(c, list.threshold, p);
  if (__builtin_expect(mask != 0, 0)) take<by>(scan, row, at, p, mask);
}

}  // namespace
}  // namespace monosem
