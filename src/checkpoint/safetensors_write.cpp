#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/safetensors_name.h"

namespace gamut {
namespace {

/// A file under a temporary name that takes its own name when it is complete, and disappears otherwise.
class PendingFile {
 public:
  explicit PendingFile(const std::filesystem::path& path) : path_(path) {
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
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;
  ~PendingFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  void write(const void* data, size_t size) {
    const char* next = static_cast<const char*>(data);
    while (size > 0) {
      const ssize_t done = ::write(fd_, next, size);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) fail(ErrorCode::kIo, "{}: cannot write: {}", temporary_, std::strerror(errno));
      next += done;
      size -= static_cast<size_t>(done);
    }
  }

  /// Brings the bytes to the disk, then gives the file its name.
  void commit() {
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

 private:
  std::filesystem::path path_;
  std::string temporary_;
  int fd_ = -1;
};

/// `text` as a JSON string.
std::string json_string(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::exception&) {
    fail(ErrorCode::kInvalidArgument, "{}: not valid UTF-8", shown_name(text));
  }
}

/// The header for tensors laid out one after the other, padded so that the data begins at a multiple of 8.
std::string make_header(const std::vector<const NamedTensors::value_type*>& order,
                        const std::map<std::string, std::string>& metadata) {
  std::string json = "{";
  if (!metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) json += json_string(key) + ":" + json_string(value) + ",";
    json.back() = '}';
    json += ',';
  }
  uint64_t offset = 0;
  for (const auto* item : order) {
    const Tensor& t = item->second;
    json += fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{},{}]}},", json_string(item->first),
                        dtype_name(t.dtype()), to_string(t.dims()), offset, offset + t.bytes());
    offset += t.bytes();
  }
  if (json.back() == ',') json.pop_back();
  json += '}';
  json.append((8 - json.size() % 8) % 8, ' ');
  return json;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const NamedTensors::value_type*> order;
  for (const auto& item : tensors) {
    const auto& [name, t] = item;
    if (name == "__metadata__" || !is_printable_name(name)) {
      fail(ErrorCode::kInvalidArgument, "{}: not a name for a tensor in a safetensors file", shown_name(name));
    }
    if (t.empty()) fail(ErrorCode::kInvalidArgument, "{}: an empty tensor has no bytes to write", shown_name(name));
    if (t.count() * dtype_bits(t.dtype()) % 8 != 0) {
      fail(ErrorCode::kInvalidArgument, "{}: {} {} does not fill whole bytes", shown_name(name), dtype_name(t.dtype()),
           to_string(t.dims()));
    }
    order.push_back(&item);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return dtype_bits(a->second.dtype()) > dtype_bits(b->second.dtype());
  });
  const std::string header = make_header(order, metadata);
  unsigned char length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<unsigned char>(uint64_t{header.size()} >> (8 * i));

  PendingFile file(path);
  file.write(length, sizeof length);
  file.write(header.data(), header.size());
  for (const auto* item : order) file.write(item->second.data(), item->second.bytes());
  file.commit();
}

}  // namespace gamut
