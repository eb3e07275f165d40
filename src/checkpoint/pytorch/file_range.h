// A piece of a file that is read by copying, with what refusals need: its name and the offset of a byte.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace gamut {

class MappedFile;

/// `text` in double quotes for a message: at most 120 bytes of it, everything but printable ASCII as \xNN.
std::string in_quotes(std::string_view text);

/// A file or a member of an archive. Cheap to copy. Reading goes around the memory map, so a file that becomes shorter
/// is an Error{kIo}; see MappedFile.
class FileRange {
 public:
  /// The whole file.
  explicit FileRange(const std::shared_ptr<const MappedFile>& file);
  /// Bytes in memory that outlive the range.
  FileRange(std::string_view memory, std::string name);

  /// `size` bytes from `begin` on, which must lie inside, as the member `member`.
  FileRange part(uint64_t begin, uint64_t size, std::string_view member) const;

  uint64_t size() const { return size_; }
  /// Where the range begins in its file.
  uint64_t begin() const { return begin_; }

  /// Copies bytes that must lie inside.
  void read(uint64_t at, size_t count, void* to) const;
  std::string text(uint64_t at, size_t count) const;

  /// Throws: "NAME: byte AT: MESSAGE", with AT counted from the begin of the range.
  template <typename... Args>
  [[noreturn]] void refuse(uint64_t at, fmt::format_string<Args...> message, Args&&... args) const {
    refuse_as(ErrorCode::kInvalidFile, at, fmt::format(message, std::forward<Args>(args)...));
  }
  [[noreturn]] void refuse_as(ErrorCode code, uint64_t at, const std::string& message,
                              const std::string& hint = "") const;

 private:
  using Reader = std::function<void(uint64_t, size_t, void*)>;

  std::shared_ptr<const Reader> reader_;
  std::string name_;
  uint64_t begin_ = 0;
  uint64_t size_ = 0;
};

/// The little-endian number in `bytes` bytes at `from`.
uint64_t little_endian(const char* from, size_t bytes);

}  // namespace gamut
