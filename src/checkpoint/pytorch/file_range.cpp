#include "checkpoint/pytorch/file_range.h"

#include <cstring>

#include "base/file.h"

namespace gamut {

std::string in_quotes(std::string_view text) {
  constexpr size_t kMaxShown = 120;
  std::string out = "\"";
  for (unsigned char c : text.substr(0, kMaxShown)) {
    if (c < 0x20 || c >= 0x7f) {
      out += fmt::format("\\x{:02x}", c);
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + (text.size() > kMaxShown ? "\"…" : "\"");
}

FileRange::FileRange(const std::shared_ptr<const MappedFile>& file)
    : reader_(std::make_shared<Reader>([file](uint64_t at, size_t count, void* to) { file->read(at, count, to); })),
      name_(file->path().string()),
      size_(file->size()) {}

FileRange::FileRange(std::string_view memory, std::string name)
    : reader_(std::make_shared<Reader>([memory](uint64_t at, size_t count, void* to) {
        if (count > 0) std::memcpy(to, memory.data() + at, count);
      })),
      name_(std::move(name)),
      size_(memory.size()) {}

FileRange FileRange::part(uint64_t begin, uint64_t size, std::string_view member) const {
  check_internal(begin <= size_ && size <= size_ - begin, "a member outside its file");
  FileRange part = *this;
  part.name_ += ": member " + in_quotes(member);
  part.begin_ += begin;
  part.size_ = size;
  return part;
}

void FileRange::read(uint64_t at, size_t count, void* to) const {
  check_internal(at <= size_ && count <= size_ - at, "a read outside its file");
  (*reader_)(begin_ + at, count, to);
}

std::string FileRange::text(uint64_t at, size_t count) const {
  std::string bytes(count, '\0');
  read(at, count, bytes.data());
  return bytes;
}

void FileRange::refuse_as(ErrorCode code, uint64_t at, const std::string& message, const std::string& hint) const {
  throw Error(code, shortened(fmt::format("{}: byte {}: {}", name_, at, message)), hint);
}

uint64_t little_endian(const char* from, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value |= uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
  return value;
}

}  // namespace gamut
