#include "checkpoint/pytorch/archive.h"

#include "checkpoint/pytorch/torch_testing.h"

namespace gamut {
namespace {

using test::make_zip;
using test::number;
using test::tar_header;
using test::tar_member;
using test::ZipEnd;
using test::ZipMember;

void refuses_zip(const std::string& file, const std::string& part, const ArchiveLimits& limits = {}) {
  SCOPED_TRACE(part);
  test::expect_refusal([&] { read_zip(FileRange(file, "f"), limits); }, part);
}
/// Two members, of which the second is forged.
void refuses_member(const ZipMember& member, const std::string& part) {
  refuses_zip(make_zip({{"a/x", "first"}, member}), part);
}

const std::string kDescriptor = "PK\x07\x08" + number(crc32(0, "data", 4), 4);

TEST(Zip, ReadsStoredMembers) {
  const std::string file =
      make_zip({{"a/x", "first"}, {"a/y", ""}, {.name = "a/z", .data = "third", .attributes = 0x81a40000u}});
  const auto members = read_zip(FileRange(file, "f"));
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].name, "a/x");
  EXPECT_EQ(file.substr(members[0].offset, members[0].size), "first");
  EXPECT_EQ(members[1].size, 0u);
  EXPECT_EQ(file.substr(members[2].offset, members[2].size), "third");
  EXPECT_TRUE(read_zip(FileRange(make_zip({}), "f")).empty());
}

TEST(Zip, ReadsDataDescriptorsAndZip64) {
  ZipMember behind{.name = "a/y", .data = "data", .flags = 0x808, .local_crc = 0, .local_size = 0, .local_packed = 0};
  behind.behind = kDescriptor + number(4, 4) + number(4, 4);
  EXPECT_EQ(read_zip(FileRange(make_zip({behind}), "f"))[0].size, 4u);
  behind.local_extra = number(1, 2) + number(16, 2) + number(4, 8) + number(4, 8);
  behind.behind = kDescriptor + number(4, 8) + number(4, 8);
  EXPECT_EQ(read_zip(FileRange(make_zip({behind}), "f"))[0].size, 4u);
  ZipMember large{.name = "a/y", .data = "data"};
  large.size = large.packed = large.local_size = large.local_packed = 0xffffffff;
  large.central_extra = large.local_extra = number(1, 2) + number(16, 2) + number(4, 8) + number(4, 8);
  EXPECT_EQ(read_zip(FileRange(make_zip({large}), "f"))[0].size, 4u);
}

std::string end64(uint64_t members, uint64_t size, uint64_t offset, uint64_t bytes = 44, uint32_t disk = 0) {
  return "PK\x06\x06" + number(bytes, 8) + number(0, 4) + number(disk, 4) + number(0, 4) + number(members, 8) +
         number(members, 8) + number(size, 8) + number(offset, 8);
}
std::string locator(uint64_t at, uint32_t disks = 1) {
  return "PK\x06\x07" + number(0, 4) + number(at, 8) + number(disks, 4);
}

TEST(Zip, ChecksTheZip64EndRecord) {
  const ZipMember member{"a/x", "first"};
  const uint64_t size = 46 + 3, offset = 30 + 3 + 5, at = size + offset;
  auto file = [&](const std::string& records) { return make_zip({member}, {.behind_directory = records}); };
  EXPECT_EQ(read_zip(FileRange(file(end64(1, size, offset) + locator(at)), "f")).size(), 1u);
  auto escaped = [&](const ZipEnd& end) { return read_zip(FileRange(make_zip({member}, end), "f")).size(); };
  const std::string records = end64(1, size, offset) + locator(at);
  EXPECT_EQ(escaped({.behind_directory = records, .more_members = 0xfffe}), 1u);
  EXPECT_EQ(escaped({.behind_directory = records, .more_size = 0xffffffff - static_cast<uint32_t>(size)}), 1u);
  EXPECT_EQ(escaped({.behind_directory = records, .more_offset = 0xffffffff - static_cast<uint32_t>(offset)}), 1u);
  refuses_zip(file(end64(1, size, offset) + locator(at, 2)), "an archive of 2 disks");
  refuses_zip(file(end64(1, size, offset) + locator(at + 1)), "expected right before this one");
  refuses_zip(file(end64(1, size, offset, 45) + locator(at)), "a Zip64 end record of 45 bytes");
  refuses_zip(file(end64(1, size, offset, 44, 1) + locator(at)), "several disks");
  refuses_zip(file(end64(2, size, offset) + locator(at)), "do not agree");
  refuses_zip(file(end64(1, size + 1, offset) + locator(at)), "do not agree");
  refuses_zip(file(end64(1, size, offset + 1) + locator(at)), "do not agree");
  refuses_zip(file(std::string(56, 'x') + locator(at)), "the Zip64 end record (truncated file?)");
  refuses_zip(file(end64(1, size, offset)), "expected it to end at byte");
  refuses_zip(locator(0) + make_zip({}), "expected right before this one");
}

TEST(Zip, RefusesWhatIsNoStoredRegularFile) {
  refuses_member({.name = "a/y", .data = "data", .flags = 1}, "member \"a/y\": it is encrypted");
  refuses_member({.name = "a/y", .data = "data", .method = 8}, "compressed with method 8, expected 0");
  refuses_member({.name = "a/y", .data = "data", .flags = 0x20}, "flags 0020");
  refuses_member({.name = "a/y", .data = "data", .attributes = 0xa1ff0000u}, "a symbolic link");
  refuses_member({.name = "a/y", .data = "data", .attributes = 0x61ff0000u}, "a file of type 6000");
  refuses_member({.name = "a/y", .data = "data", .attributes = 0x10}, "a folder");
  refuses_member({.name = "a/y", .data = "data", .comment = 3}, "a comment or another disk");
  refuses_member({.name = "a/y", .data = "data", .disk = 1}, "a comment or another disk");
  for (const char* name : {"", "/etc/passwd", "a/", "a/../b", "./a", "a\\b", "a\nb"})
    refuses_member({name, "data"}, "expected a plain relative name");
  refuses_member({std::string(1025, 'x'), "data"}, "is too long");
  refuses_member({"a/x", "again"}, "there is one of that name at byte");
}

TEST(Zip, RefusesLocalHeadersThatDiffer) {
  refuses_member({.name = "a/y", .data = "data", .local_name = "a/z"}, "the local header has name \"a/z\"");
  refuses_member({.name = "a/y", .data = "data", .local_flags = 0x800}, "flags 0800");
  refuses_member({.name = "a/y", .data = "data", .local_method = 8}, "method 8");
  refuses_member({.name = "a/y", .data = "data", .local_crc = 1}, "but the central directory has 4");
  refuses_member({.name = "a/y", .data = "data", .local_size = 3}, "3 bytes in 4 with CRC");
  refuses_member({.name = "a/y", .data = "data", .local_packed = 3}, "4 bytes in 3 with CRC");
  refuses_member({.name = "a/y", .data = "data", .packed = 3, .local_packed = 4}, "4 bytes stored in 3");
  refuses_member({.name = "a/y", .data = "data", .local_size = 0xffffffff}, "4294967295 bytes in 4 with CRC");
  ZipMember behind{.name = "a/y", .data = "data", .flags = 8, .local_crc = 0, .local_size = 0, .local_packed = 0};
  refuses_member(behind, "expected its data descriptor");
  behind.behind = kDescriptor + number(4, 4) + number(5, 4);
  refuses_member(behind, "5 bytes in 4 with CRC");
  behind.behind = std::string(16, 'x');
  refuses_member(behind, "a data descriptor (truncated file?)");
}

TEST(Zip, RefusesForgedPlaces) {
  refuses_member({.name = "a/y", .data = "data", .moved = 1}, "begins at byte 39, expected byte 38 (a hole)");
  refuses_member({.name = "a/y", .data = "data", .moved = -38}, "expected byte 38 (it overlaps the one before)");
  refuses_zip(make_zip({{"a/x", "first"}}, {.before_directory = "hidden"}), "the last member ends here");
  refuses_zip("#!" + make_zip({{"a/x", "first"}}), "expected it to end at byte");
  refuses_zip(make_zip({{"a/x", "first"}}, {.comment = "x"}),
              "the end record of a zip archive as the file's last bytes");
  refuses_zip(make_zip({{"a/x", "first"}}, {.more_size = 1}), "expected it to end at byte");
  refuses_zip(make_zip({{"a/x", "first"}}, {.more_offset = 1000}), "expected it to end at byte");
  refuses_zip(make_zip({{"a/x", "first"}}, {.disk = 1}), "several disks");
  refuses_zip(make_zip({{"a/x", "first"}}, {.more_members = 1}), "the central directory ends here, expected a member");
  refuses_zip(make_zip({{"a/x", "first"}}, {.more_here = 1}), "1 members, of them 2 on this disk");
  refuses_zip(make_zip({{"a/x", "1"}, {"a/y", "2"}}, {.more_members = 0xffff}), "behind the last member");
  const ZipMember long_data{
      .name = "a/y", .data = "data", .size = 400, .packed = 400, .local_size = 400, .local_packed = 400};
  refuses_member(long_data, "400 bytes, but 4 are left");
  std::string file = make_zip({{"a/x", "first"}});
  file[38] = 'x';  // the magic of the central directory
  refuses_zip(file, "a member of the central directory");
  file = make_zip({{"a/x", "first"}});
  file[38 + 28] = '\x7f';  // the length of a name there
  refuses_zip(file, "reach past the central directory");
  file = make_zip({{"a/x", "first"}});
  file[26] = '\x7f';
  refuses_zip(file, "its local header is cut");
  file[0] = 'x';
  refuses_zip(file, "a local header (truncated file?)");
  ZipMember end{.name = "a/y", .data = "", .moved = 0};
  std::string cut = make_zip({end});
  cut.erase(0, 20);  // the local header is shorter than one
  cut.replace(cut.size() - 6, 4, number(33 - 20, 4));
  refuses_zip(cut, "no room for a local header");
}

TEST(Zip, RefusesExtraFields) {
  auto extra = [](const std::string& fields) {
    return ZipMember{.name = "a/y", .data = "data", .central_extra = fields};
  };
  refuses_member(extra("abc"), "an extra field of 3 bytes");
  refuses_member(extra(number(9, 2) + number(5, 2) + "abcd"), "an extra field of 5 bytes");
  refuses_member(extra(number(0x7075, 2) + number(0, 2)), "gives it another name");
  refuses_member(extra(number(1, 2) + number(0, 2) + number(1, 2) + number(0, 2)), "two Zip64 fields");
  ZipMember large{.name = "a/y", .data = "data", .size = 0xffffffff, .packed = 4};
  refuses_member(large, "no Zip64 number");
  large.central_extra = number(1, 2) + number(8, 2) + number(uint64_t{1} << 63, 8);
  refuses_member(large, "bytes stored in 4");
}

TEST(Zip, KeepsItsLimits) {
  const std::string file = make_zip({{"a/x", "1"}, {"a/y", "2"}});
  refuses_zip(file, "at most 64 bytes and 9 members", {.max_directory_bytes = 64, .max_members = 9});
  refuses_zip(file, "bytes and 1 members expected", {.max_members = 1});
}

TEST(Zip, EveryTruncationIsRefused) {
  const std::string file = make_zip({{"a/x", "first"}, {"a/y", "second"}});
  for (size_t size = 0; size < file.size(); ++size) refuses_zip(file.substr(0, size), "expected");
}

TEST(Crc, HasTheKnownValues) {
  EXPECT_EQ(crc32(0, "", 0), 0u);
  EXPECT_EQ(crc32(0, "123456789", 9), 0xCBF43926u);  // the check value of the standard's catalogue
  EXPECT_EQ(crc32(crc32(0, "123456789", 4), "56789", 5), 0xCBF43926u);
  const std::string file = "xx123456789";
  const FileRange range(file, "f");
  check_crc(range, {.name = "m", .offset = 2, .size = 9, .crc = 0xCBF43926u});
  check_crc(range, {.name = "m", .offset = 2, .size = 9, .crc = 0});
  test::expect_refusal([&] { check_crc(range, {.name = "m", .offset = 1, .size = 9, .crc = 0xCBF43926u}); },
                       "member \"m\": its bytes have the CRC");
}

void refuses_tar(const std::string& file, const std::string& part, const ArchiveLimits& limits = {}) {
  SCOPED_TRACE(part);
  test::expect_refusal([&] { read_tar(FileRange(file, "f"), limits); }, part);
}

TEST(Tar, ReadsRegularFiles) {
  const std::string times = "13 mtime=1.5\n13 atime=1.5\n13 ctime=1.5\n";
  const std::string file = tar_member("a", "first") + tar_member("header", times, 'x') + tar_member("b", "", '\0') +
                           tar_member("c", std::string(512, 'z')) + test::kTarEnd;
  const auto members = read_tar(FileRange(file, "f"));
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(file.substr(members[0].offset, members[0].size), "first");
  EXPECT_EQ(members[1].name, "b");
  EXPECT_EQ(members[2].size, 512u);
}

TEST(Tar, RefusesEverythingElse) {
  const std::string& end = test::kTarEnd;
  for (const auto& [type, what] : {std::pair<char, const char*>{'1', "a link"},
                                   {'2', "a symbolic link"},
                                   {'3', "a device"},
                                   {'4', "a device"},
                                   {'5', "a folder"},
                                   {'6', "a pipe"},
                                   {'S', "a sparse file"},
                                   {'L', "a member of type \"L\""},
                                   {'g', "a member of type \"g\""}}) {
    refuses_tar(tar_member("a", "x", type) + end, std::string(what) + ", expected a regular file");
  }
  refuses_tar(tar_member("a", "x") + tar_member("a", "y") + end, "there is one of that name");
  for (const char* name : {"", "/a", "a/", "../a", "a\\b"})
    refuses_tar(tar_member(name, "x") + end, "expected a plain relative name");
  refuses_tar(tar_header("a", "00000000001", '0', "prefix") + end, "a name with a prefix");
  refuses_tar(tar_header("a", "0000000008", '0') + end, "a size of \"0000000008\"");
  refuses_tar(tar_header("a", "\x80", '0') + end, "expected octal digits");
  refuses_tar(tar_header("a", "", '0') + end, "no size");
  refuses_tar(tar_header("a", "   ", '0') + end, "no size");
  refuses_tar(tar_header("a", "77777777777", '0') + end, "are left (truncated file?)");
  refuses_tar(tar_member("a", "x") + tar_header("b", "00000001774 ", '0') + end.substr(0, 1022),
              "are left (truncated file?)");
  std::string file = tar_member("a", "x") + end;
  file[0] = 'b';
  refuses_tar(file, "a tar header with checksum");
  file = tar_member("a", "x") + end;
  file[600] = 'h';
  refuses_tar(file, "data behind its end");
  file = tar_member("a", "x") + end;
  file.back() = 'h';
  refuses_tar(file, "data behind the end of the archive");
  file = tar_header("a", "00000000000");
  file.replace(257, 5, "tsar ");
  refuses_tar(file, "checksum");
  refuses_tar(tar_member("a", "x"), "expected a tar header (truncated file?)");
  refuses_tar(tar_member("a", "x") + end.substr(0, 512), "expected at least 1024 zeros");
  refuses_tar(tar_member("a", "x") + end + "x", "in whole blocks");
  refuses_tar(tar_member("a", "1") + tar_member("b", "2") + end, "more than 1 members", {.max_members = 1});
}

TEST(Tar, RefusesAHeaderOfAnotherKind) {
  std::string header = tar_header("a", "00000000000");
  header.replace(257, 5, "other");
  header.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  header.replace(148, 7, std::string(digits, 7));
  refuses_tar(header + test::kTarEnd, "no \"ustar\"");
}

TEST(Tar, RefusesExtendedHeadersThatSayMore) {
  auto refuses = [](const std::string& records, const std::string& part) {
    refuses_tar(tar_member("h", records, 'x') + tar_member("a", "x") + test::kTarEnd, part);
  };
  refuses("11 path=/x\n", "an extended header that sets \"path\"");
  refuses("11 size=10\n", "an extended header that sets \"size\"");
  for (const char* records :
       {"x", "3\n", "99 mtime=1\n", "12 mtime=1.5\n", "1 m\n", " mtime=1\n", "0 mtime=1\n", "999999999 x\n", "11"}) {
    refuses(records, "expected \"LENGTH KEY=VALUE\"");
  }
  refuses(std::string(65537, 'x'), "an extended header of 65537 bytes");
}

}  // namespace
}  // namespace gamut
