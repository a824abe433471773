// Drawing sparse rows at random. Most roots of most rows are never looked at: candidates are found by marks, and of coupled
// roots those that the marks' bounds do not hold for are scouted by a product of all normals with all loadings. Float32
// serves where its error cannot matter; what is near an edge is decided in float64, as src/kernels/reference/firings.ts does.
#include "firings.h"

#include <algorithm>

#include "../pool.h"
#include "random.h"

namespace monosem {
namespace {

constexpr float kNever = 1e30f;
// Blocks whose normals are in memory at once.
constexpr int64_t kBlocksTogether = 64;

struct BlockRows {
  std::vector<uint32_t> ends;  // of each row kept
  std::vector<uint32_t> indices;
  std::vector<float> values, positions;
};

// In four partial sums, always the same.
double dot(const double* a, const double* b, int64_t n) {
  double sums[4] = {};
  int64_t k = 0;
  for (; k + 4 <= n; k += 4)
    for (int j = 0; j < 4; j++) sums[j] += a[k + j] * b[k + j];
  for (int j = 0; k + j < n; j++) sums[j] += a[k + j] * b[k + j];
  return sums[0] + sums[1] + (sums[2] + sums[3]);
}

// By how much a float32 product of a row of loadings, of length 1 at most, with normals of length `norm` may be off.
double product_error(int64_t rank, double norm) { return static_cast<double>(rank + 4) * 0x1p-23 * norm; }

// Loadings in float32, rows padded to whole vectors, and what they tell without float64.
class Scouts {
 public:
  explicit Scouts(const FiringPlan& plan)
      : plan_(plan), width_(round_up(plan.rank, 16)), weight_(plan.roots * width_), least_(plan.roots), bias_(plan.roots) {
    if (plan.rank == 0) return;
    for (int64_t i = 0; i < plan.roots; i++)
      std::copy_n(plan.loadings + i * plan.rank, plan.rank, weight_.begin() + i * width_);
    // The length of a row of normals is all but never 8 above its usual.
    const double margin = product_error(plan.rank, std::sqrt(static_cast<double>(plan.rank)) + 8);
    for (int64_t c = 0; c < plan.classes; c++) {
      for (uint32_t i = plan.class_offsets[c]; i < plan.class_offsets[c + 1]; i++) {
        const double least = plan.threshold[i] + plan.residual[i] * plan.ceiling[c] - margin;
        least_[i] = plan.bound[c] < 1 ? static_cast<float>(least) : kNever;
      }
    }
  }

  int64_t width() const { return width_; }
  const float* loadings(int64_t root) const { return weight_.data() + root * width_; }

  // Of rows of normals [rows, width], the roots whose probability may exceed their bound.
  Sparse exceeding(const std::vector<float>& normals) const {
    EncodeOperands operands{};
    operands.x = normals.data();
    operands.rows = static_cast<int64_t>(normals.size()) / width_;
    operands.width = width_;
    operands.weight = weight_.data();
    operands.bias = bias_.data();
    operands.columns = plan_.roots;
    return encode_threshold(operands, false, least_.data());
  }

 private:
  const FiringPlan& plan_;
  int64_t width_;
  std::vector<float> weight_, least_, bias_;
};

// P(normal <= z) between two values of a table, which most comparisons are settled by.
class ProbabilityTable {
 public:
  ProbabilityTable() {
    for (int i = 0; i <= kCells; i++) values_[i] = normal_probability(i * kCell - kReach);
  }
  double at_least(double z) const { return z < -kReach ? 0 : values_[cell(z)]; }
  double at_most(double z) const { return z >= kReach ? 1 : values_[cell(z) + 1]; }

 private:
  static constexpr int kCells = 512;
  static constexpr double kReach = 8, kCell = 2 * kReach / kCells;
  static int cell(double z) {
    const double place = (z + kReach) / kCell;
    return place < 0 ? 0 : place >= kCells ? kCells - 1 : static_cast<int>(place);
  }
  double values_[kCells + 1];
};

const ProbabilityTable& probability_table() {
  static const ProbabilityTable table;
  return table;
}

// The normals that all roots of a row share.
struct Shared {
  const double* exact;
  const float* rounded;  // padded
  double error;          // of rounded products
};

// Draws the rows of a block, one after another.
class Block {
 public:
  Block(const FiringPlan& plan, const Scouts& scouts, const uint32_t* stream, const NormalStream& normals)
      : plan_(plan),
        scouts_(scouts),
        random_(stream),
        normals_(normals),
        amplitude_(plan.features),
        position_(plan.positions ? plan.features : 0),
        class_of_(plan.rank ? plan.roots : 0),
        candidate_(plan.roots),
        root_(plan.roots + 1),
        place_(plan.roots + 1) {
    for (int64_t c = 0; plan.rank && c < plan.classes; c++)
      std::fill(class_of_.begin() + plan.class_offsets[c], class_of_.begin() + plan.class_offsets[c + 1], c);
  }

  // The features of the row, ascending. `shared`, and the roots that were scouted with their products,
  // where roots are coupled.
  const std::vector<uint32_t>& next_row(const Shared& shared, const uint32_t* scouted, const float* products,
                                        int64_t count) {
    for (uint32_t feature : fired_) amplitude_[feature] = 0;
    fired_.clear();
    candidates_ = 0;
    row_++;
    for (int64_t c = 0; c < plan_.classes; c++) mark(c);
    for (int64_t s = 0; s < count; s++) look_again(scouted[s], products[s], shared);
    int64_t firing = 0;
    for (int64_t i = 0; i < candidates_; i++) {
      const uint32_t root = root_[i];
      const bool fires = plan_.rank ? is_below(place_[i], root, shared) : place_[i] < plan_.probability[root];
      root_[firing] = root;
      firing += fires;
    }
    for (int64_t i = 0; i < firing; i++) fire(root_[i], 1);
    for (int64_t j = 0; j < plan_.conjunctions; j++) {
      const float a = amplitude_[plan_.first[j]], b = amplitude_[plan_.second[j]];
      const uint32_t feature = plan_.joint[j];
      if (a > 0 && b > 0 && !(amplitude_[feature] > 0))
        call(feature, plan_.product[j] ? static_cast<double>(a) * b : amplitude_of(feature));
    }
    std::sort(fired_.begin(), fired_.end());
    return fired_;
  }

  float amplitude(uint32_t feature) const { return amplitude_[feature]; }
  float position(uint32_t feature) const { return position_[feature]; }

 private:
  double excess(int64_t root, const Shared& shared) const {
    const double sum = dot(plan_.loadings + root * plan_.rank, shared.exact, plan_.rank);
    return (sum - plan_.threshold[root]) / plan_.residual[root];
  }

  // Whether the place is below the root's probability.
  bool is_below(double place, uint32_t root, const Shared& shared) const {
    const double sum = dot_(scouts_.loadings(root), shared.rounded, scouts_.width());
    const double above = sum - plan_.threshold[root], residual = plan_.residual[root];
    if (place >= table_.at_most((above + shared.error) / residual)) return false;
    if (place < table_.at_least((above - shared.error) / residual)) return true;
    return place < normal_probability(excess(root, shared));
  }

  void mark(int64_t c) {
    const double bound = plan_.bound[c];
    const uint32_t start = plan_.class_offsets[c], end = plan_.class_offsets[c + 1];
    if (bound == 1) {
      for (uint32_t root = start; root < end; root++) become_candidate(root, random_.uniform());
      return;
    }
    const double *counts = plan_.counts + plan_.count_offsets[c], *last = plan_.counts + plan_.count_offsets[c + 1];
    const int64_t marks = std::upper_bound(counts, last, random_.uniform()) - counts;
    const double among = end - start;
    for (int64_t m = 0; m < marks; m++) {
      const double at = random_.uniform() * among;
      const uint32_t place = static_cast<uint32_t>(at);
      if (candidate_[start + place] != row_) become_candidate(start + place, (at - place) * bound);
    }
  }

  // `product` of its loadings and the row's normals, in float32.
  void look_again(uint32_t root, float product, const Shared& shared) {
    if (candidate_[root] == row_) return;
    const int64_t c = class_of_[root];
    const double ceiling = plan_.threshold[root] + plan_.residual[root] * plan_.ceiling[c];
    if (product < ceiling - shared.error) return;
    if (product < ceiling + 2 * shared.error && !(excess(root, shared) > plan_.ceiling[c])) return;
    become_candidate(root, plan_.bound[c] + random_.uniform() * (1 - plan_.bound[c]));
  }

  void become_candidate(uint32_t root, double place) {
    candidate_[root] = row_;
    root_[candidates_] = root;
    place_[candidates_++] = place;
  }

  void fire(int64_t node, double parent_ratio) {
    const uint32_t feature = plan_.feature[node];
    double ratio = parent_ratio;
    if (feature != kNoFeature) {
      if (!(amplitude_[feature] > 0)) call(feature, amplitude_of(feature) * (plan_.scaled[node] ? parent_ratio : 1));
      ratio = amplitude_[feature] / plan_.mean[feature];
    }
    for (uint32_t group = plan_.group_offsets[node]; group < plan_.group_offsets[node + 1]; group++) {
      const uint32_t first = plan_.member_offsets[group], end = plan_.member_offsets[group + 1];
      if (plan_.exclusive[group]) {
        const double place = random_.uniform();
        double sum = 0;
        for (uint32_t m = first; m < end; m++) {
          sum += plan_.probability[m];
          if (place >= sum) continue;
          fire(m, ratio);
          break;
        }
      } else {
        for (uint32_t m = first; m < end; m++)
          if (random_.uniform() < plan_.probability[m]) fire(m, ratio);
      }
    }
  }

  double amplitude_of(uint32_t feature) {
    const uint8_t law = plan_.law[feature];
    for (;;) {
      const double noise = law == kUniformLaw ? 1 - random_.uniform() : normals_.next();
      const double drawn = plan_.shift[feature] + plan_.spread[feature] * noise;
      const double amplitude = law == kFoldedLaw ? std::abs(drawn) : drawn;
      if (static_cast<float>(amplitude) > 0) return amplitude;
    }
  }

  void call(uint32_t feature, double amplitude) {
    amplitude_[feature] = static_cast<float>(amplitude);
    fired_.push_back(feature);
    if (!plan_.positions) return;
    const uint32_t points = plan_.positions[feature];
    if (points == 0) position_[feature] = 0;
    else if (points == kAnywhere) position_[feature] = random_.uniform_float();
    else position_[feature] = static_cast<float>(std::floor(random_.uniform() * points) / points);
  }

  const FiringPlan& plan_;
  const Scouts& scouts_;
  const ProbabilityTable& table_ = probability_table();
  RandomStream random_;
  NormalStream normals_;
  float (*dot_)(const float* a, const float* b, int64_t n) = kernels().dot;
  std::vector<uint32_t> fired_;
  std::vector<float> amplitude_;  // 0 where a feature does not fire
  std::vector<float> position_;
  std::vector<uint32_t> class_of_;
  std::vector<uint32_t> candidate_;  // the last row in which a root was one
  std::vector<uint32_t> root_;       // of each of this row's candidates
  std::vector<double> place_;
  int64_t candidates_ = 0;
  uint32_t row_ = 0;
};

// All blocks' rows one after another.
Firings joined(const std::vector<BlockRows>& blocks, int64_t rows, bool positions) {
  std::vector<int64_t> starts;
  std::vector<uint32_t> offsets{0};
  offsets.reserve(rows + 1);
  for (const BlockRows& block : blocks) {
    starts.push_back(offsets.back());
    for (uint32_t end : block.ends) offsets.push_back(starts.back() + end);
  }
  const int64_t entries = offsets.back();
  Firings whole{{std::move(offsets), Array<uint32_t>(entries), Array<float>(entries)},
                Array<float>(positions ? entries : 0)};
  parallel_for(static_cast<int64_t>(blocks.size()), [&](int64_t b) {
    std::copy(blocks[b].indices.begin(), blocks[b].indices.end(), &whole.labels.indices[starts[b]]);
    std::copy(blocks[b].values.begin(), blocks[b].values.end(), &whole.labels.values[starts[b]]);
    std::copy(blocks[b].positions.begin(), blocks[b].positions.end(), &whole.positions[starts[b]]);
  });
  return whole;
}

}  // namespace

Firings draw_firings(const FiringPlan& plan, const uint32_t* streams, int64_t block_rows, int64_t skip, int64_t rows) {
  const int64_t count = ceil_div(skip + rows, block_rows), rank = plan.rank;
  const Scouts scouts(plan);
  std::vector<BlockRows> drawn(count);
  for (int64_t from = 0; from < count; from += kBlocksTogether) {
    const int64_t together = std::min(kBlocksTogether, count - from);
    std::vector<NormalStream> normals;
    for (int64_t b = 0; b < together; b++) normals.emplace_back(streams + 8 * (from + b) + 4);
    std::vector<double> exact(together * block_rows * rank);
    std::vector<float> rounded(together * block_rows * scouts.width());
    parallel_for(rank ? together : 0, [&](int64_t b) {
      for (int64_t r = b * block_rows; r < (b + 1) * block_rows; r++) {
        for (int64_t k = 0; k < rank; k++) {
          exact[r * rank + k] = normals[b].next();
          rounded[r * scouts.width() + k] = static_cast<float>(exact[r * rank + k]);
        }
      }
    });
    const Sparse exceeding = rank ? scouts.exceeding(rounded) : Sparse{};
    parallel_for(together, [&](int64_t b) {
      BlockRows& out = drawn[from + b];
      Block block(plan, scouts, streams + 8 * (from + b), normals[b]);
      const int64_t start = (from + b) * block_rows;
      for (int64_t r = 0; r < std::min(block_rows, skip + rows - start); r++) {
        const int64_t row = b * block_rows + r;
        const double* own = exact.data() + row * rank;
        const Shared shared{own, rounded.data() + row * scouts.width(),
                            product_error(rank, std::sqrt(dot(own, own, rank)))};
        const uint32_t first = rank ? exceeding.offsets[row] : 0, end = rank ? exceeding.offsets[row + 1] : 0;
        const std::vector<uint32_t>& fired =
            block.next_row(shared, exceeding.indices.begin() + first, exceeding.values.begin() + first, end - first);
        if (start + r < skip) continue;
        for (uint32_t feature : fired) {
          out.indices.push_back(feature);
          out.values.push_back(block.amplitude(feature));
          if (plan.positions) out.positions.push_back(block.position(feature));
        }
        out.ends.push_back(static_cast<uint32_t>(out.indices.size()));
      }
    });
  }
  return joined(drawn, rows, plan.positions != nullptr);
}

}  // namespace monosem
