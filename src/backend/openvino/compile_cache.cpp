#include "backend/openvino/compile_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <streambuf>

#include <openvino/core/version.hpp>
#include <openvino/runtime/properties.hpp>
#include "base/file.h"
#include "graph/printer.h"

namespace gamut::openvino {
namespace {

constexpr std::string_view kMagic = "gamut openvino model 1\n";
constexpr std::string_view kSuffix = ".ovmodel";
constexpr size_t kMaxFileBytes = size_t{1} << 30;
constexpr uintmax_t kMaxFolderBytes = uintmax_t{1} << 30;

uint64_t hash(std::string_view bytes) {
  uint64_t result = 14695981039346656037u;  // FNV-1a
  for (unsigned char c : bytes) result = (result ^ c) * 1099511628211u;
  return result;
}

/// The identity of a file, as far as one can have it without reading it.
std::string identity(const std::filesystem::path& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return "";
  return fmt::format("{} {} {} {}.{:09} {}.{:09}", std::filesystem::absolute(path).string(), status.st_ino,
                     status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                     status.st_ctim.tv_nsec);
}

std::string make_key(const Graph& graph, const std::filesystem::path& weights, const Device& device) {
  std::string capabilities;
  if (device.name != "AUTO") {
    for (const std::string& each : core().get_property(device.name, ov::device::capabilities)) {
      capabilities += " " + each;
    }
    capabilities = core().get_property(device.name, ov::device::full_name) + capabilities;
  }
  return fmt::format("gamut {}\nopenvino {}\ndevice {} {}\nprecision {}\nweights {}\n{}", GAMUT_VERSION,
                     ov::get_openvino_version().buildNumber, device.name, capabilities,
                     device.precision.get_type_name(), identity(weights), print(graph));
}

/// Reads a string that stays where it is.
class StringBuffer : public std::streambuf {
 public:
  explicit StringBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }

 protected:
  pos_type seekoff(off_type offset, std::ios_base::seekdir from, std::ios_base::openmode) override {
    char* base = from == std::ios_base::beg ? eback() : from == std::ios_base::cur ? gptr() : egptr();
    if (offset < eback() - base || offset > egptr() - base) return pos_type(off_type(-1));
    setg(eback(), base + offset, egptr());
    return gptr() - eback();
  }
  pos_type seekpos(pos_type position, std::ios_base::openmode mode) override {
    return seekoff(position, std::ios_base::beg, mode);
  }
};

/// Removes the files longest unused until the folder is within its limit.
void trim(const std::filesystem::path& folder) {
  struct Entry {
    std::filesystem::file_time_type time;
    uintmax_t bytes;
    std::filesystem::path path;
  };
  std::error_code ignored;
  std::vector<Entry> entries;
  uintmax_t total = 0;
  for (const auto& each : std::filesystem::directory_iterator(folder, ignored)) {
    if (each.path().extension() != kSuffix) continue;
    entries.push_back({each.last_write_time(ignored), each.file_size(ignored), each.path()});
    total += entries.back().bytes;
  }
  std::ranges::sort(entries, {}, &Entry::time);
  for (const Entry& entry : entries) {
    if (total <= kMaxFolderBytes) return;
    if (std::filesystem::remove(entry.path, ignored)) total -= entry.bytes;
  }
}

}  // namespace

std::optional<CompileCache> CompileCache::open(const CompileOptions& options, const Graph& graph,
                                               const Checkpoint& checkpoint, const Device& device) {
  const std::vector<std::filesystem::path> files = checkpoint.files();
  if (options.cache_folder.empty() || files.size() != 1 || device.name != "CPU") return std::nullopt;
  CompileCache cache;
  cache.weights_ = files[0];
  cache.key_ = make_key(graph, files[0], device);
  cache.file_ = options.cache_folder / fmt::format("{:016x}{}", hash(cache.key_), kSuffix);
  return cache;
}

ov::AnyMap CompileCache::properties(const Device& device) const {
  ov::AnyMap map = device.properties();
  map.insert(ov::cache_mode(ov::CacheMode::OPTIMIZE_SIZE));
  return map;
}

/// Magic, the length of the key, the key, the hash of the model, the model.
std::optional<ov::CompiledModel> CompileCache::load(const Device& device) const {
  try {
    const std::string content = read_file(file_, kMaxFileBytes);
    const std::string head = fmt::format("{}{}\n{}\n", kMagic, key_.size(), key_);
    constexpr size_t kHashDigits = 17;  // and the end of the line
    if (!content.starts_with(head) || content.size() < head.size() + kHashDigits) return std::nullopt;
    const std::string_view model = std::string_view(content).substr(head.size() + kHashDigits);
    if (content.compare(head.size(), kHashDigits, fmt::format("{:016x}\n", hash(model))) != 0) return std::nullopt;
    ov::AnyMap map = properties(device);
    map.insert(ov::weights_path(weights_.string()));
    StringBuffer buffer(model);
    std::istream stream(&buffer);
    ov::CompiledModel compiled = core().import_model(stream, device.name, map);
    std::error_code ignored;
    std::filesystem::last_write_time(file_, std::filesystem::file_time_type::clock::now(), ignored);
    return compiled;
  } catch (const Error&) {
    return std::nullopt;
  } catch (const ov::Exception&) {
    return std::nullopt;
  }
}

void CompileCache::store(ov::CompiledModel& model) const {
  const std::filesystem::path unfinished = file_.string() + fmt::format(".{}.unfinished", ::getpid());
  std::error_code error;
  try {
    std::ostringstream stream;
    model.export_model(stream);
    const std::string content = std::move(stream).str();
    std::filesystem::create_directories(file_.parent_path(), error);
    std::ofstream file(unfinished, std::ios::binary);
    file << kMagic << key_.size() << '\n' << key_ << '\n' << fmt::format("{:016x}\n", hash(content)) << content;
    file.close();
    if (file) {
      std::filesystem::rename(unfinished, file_, error);
      trim(file_.parent_path());
    }
  } catch (const ov::Exception&) {
    // A device that cannot export compiles anew each time.
  }
  std::filesystem::remove(unfinished, error);
}

}  // namespace gamut::openvino
