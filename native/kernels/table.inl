// Fills in the table from the kernels of this instruction set. KERNELS_NAME names it; ENCODE and ENCODE_SCRATCH
// stand for its way to encode.

namespace monosem {
namespace {

const Kernels kKernels = {
    KERNELS_NAME, kPanel,      kStrip,       pack,       linear,       ENCODE,          ENCODE_SCRATCH,
    decode_row,   dot,         gather_sum,   add,        swiglu,       scale_row,       center_row,
    residual_row, subtract_scaled, adam,     attention_head, attention_step, max,       exp_sum,
    exp_weighted_difference,
};

}  // namespace
}  // namespace monosem
