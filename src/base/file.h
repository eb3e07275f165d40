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

/// The same for files of megabytes: on huge pages, which are not cleared twice.
struct FileBytes {
  std::shared_ptr<void> owner;
  std::string_view bytes;
};
FileBytes read_large_file(const std::filesystem::path& path, size_t max_bytes);

/// Joins `name` (from an untrusted file) to `root`. Throws Error{kInvalidFile} unless `name` is a plain relative path:
/// not empty, no "..", no leading '/', no backslash, no NUL. `source` names the file that holds the name.
std::filesystem::path join_inside(const std::filesystem::path& root, std::string_view name, const std::string& source);

/// A regular file, open for reading and mapped.
///
/// Touching the map of a file that another program has made shorter ends the process (SIGBUS). `read` does not go
/// through the map and throws instead: what has to survive such a file uses it. docs/decisions/shrinking-files.md
class MappedFile {
 public:
  /// Opens and maps the file. Throws Error{kNotFound} or Error{kIo}. An empty file maps to size 0.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  /// The bytes as text.
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  /// Copies bytes [offset, offset + length) of the file to `to`. Throws Error{kIo} that says where the file ends when
  /// it has become shorter.
  void read(uint64_t offset, size_t length, void* to) const;
  /// The same; false instead of an exception.
  bool try_read(uint64_t offset, size_t length, void* to) const noexcept;

  /// Throws Error{kIo} when the file is shorter now than its map. It may become so right afterwards: this spares who
  /// has to touch the map the usual case, a file that was replaced in place some time ago.
  void require_whole() const;

  /// Tells the kernel that the pages wholly inside [offset, offset+length) will not be needed soon; they leave resident
  /// memory and come back from the file when touched.
  void release(size_t offset, size_t length) const;

 private:
  MappedFile() = default;
  std::filesystem::path path_;
  int descriptor_ = -1;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace gamut
