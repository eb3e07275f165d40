// model.safetensors.index.json: the input is its text, the shards are two small files that do not change.
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "fuzz.h"

namespace gamut::fuzz {
namespace {

using Shard = std::shared_ptr<const MappedFile>;

Shard make_shard(const std::string& name, const std::vector<std::string>& tensors) {
  NamedTensors content;
  for (const std::string& tensor : tensors) content.emplace(tensor, Tensor::from({2}, std::vector<float>{1, 2}));
  const auto path = std::filesystem::temp_directory_path() / (std::to_string(::getpid()) + name);
  write_safetensors(path, content);
  Shard shard = MappedFile::open(path);
  std::filesystem::remove(path);
  return shard;
}

void check(std::string_view text) {
  static const Shard first = make_shard("s1", {"a", "c"}), second = make_shard("s2", {"b", "d"});
  const Checkpoint checkpoint = Checkpoint::open_shards(text, "index", [](const std::string& name) {
    join_inside("/model", name, "index");
    if (name == "s1") return first;
    if (name == "s2") return second;
    fail(ErrorCode::kNotFound, "{}: no such file", name);
  });
  for (const TensorEntry& entry : checkpoint.entries()) {
    require(checkpoint.find(entry.name) == &entry, "a tensor that is not found by its name");
    require(checkpoint.tensor(entry).bytes() == 8, "a tensor of the wrong size");
  }
}

}  // namespace
}  // namespace gamut::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gamut::fuzz::works([&] { gamut::fuzz::check(gamut::fuzz::as_text(data, size)); });
  return 0;
}
