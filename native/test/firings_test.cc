// operations/firings.cc against a version that looks at every root of every row in double, and random.h against what the
// normal distribution is known to be.
#include <algorithm>
#include <map>

#include "../operations/firings.h"
#include "../operations/random.h"
#include "suites.h"

namespace monosem::test {
namespace {

constexpr int64_t kBlockRows = 8;

// Roots without children, in a few classes of bounds, coupled or not; amplitudes uniform, positions on five points.
struct World {
  int64_t rank;
  std::vector<double> probability, bound, ceiling, loadings, threshold, residual, counts, shift, spread, mean;
  std::vector<uint32_t> feature, group_offsets, member_offsets, class_offsets{0}, count_offsets{0}, positions;
  std::vector<uint8_t> scaled, exclusive, law;
  FiringPlan plan{};

  explicit World(Random& random) : rank(random.coin() ? 0 : random.between(1, 40)) {
    const int64_t classes = random.between(0, 5);
    for (int64_t c = 0; c < classes; c++) {
      const int64_t size = random.between(1, 40);
      bound.push_back(random.between(0, 4) == 0 ? 1 : 0.02 + 0.9 * random.uniform());
      // The quantile of the bound, by bisection.
      double low = -8, high = 8;
      for (int i = 0; i < 60; i++) (normal_probability((low + high) / 2) < bound[c] ? low : high) = (low + high) / 2;
      ceiling.push_back(low);
      for (int64_t i = 0; i < size; i++) root(random, bound[c] * random.uniform());
      class_offsets.push_back(static_cast<uint32_t>(feature.size()));
      if (bound[c] < 1) count(-static_cast<double>(size) * std::log1p(-bound[c]));
      count_offsets.push_back(static_cast<uint32_t>(counts.size()));
    }
    const int64_t roots = static_cast<int64_t>(feature.size());
    group_offsets.assign(roots + 1, 0);
    member_offsets = {static_cast<uint32_t>(roots)};
    scaled.assign(roots, 0);
    law.assign(roots, kUniformLaw);
    shift.assign(roots, 1);
    spread.assign(roots, 2);
    mean.assign(roots, 2);
    positions.assign(roots, 5);
    plan.features = plan.nodes = plan.roots = roots;
    plan.classes = classes;
    plan.rank = rank;
    plan.feature = feature.data();
    plan.probability = probability.data();
    plan.scaled = scaled.data();
    plan.group_offsets = group_offsets.data();
    plan.member_offsets = member_offsets.data();
    plan.exclusive = exclusive.data();
    plan.class_offsets = class_offsets.data();
    plan.bound = bound.data();
    plan.count_offsets = count_offsets.data();
    plan.counts = counts.data();
    plan.loadings = loadings.data();
    plan.threshold = threshold.data();
    plan.residual = residual.data();
    plan.ceiling = ceiling.data();
    plan.law = law.data();
    plan.shift = shift.data();
    plan.spread = spread.data();
    plan.mean = mean.data();
    plan.positions = positions.data();
  }

  void root(Random& random, double p) {
    // The last root's feature is the first: features are not in the order of roots.
    for (uint32_t& other : feature) other++;
    feature.push_back(0);
    probability.push_back(p);
    double square = 0;
    const double scale = random.between(0, 5) == 0 ? 1 : random.uniform();
    std::vector<double> row;
    for (int64_t k = 0; k < rank; k++) {
      row.push_back(random.normal());
      square += row[k] * row[k];
    }
    for (double l : row) loadings.push_back(l * scale / std::sqrt(square));
    threshold.push_back(3 * random.uniform() - 0.5);
    residual.push_back(std::sqrt(std::max(0.0, 1 - scale * scale)));
  }

  // The cumulative distribution of a Poisson variable.
  void count(double expected) {
    double term = std::exp(-expected), sum = 0;
    for (int k = 1; sum < 1 - 1e-15 && k < 1000; k++) {
      counts.push_back(std::min(1.0, sum += term));
      term *= expected / k;
    }
    counts.back() = 1;
  }
};

struct Row {
  std::map<uint32_t, std::pair<float, float>> fired;  // by feature: amplitude and position
};

std::vector<Row> exact_rows(const World& w, const uint32_t* stream, int64_t rows) {
  RandomStream random(stream);
  NormalStream normals(stream + 4);
  std::vector<double> shared(kBlockRows * w.rank);
  for (double& value : shared) value = normals.next();
  std::vector<Row> result(rows);
  for (int64_t r = 0; r < rows; r++) {
    const auto excess = [&](uint32_t i) {
      double sums[4] = {};
      for (int64_t k = 0; k < w.rank; k++) sums[k % 4] += w.loadings[i * w.rank + k] * shared[r * w.rank + k];
      return (sums[0] + sums[1] + (sums[2] + sums[3]) - w.threshold[i]) / w.residual[i];
    };
    std::vector<std::pair<uint32_t, double>> places;
    std::vector<bool> candidate(w.feature.size());
    const auto become_candidate = [&](uint32_t i, double place) {
      candidate[i] = true;
      places.push_back({i, place});
    };
    for (size_t c = 0; c < w.bound.size(); c++) {
      const uint32_t start = w.class_offsets[c], end = w.class_offsets[c + 1];
      if (w.bound[c] == 1) {
        for (uint32_t i = start; i < end; i++) become_candidate(i, random.uniform());
        continue;
      }
      const double drawn = random.uniform();
      for (uint32_t m = w.count_offsets[c]; !(drawn < w.counts[m]); m++) {
        const double at = random.uniform() * (end - start);
        const uint32_t place = static_cast<uint32_t>(at);
        if (!candidate[start + place]) become_candidate(start + place, (at - place) * w.bound[c]);
      }
    }
    for (size_t c = 0; w.rank && c < w.bound.size(); c++)
      for (uint32_t i = w.class_offsets[c]; i < w.class_offsets[c + 1]; i++)
        if (!candidate[i] && excess(i) > w.ceiling[c])
          become_candidate(i, w.bound[c] + random.uniform() * (1 - w.bound[c]));
    for (const auto& [i, place] : places) {
      if (!(place < (w.rank ? normal_probability(excess(i)) : w.probability[i]))) continue;
      const float amplitude = static_cast<float>(1 + 2 * (1 - random.uniform()));
      result[r].fired[w.feature[i]] = {amplitude, static_cast<float>(std::floor(random.uniform() * 5) / 5)};
    }
  }
  return result;
}

std::vector<uint32_t> random_streams(Random& random, int64_t blocks) {
  std::vector<uint32_t> streams(8 * blocks);
  for (uint32_t& word : streams) word = static_cast<uint32_t>(random.bits() >> 32) | 1;
  return streams;
}

struct Drawn {
  std::vector<uint32_t> offsets, indices;
  std::vector<float> values, positions;
};

bool same_bytes(const Drawn& a, const Drawn& b) {
  using test::same_bytes;
  return same_bytes(a.offsets, b.offsets) && same_bytes(a.indices, b.indices) && same_bytes(a.values, b.values) &&
         same_bytes(a.positions, b.positions);
}

void rows_as_by_looking_at_all(Random& random) {
  const World w(random);
  const int64_t skip = random.between(0, 20), rows = random.between(0, 60);
  const int64_t blocks = ceil_div(skip + rows, kBlockRows);
  const std::vector<uint32_t> streams = random_streams(random, blocks);
  const Drawn found = for_any_threads([&] {
    const Firings drawn = draw_firings(w.plan, streams.data(), kBlockRows, skip, rows);
    const auto& [offsets, indices, values] = drawn.labels;
    return Drawn{offsets,
                 {indices.begin(), indices.end()},
                 {values.begin(), values.end()},
                 {drawn.positions.begin(), drawn.positions.end()}};
  });
  expect(static_cast<int64_t>(found.offsets.size()) == rows + 1, "offsets of another number of rows");
  uint32_t e = 0;
  for (int64_t b = 0; b < blocks; b++) {
    const std::vector<Row> expected = exact_rows(w, streams.data() + 8 * b, kBlockRows);
    for (int64_t r = 0; r < kBlockRows; r++) {
      const int64_t row = b * kBlockRows + r - skip;
      if (row < 0 || row >= rows) continue;
      expect(found.offsets[row] == e, "row " + std::to_string(row) + " begins elsewhere");
      for (const auto& [feature, drawn] : expected[r].fired) {
        expect(e < found.indices.size() && found.indices[e] == feature, "another feature in row " + std::to_string(row));
        expect(found.values[e] == drawn.first && found.positions[e] == drawn.second, "another amplitude or position");
        e++;
      }
    }
  }
  expect(found.offsets[rows] == e, "more entries than there should be");
}

void normals_have_their_moments(Random& random) {
  NormalStream normals(random_streams(random, 1).data());
  constexpr int kCount = 200000;
  double sums[4] = {}, beyond = 0;
  for (int i = 0; i < kCount; i++) {
    const double z = normals.next();
    for (int k = 0; k < 4; k++) sums[k] += std::pow(z, k + 1) / kCount;
    beyond += z > 2;
  }
  const double moments[] = {0, 1, 0, 3}, variances[] = {1, 2, 15, 96};
  for (int k = 0; k < 4; k++)
    expect(std::abs(sums[k] - moments[k]) < 5 * std::sqrt(variances[k] / kCount), "moment " + std::to_string(k + 1));
  const double p = 1 - normal_probability(2);
  expect(std::abs(p - 0.0227501319481792) < 1e-14, "P(normal > 2)");
  expect(std::abs(beyond / kCount - p) < 5 * std::sqrt(p / kCount), "the share above 2");
}

}  // namespace

std::vector<Test> firings_tests() {
  return {{"firings: rows as by looking at all roots", 60, rows_as_by_looking_at_all},
          {"firings: normals have their moments", 3, normals_have_their_moments}};
}

}  // namespace monosem::test
