#include "checkpoint/pytorch/archive.h"

#include <algorithm>
#include <array>
#include <filesystem>

namespace gamut {
namespace {

/// Tables for eight bytes at a time: row k is the CRC of a byte with k zero bytes behind it.
constexpr auto make_crc_tables() {
  constexpr uint32_t kPolynomial = 0xEDB88320u;
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (uint32_t byte = 0; byte < 256; ++byte) {
    for (size_t k = 1; k < 8; ++k) tables[k][byte] = tables[k - 1][byte] >> 8 ^ tables[0][tables[k - 1][byte] & 255];
  }
  return tables;
}

constexpr auto kCrcTables = make_crc_tables();

}  // namespace

uint32_t crc32(uint32_t crc, const void* data, size_t size) {
  const char* next = static_cast<const char*>(data);
  crc = ~crc;
  for (; size >= 8; size -= 8, next += 8) {
    const uint64_t word = little_endian(next, 8) ^ crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= kCrcTables[7 - k][word >> (8 * k) & 255];
  }
  for (; size > 0; --size, ++next) crc = crc >> 8 ^ kCrcTables[0][(crc ^ static_cast<unsigned char>(*next)) & 255];
  return ~crc;
}

void check_crc(const FileRange& file, const ArchiveMember& member) {
  if (member.crc == 0) return;
  std::string piece(static_cast<size_t>(std::min<uint64_t>(member.size, 1u << 20)), '\0');
  uint32_t crc = 0;
  for (uint64_t done = 0; done < member.size; done += piece.size()) {
    piece.resize(static_cast<size_t>(std::min<uint64_t>(piece.size(), member.size - done)));
    file.read(member.offset + done, piece.size(), piece.data());
    crc = crc32(crc, piece.data(), piece.size());
  }
  if (crc == member.crc) return;
  file.refuse(member.offset, "member {}: its bytes have the CRC {:08x}, expected {:08x} as the archive states",
              in_quotes(member.name), crc, member.crc);
}

void check_member_name(const FileRange& file, uint64_t at, const std::string& name, const ArchiveLimits& limits) {
  const char* problem = nullptr;
  if (name.empty()) problem = "is empty";
  else if (name.size() > limits.max_name) problem = "is too long";
  else if (name.front() == '/') problem = "is absolute";
  else if (name.back() == '/') problem = "is that of a folder";
  else if (std::ranges::any_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '\\'; })) {
    problem = "holds a control character or a backslash";
  } else {
    for (const auto& part : std::filesystem::path(name)) {
      if (part == ".." || part == ".") problem = "has a '.' or '..' part";
    }
  }
  if (problem == nullptr) return;
  file.refuse(at, "member {}: the name {}, expected a plain relative name of at most {} bytes", in_quotes(name),
              problem, limits.max_name);
}

void check_distinct_names(const FileRange& file, const std::vector<ArchiveMember>& members) {
  std::vector<const ArchiveMember*> order;
  for (const ArchiveMember& member : members) order.push_back(&member);
  std::ranges::stable_sort(order, {}, [](const ArchiveMember* m) { return std::string_view(m->name); });
  for (size_t i = 1; i < order.size(); ++i) {
    if (order[i - 1]->name != order[i]->name) continue;
    file.refuse(order[i]->offset, "member {}: there is one of that name at byte {} already", in_quotes(order[i]->name),
                order[i - 1]->offset);
  }
}

}  // namespace gamut
