// Sparse rows drawn at random: the plan and the streams of src/kernels/firingOperations.ts, whose words these are.
#pragma once

#include "operations.h"

namespace monosem {

constexpr uint32_t kNoFeature = 0xffffffff;
constexpr uint32_t kAnywhere = 0xffffffff;
enum AmplitudeLaw : uint8_t { kUniformLaw, kFoldedLaw, kNormalLaw };

struct FiringPlan {
  int64_t features, nodes, groups, classes, roots, rank;
  // Forest.
  const uint32_t* feature;         // [nodes]
  const double* probability;       // [nodes]
  const uint8_t* scaled;           // [nodes]
  const uint32_t* group_offsets;   // [nodes + 1]
  const uint32_t* member_offsets;  // [groups + 1]
  const uint8_t* exclusive;        // [groups]
  // Classes of roots.
  const uint32_t* class_offsets;  // [classes + 1]
  const double* bound;            // [classes]
  const uint32_t* count_offsets;  // [classes + 1]
  const double* counts;
  // Coupling, where rank > 0.
  const double* loadings;   // [roots, rank]
  const double* threshold;  // [roots]
  const double* residual;   // [roots]
  const double* ceiling;    // [classes]
  // Amplitudes.
  const uint8_t* law;    // [features]
  const double* shift;   // [features]
  const double* spread;  // [features]
  const double* mean;    // [features]
  // Conjunctions.
  int64_t conjunctions;
  const uint32_t* first;
  const uint32_t* second;
  const uint32_t* joint;
  const uint8_t* product;
  // Or null.
  const uint32_t* positions;  // [features]
};

struct Firings {
  Sparse labels;
  Array<float> positions;  // of each entry, where the plan has them
};

// Rows skip .. skip + rows - 1 of blocks of block_rows; streams [blocks, 2, 4].
Firings draw_firings(const FiringPlan& plan, const uint32_t* streams, int64_t block_rows, int64_t skip, int64_t rows);

}  // namespace monosem
