#include "base/memory_info.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace gamut {
namespace {

/// The number in a file that holds one; -1 when there is none ("max").
int64_t read_number(const char* path) {
  std::ifstream file(path);
  int64_t value = -1;
  return file >> value ? value : -1;
}

}  // namespace

int64_t available_memory() {
  int64_t available = 0;
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  int64_t kib = 0;
  while (file >> name >> kib) {
    std::getline(file, unit);
    if (name == "MemAvailable:") available = kib * 1024;
  }
  const char* limits[][2] = {
      {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}};
  for (const auto& [limit_path, used_path] : limits) {
    const int64_t limit = read_number(limit_path), used = read_number(used_path);
    if (limit >= 0 && used >= 0) available = std::min(available, std::max<int64_t>(0, limit - used));
  }
  return available;
}

}  // namespace gamut
