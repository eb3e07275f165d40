// gamut convert: a model folder with its weights as safetensors.
#include "gamut/convert.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/edge.h"
#include "base/error.h"
#include "base/json.h"
#include "base/pending_file.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/model_path.h"

namespace gamut {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr size_t kMaxDepth = 16;

// std::filesystem's walks of folders end the process when memory runs out inside of them (libstdc++ 12).

/// Removes a folder and all in it, if it is there. Links are removed and not followed.
void remove_tree(const fs::path& path) noexcept {
  constexpr int kDescriptors = 16;
  ::nftw(
      path.c_str(), [](const char* entry, const struct stat*, int, FTW*) { return ::remove(entry); }, kDescriptors,
      FTW_DEPTH | FTW_PHYS);
}

/// The names in a folder, in order, without those of hidden files.
std::vector<std::string> names_in(const fs::path& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
  if (open == nullptr) fail(ErrorCode::kIo, "{}: cannot open: {}", folder.string(), std::strerror(errno));
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(open.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  std::ranges::sort(names);
  return names;
}

/// A folder beside its final place, which takes its name when it is complete and disappears otherwise.
class PendingFolder {
 public:
  explicit PendingFolder(const fs::path& out) : path_(out.string() + fmt::format(".tmp-{}", ::getpid())) {
    remove_tree(path_);  // what this very process could not remove for want of memory
    std::error_code error;
    if (!fs::create_directory(path_, error)) {
      fail(ErrorCode::kIo, "{}: cannot create: {}", path_.string(), error ? error.message() : "it exists already");
    }
  }
  PendingFolder(const PendingFolder&) = delete;
  PendingFolder& operator=(const PendingFolder&) = delete;
  ~PendingFolder() { remove_tree(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) fail(ErrorCode::kIo, "{}: cannot rename to {}: {}", from.string(), to.string(), error.message());
}

/// Whether a file of the top folder holds weights: those are converted, or belong to other programs.
bool is_weights(const std::string& name) {
  for (const char* suffix : {".safetensors", ".safetensors.index.json", ".bin.index.json", ".h5", ".msgpack", ".gguf",
                             ".onnx", ".ot", ".pt", ".pth", ".ckpt"}) {
    if (name.ends_with(suffix)) return true;
  }
  return name.starts_with("pytorch_model") && name.ends_with(".bin");
}

/// Copies files and folders, no links that lead out of the model.
class Copy {
 public:
  Copy(const fs::path& root, const fs::path& to, const std::set<fs::path>& left_out, std::vector<std::string>* copied)
      : root_(root), to_(to), left_out_(left_out), copied_(copied) {}

  void run(const fs::path& relative, size_t depth) {
    if (depth == kMaxDepth) fail(ErrorCode::kResourceLimit, "{}: too many folders inside each other", root_.string());
    for (const std::string& own_name : names_in(root_ / relative)) {
      const fs::path name = relative / own_name, path = root_ / name;
      const fs::file_status status = fs::symlink_status(path);
      if (fs::is_directory(status)) {
        if (fs::equivalent(path, to_)) continue;
        run(name, depth + 1);
        continue;
      }
      if (depth == 0 && is_weights(own_name)) continue;
      const fs::path real =
          fs::is_symlink(status) ? resolve_inside(root_, name.string(), root_.string()) : fs::canonical(path);
      if (left_out_.count(real) > 0) continue;
      if (!fs::is_regular_file(real)) fail(ErrorCode::kIo, "{}: expected a regular file", path.string());
      fs::create_directories((to_ / name).parent_path());
      fs::copy_file(real, to_ / name);
      copied_->push_back(name.string());
    }
  }

 private:
  const fs::path &root_, &to_;
  const std::set<fs::path>& left_out_;
  std::vector<std::string>* copied_;
};

/// The tensors of each file, in the order of the checkpoint.
std::vector<std::vector<const TensorEntry*>> make_shards(const Checkpoint& checkpoint, uint64_t most) {
  std::vector<std::vector<const TensorEntry*>> shards(1);
  uint64_t bytes = 0;
  for (const TensorEntry& entry : checkpoint.entries()) {
    if (!shards.back().empty() && entry.bytes > most - std::min(most, bytes)) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().push_back(&entry);
    bytes += entry.bytes;
  }
  return shards;
}

/// Text, since a JSON object with others in it needs memory to go.
std::string index_text(uint64_t bytes, const std::map<std::string, std::string>& weight_map) {
  std::string text = fmt::format("{{\n  \"metadata\": {{\n    \"total_size\": {}\n  }},\n  \"weight_map\": {{", bytes);
  const char* comma = "";
  for (const auto& [tensor, file] : weight_map) {
    text += fmt::format("{}\n    {}: \"{}\"", comma, Json(tensor).dump(), file);
    comma = ",";
  }
  return text + "\n  }\n}\n";
}

void write_weights(const Checkpoint& checkpoint, uint64_t shard_bytes, const fs::path& to, Converted* converted) {
  const auto shards = make_shards(checkpoint, shard_bytes);
  std::map<std::string, std::string> weight_map;
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name =
        shards.size() == 1 ? kSingle : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    std::vector<SafetensorsItem> items;
    for (const TensorEntry* entry : shards[i]) {
      items.push_back(
          {entry->name, entry->dtype, entry->dims, [&checkpoint, entry] { return checkpoint.stored(entry->name); }});
      weight_map[entry->name] = name;
    }
    stream_safetensors(to / name, std::move(items), {{"format", "pt"}});
    converted->files.push_back(name);
  }
  if (shards.size() == 1) return;
  write_text_file(to / kIndex, index_text(checkpoint.total_bytes(), weight_map));
  converted->files.push_back(kIndex);
}

/// Moves everything into a folder that exists: the weights last, and what would be found before them goes.
void move_into(const fs::path& from, const fs::path& to, const Converted& converted) {
  for (const std::string& name : converted.copied) {
    fs::create_directories((to / name).parent_path());
    move(from / name, to / name);
  }
  for (const std::string& name : converted.files) move(from / name, to / name);
  if (converted.files.size() > 1) fs::remove(to / kSingle);
  if (converted.files.size() == 1) fs::remove(to / kIndex);
}

Converted convert_folder(const fs::path& folder, const fs::path& given, const ConvertOptions& options) {
  const fs::path out = given.has_filename() ? given : given.parent_path();
  if (options.shard_bytes == 0) fail(ErrorCode::kInvalidArgument, "shards of 0 bytes, expected at least 1");
  const bool exists = entry_exists(out);
  if (exists && !options.force) {
    fail_with_hint(ErrorCode::kInvalidArgument, fmt::format("{}: exists already", out.string()),
                   "Choose another folder, or write into it with --force.");
  }
  if (exists && !fs::is_directory(out)) fail(ErrorCode::kIo, "{}: expected a folder", out.string());
  const Checkpoint checkpoint = Checkpoint::open(folder);
  checkpoint.verify();
  std::set<fs::path> own;
  for (const fs::path& file : checkpoint.files()) own.insert(fs::canonical(file));
  Converted converted;
  converted.warnings = checkpoint.warnings();
  converted.tensors = checkpoint.entries().size();
  converted.bytes = checkpoint.total_bytes();
  const PendingFolder pending(out);
  write_weights(checkpoint, options.shard_bytes, pending.path(), &converted);
  if (!exists || !fs::equivalent(folder, out)) Copy(folder, pending.path(), own, &converted.copied).run("", 0);
  std::ranges::sort(converted.copied);
  if (exists) {
    move_into(pending.path(), out, converted);
  } else {
    move(pending.path(), out);
  }
  return converted;
}

}  // namespace

Converted convert(const fs::path& folder, const fs::path& out, const ConvertOptions& options) {
  return at_edge([&] { return convert_folder(folder, out, options); });
}

}  // namespace gamut
