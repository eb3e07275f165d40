// Reading what Linux tells about itself: files of a few lines under /proc, /sys and /etc, whose content is not trusted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gamut {

/// The beginning of a file, whatever size it claims; empty when it is no regular file or cannot be read.
std::string read_system_text(const std::filesystem::path& path, size_t max_bytes = size_t{64} << 10);

/// folder/rest. The `/` of libstdc++ 12 frees what it does not own when memory runs out amid a path of several parts.
std::filesystem::path below(const std::filesystem::path& folder, std::string_view rest);

/// `text` without spaces and line ends around it.
std::string_view trimmed(std::string_view text);

/// What stands behind the first `separator` of the line that begins with `key`, trimmed; empty without such a line.
/// "MemTotal:   8 kB" with "MemTotal", ':' -> "8 kB".
std::string_view field(std::string_view text, std::string_view key, char separator);

/// The number that `text` begins with; nothing for "max", garbage, or one that an int64_t does not hold.
std::optional<int64_t> leading_number(std::string_view text);

/// How many processors a list such as "0-3,8,10-11" names; 0 for anything else.
int64_t count_list(std::string_view text);

/// `text` fit for one line of a report: printable, at most 200 bytes.
std::string one_line(std::string_view text);

}  // namespace gamut
