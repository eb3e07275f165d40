#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/excerpt.h"
#include "base/huge_memory.h"

namespace gamut {
namespace {

/// Closes the descriptor when it leaves scope.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

/// Opens a regular file for reading and reports its size.
int open_regular(const std::filesystem::path& path, size_t* size) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) fail(ErrorCode::kNotFound, "{}: no such file", path.string());
    fail(ErrorCode::kIo, "{}: cannot open: {}", path.string(), std::strerror(error));
  }
  struct stat info;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    fail(ErrorCode::kIo, "{}: expected a regular file", path.string());
  }
  *size = static_cast<size_t>(info.st_size);
  return fd;
}

}  // namespace

namespace {

/// Reads a file of at most `max_bytes` to where place(size) says.
template <typename Place>
void read_whole(const std::filesystem::path& path, size_t max_bytes, const Place& place) {
  size_t size = 0;
  Descriptor file{open_regular(path, &size)};
  if (size > max_bytes) {
    fail(ErrorCode::kResourceLimit, "{}: {} bytes, at most {} expected", path.string(), size, max_bytes);
  }
  char* const out = place(size);
  size_t done = 0;
  while (done < size) {
    ssize_t got = ::read(file.fd, out + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorCode::kIo, "{}: cannot read at byte {}: {}", path.string(), done, std::strerror(errno));
    if (got == 0) fail(ErrorCode::kIo, "{}: ended at byte {}, expected {} bytes", path.string(), done, size);
    done += static_cast<size_t>(got);
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path, size_t max_bytes) {
  std::string content;
  read_whole(path, max_bytes, [&](size_t size) {
    content.resize(size);
    return content.data();
  });
  return content;
}

FileBytes read_large_file(const std::filesystem::path& path, size_t max_bytes) {
  FileBytes file;
  read_whole(path, max_bytes, [&](size_t size) {
    file.owner = allocate_huge(size);
    file.bytes = {static_cast<const char*>(file.owner.get()), size};
    return static_cast<char*>(file.owner.get());
  });
  return file;
}

std::filesystem::path join_inside(const std::filesystem::path& root, std::string_view name, const std::string& source) {
  auto bad = [&](const char* why) {
    fail(ErrorCode::kInvalidFile, "{}: file name \"{}\" {}; expected a plain relative name inside the model folder",
         source, excerpt(name, 200), why);
  };
  if (name.empty()) bad("is empty");
  if (name.size() > 1024) bad("is longer than 1024 bytes");
  for (char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) bad("holds a control character");
    if (c == '\\') bad("holds a backslash");
    if (c == '%') bad("holds a percent sign");
  }
  if (name.front() == '/') bad("is absolute");
  for (const auto& part : std::filesystem::path(name)) {
    if (part == ".." || part == "." || part.empty()) bad("has a '.', '..' or empty part");
  }
  return root / name;
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->path_ = path;
  file->descriptor_ = open_regular(path, &file->size_);
  if (file->size_ == 0) return file;
  void* address = ::mmap(nullptr, file->size_, PROT_READ, MAP_PRIVATE, file->descriptor_, 0);
  if (address == MAP_FAILED) {
    fail(ErrorCode::kIo, "{}: cannot map {} bytes: {}", path.string(), file->size_, std::strerror(errno));
  }
  file->data_ = static_cast<const uint8_t*>(address);
  return file;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), size_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

void MappedFile::require_whole() const {
  struct stat now;
  if (::fstat(descriptor_, &now) != 0) fail(ErrorCode::kIo, "{}: {}", path_.string(), std::strerror(errno));
  if (static_cast<uint64_t>(now.st_size) >= size_) return;
  fail(ErrorCode::kIo, "{}: it ends at byte {}, when it was opened it ended at byte {}", path_.string(), now.st_size,
       size_);
}

bool MappedFile::try_read(uint64_t offset, size_t length, void* to) const noexcept {
  size_t done = 0;
  while (done < length) {
    const ssize_t got =
        ::pread(descriptor_, static_cast<char*>(to) + done, length - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return errno = 0, false;
    done += static_cast<size_t>(got);
  }
  return true;
}

void MappedFile::read(uint64_t offset, size_t length, void* to) const {
  if (try_read(offset, length, to)) return;
  const int error = errno;
  if (error != 0) {
    fail(ErrorCode::kIo, "{}: cannot read {} bytes at byte {}: {}", path_.string(), length, offset,
         std::strerror(error));
  }
  struct stat info {};
  ::fstat(descriptor_, &info);
  fail(ErrorCode::kIo, "{}: byte {}: the file ends here, expected byte {} as when it was opened (it became shorter)",
       path_.string(), info.st_size, size_);
}

void MappedFile::release(size_t offset, size_t length) const {
  if (data_ == nullptr || offset >= size_) return;
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  length = std::min(length, size_ - offset);
  size_t begin = (offset + page - 1) / page * page;
  size_t end = (offset + length) / page * page;
  if (begin < end) ::madvise(const_cast<uint8_t*>(data_) + begin, end - begin, MADV_DONTNEED);
}

}  // namespace gamut
