#include "base/system_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/excerpt.h"

namespace gamut {

std::string read_system_text(const std::filesystem::path& path, size_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return "";
  struct stat info;
  std::string text;
  char buffer[4096];
  const bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  while (regular && text.size() < max_bytes) {
    const ssize_t got = ::read(fd, buffer, std::min(sizeof(buffer), max_bytes - text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer, static_cast<size_t>(got));
  }
  ::close(fd);
  return text;
}

std::filesystem::path below(const std::filesystem::path& folder, std::string_view rest) {
  return folder.string() + '/' + std::string(rest);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string_view field(std::string_view text, std::string_view key, char separator) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t cut = line.find(separator);
    if (cut != line.npos && trimmed(line.substr(0, cut)) == key) return trimmed(line.substr(cut + 1));
  }
  return {};
}

std::optional<int64_t> leading_number(std::string_view text) {
  text = trimmed(text);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

int64_t count_list(std::string_view text) {
  constexpr int64_t kMost = 1 << 20;
  text = trimmed(text);
  int64_t count = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t dash = part.find('-');
    const std::optional<int64_t> first = leading_number(part);
    const std::optional<int64_t> last = dash == part.npos ? first : leading_number(part.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first || *last >= kMost) return 0;
    count = std::min(kMost, count + *last - *first + 1);
  }
  return count;
}

std::string one_line(std::string_view text) {
  std::string line = excerpt(trimmed(text), 200);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return line;
}

}  // namespace gamut
