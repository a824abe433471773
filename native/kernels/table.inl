// Fills in the table from the kernels of this instruction set. KERNELS_NAME names it; ENCODE is how it
// multiplies to encode.
#include "peak.inl"

namespace monosem {
namespace {

const Kernels kKernels = {
    KERNELS_NAME,   ENCODE,      finish_list, bound_of,       kPanel,         kStrip,    pack,
    linear,         decode_row,  dot,         gather_sum,     add,       swiglu,     scale_row,
    center_row,     residual_row, subtract_scaled, adam,      attention_head, attention_step, max,
    exp_sum,        exp_weighted_difference, kPeaks,
};

}  // namespace
}  // namespace monosem
