#include "base/pending_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace gamut {

PendingFile::PendingFile(const std::filesystem::path& path) : path_(path) {
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    fail(ErrorCode::kIo, "{}: exists and is not a regular file", path.string());
  }
  for (int attempt = 0; fd_ < 0 && attempt < 100; ++attempt) {
    temporary_ = path.string() + fmt::format(".tmp-{}-{}", ::getpid(), attempt);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0 && errno != EEXIST) break;
  }
  if (fd_ < 0) fail(ErrorCode::kIo, "{}: cannot create: {}", temporary_, std::strerror(errno));
}

PendingFile::~PendingFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void PendingFile::write(const void* data, size_t size) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t done = ::write(fd_, next, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) fail(ErrorCode::kIo, "{}: cannot write: {}", temporary_, std::strerror(errno));
    next += done;
    size -= static_cast<size_t>(done);
  }
}

void PendingFile::commit() {
  const bool synced = ::fsync(fd_) == 0;
  const int sync_error = errno;
  const bool closed = ::close(std::exchange(fd_, -1)) == 0;
  if (!synced || !closed) {
    fail(ErrorCode::kIo, "{}: cannot write: {}", temporary_, std::strerror(synced ? errno : sync_error));
  }
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail(ErrorCode::kIo, "{}: cannot rename to {}: {}", temporary_, path_.string(), std::strerror(errno));
  }
  temporary_.clear();
}

void write_text_file(const std::filesystem::path& path, std::string_view text) {
  PendingFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace gamut
