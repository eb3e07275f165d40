#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "text/convert.h"
#include "text/load.h"

namespace gamut::text {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostBytes = size_t{256} << 20;
constexpr size_t kMostModelBytes = size_t{64} << 20;

TokenizerParts load_model_file(const std::string& name, const fs::path& path, const SettingsFiles& files) {
  const std::string content = read_file(path, kMostModelBytes);
  if (is_rank_file(content))
    return parts_from_ranks(name, read_rank_file(content, path.string()), files, path.string());
  return parts_from_sentencepiece(name, read_sentencepiece(content, path.string()), files, path.string());
}

TokenizerParts load_merges(const std::string& name, const fs::path& folder, const SettingsFiles& files) {
  const OwnedJson vocabulary = parse_json_file(folder / "vocab.json");
  return parts_from_merges(name, vocabulary, read_file(folder / "merges.txt", kMostBytes), files);
}

}  // namespace

TokenizerParts load_vocabulary(const fs::path& folder, const SettingsFiles& files) {
  auto exists = [&](const std::string& file) { return fs::exists(folder / file); };
  const OwnedJson model_config = exists("config.json") ? parse_json_file(folder / "config.json") : Json();
  std::string name = class_for(files.config, model_config);
  if ((name.empty() || name == "TokenizersBackend") && exists("vocab.txt")) name = "BertTokenizer";
  if (name.empty()) name = exists("vocab.json") ? "GPT2Tokenizer" : "TokenizersBackend";
  if (exists("tekken.json")) {
    const OwnedJson tekken = parse_json_file(folder / "tekken.json");
    const std::string source = (folder / "tekken.json").string();
    return parts_from_ranks(name, read_tekken(tekken, source), files, source);
  }
  for (const char* file : {"tokenizer.model", "tiktoken.model"}) {
    if (exists(file)) return load_model_file(name, folder / file, files);
  }
  const auto require = [&](const std::string& file) {
    if (exists(file)) return;
    fail_with_hint(ErrorCode::kNotFound,
                   fmt::format("{}: no tokenizer.json, and no {} as class {} has it", folder.string(), file, name),
                   "Give the folder of a model with its tokenizer files.");
  };
  const OwnedJson description = require_description(name, folder.string());
  const std::string type = member_or_empty(description, "model").value("type", "");
  if (type == "Bytes" || type == "CodePoints") return parts_from_characters(name, files);
  const std::string first = description["files"].empty() ? "tokenizer.json" : description["files"][0];
  require(first);
  if (first == "vocab.txt") return parts_from_lines(name, read_file(folder / first, kMostBytes), files);
  if (type == "Letters") {
    const OwnedJson vocabulary = parse_json_file(folder / first);
    return parts_from_letters(name, vocabulary, files);
  }
  return first == "vocab.json" ? load_merges(name, folder, files) : load_model_file(name, folder / first, files);
}

}  // namespace gamut::text
