#include "config/sentence_transformer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/excerpt.h"
#include "base/file.h"
#include "base/json.h"

namespace gamut {
namespace {

constexpr int64_t kMaxLength = 1 << 24;

/// The last part of a module's type: "Pooling" of "sentence_transformers.models.Pooling".
std::string class_name(const Json& module, const std::string& source) {
  auto type = module.is_object() ? module.find("type") : module.end();
  if (!module.is_object() || type == module.end() || !type->is_string()) {
    fail(ErrorCode::kInvalidFile, "{}: a module without a type", source);
  }
  const std::string full = type->get<std::string>();
  return full.substr(full.rfind('.') + 1);
}

std::string module_path(const Json& module, const std::string& source) {
  auto path = module.find("path");
  if (path == module.end() || !path->is_string()) fail(ErrorCode::kInvalidFile, "{}: a module without a path", source);
  return path->get<std::string>();
}

bool flag(const Json& json, const char* name, const std::string& source) {
  auto value = json.find(name);
  if (value == json.end() || value->is_null()) return false;
  if (!value->is_boolean())
    fail(ErrorCode::kInvalidFile, "{}: {} is {}, expected true or false", source, name, value->dump());
  return value->get<bool>();
}

std::vector<std::string> read_poolings(const std::filesystem::path& path) {
  Json parsed = parse_json_file(path, {.max_bytes = 1 << 20});
  const JsonRelease release(parsed);
  const Json& json = parsed;
  if (!json.is_object()) fail(ErrorCode::kInvalidFile, "{}: expected an object", path.string());
  std::vector<std::string> poolings;
  // Newer files name the mode; older ones have a flag for each, and may set several.
  if (auto mode = json.find("pooling_mode"); mode != json.end() && mode->is_string()) {
    poolings.push_back(mode->get<std::string>());
  } else {
    const std::pair<const char*, const char*> flags[] = {{"pooling_mode_cls_token", "cls"},
                                                         {"pooling_mode_max_tokens", "max"},
                                                         {"pooling_mode_mean_tokens", "mean"},
                                                         {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt"},
                                                         {"pooling_mode_weightedmean_tokens", "weightedmean"},
                                                         {"pooling_mode_lasttoken", "lasttoken"}};
    for (const auto& [name, pooling] : flags) {
      if (flag(json, name, path.string())) poolings.push_back(pooling);
    }
  }
  if (poolings.empty()) fail(ErrorCode::kInvalidFile, "{}: no pooling mode is set", path.string());
  for (std::string& pooling : poolings) {
    if (pooling == "mean_sqrt_len_tokens") pooling = "mean_sqrt";
    const char* known[] = {"cls", "max", "mean", "mean_sqrt", "lasttoken"};
    if (std::ranges::count(known, pooling) == 0) {
      fail(ErrorCode::kUnsupported,
           "{}: pooling \"{}\" is not supported; expected cls, max, mean, mean_sqrt or lasttoken", path.string(),
           excerpt(pooling));
    }
  }
  return poolings;
}

void read_length(const std::filesystem::path& folder, SentenceTransformer* result) {
  const std::filesystem::path path = folder / "sentence_bert_config.json";
  if (!std::filesystem::exists(path)) return;
  Json parsed = parse_json_file(path, {.max_bytes = 1 << 20});
  const JsonRelease release(parsed);
  const Json& json = parsed;
  if (!json.is_object()) fail(ErrorCode::kInvalidFile, "{}: expected an object", path.string());
  if (flag(json, "do_lower_case", path.string())) {
    fail(ErrorCode::kUnsupported, "{}: do_lower_case is true; lower-casing outside the tokenizer is not supported",
         path.string());
  }
  auto length = json.find("max_seq_length");
  if (length == json.end() || length->is_null()) return;
  if (!length->is_number_integer() || length->get<int64_t>() < 1 || length->get<int64_t>() > kMaxLength) {
    fail(ErrorCode::kInvalidFile, "{}: max_seq_length is {}, expected an integer from 1 to {}", path.string(),
         length->dump(), kMaxLength);
  }
  result->max_length = length->get<int64_t>();
}

void read_prompt_and_similarity(const std::filesystem::path& folder, SentenceTransformer* result) {
  const std::filesystem::path path = folder / "config_sentence_transformers.json";
  if (!std::filesystem::exists(path)) return;
  Json parsed = parse_json_file(path, {.max_bytes = 1 << 20});
  const JsonRelease release(parsed);
  const Json& json = parsed;
  if (!json.is_object()) fail(ErrorCode::kInvalidFile, "{}: expected an object", path.string());
  if (auto name = json.find("similarity_fn_name"); name != json.end() && name->is_string()) {
    result->similarity = name->get<std::string>();
    const char* known[] = {"cosine", "dot", "euclidean", "manhattan"};
    if (std::ranges::count(known, result->similarity) == 0) {
      fail(ErrorCode::kUnsupported,
           "{}: similarity \"{}\" is not supported; expected cosine, dot, euclidean or manhattan", path.string(),
           excerpt(result->similarity));
    }
  }
  auto wanted = json.find("default_prompt_name");
  if (wanted == json.end() || !wanted->is_string()) return;
  auto prompts = json.find("prompts");
  if (prompts == json.end() || !prompts->is_object() || !prompts->contains(wanted->get<std::string>()) ||
      !prompts->at(wanted->get<std::string>()).is_string()) {
    fail(ErrorCode::kInvalidFile, "{}: default_prompt_name {} is not among the prompts", path.string(), wanted->dump());
  }
  result->prompt = prompts->at(wanted->get<std::string>()).get<std::string>();
}

}  // namespace

SentenceTransformer read_sentence_transformer(const std::filesystem::path& folder) {
  SentenceTransformer result;
  read_length(folder, &result);
  read_prompt_and_similarity(folder, &result);
  const std::filesystem::path path = folder / "modules.json";
  if (!std::filesystem::exists(path)) return result;
  Json parsed = parse_json_file(path, {.max_bytes = 1 << 20});
  const JsonRelease release(parsed);
  const Json& modules = parsed;
  if (!modules.is_array()) fail(ErrorCode::kInvalidFile, "{}: expected an array of modules", path.string());
  bool pooled = false;
  for (const Json& module : modules) {
    const std::string name = class_name(module, path.string());
    if (name == "Transformer" && !pooled) {
      const std::string inner = module_path(module, path.string());
      if (!inner.empty())
        fail(ErrorCode::kUnsupported, "{}: the model lies in \"{}\", expected the folder itself", path.string(), inner);
    } else if (name == "Pooling" && !pooled) {
      result.poolings =
          read_poolings(join_inside(folder, module_path(module, path.string()), path.string()) / "config.json");
      pooled = true;
    } else if (name == "Normalize" && pooled) {
      result.normalize = true;  // its folder holds nothing and need not exist
    } else {
      fail(ErrorCode::kUnsupported, "{}: module {} is not supported here; expected Transformer, Pooling, Normalize",
           path.string(), excerpt(name));
    }
  }
  if (!pooled) {
    fail(ErrorCode::kInvalidFile, "{}: no Pooling among the modules, expected one that makes a sentence's vector",
         path.string());
  }
  return result;
}

}  // namespace gamut
