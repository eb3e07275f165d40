#include "backend/openvino/compile_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include <openvino/core/version.hpp>
#include <openvino/runtime/properties.hpp>
#include "graph/printer.h"

namespace gamut::openvino {
namespace {

constexpr std::string_view kMagic = "gamut openvino model 3\n";
constexpr std::string_view kSuffix = ".ovmodel";
constexpr size_t kAlignment = 4096;  // of the model in its file, and so of constants in its map
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;
constexpr uintmax_t kMaxFolderBytes = uintmax_t{4} << 30;

/// Finds damage, not malice. Four sums at once, as a model with its weights is long.
uint64_t hash(std::string_view bytes) {
  constexpr uint64_t kPrime = 1099511628211u;
  uint64_t sums[4] = {14695981039346656037u, bytes.size(), 2, 3};
  auto mix = [](uint64_t sum, uint64_t word) { return std::rotl((sum ^ word) * kPrime, 29); };
  size_t at = 0;
  for (; at + sizeof(sums) <= bytes.size(); at += sizeof(sums)) {
    uint64_t words[4];
    std::memcpy(words, bytes.data() + at, sizeof(words));
    for (int i = 0; i < 4; ++i) sums[i] = mix(sums[i], words[i]);
  }
  for (; at < bytes.size(); ++at) sums[0] = mix(sums[0], static_cast<unsigned char>(bytes[at]));
  return mix(mix(mix(sums[0], sums[1]), sums[2]), sums[3]) * kPrime;
}

/// The identity of a file, as far as one can have it without reading it.
std::string identity(const std::filesystem::path& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return "";
  return fmt::format("{} {} {} {}.{:09} {}.{:09}", std::filesystem::absolute(path).string(), status.st_ino,
                     status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                     status.st_ctim.tv_nsec);
}

std::string identity(const Device& device) {
  std::vector<std::string> names;
  for (const ov::PropertyName& name : core().get_property(device.name, ov::supported_properties)) names.push_back(name);
  std::string text;
  for (const auto& [name, version] : core().get_versions(device.name)) {
    text += fmt::format("plugin {} {}\n", name, version.buildNumber);
  }
  return text + device_identity(names, [&](const std::string& name) {
           return core().get_property(device.name, name).as<std::string>();
         });
}

std::string make_key(const Graph& graph, const std::vector<std::filesystem::path>& weights, const Device& device) {
  std::string files;
  for (const std::filesystem::path& file : weights) files += fmt::format("weights {}\n", identity(file));
  return fmt::format("gamut {}\nopenvino {}\ndevice {}\n{}precision {}\nthreads {}\n{}{}", GAMUT_VERSION,
                     ov::get_openvino_version().buildNumber, device.name, identity(device),
                     device.precision.get_type_name(), device.threads, files, print(graph));
}

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

std::string device_identity(const std::vector<std::string>& properties, const DeviceProperty& property) {
  auto text_of = [&](const std::string& name) {
    try {
      return property(name);
    } catch (const ov::Exception&) {
      return std::string();
    }
  };
  // The device's own list of what its compiled models depend on, a GPU's driver among them.
  std::istringstream listed(text_of("CACHING_PROPERTIES"));
  std::set<std::string> names{ov::device::full_name.name(), ov::device::architecture.name(),
                              ov::device::capabilities.name()};
  for (std::string name; listed >> name;) names.insert(name);
  for (const std::string& name : properties) {
    if (name.ends_with("_VERSION")) names.insert(name);
  }
  std::string text;
  for (const std::string& name : names) text += fmt::format("{} {}\n", name, text_of(name));
  return text;
}

std::optional<CompileCache> CompileCache::open(const CompileOptions& options, const Graph& graph,
                                               const Checkpoint& checkpoint, const Device& device) {
  const std::vector<std::filesystem::path> files = checkpoint.files();
  // AUTO may change from one device to another while it runs.
  if (options.cache_folder.empty() || files.empty() || device.name == "AUTO") return std::nullopt;
  CompileCache cache;
  if (device.name == "CPU" && files.size() == 1) cache.weights_ = files[0];
  if (!cache.leaves_weights() && checkpoint.total_bytes() > kMaxFileBytes) return std::nullopt;
  cache.key_ = make_key(graph, files, device);
  cache.file_ = options.cache_folder / fmt::format("{:016x}{}", hash(cache.key_), kSuffix);
  return cache;
}

ov::AnyMap CompileCache::properties(const Device& device) const {
  ov::AnyMap map = device.properties();
  map.insert(ov::cache_mode(leaves_weights() ? ov::CacheMode::OPTIMIZE_SIZE : ov::CacheMode::OPTIMIZE_SPEED));
  return map;
}

/// What stands before the model: magic, the length of the key, the key, the hash of the model, empty lines.
std::string CompileCache::head(std::string_view model) const {
  std::string text = fmt::format("{}{}\n{}\n{:016x}\n", kMagic, key_.size(), key_, hash(model));
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, '\n');
  return text;
}

/// The model in a file that is whole and has this key; else nothing.
std::string_view CompileCache::model_in(const MappedFile& file) const {
  const std::string_view content = file.text();
  const size_t begin = head({}).size();
  if (content.size() <= begin) return {};
  const std::string_view model = content.substr(begin);
  return content.starts_with(head(model)) ? model : std::string_view();
}

std::optional<ov::CompiledModel> CompileCache::load(const Device& device) const {
  try {
    const std::shared_ptr<const MappedFile> file = MappedFile::open(file_);
    const std::string_view model = model_in(*file);
    if (model.empty()) return std::nullopt;
    ov::AnyMap map = properties(device);
    if (leaves_weights()) map.insert(ov::weights_path(weights_.string()));
    // Constants may be read in the map, which the tensor keeps.
    char* bytes = const_cast<char*>(model.data());
    const ov::Tensor view(ov::element::u8, {model.size()}, bytes);
    ov::CompiledModel compiled =
        core().import_model(ov::Tensor(view, std::shared_ptr<void>(file, bytes)), device.name, map);
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
    std::filesystem::create_directories(file_.parent_path(), error);
    std::fstream file(unfinished, std::ios::binary | std::ios::in | std::ios::out | std::ios::trunc);
    const std::string room = head({});
    file << room;
    model.export_model(file);
    file.flush();
    if (file) {
      const std::shared_ptr<const MappedFile> written = MappedFile::open(unfinished);
      file.seekp(0) << head(written->text().substr(room.size()));
    }
    file.close();
    if (file) {
      std::filesystem::rename(unfinished, file_, error);
      trim(file_.parent_path());
    }
  } catch (const Error&) {
    // The folder's file system is at fault.
  } catch (const ov::Exception&) {
    // A device that cannot export compiles anew each time.
  }
  std::filesystem::remove(unfinished, error);
}

}  // namespace gamut::openvino
