// What the processor and the operating system allow this process: instruction sets, cores, cache sizes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

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
  bool amx_int8 = false;        ///< present and its tile state enabled in XCR0; kAmx besides that Linux lets us use it
  int cores = 1;                ///< min(affinity, quota rounded up), at least 1
  int affinity = 1;             ///< processors that the scheduler may give this process
  std::optional<double> quota;  ///< of the control group, in cores
  int online = 0;               ///< processors of the machine; 0 when unknown
  std::string model;            ///< as the processor calls itself; empty when unknown
  int64_t l1d_bytes = 0;        ///< of one core; 0 when unknown
  int64_t l2_bytes = 0;
  int64_t l3_bytes = 0;
};

/// Reads processor, affinity and control-group limits anew. Asks Linux for the tile registers of AMX, for the whole
/// process, where the processor has them. `root` is where /proc and /sys are looked for.
CpuInfo detect_cpu(const std::filesystem::path& root = "/");

/// The answer of `detect_cpu` at its first use in this process.
const CpuInfo& cpu_info();

/// True when this machine runs kernels of `isa`.
bool has_isa(Isa isa);

/// The instruction sets and extensions above the baseline that can be used, as "avx2", "avx512_vnni".
std::vector<std::string> feature_names(const CpuInfo& info);

}  // namespace gamut
