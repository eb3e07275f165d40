// The table of the kernels of one instruction set.
#include "backend/cpu/kernel_table.h"
#include "backend/cpu/kernels/functions.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

extern const KernelTable kKernels;

#if defined(GAMUT_ISA_AVX512)
constexpr Isa kIsa = Isa::kAvx512;
#elif defined(GAMUT_ISA_AVX2)
constexpr Isa kIsa = Isa::kAvx2;
#else
constexpr Isa kIsa = Isa::kBaseline;
#endif

const KernelTable kKernels = {
    .isa = kIsa,
    .matmul_f32 = {.name = "f32",
                   .mr = kTileRows,
                   .nr = kPanel,
                   .block_m = kBlockRows,
                   .scratch_bytes = kMatmulScratch,
                   .packed_bytes = packed_bytes_f32,
                   .pack = pack_f32,
                   .run = matmul_f32},
    .matmul_f16 = {.name = "f16",
                   .mr = kTileRows,
                   .nr = kPanel,
                   .block_m = kBlockRows,
                   .scratch_bytes = kMatmulScratch,
                   .packed_bytes = packed_bytes_16,
                   .pack = pack_f16,
                   .run = matmul_f16},
    .matmul_bf16 = {.name = "bf16",
                    .mr = kTileRows,
                    .nr = kPanel,
                    .block_m = kBlockRows,
                    .scratch_bytes = kMatmulScratch,
                    .packed_bytes = packed_bytes_16,
                    .pack = pack_bf16,
                    .run = matmul_bf16},
    .attention = attention_f32,
    .attention_scratch = attention_scratch,
    .attention_bf16 = nullptr,
    .attention_bf16_scratch = nullptr,
    .attention_block = kAttentionBlock,
    .layer_norm = layer_norm,
    .rms_norm = rms_norm,
    .l2_normalize = l2_normalize,
    .rope = rope,
    .causal_conv1d = causal_conv1d,
    .scan = scan,
    .scan_scratch = scan_scratch,
    .softmax = softmax,
    .unary = unary,
    .binary = binary,
    .reduce = reduce,
    .gather_rows = gather_rows,
    .widen = widen,
    .narrow = narrow,
    .segment_pool = segment_pool,
    .wkv = wkv,
    .linear_scan = linear_scan,
    .delta_rule = delta_rule,
    .delta_columns = kDeltaColumns,
    .peak_loop = peak_loop,
};

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
