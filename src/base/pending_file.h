// Files that appear under their name only when they are complete.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace gamut {

/// A file under a temporary name that takes its own name when it is complete, and disappears otherwise. Throws
/// Error{kIo} with the path and the reason.
class PendingFile {
 public:
  explicit PendingFile(const std::filesystem::path& path);
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;
  ~PendingFile();

  void write(const void* data, size_t size);
  /// Brings the bytes to the disk, then gives the file its name.
  void commit();

 private:
  std::filesystem::path path_;
  std::string temporary_;
  int fd_ = -1;
};

/// Writes a whole small file in that way.
void write_text_file(const std::filesystem::path& path, std::string_view text);

}  // namespace gamut
