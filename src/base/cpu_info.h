// What the processor and the operating system allow this process: instruction sets, cores, cache sizes.
#pragma once

#include <cstdint>

namespace gamut {

/// The instruction sets that kernels are compiled for, in rising order; a machine that has one has those before it.
enum class Isa : uint8_t {
  kBaseline,  ///< whatever every processor of the target has (x86-64: SSE2)
  kAvx2,      ///< AVX2, FMA, F16C
  kAvx512,    ///< AVX-512 F, BW, DQ, VL, and everything of kAvx2
  kAmx,       ///< AMX tiles of 8-bit integers, which the operating system has granted, and everything of kAvx512
};
constexpr int kIsaCount = 4;

/// "baseline", "avx2", "avx512", "amx".
const char* isa_name(Isa isa);

struct CpuInfo {
  Isa best_isa = Isa::kBaseline;  ///< enabled by the operating system too (XCR0), not only present
  bool avx_vnni = false;
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool avx512_fp16 = false;
  bool amx_bf16 = false;
  bool amx_int8 = false;  ///< present and its tile state enabled in XCR0; kAmx besides that Linux lets us use it
  int cores = 1;          ///< min(scheduling affinity, control-group CPU quota rounded up), at least 1
  int64_t l1d_bytes = 0;  ///< of one core; 0 when unknown
  int64_t l2_bytes = 0;
  int64_t l3_bytes = 0;
};

/// Reads processor, affinity and control-group limits anew. Asks Linux for the tile registers of AMX, for the whole
/// process, where the processor has them.
CpuInfo detect_cpu();

/// The answer of `detect_cpu` at its first use in this process.
const CpuInfo& cpu_info();

/// True when this machine runs kernels of `isa`.
bool has_isa(Isa isa);

/// Parses the content of a version-2 control group's `cpu.max` ("max 100000", "150000 100000"): the quota in whole
/// cores, rounded up; 0 when there is no limit or the text is something else.
int parse_cpu_max(const char* text);

}  // namespace gamut
