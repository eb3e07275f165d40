#include "base/cpu_info.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

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

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The path of this process's group in /proc/self/cgroup for `controller` ("" is version 2).
std::string group_path(const std::string& controllers_file, const std::string& controller) {
  std::istringstream lines(controllers_file);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    bool match = controller.empty() && names.empty();
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ',');) match = match || name == controller;
    if (match) return line.substr(second + 1);
  }
  return "";
}

int smaller_limit(int a, int b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

int quota_v1(const std::string& folder) {
  const long long quota = std::atoll(read_text(folder + "/cpu.cfs_quota_us").c_str());
  const long long period = std::atoll(read_text(folder + "/cpu.cfs_period_us").c_str());
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<int>(std::min<long long>((quota + period - 1) / period, 1 << 20));
}

/// The tightest quota from this process's group up to the root, in cores; 0 without a limit. Inside a container the
/// group's path is often not visible and the mount's root is the group itself, so the walk always ends there.
int quota_cores() {
  static constexpr std::array kMountsV1{"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"};
  static constexpr std::array kMountsV2{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
  const std::string groups = read_text("/proc/self/cgroup");
  int limit = 0;
  for (const bool v2 : {true, false}) {
    std::string path = group_path(groups, v2 ? "" : "cpu");
    for (int depth = 0; depth < 32; ++depth) {
      for (const char* mount : v2 ? kMountsV2 : kMountsV1) {
        const std::string folder = mount + path;
        limit = smaller_limit(limit, v2 ? parse_cpu_max(read_text(folder + "/cpu.max").c_str()) : quota_v1(folder));
      }
      if (path.empty() || path == "/") break;
      path.resize(std::min(path.rfind('/'), path.size()));
    }
  }
  return limit;
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

int parse_cpu_max(const char* text) {
  long long quota = 0, period = 0;
  if (std::sscanf(text, "%lld %lld", &quota, &period) != 2 || quota <= 0 || period <= 0) return 0;
  return static_cast<int>(std::min<long long>((quota - 1) / period + 1, 1 << 20));
}

CpuInfo detect_cpu() {
  CpuInfo info;
  detect_isa(&info);
  detect_caches(&info);
  info.cores = std::max(1, smaller_limit(affinity_cores(), quota_cores()));
  return info;
}

const CpuInfo& cpu_info() {
  static const CpuInfo info = detect_cpu();
  return info;
}

bool has_isa(Isa isa) { return isa <= cpu_info().best_isa; }

}  // namespace gamut
