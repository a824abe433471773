// Choosing among all pre-activations of a batch at once, where these are so few, or so many of them are chosen, that
// writing them down is faster than lists of what passes (see encoder.h).
#pragma once

#include "operations.h"

namespace monosem {

// The `total` largest that are > 0: of equal values the lower row, then the lower column. All columns take part. Products
// and values are those of float32.
Sparse strongest_written_down(const EncodeOperands& operands, int64_t total);

}  // namespace monosem
