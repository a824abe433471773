// The kernels, written once over the vectors of simd.h and compiled once for each instruction set by the file in isa/
// that includes this. No standard header with inline functions may come in here: the linker could then pick a
// copy that was compiled for a processor that this machine does not have.

#include "common.inl"
#include "matmul.inl"
#include "sparse.inl"
#include "elementwise.inl"
#include "rows.inl"
#include "attention.inl"
#include "dense.inl"
#include "logits.inl"
#include "causal_attention.inl"
#include "cache_fp32.inl"
#include "fp32_product.inl"
#include "select.inl"
#include "encode.inl"
#include "toy.inl"
#include "toy_columns.inl"
