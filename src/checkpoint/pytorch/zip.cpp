#include <algorithm>

#include "checkpoint/pytorch/archive.h"

namespace gamut {
namespace {

constexpr uint32_t kLocalMagic = 0x04034b50, kCentralMagic = 0x02014b50, kDescriptorMagic = 0x08074b50;
constexpr uint32_t kEndMagic = 0x06054b50, kEnd64Magic = 0x06064b50, kLocator64Magic = 0x07064b50;
constexpr size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56, kLocator64Bytes = 20;
constexpr uint16_t kEncrypted = 1, kDescriptorFollows = 8, kUtf8Name = 0x800;
constexpr uint16_t kZip64Field = 1, kUnicodePathField = 0x7075;
constexpr uint32_t kIn64 = 0xffffffff;  ///< "the number stands in the Zip64 field"

/// The numbers of a record, one after the other.
class Fields {
 public:
  Fields(const char* at, size_t size) : at_(at), end_(at + size) {}
  uint16_t u16() { return static_cast<uint16_t>(take(2)); }
  uint32_t u32() { return static_cast<uint32_t>(take(4)); }
  uint64_t u64() { return take(8); }
  void skip(size_t bytes) { at_ += bytes; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  const char* data() const { return at_; }

 private:
  uint64_t take(size_t bytes) {
    check_internal(left() >= bytes, "a zip record read past its end");
    at_ += bytes;
    return little_endian(at_ - bytes, bytes);
  }
  const char* at_;
  const char* end_;
};

/// Where the central directory lies.
struct Directory {
  uint64_t offset = 0, size = 0, members = 0;
  uint64_t end = 0;  ///< where what follows it begins
};

/// A member as the central directory has it.
struct Entry {
  ArchiveMember member;
  uint64_t at = 0;      ///< of its record in the archive
  uint64_t header = 0;  ///< of its local header
  uint16_t flags = 0;
};

void expect_magic(const FileRange& file, uint64_t at, uint32_t found, uint32_t expected, const char* what) {
  if (found == expected) return;
  file.refuse(at, "found {:08x}, expected {:08x}, {} (truncated file?)", found, expected, what);
}

/// The Zip64 records between the directory and the end record, where they are.
Directory read_end64(const FileRange& file, uint64_t locator, const Directory& short_form) {
  const std::string bytes = file.text(locator, kLocator64Bytes);
  Fields fields(bytes.data() + 4, kLocator64Bytes - 4);
  const uint32_t disk = fields.u32();
  const uint64_t at = fields.u64();
  const uint32_t disks = fields.u32();
  if (disk != 0 || disks != 1) file.refuse(locator, "an archive of {} disks, expected one", disks);
  if (locator < kEnd64Bytes || at != locator - kEnd64Bytes) {
    file.refuse(locator, "the Zip64 end record is stated to be at byte {}, expected right before this one", at);
  }
  const std::string record = file.text(at, kEnd64Bytes);
  Fields end(record.data(), kEnd64Bytes);
  expect_magic(file, at, end.u32(), kEnd64Magic, "the Zip64 end record");
  if (const uint64_t size = end.u64(); size != kEnd64Bytes - 12) {
    file.refuse(at, "a Zip64 end record of {} bytes, expected {}", size, kEnd64Bytes - 12);
  }
  end.skip(4);
  if (end.u32() != 0 || end.u32() != 0) file.refuse(at, "a part of an archive of several disks, expected one");
  Directory directory;
  const uint64_t here = end.u64();
  directory.members = end.u64();
  directory.size = end.u64();
  directory.offset = end.u64();
  directory.end = at;
  auto agrees = [](uint64_t in_short, uint64_t in_long, uint64_t escape) {
    return in_short == in_long || in_short == escape;
  };
  if (here != directory.members || !agrees(short_form.members, directory.members, 0xffff) ||
      !agrees(short_form.size, directory.size, kIn64) || !agrees(short_form.offset, directory.offset, kIn64)) {
    file.refuse(at, "the Zip64 end record and the end record do not agree");
  }
  return directory;
}

Directory find_directory(const FileRange& file, const ArchiveLimits& limits) {
  if (file.size() < kEndBytes) {
    file.refuse(0, "a zip archive of {} bytes, expected at least {} (truncated file?)", file.size(), kEndBytes);
  }
  const uint64_t at = file.size() - kEndBytes;
  const std::string bytes = file.text(at, kEndBytes);
  Fields end(bytes.data(), kEndBytes);
  expect_magic(file, at, end.u32(), kEndMagic, "the end record of a zip archive as the file's last bytes");
  if (end.u16() != 0 || end.u16() != 0) file.refuse(at, "a part of an archive of several disks, expected one");
  Directory directory;
  const uint16_t here = end.u16();
  directory.members = end.u16();
  directory.size = end.u32();
  directory.offset = end.u32();
  directory.end = at;
  if (here != directory.members) file.refuse(at, "{} members, of them {} on this disk", directory.members, here);
  if (const uint16_t comment = end.u16(); comment != 0) {
    file.refuse(at, "a comment of {} bytes, expected none", comment);
  }
  if (at >= kLocator64Bytes && little_endian(file.text(at - kLocator64Bytes, 4).data(), 4) == kLocator64Magic) {
    directory = read_end64(file, at - kLocator64Bytes, directory);
  }
  if (directory.offset > directory.end || directory.end - directory.offset != directory.size) {
    file.refuse(at, "a central directory of {} bytes at byte {}, expected it to end at byte {}", directory.size,
                directory.offset, directory.end);
  }
  if (directory.size > limits.max_directory_bytes || directory.members > limits.max_members) {
    file.refuse_as(ErrorCode::kResourceLimit, at,
                   fmt::format("a central directory of {} bytes for {} members, at most {} bytes and {} members "
                               "expected",
                               directory.size, directory.members, limits.max_directory_bytes, limits.max_members));
  }
  return directory;
}

/// The extra fields of a record: the content of the Zip64 field, or nothing. Every one is gone through, so that none
/// runs past its end or gives the member another name.
std::string read_extra(const FileRange& file, uint64_t at, const std::string& name, std::string_view extra,
                       bool* has_zip64) {
  std::string zip64;
  *has_zip64 = false;
  while (!extra.empty()) {
    const uint64_t id = extra.size() < 4 ? 0 : little_endian(extra.data(), 2);
    const uint64_t size = extra.size() < 4 ? extra.size() : little_endian(extra.data() + 2, 2);
    if (size > extra.size() - std::min<size_t>(4, extra.size())) {
      file.refuse(at, "member {}: an extra field of {} bytes, expected at most the {} that are left", in_quotes(name),
                  size, extra.size());
    }
    if (id == kUnicodePathField) file.refuse(at, "member {}: an extra field gives it another name", in_quotes(name));
    if (id == kZip64Field) {
      if (*has_zip64) file.refuse(at, "member {}: two Zip64 fields", in_quotes(name));
      *has_zip64 = true;
      zip64 = extra.substr(4, size);
    }
    extra.remove_prefix(4 + size);
  }
  return zip64;
}

/// Refuses what cannot be a stored regular file.
void check_kind(const FileRange& file, const Entry& entry, uint16_t method, uint32_t attributes) {
  const std::string name = in_quotes(entry.member.name);
  auto unsupported = [&](const std::string& what) {
    file.refuse_as(ErrorCode::kUnsupported, entry.at, fmt::format("member {}: {}", name, what));
  };
  if (entry.flags & kEncrypted) unsupported("it is encrypted");
  if (method != 0) unsupported(fmt::format("compressed with method {}, expected 0, stored as torch.save does", method));
  if (const int rest = entry.flags & ~(kDescriptorFollows | kUtf8Name); rest != 0) {
    unsupported(fmt::format("flags {:04x}, expected only {:04x}", entry.flags, kDescriptorFollows | kUtf8Name));
  }
  const uint32_t type = attributes >> 16 & 0xf000;
  if (type != 0 && type != 0x8000) {
    file.refuse(entry.at, "member {}: {}, expected a regular file", name,
                type == 0xa000 ? "a symbolic link" : fmt::format("a file of type {:04x}", type));
  }
  if (attributes & 0x10) file.refuse(entry.at, "member {}: a folder, expected a regular file", name);
}

/// Takes from the Zip64 field the numbers that did not fit.
void widen(const FileRange& file, Entry* entry, std::string_view zip64, uint64_t* packed) {
  Fields fields(zip64.data(), zip64.size());
  for (uint64_t* number : {&entry->member.size, packed, &entry->header}) {
    if (*number != kIn64) continue;
    if (fields.left() < 8) file.refuse(entry->at, "member {}: no Zip64 number", in_quotes(entry->member.name));
    *number = fields.u64();
  }
}

/// One record of the central directory.
Entry read_entry(const FileRange& file, uint64_t at, Fields* directory, const ArchiveLimits& limits) {
  if (directory->left() < kCentralBytes) file.refuse(at, "the central directory ends here, expected a member");
  Entry entry{.at = at};
  expect_magic(file, at, directory->u32(), kCentralMagic, "a member of the central directory");
  directory->skip(4);
  entry.flags = directory->u16();
  const uint16_t method = directory->u16();
  directory->skip(4);
  entry.member.crc = directory->u32();
  uint64_t packed = directory->u32();
  entry.member.size = directory->u32();
  const size_t name = directory->u16(), extra = directory->u16(), comment = directory->u16();
  const uint16_t disk = directory->u16();
  directory->skip(2);
  const uint32_t attributes = directory->u32();
  entry.header = directory->u32();
  if (directory->left() < name + extra) file.refuse(at, "a member's name and fields reach past the central directory");
  entry.member.name.assign(directory->data(), name);
  check_member_name(file, at, entry.member.name, limits);
  directory->skip(name);
  const std::string_view fields(directory->data(), extra);
  directory->skip(extra);
  if (comment != 0 || disk != 0) file.refuse(at, "member {}: a comment or another disk", in_quotes(entry.member.name));
  check_kind(file, entry, method, attributes);
  bool has_zip64 = false;
  const std::string zip64 = read_extra(file, at, entry.member.name, fields, &has_zip64);
  widen(file, &entry, zip64, &packed);
  if (packed != entry.member.size) {
    file.refuse(at, "member {}: {} bytes stored in {}, expected the same", in_quotes(entry.member.name),
                entry.member.size, packed);
  }
  return entry;
}

/// Refuses sizes and CRC at `at` unless they are those of the central directory.
void check_sizes(const FileRange& file, uint64_t at, const Entry& entry, const ArchiveMember& here) {
  if (here.crc == entry.member.crc && here.size == entry.member.size && here.offset == entry.member.size) return;
  file.refuse(at, "member {}: {} bytes in {} with CRC {:08x}, but the central directory has {} with CRC {:08x}",
              in_quotes(entry.member.name), here.size, here.offset, here.crc, entry.member.size, entry.member.crc);
}

/// What the local header says of the sizes; `offset` holds the packed size. Zeros, when they stand behind the data.
void check_local_sizes(const FileRange& file, const Entry& entry, ArchiveMember here, std::string_view zip64) {
  if ((entry.flags & kDescriptorFollows) && here.crc == 0 && here.size == 0 && here.offset == 0) return;
  Fields fields(zip64.data(), zip64.size());
  for (uint64_t* number : {&here.size, &here.offset}) {
    if (*number == kIn64 && fields.left() >= 8) *number = fields.u64();
  }
  check_sizes(file, entry.header, entry, here);
}

/// The sizes behind the data; returns how many bytes they take.
uint64_t check_descriptor(const FileRange& file, const Entry& entry, uint64_t at, bool is_long, uint64_t limit) {
  const size_t word = is_long ? 8 : 4, bytes = 8 + 2 * word;
  if (limit - at < bytes) {
    file.refuse(at, "member {}: the members end here, expected its data descriptor", in_quotes(entry.member.name));
  }
  const std::string text = file.text(at, bytes);
  expect_magic(file, at, static_cast<uint32_t>(little_endian(text.data(), 4)), kDescriptorMagic, "a data descriptor");
  ArchiveMember here;
  here.crc = static_cast<uint32_t>(little_endian(text.data() + 4, 4));
  here.offset = little_endian(text.data() + 8, word);
  here.size = little_endian(text.data() + 8 + word, word);
  check_sizes(file, at, entry, here);
  return bytes;
}

/// Checks the local header, the data and what follows against the central directory; returns where they end.
uint64_t check_local(const FileRange& file, Entry* entry, uint64_t limit) {
  const uint64_t at = entry->header;
  const std::string name = in_quotes(entry->member.name);
  if (limit - at < kLocalBytes) file.refuse(at, "member {}: no room for a local header", name);
  const std::string head = file.text(at, kLocalBytes);
  Fields fields(head.data(), kLocalBytes);
  expect_magic(file, at, fields.u32(), kLocalMagic, "a local header");
  fields.skip(2);
  const uint16_t flags = fields.u16(), method = fields.u16();
  fields.skip(4);
  ArchiveMember here;
  here.crc = fields.u32();
  here.offset = fields.u32();
  here.size = fields.u32();
  const size_t name_size = fields.u16(), extra_size = fields.u16();
  if (limit - at - kLocalBytes < name_size + extra_size) file.refuse(at, "member {}: its local header is cut", name);
  const std::string rest = file.text(at + kLocalBytes, name_size + extra_size);
  const std::string local_name = rest.substr(0, name_size);
  if (flags != entry->flags || method != 0 || local_name != entry->member.name) {
    file.refuse(at,
                "member {}: the local header has name {}, flags {:04x}, method {}, the central directory flags {:04x}",
                name, in_quotes(local_name), flags, method, entry->flags);
  }
  bool has_zip64 = false;
  const std::string zip64 = read_extra(file, at, local_name, std::string_view(rest).substr(name_size), &has_zip64);
  check_local_sizes(file, *entry, here, zip64);
  entry->member.offset = at + kLocalBytes + rest.size();
  if (limit - entry->member.offset < entry->member.size) {
    file.refuse(at, "member {}: {} bytes, but {} are left before what follows", name, entry->member.size,
                limit - entry->member.offset);
  }
  const uint64_t end = entry->member.offset + entry->member.size;
  if (!(flags & kDescriptorFollows)) return end;
  return end + check_descriptor(file, *entry, end, has_zip64, limit);
}

}  // namespace

std::vector<ArchiveMember> read_zip(const FileRange& file, const ArchiveLimits& limits) {
  const Directory directory = find_directory(file, limits);
  const std::string bytes = file.text(directory.offset, static_cast<size_t>(directory.size));
  Fields fields(bytes.data(), bytes.size());
  std::vector<Entry> entries;
  for (uint64_t i = 0; i < directory.members; ++i) {
    entries.push_back(read_entry(file, directory.end - fields.left(), &fields, limits));
  }
  if (fields.left() > 0) {
    file.refuse(directory.end - fields.left(), "{} bytes behind the last member of the central directory",
                fields.left());
  }
  std::ranges::stable_sort(entries, {}, &Entry::header);
  uint64_t expected = 0;
  std::vector<ArchiveMember> members;
  for (Entry& entry : entries) {
    if (entry.header != expected) {
      file.refuse(entry.at, "member {}: begins at byte {}, expected byte {} ({})", in_quotes(entry.member.name),
                  entry.header, expected, entry.header > expected ? "a hole" : "it overlaps the one before");
    }
    expected = check_local(file, &entry, directory.offset);
    members.push_back(std::move(entry.member));
  }
  if (expected != directory.offset) {
    file.refuse(expected, "the last member ends here, expected it to end with the central directory at byte {}",
                directory.offset);
  }
  check_distinct_names(file, members);
  return members;
}

}  // namespace gamut
