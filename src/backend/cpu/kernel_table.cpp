#include "backend/cpu/kernel_table.h"

#include "base/error.h"

namespace gamut::cpu {

namespace baseline {
extern const KernelTable kKernels;
}
#ifdef GAMUT_KERNELS_AVX2
namespace avx2 {
extern const KernelTable kKernels;
}
#endif
#ifdef GAMUT_KERNELS_AVX512
namespace avx512 {
extern const KernelTable kKernels;
extern const MatmulKernel kMatmulAmx;
extern const MatmulKernel kMatmulBf16Amx;
void attention_bf16_amx(const AttentionArgs& args, const AttentionTile& tile, void* scratch) noexcept;
size_t attention_bf16_amx_scratch(int64_t head_dim, int64_t value_dim) noexcept;
}  // namespace avx512
#endif

namespace {

#ifdef GAMUT_KERNELS_AVX512
/// Those of AVX-512 but for the matrix products.
const KernelTable& amx_kernels() {
  static const KernelTable kernels = [] {
    KernelTable table = avx512::kKernels;
    table.isa = Isa::kAmx;
    table.matmul_f32 = avx512::kMatmulAmx;
    if (cpu_info().amx_bf16 && cpu_info().avx512_bf16) {
      table.matmul_bf16 = avx512::kMatmulBf16Amx;
      table.attention_bf16 = avx512::attention_bf16_amx;
      table.attention_bf16_scratch = avx512::attention_bf16_amx_scratch;
    }
    return table;
  }();
  return kernels;
}
#endif

const KernelTable* built_kernels(Isa isa) {
  switch (isa) {
    case Isa::kBaseline: return &baseline::kKernels;
    case Isa::kAvx2:
#ifdef GAMUT_KERNELS_AVX2
      return &avx2::kKernels;
#else
      return nullptr;
#endif
    case Isa::kAvx512:
#ifdef GAMUT_KERNELS_AVX512
      return &avx512::kKernels;
#else
      return nullptr;
#endif
    case Isa::kAmx:
#ifdef GAMUT_KERNELS_AVX512
      return &amx_kernels();
#else
      return nullptr;
#endif
  }
  return nullptr;
}

}  // namespace

bool has_kernels(Isa isa) { return built_kernels(isa) != nullptr && has_isa(isa); }

const KernelTable& kernel_table(Isa isa) {
  if (built_kernels(isa) == nullptr) {
    fail(ErrorCode::kUnsupported, "instruction set {}: this build has no kernels for it", isa_name(isa));
  }
  if (!has_isa(isa)) {
    fail(ErrorCode::kUnsupported, "instruction set {}: this machine has {} at most", isa_name(isa),
         isa_name(cpu_info().best_isa));
  }
  return *built_kernels(isa);
}

Isa best_isa() {
  for (Isa isa : {Isa::kAmx, Isa::kAvx512, Isa::kAvx2}) {
    if (has_kernels(isa)) return isa;
  }
  return Isa::kBaseline;
}

}  // namespace gamut::cpu
