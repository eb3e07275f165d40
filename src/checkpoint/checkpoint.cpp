#include "checkpoint/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "checkpoint/model_path.h"
#include "checkpoint/pytorch/torch_file.h"
#include "checkpoint/safetensors_name.h"
#include "checkpoint/strided.h"

namespace gamut {
namespace {

namespace fs = std::filesystem;

/// What is looked for, in this order: a single file or the index of its shards.
struct WeightFile {
  const char* name;
  bool is_index;
};
constexpr WeightFile kWeightFiles[] = {{"model.safetensors", false},
                                       {"model.safetensors.index.json", true},
                                       {"pytorch_model.bin", false},
                                       {"pytorch_model.bin.index.json", true}};

constexpr JsonLimits kIndexLimits{.max_bytes = 64u << 20, .max_depth = 8};
constexpr size_t kMaxShards = 4096;

/// The shard of each tensor, as the index has it.
using WeightMap = std::map<std::string, std::string>;

WeightMap read_weight_map(const Json& index, const std::string& source) {
  auto found = index.is_object() ? index.find("weight_map") : index.end();
  if (found == index.end() || !found->is_object()) {
    fail(ErrorCode::kInvalidFile, "{}: no \"weight_map\", expected an object from tensor names to file names", source);
  }
  WeightMap map;
  for (const auto& [name, shard] : found->items()) {
    if (!shard.is_string()) {
      fail(ErrorCode::kInvalidFile, "{}: weight_map {} is {}, expected a file name", source, shown_name(name),
           shard.type_name());
    }
    map.emplace(name, shard.get<std::string>());
  }
  if (map.empty()) fail(ErrorCode::kInvalidFile, "{}: \"weight_map\" is empty, expected tensors", source);
  return map;
}

/// The shard names without repetition, in order.
std::vector<std::string> shard_names(const WeightMap& map, const std::string& source) {
  std::vector<std::string> names;
  for (const auto& [name, shard] : map) {
    if (names.empty() || names.back() != shard) names.push_back(shard);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.size() > kMaxShards) {
    fail(ErrorCode::kResourceLimit, "{}: {} shards, at most {} expected", source, names.size(), kMaxShards);
  }
  return names;
}

/// The `metadata.total_size` of an index, or -1.
int64_t stated_size(const Json& index) {
  auto metadata = index.find("metadata");
  if (metadata == index.end() || !metadata->is_object()) return -1;
  auto size = metadata->find("total_size");
  return size != metadata->end() && size->is_number_unsigned() ? size->get<int64_t>() : -1;
}

}  // namespace

Checkpoint Checkpoint::open(const fs::path& dir) {
  std::error_code error;
  if (!fs::is_directory(dir, error)) fail(ErrorCode::kNotFound, "{}: no such folder", dir.string());
  for (const auto& [name, is_index] : kWeightFiles) {
    if (!entry_exists(dir / name)) continue;
    return is_index ? open_index(dir, name) : open_file(resolve_inside(dir, name, dir.string()));
  }
  fail(ErrorCode::kNotFound, "{}: no weights; looked for {}, {}, {}, {}", dir.string(), kWeightFiles[0].name,
       kWeightFiles[1].name, kWeightFiles[2].name, kWeightFiles[3].name);
}

Checkpoint Checkpoint::open_file(const fs::path& path) {
  Checkpoint checkpoint;
  checkpoint.add_file(MappedFile::open(path));
  checkpoint.build_index();
  return checkpoint;
}

Checkpoint Checkpoint::from_tensors(const NamedTensors& tensors) {
  Checkpoint checkpoint;
  for (const auto& [name, tensor] : tensors) {
    checkpoint.entries_.push_back(
        {.name = name, .dtype = tensor.dtype(), .dims = tensor.dims(), .bytes = tensor.bytes()});
    checkpoint.memory_.push_back(tensor);
  }
  checkpoint.build_index();
  return checkpoint;
}

Checkpoint Checkpoint::open_index(const fs::path& dir, const std::string& name) {
  const std::string source = (dir / name).string();
  return open_shards(read_file(resolve_inside(dir, name, dir.string()), kIndexLimits.max_bytes), source,
                     [&](const std::string& shard) { return MappedFile::open(resolve_inside(dir, shard, source)); });
}

Checkpoint Checkpoint::open_shards(std::string_view text, const std::string& source, const ShardOpener& open_shard) {
  WeightMap map;
  int64_t stated = -1;
  {
    // The parsed index is large; it goes before the shards are read.
    Json index = parse_json(text, source, kIndexLimits);
    const JsonRelease release(index);
    map = read_weight_map(index, source);
    stated = stated_size(index);
  }
  Checkpoint checkpoint;
  const std::vector<std::string> shards = shard_names(map, source);
  for (const std::string& shard : shards) checkpoint.add_file(open_shard(shard));
  checkpoint.build_index();

  for (const TensorEntry& entry : checkpoint.entries_) {
    if (map.contains(entry.name)) continue;
    fail(ErrorCode::kInvalidFile, "{}: tensor {} of {} is not in \"weight_map\"", source, shown_name(entry.name),
         shards[entry.file]);
  }
  for (const auto& [name, shard] : map) {
    const TensorEntry* entry = checkpoint.find(name);
    if (entry != nullptr && shards[entry->file] == shard) continue;
    fail(ErrorCode::kInvalidFile, "{}: \"weight_map\" has tensor {} in {}, but it is {}", source, shown_name(name),
         shown_name(shard), entry == nullptr ? "in none of the shards" : "in " + shards[entry->file]);
  }
  // Written by many tools and wrong in many published files (tied tensors counted twice, parameters for bytes).
  if (stated >= 0 && static_cast<uint64_t>(stated) != checkpoint.total_bytes_) {
    checkpoint.warnings_.push_back(fmt::format("{}: metadata.total_size is {}, but the tensors have {} bytes", source,
                                               stated, checkpoint.total_bytes_));
  }
  return checkpoint;
}

void Checkpoint::add_file(std::shared_ptr<const MappedFile> file) {
  std::string head(std::min(file->size(), kTorchHeadBytes), '\0');
  file->read(0, head.size(), head.data());
  std::vector<TensorEntry> entries;
  storages_.emplace_back();
  if (is_torch_file(head)) {
    TorchFile content = read_torch_file(FileRange(file));
    for (const std::string& warning : content.warnings) {
      warnings_.push_back(fmt::format("{}: {}", file->path().string(), warning));
    }
    storages_.back() = std::move(content.storages);
    entries = std::move(content.entries);
  } else {
    entries = read_safetensors_header(*file).entries;
  }
  for (TensorEntry& entry : entries) {
    entry.file = static_cast<uint32_t>(files_.size());
    entries_.push_back(std::move(entry));
  }
  files_.push_back(std::move(file));
}

void Checkpoint::build_index() {
  by_name_.resize(entries_.size());
  for (uint32_t i = 0; i < by_name_.size(); ++i) {
    by_name_[i] = i;
    total_bytes_ += entries_[i].bytes;
  }
  std::stable_sort(by_name_.begin(), by_name_.end(),
                   [this](uint32_t a, uint32_t b) { return entries_[a].name < entries_[b].name; });
  for (size_t i = 1; i < by_name_.size(); ++i) {
    const TensorEntry& first = entries_[by_name_[i - 1]];
    const TensorEntry& second = entries_[by_name_[i]];
    if (first.name != second.name) continue;
    fail(ErrorCode::kInvalidFile, "{}: tensor {} is also in {}, expected it once", files_[second.file]->path().string(),
         shown_name(second.name), files_[first.file]->path().string());
  }
}

const TensorEntry* Checkpoint::find(std::string_view name) const {
  auto found = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                [this](uint32_t i, std::string_view wanted) { return entries_[i].name < wanted; });
  if (found == by_name_.end() || entries_[*found].name != name) return nullptr;
  return &entries_[*found];
}

const TensorEntry& Checkpoint::require(std::string_view name) const {
  const TensorEntry* entry = find(name);
  if (entry == nullptr) {
    fail(ErrorCode::kNotFound, "{}: no tensor {}",
         files_.empty() ? "checkpoint in memory" : files_.front()->path().string(), shown_name(name));
  }
  return *entry;
}

StoredTensor Checkpoint::stored(std::string_view name) const {
  const TensorEntry& entry = require(name);
  const bool lies_in_file = !files_.empty() && entry.strides.empty();
  return lies_in_file ? StoredTensor(entry, files_.at(entry.file)) : StoredTensor(tensor(entry));
}

Tensor Checkpoint::tensor(std::string_view name) const { return tensor(require(name)); }

Tensor Checkpoint::tensor(const TensorEntry& entry) const {
  if (files_.empty()) return memory_.at(static_cast<size_t>(&entry - entries_.data()));
  const auto& file = files_.at(entry.file);
  return entry.strides.empty() ? map_tensor(entry, file) : gather(entry, *file);
}

void Checkpoint::release(std::string_view name) const {
  const TensorEntry* entry = find(name);
  if (entry != nullptr && !files_.empty()) files_[entry->file]->release(entry->offset, entry->bytes);
}

void Checkpoint::release_all() const {
  for (const auto& file : files_) file->release(0, file->size());
}

void Checkpoint::require_whole() const {
  for (const auto& file : files_) file->require_whole();
}

void Checkpoint::verify() const {
  for (size_t i = 0; i < files_.size(); ++i) {
    for (const ArchiveMember& member : storages_[i]) check_crc(FileRange(files_[i]), member);
  }
}

std::vector<fs::path> Checkpoint::files() const {
  std::vector<fs::path> paths;
  for (const auto& file : files_) paths.push_back(file->path());
  return paths;
}

}  // namespace gamut
