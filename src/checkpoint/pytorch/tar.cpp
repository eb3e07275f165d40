#include <algorithm>

#include "checkpoint/pytorch/archive.h"

namespace gamut {
namespace {

constexpr uint64_t kBlock = 512;
constexpr uint64_t kMaxExtended = 64u << 10;

struct Field {
  size_t at, size;
};
constexpr Field kName{0, 100}, kSize{124, 12}, kChecksum{148, 8}, kMagic{257, 5}, kPrefix{345, 155};
constexpr size_t kType = 156;

bool is_zero(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) { return c == 0; });
}

std::string_view text_of(std::string_view header, Field field) {
  const std::string_view text = header.substr(field.at, field.size);
  return text.substr(0, text.find('\0'));
}

/// An octal number that ends in a space or a zero byte.
uint64_t octal(const FileRange& file, uint64_t at, std::string_view header, Field field, const char* what) {
  std::string_view text = text_of(header, field);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '7') file.refuse(at, "a {} of {}, expected octal digits", what, in_quotes(text));
    value = value * 8 + static_cast<uint64_t>(c - '0');
  }
  if (text.empty()) file.refuse(at, "no {}, expected octal digits", what);
  return value;
}

void check_checksum(const FileRange& file, uint64_t at, std::string_view header) {
  const uint64_t stated = octal(file, at, header, kChecksum, "checksum");
  uint64_t sum = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    const bool is_own = i >= kChecksum.at && i < kChecksum.at + kChecksum.size;
    sum += is_own ? ' ' : static_cast<unsigned char>(header[i]);
  }
  if (sum != stated) file.refuse(at, "a tar header with checksum {}, expected {}", stated, sum);
}

/// The records "LENGTH KEY=VALUE\n" of an extended header: times are nothing to us, anything else would change what the
/// next header says.
void check_extended(const FileRange& file, uint64_t at, std::string_view records) {
  while (!records.empty()) {
    size_t length = 0, digits = 0;
    while (digits < 6 && digits < records.size() && records[digits] >= '0' && records[digits] <= '9') {
      length = length * 10 + static_cast<size_t>(records[digits++] - '0');
    }
    const bool fits = length <= records.size() && length > digits + 1 && records[digits] == ' ';
    if (digits == 0 || !fits || records[length - 1] != '\n') {
      file.refuse(at, "an extended header with a record of {} bytes, expected \"LENGTH KEY=VALUE\"", length);
    }
    const std::string_view record = records.substr(digits + 1, length - digits - 2);
    const std::string_view key = record.substr(0, record.find('='));
    if (key != "mtime" && key != "atime" && key != "ctime") {
      file.refuse(at, "an extended header that sets {}, expected only times", in_quotes(key));
    }
    records.remove_prefix(length);
  }
}

std::string type_name(char type) {
  switch (type) {
    case '1': return "a link";
    case '2': return "a symbolic link";
    case '3':
    case '4': return "a device";
    case '5': return "a folder";
    case '6': return "a pipe";
    case 'S': return "a sparse file";
    default: return "a member of type " + in_quotes(std::string_view(&type, 1));
  }
}

/// The end of an archive: zeros and nothing else, two blocks of them at least.
void check_end(const FileRange& file, uint64_t at) {
  if (file.size() - at < 2 * kBlock || file.size() % kBlock != 0) {
    file.refuse(at, "{} bytes at the end, expected at least {} zeros in whole blocks (truncated file?)",
                file.size() - at, 2 * kBlock);
  }
  for (uint64_t next = at; next < file.size(); next += kBlock) {
    if (!is_zero(file.text(next, kBlock))) file.refuse(next, "data behind the end of the archive, expected zeros");
  }
}

/// The member whose header is at `at`; `*next` becomes the place of the next header.
ArchiveMember read_member(const FileRange& file, uint64_t at, std::string_view header, uint64_t* next) {
  ArchiveMember member;
  member.name = text_of(header, kName);
  member.offset = at + kBlock;
  member.size = octal(file, at, header, kSize, "size");
  if (!text_of(header, kPrefix).empty()) {
    file.refuse(at, "member {}: a name with a prefix, expected a short one", in_quotes(member.name));
  }
  const uint64_t left = file.size() - member.offset;
  if (member.size > left || left - member.size < (kBlock - member.size % kBlock) % kBlock) {
    file.refuse(at, "member {}: expected {} bytes, but {} are left (truncated file?)", in_quotes(member.name),
                member.size, left);
  }
  const uint64_t end = member.offset + member.size;
  *next = (end + kBlock - 1) / kBlock * kBlock;
  if (!is_zero(file.text(end, static_cast<size_t>(*next - end)))) {
    file.refuse(end, "member {}: data behind its end, expected zeros", in_quotes(member.name));
  }
  return member;
}

}  // namespace

std::vector<ArchiveMember> read_tar(const FileRange& file, const ArchiveLimits& limits) {
  std::vector<ArchiveMember> members;
  for (uint64_t at = 0, next = 0;; at = next) {
    if (file.size() - at < kBlock) file.refuse(at, "the file ends here, expected a tar header (truncated file?)");
    const std::string header = file.text(at, kBlock);
    if (is_zero(header)) {
      check_end(file, at);
      break;
    }
    check_checksum(file, at, header);
    if (header.compare(kMagic.at, kMagic.size, "ustar") != 0) file.refuse(at, "no \"ustar\", expected a tar header");
    const char type = header[kType];
    ArchiveMember member = read_member(file, at, header, &next);
    if (type == 'x') {
      if (member.size > kMaxExtended) file.refuse(at, "an extended header of {} bytes", member.size);
      check_extended(file, at, file.text(member.offset, static_cast<size_t>(member.size)));
      continue;
    }
    if (type != '0' && type != '\0') {
      file.refuse(at, "member {}: {}, expected a regular file", in_quotes(member.name), type_name(type));
    }
    check_member_name(file, at, member.name, limits);
    members.push_back(std::move(member));
    if (members.size() > limits.max_members) {
      file.refuse_as(ErrorCode::kResourceLimit, at, fmt::format("more than {} members", limits.max_members));
    }
  }
  check_distinct_names(file, members);
  return members;
}

}  // namespace gamut
