// What the tests of this folder share: pickles put together opcode by opcode, zip and tar archives byte by byte.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/pytorch/archive.h"
#include "gamut/error.h"

namespace gamut::test {

inline std::string number(uint64_t value, size_t bytes) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// Pieces of pickles.

inline std::string text(std::string_view value) { return "X" + number(value.size(), 4) + std::string(value); }
inline std::string integer(int64_t value) { return "\x8a\x08" + number(static_cast<uint64_t>(value), 8); }
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += item;
  return out;
}
inline std::string tuple(const std::vector<std::string>& items) { return "(" + joined(items) + "t"; }
inline std::string numbers(const std::vector<int64_t>& values) {
  std::string out = "(";
  for (const int64_t value : values) out += integer(value);
  return out + "t";
}
inline std::string call(const std::string& function, const std::vector<std::string>& arguments) {
  return function + tuple(arguments) + "R";
}
inline std::string dict(const std::vector<std::string>& keys_and_values) {
  return "}(" + joined(keys_and_values) + "u";
}
inline std::string program(const std::string& body) { return "\x80\x02" + body + "."; }
inline const std::string kNoHooks = global("collections", "OrderedDict") + ")R";

inline std::string storage(const std::string& kind, const std::string& key, int64_t count) {
  return tuple({text("storage"), global("torch", kind), text(key), text("cpu"), integer(count)}) + "Q";
}
/// _rebuild_tensor_v2 of a storage's elements.
inline std::string tensor(const std::string& storage, int64_t offset, const std::vector<int64_t>& size,
                          const std::vector<int64_t>& stride) {
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              {storage, integer(offset), numbers(size), numbers(stride), "\x89", kNoHooks});
}

/// A member of a zip archive, each part of which can be forged.
struct ZipMember {
  std::string name, data;
  std::string local_name = name;
  std::string central_extra = {}, local_extra = {};
  uint16_t flags = 0, local_flags = flags, method = 0, local_method = method, comment = 0, disk = 0;
  uint32_t crc = crc32(0, data.data(), data.size()), local_crc = crc;
  uint32_t size = static_cast<uint32_t>(data.size()), packed = size, local_size = size, local_packed = packed;
  uint32_t attributes = 0;
  int64_t moved = 0;        ///< how far the central directory is off the local header
  std::string behind = {};  ///< after the data, as a data descriptor is
};

struct ZipEnd {
  std::string before_directory = {}, behind_directory = {}, comment = {};
  uint16_t disk = 0, more_members = 0, more_here = 0;
  uint32_t more_size = 0, more_offset = 0;
};

inline std::string local_header(const ZipMember& m) {
  return "PK\x03\x04" + number(0, 2) + number(m.local_flags, 2) + number(m.local_method, 2) + number(0, 4) +
         number(m.local_crc, 4) + number(m.local_packed, 4) + number(m.local_size, 4) + number(m.local_name.size(), 2) +
         number(m.local_extra.size(), 2) + m.local_name + m.local_extra;
}

inline std::string central_header(const ZipMember& m, uint64_t offset) {
  return "PK\x01\x02" + number(0, 4) + number(m.flags, 2) + number(m.method, 2) + number(0, 4) + number(m.crc, 4) +
         number(m.packed, 4) + number(m.size, 4) + number(m.name.size(), 2) + number(m.central_extra.size(), 2) +
         number(m.comment, 2) + number(m.disk, 2) + number(0, 2) + number(m.attributes, 4) + number(offset, 4) +
         m.name + m.central_extra + std::string(m.comment, 'c');
}

inline std::string make_zip(const std::vector<ZipMember>& members, const ZipEnd& end = {}) {
  std::string file, directory;
  for (const ZipMember& member : members) {
    directory += central_header(member, static_cast<uint64_t>(static_cast<int64_t>(file.size()) + member.moved));
    file += local_header(member) + member.data + member.behind;
  }
  file += end.before_directory;
  const size_t offset = file.size() + end.more_offset, count = members.size() + end.more_members;
  return file + directory + end.behind_directory + "PK\x05\x06" + number(end.disk, 2) + number(end.disk, 2) +
         number(count + end.more_here, 2) + number(count, 2) + number(directory.size() + end.more_size, 4) +
         number(offset, 4) + number(end.comment.size(), 2) + end.comment;
}

/// A block of a tar archive with its checksum.
inline std::string tar_header(const std::string& name, const std::string& size, char type = '0',
                              const std::string& prefix = "") {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(124, size.size(), size);
  header[156] = type;
  header.replace(257, 5, "ustar");
  header.replace(345, prefix.size(), prefix);
  header.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  return header.replace(148, 7, std::string(digits, 7));
}

inline std::string tar_member(const std::string& name, const std::string& data, char type = '0') {
  char size[16];
  std::snprintf(size, sizeof size, "%011zo", data.size());
  return tar_header(name, size, type) + data + std::string((512 - data.size() % 512) % 512, '\0');
}
inline const std::string kTarEnd(1024, '\0');

/// The message of the Error that `action` throws, which begins with `begin` and holds `part`.
template <typename Action>
void expect_refusal(Action action, const std::string& part, const std::string& begin = "f: ") {
  try {
    action();
    ADD_FAILURE() << "accepted, expected: " << part;
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::kInternal) << error.message();
    EXPECT_EQ(error.message().rfind(begin, 0), 0u) << error.message();
    EXPECT_NE(error.message().find("byte "), std::string::npos) << error.message();
    EXPECT_NE(error.message().find(part), std::string::npos) << error.message() << "\nexpected: " << part;
  }
}

}  // namespace gamut::test
