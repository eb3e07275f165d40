#include "base/control_group.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/system_text.h"

namespace gamut {
namespace {

/// Version 1 writes its largest number of whole pages for "no limit".
constexpr int64_t kNoLimit = int64_t{1} << 62;

/// The path of this process's group in the content of /proc/self/cgroup for `controller` ("" is version 2).
std::string group_path(std::string_view groups, std::string_view controller) {
  while (!groups.empty()) {
    const size_t end = std::min(groups.find('\n'), groups.size());
    const std::string_view line = groups.substr(0, end);
    groups.remove_prefix(std::min(end + 1, groups.size()));
    const size_t first = line.find(':');
    const size_t second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string names = "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
    if (names.find("," + std::string(controller) + ",") == names.npos) continue;
    const std::string path(line.substr(second + 1));
    // A group outside the container's view begins with "/..": nothing of it can be seen.
    return path.starts_with('/') && (path + "/").find("/../") == path.npos ? path : "";
  }
  return "";
}

/// The folders of the groups from this process's own, or 32 levels deep, up to the root. Inside a container the group's
/// path is often not visible and the mount's root is the group itself, so the walk always ends there.
std::vector<std::filesystem::path> group_folders(const std::filesystem::path& root, std::string_view controller,
                                                 std::initializer_list<const char*> mounts) {
  std::string path = group_path(read_system_text(below(root, "proc/self/cgroup")), controller);
  size_t deepest = 0;
  for (int level = 0; level < 32 && deepest != path.npos; ++level) deepest = path.find('/', deepest + 1);
  path.resize(std::min(deepest, path.size()));
  std::vector<std::filesystem::path> folders;
  while (true) {
    for (const char* mount : mounts) folders.push_back(below(root, "sys/fs/cgroup/").string() + mount + path);
    if (path.empty()) return folders;
    path.resize(path.rfind('/'));
  }
}

template <typename T>
void tighten(std::optional<T>* limit, std::optional<T> other) {
  if (other && (!*limit || *other < **limit)) *limit = other;
}

std::optional<int64_t> read_number(const std::filesystem::path& file) { return leading_number(read_system_text(file)); }

std::optional<double> quota_v1(const std::filesystem::path& folder) {
  const std::optional<int64_t> quota = read_number(below(folder, "cpu.cfs_quota_us"));
  const std::optional<int64_t> period = read_number(below(folder, "cpu.cfs_period_us"));
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

/// The files of one version's memory controller.
struct MemoryFiles {
  const char* limit;
  const char* used;
  const char* reclaimable;  ///< its name in memory.stat
};

void tighten_memory(ControlGroup* group, const std::filesystem::path& folder, const MemoryFiles& files) {
  const std::optional<int64_t> limit = read_number(below(folder, files.limit));
  if (!limit || *limit < 0 || *limit >= kNoLimit) return;
  tighten(&group->memory_limit, limit);
  const std::optional<int64_t> used = read_number(below(folder, files.used));
  if (!used || *used < 0) return;
  const std::string stat = read_system_text(below(folder, "memory.stat"));
  const int64_t reclaimable = leading_number(field(stat, files.reclaimable, ' ')).value_or(0);
  const int64_t held = *used - std::clamp<int64_t>(reclaimable, 0, *used);
  tighten(&group->memory_available, std::optional(std::max<int64_t>(0, *limit - held)));
}

}  // namespace

std::optional<double> parse_cpu_max(std::string_view text) {
  text = trimmed(text);
  const size_t cut = std::min(text.find(' '), text.size());
  const std::optional<int64_t> quota = leading_number(text.substr(0, cut));
  const std::optional<int64_t> period = leading_number(text.substr(cut));
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

ControlGroup read_control_group(const std::filesystem::path& root) {
  ControlGroup group;
  for (const auto& folder : group_folders(root, "", {"", "unified"})) {
    tighten(&group.cpu_quota, parse_cpu_max(read_system_text(below(folder, "cpu.max"))));
    tighten_memory(&group, folder, {"memory.max", "memory.current", "inactive_file"});
  }
  for (const auto& folder : group_folders(root, "cpu", {"cpu", "cpu,cpuacct"}))
    tighten(&group.cpu_quota, quota_v1(folder));
  for (const auto& folder : group_folders(root, "memory", {"memory"})) {
    tighten_memory(&group, folder, {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"});
  }
  return group;
}

}  // namespace gamut
