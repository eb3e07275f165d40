#include "base/cpu_info.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <thread>

#include "base/control_group.h"
#include "base/system_text.h"

#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#define GAMUT_X86 1
#endif

namespace gamut {
namespace {

#ifdef GAMUT_X86
struct CpuidResult {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

CpuidResult cpuid(uint32_t leaf, uint32_t subleaf) {
  CpuidResult r;
  if (!__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d)) return {};
  return r;
}

uint64_t read_xcr0() {
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

/// Linux grants the tile registers on request; the answer holds for all threads. Fails on old kernels, and where a
/// thread has an alternate signal stack too small for them.
bool request_tiles() {
#ifdef __linux__
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

bool bit(uint32_t word, int index) { return ((word >> index) & 1u) != 0; }

void detect_isa(CpuInfo* info) {
  const CpuidResult one = cpuid(1, 0);
  const bool osxsave = bit(one.c, 27);
  if (!osxsave) return;
  const uint64_t xcr0 = read_xcr0();
  const bool os_avx = (xcr0 & 0x6) == 0x6;
  const bool os_avx512 = (xcr0 & 0xe6) == 0xe6;
  const bool os_amx = (xcr0 & 0x60000) == 0x60000;
  const CpuidResult seven = cpuid(7, 0);
  const CpuidResult seven1 = seven.a >= 1 ? cpuid(7, 1) : CpuidResult{};
  const bool avx2 = os_avx && bit(one.c, 28) && bit(one.c, 12) && bit(one.c, 29) && bit(seven.b, 5) &&
                    bit(seven.b, 3) && bit(seven.b, 8);  // AVX, FMA, F16C, AVX2, BMI1, BMI2
  const bool avx512 = avx2 && os_avx512 && bit(seven.b, 16) && bit(seven.b, 17) && bit(seven.b, 30) && bit(seven.b, 31);
  info->best_isa = avx512 ? Isa::kAvx512 : avx2 ? Isa::kAvx2 : Isa::kBaseline;
  info->avx_vnni = avx2 && bit(seven1.a, 4);
  info->avx512_vnni = avx512 && bit(seven.c, 11);
  info->avx512_bf16 = avx512 && bit(seven1.a, 5);
  info->avx512_fp16 = avx512 && bit(seven.d, 23);
  const bool amx_tile = avx512 && os_amx && bit(seven.d, 24);
  info->amx_bf16 = amx_tile && bit(seven.d, 22);
  info->amx_int8 = amx_tile && bit(seven.d, 25);
  if (info->amx_int8 && request_tiles()) info->best_isa = Isa::kAmx;
}
#else
void detect_isa(CpuInfo*) {}
#endif

#ifdef GAMUT_X86
/// The name that the processor itself gives, where /proc is not there to ask.
std::string brand() {
  std::array<char, 49> text{};
  for (uint32_t i = 0; i < 3; ++i) {
    const CpuidResult part = cpuid(0x80000002u + i, 0);
    const uint32_t words[] = {part.a, part.b, part.c, part.d};
    std::memcpy(text.data() + i * sizeof(words), words, sizeof(words));
  }
  return text.data();
}
#else
std::string brand() { return ""; }
#endif

/// x86 says "model name", other processors only numbers of implementer and part.
std::string detect_model(const std::filesystem::path& root) {
  const std::string text = read_system_text(below(root, "proc/cpuinfo"));
  for (const char* key : {"model name", "Model", "cpu model", "cpu"}) {
    const std::string_view model = field(text, key, ':');
    if (!model.empty()) return one_line(model);
  }
  const std::string_view implementer = field(text, "CPU implementer", ':'), part = field(text, "CPU part", ':');
  if (!implementer.empty()) return one_line("implementer " + std::string(implementer) + " part " + std::string(part));
  return one_line(brand());
}

int affinity_cores() {
#ifdef __linux__
  // Machines with more than 1024 processors need a larger set than cpu_set_t.
  for (int processors = 1024; processors <= 65536; processors *= 4) {
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(processors));
    if (set == nullptr) break;
    const size_t size = CPU_ALLOC_SIZE(static_cast<size_t>(processors));
    const bool read = sched_getaffinity(0, size, set) == 0;
    const int count = read ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (read) return count;
  }
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

void detect_caches(CpuInfo* info) {
#if defined(__linux__) && defined(_SC_LEVEL1_DCACHE_SIZE)
  info->l1d_bytes = std::max(0l, sysconf(_SC_LEVEL1_DCACHE_SIZE));
  info->l2_bytes = std::max(0l, sysconf(_SC_LEVEL2_CACHE_SIZE));
  info->l3_bytes = std::max(0l, sysconf(_SC_LEVEL3_CACHE_SIZE));
#else
  (void)info;
#endif
}

}  // namespace

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kBaseline: return "baseline";
    case Isa::kAvx2: return "avx2";
    case Isa::kAvx512: return "avx512";
    case Isa::kAmx: return "amx";
  }
  return "unknown";
}

CpuInfo detect_cpu(const std::filesystem::path& root) {
  constexpr double kMostCores = 1 << 20;
  CpuInfo info;
  detect_isa(&info);
  detect_caches(&info);
  info.model = detect_model(root);
  info.online = static_cast<int>(count_list(read_system_text(below(root, "sys/devices/system/cpu/online"))));
  info.affinity = affinity_cores();
  info.quota = read_control_group(root).cpu_quota;
  info.cores = info.affinity;
  if (info.quota) info.cores = std::min(info.cores, static_cast<int>(std::ceil(std::min(*info.quota, kMostCores))));
  info.cores = std::max(1, info.cores);
  return info;
}

std::vector<std::string> feature_names(const CpuInfo& info) {
  std::vector<std::string> names;
  const std::pair<bool, const char*> known[] = {
      {info.best_isa >= Isa::kAvx2, "avx2"},
      {info.avx_vnni, "avx_vnni"},
      {info.best_isa >= Isa::kAvx512, "avx512"},
      {info.avx512_vnni, "avx512_vnni"},
      {info.avx512_bf16, "avx512_bf16"},
      {info.avx512_fp16, "avx512_fp16"},
      {info.amx_bf16, "amx_bf16"},
      {info.amx_int8, "amx_int8"},
  };
  for (const auto& [present, name] : known) {
    if (present) names.emplace_back(name);
  }
  return names;
}

const CpuInfo& cpu_info() {
  static const CpuInfo info = detect_cpu();
  return info;
}

bool has_isa(Isa isa) { return isa <= cpu_info().best_isa; }

}  // namespace gamut
