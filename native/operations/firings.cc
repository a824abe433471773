// Drawing sparse rows at random. Most roots of most rows are never looked at: candidates are found by leaps, and of coupled
// roots those that the leaps' bounds do not hold for are scouted in float32 by a product of all normals with all loadings.
// What is decided is decided in float64, in the order of src/kernels/reference/firings.ts: scouting finds too many.
#include "firings.h"

#include <algorithm>

#include "../pool.h"
#include "random.h"

namespace monosem {
namespace {

// What float32 may be off by, with room to spare: products of a few dozen numbers of size 1.
constexpr double kScoutMargin = 1e-3;
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

// The roots of some rows whose probability may exceed their bound.
class Scouts {
 public:
  explicit Scouts(const FiringPlan& plan) : plan_(plan), weight_(plan.roots * plan.rank), least_(plan.roots) {
    if (plan.rank == 0) return;
    std::copy_n(plan.loadings, plan.roots * plan.rank, weight_.begin());
    for (int64_t c = 0; c < plan.classes; c++) {
      for (uint32_t i = plan.class_offsets[c]; i < plan.class_offsets[c + 1]; i++) {
        const double least = plan.threshold[i] + plan.residual[i] * plan.ceiling[c] - kScoutMargin;
        least_[i] = plan.bound[c] < 1 ? static_cast<float>(least) : kNever;
      }
    }
  }

  Sparse find(const std::vector<double>& normals) const {
    const std::vector<float> x(normals.begin(), normals.end()), bias(plan_.roots);
    EncodeOperands operands{};
    operands.x = x.data();
    operands.rows = static_cast<int64_t>(x.size()) / plan_.rank;
    operands.width = plan_.rank;
    operands.weight = weight_.data();
    operands.bias = bias.data();
    operands.columns = plan_.roots;
    return encode_threshold(operands, false, least_.data());
  }

 private:
  const FiringPlan& plan_;
  std::vector<float> weight_, least_;
};

// Draws the rows of a block, one after another.
class Block {
 public:
  Block(const FiringPlan& plan, const uint32_t* stream, const NormalStream& normals)
      : plan_(plan),
        random_(stream),
        normals_(normals),
        amplitude_(plan.features),
        position_(plan.positions ? plan.features : 0),
        class_of_(plan.rank ? plan.roots : 0),
        candidate_(plan.rank ? plan.roots : 0) {
    for (int64_t c = 0; plan.rank && c < plan.classes; c++)
      std::fill(class_of_.begin() + plan.class_offsets[c], class_of_.begin() + plan.class_offsets[c + 1], c);
  }

  // The features of the row, ascending. `shared`, and the scouts of the row, where roots are coupled.
  const std::vector<uint32_t>& next_row(const double* shared, const uint32_t* scouts, int64_t scouted) {
    for (uint32_t feature : fired_) amplitude_[feature] = 0;
    fired_.clear();
    row_++;
    for (int64_t c = 0; c < plan_.classes; c++) leap(c, shared);
    for (int64_t s = 0; s < scouted; s++) look_again(scouts[s], shared);
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
  double excess(int64_t root, const double* shared) const {
    const double sum = dot(plan_.loadings + root * plan_.rank, shared, plan_.rank);
    return (sum - plan_.threshold[root]) / plan_.residual[root];
  }

  void leap(int64_t c, const double* shared) {
    const double bound = plan_.bound[c], stride = plan_.stride[c];
    const int64_t end = plan_.class_offsets[c + 1];
    for (int64_t root = plan_.class_offsets[c]; root < end; root++) {
      if (bound < 1) {
        const double leap = std::floor(std::log(1 - random_.uniform()) * stride);
        if (!(leap < static_cast<double>(end - root))) return;
        root += static_cast<int64_t>(leap);
      }
      if (plan_.rank) candidate_[root] = row_;
      const double probability = plan_.rank ? normal_probability(excess(root, shared)) : plan_.probability[root];
      if (random_.uniform() * bound < probability) fire(root, 1);
    }
  }

  void look_again(uint32_t root, const double* shared) {
    const int64_t c = class_of_[root];
    if (candidate_[root] == row_) return;
    const double z = excess(root, shared);
    if (!(z > plan_.ceiling[c])) return;
    const double place = plan_.bound[c] + random_.uniform() * (1 - plan_.bound[c]);
    if (place < normal_probability(z)) fire(root, 1);
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
  RandomStream random_;
  NormalStream normals_;
  std::vector<uint32_t> fired_;
  std::vector<float> amplitude_;  // 0 where a feature does not fire
  std::vector<float> position_;
  std::vector<int64_t> class_of_;
  std::vector<int64_t> candidate_;  // the last row in which a root was one
  int64_t row_ = 0;
};

// All blocks' rows one after another, of which the first rows of the first block are left out.
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
  const int64_t count = ceil_div(skip + rows, block_rows), rank = plan.rank, normals_each = block_rows * rank;
  const Scouts scouts(plan);
  std::vector<BlockRows> drawn(count);
  for (int64_t from = 0; from < count; from += kBlocksTogether) {
    const int64_t together = std::min(kBlocksTogether, count - from);
    std::vector<NormalStream> normals;
    for (int64_t b = 0; b < together; b++) normals.emplace_back(streams + 8 * (from + b) + 4);
    std::vector<double> shared(together * normals_each);
    parallel_for(rank ? together : 0, [&](int64_t b) {
      for (int64_t i = 0; i < normals_each; i++) shared[b * normals_each + i] = normals[b].next();
    });
    const Sparse found = rank ? scouts.find(shared) : Sparse{};
    parallel_for(together, [&](int64_t b) {
      BlockRows& out = drawn[from + b];
      Block block(plan, streams + 8 * (from + b), normals[b]);
      const int64_t start = (from + b) * block_rows;
      for (int64_t r = 0; r < std::min(block_rows, skip + rows - start); r++) {
        const int64_t row = b * block_rows + r;
        const uint32_t* scouted = rank ? found.indices.begin() + found.offsets[row] : nullptr;
        const std::vector<uint32_t>& fired = block.next_row(shared.data() + row * rank, scouted,
                                                            rank ? found.offsets[row + 1] - found.offsets[row] : 0);
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
