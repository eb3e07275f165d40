#include "faults/model_folder.h"

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/seeded_weights.h"
#include "parity/case.h"

namespace gamut::faults {
namespace {

namespace fs = std::filesystem;

/// More than 1 MiB of a table of width 8.
constexpr int64_t kWords = 40000;

void write_text(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

struct OwnFolder {
  fs::path path = fs::temp_directory_path() / ("gamut-faults-" + std::to_string(::getpid()));
  OwnFolder() { write_model(path, "BertModel"); }
  ~OwnFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

}  // namespace

void write_model(const fs::path& folder, const std::string& head) {
  fs::create_directories(folder / "1_Pooling");
  const parity::Case source = parity::load_case(fs::path(GAMUT_PARITY_FOLDER) / "cases/bert" / (head + "_0.json"));
  Json config = source.config.json();
  config["vocab_size"] = kWords;
  NamedTensors tensors;
  for (const TensorEntry& entry : source.checkpoint->entries()) {
    const bool by_word = !entry.dims.empty() && entry.dims[0] == source.config.i("vocab_size");
    Dims dims = entry.dims;
    if (by_word) dims[0] = kWords;
    tensors[entry.name] = by_word ? seeded_tensor(entry.name, dims, 1, 1.0, 0.0) : source.checkpoint->tensor(entry);
  }
  write_safetensors(folder / "model.safetensors", tensors);
  write_text(folder / "config.json", config.dump());
  write_text(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##c\nthe\n.\n");
  if (head != "BertModel") return;
  write_text(folder / "modules.json", R"([{"type": "sentence_transformers.models.Transformer", "path": ""},
      {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
      {"type": "sentence_transformers.models.Normalize", "path": "2_Normalize"}])");
  write_text(folder / "1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
}

const fs::path& model_folder() {
  static const OwnFolder folder;
  return folder.path;
}

}  // namespace gamut::faults
