#include "base/memory_info.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/control_group.h"
#include "base/system_text.h"

namespace gamut {
namespace {

/// A line "Name:  123 kB" in bytes; 0 without one that makes sense.
int64_t meminfo_bytes(std::string_view meminfo, std::string_view name) {
  const int64_t kib = leading_number(field(meminfo, name, ':')).value_or(0);
  return kib < 0 || kib > (INT64_MAX >> 10) ? 0 : kib << 10;
}

/// The word in brackets of "always [madvise] never".
std::string chosen_word(std::string_view text) {
  const size_t open = text.find('['), close = text.find(']');
  if (open == text.npos || close == text.npos || close < open) return "";
  return one_line(text.substr(open + 1, close - open - 1));
}

std::optional<int64_t> address_space_limit() {
  struct rlimit limit;
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, INT64_MAX));
}

}  // namespace

MemoryReport read_memory_info(const std::filesystem::path& root) {
  const std::string meminfo = read_system_text(below(root, "proc/meminfo"));
  const ControlGroup group = read_control_group(root);
  MemoryReport info;
  info.total = meminfo_bytes(meminfo, "MemTotal");
  info.available = meminfo_bytes(meminfo, "MemAvailable");
  if (group.memory_available) info.available = std::min(info.available, *group.memory_available);
  info.control_group_limit = group.memory_limit;
  info.address_space_limit = address_space_limit();
  info.swap_total = meminfo_bytes(meminfo, "SwapTotal");
  info.swap_free = meminfo_bytes(meminfo, "SwapFree");
  info.huge_pages = chosen_word(read_system_text(below(root, "sys/kernel/mm/transparent_hugepage/enabled")));
  return info;
}

int64_t available_memory() { return read_memory_info().available; }

}  // namespace gamut
