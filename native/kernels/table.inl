// Fills in the table from the kernels of this instruction set. KERNELS_NAME names it; ENCODE is how it
// multiplies to encode, DENSE_BF16 and CACHED_BF16 how it multiplies and what it caches where it may round to bfloat16.
#include "peak.inl"

namespace monosem {
namespace {

const Kernels kKernels = {
    KERNELS_NAME, ENCODE,       finish_list,    bound_of,       choose_row, {kDenseFp32, DENSE_BF16},
    {kCachedFp32, CACHED_BF16},
    decode_row,   dot,          slice_squares,  gather_sum, add_moments, add, swiglu,
    scale_row,    center_row,   residual_row,   shift_row,      error_row,  adam,
    signum,       draw_rows,    embed_row,      spread_row,     output_row,
    draw_columns, embed_columns, output_columns, column_products,
    rms_norm_row, layer_norm_row, rotate_row, max,            exp_sum,        exp_weighted_difference, kPeaks,
};

}  // namespace
}  // namespace monosem
