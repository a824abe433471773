// Fills in the table from the kernels of this instruction set. KERNELS_NAME names it; ENCODE is how it
// multiplies to encode.

namespace monosem {
namespace {

const Kernels kKernels = {
    KERNELS_NAME,   ENCODE,      finish_list, bound_of,       kPanel,         kStrip,    pack,
    linear,         decode_row,  dot,         slice_squares, gather_sum,     add,       swiglu,     scale_row,
    center_row,     residual_row, shift_row,   error_row,      adam,     attention_head,
    attention_step, max,         exp_sum,     exp_weighted_difference,
};

}  // namespace
}  // namespace monosem
