// Files: reading small ones whole, mapping large ones, joining untrusted relative names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace gamut {

/// Reads a whole file. Throws Error{kNotFound}, Error{kIo}, or Error{kResourceLimit} when it is larger than
/// `max_bytes`.
std::string read_file(const std::filesystem::path& path, size_t max_bytes);

/// Joins `name` (from an untrusted file) to `root`. Throws Error{kInvalidFile} unless `name` is a plain relative path:
/// not empty, no "..", no leading '/', no backslash, no NUL. `source` names the file that holds the name.
std::filesystem::path join_inside(const std::filesystem::path& root, std::string_view name, const std::string& source);

/// A read-only memory map of a regular file.
class MappedFile {
 public:
  /// Maps the file. Throws Error{kNotFound} or Error{kIo}. An empty file maps to size 0.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  /// The bytes as text.
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  /// Tells the kernel that the pages wholly inside [offset, offset+length) will not be needed soon; they leave resident
  /// memory and come back from the file when touched.
  void release(size_t offset, size_t length) const;

 private:
  MappedFile() = default;
  std::filesystem::path path_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace gamut
