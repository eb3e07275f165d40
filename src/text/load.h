// Opening a tokenizer from the files of a model folder.
#pragma once

#include <filesystem>

#include "base/json.h"
#include "text/model_lists.h"
#include "text/settings.h"
#include "text/tokenizer_state.h"

namespace gamut::text {

/// Reads tokenizer.json or, without one, what the checkpoint's tokenizer class makes of its other files. Errors as
/// Tokenizer::open.
TokenizerParts load_tokenizer(const std::filesystem::path& folder);

/// The parts that the text of a tokenizer.json describes; `source` names the file in messages.
TokenizerParts parts_from_text(std::string_view text, const std::string& source);

/// The same from a parsed file. `lists` are the vocabulary and the merges where the file itself has empty ones.
TokenizerParts parts_from_json(const Json& file, const std::string& source, const ModelLists* lists = nullptr);

/// What the checkpoint's tokenizer class makes of the vocabulary in a folder without tokenizer.json;
/// docs/tokenizer-files.md says which files are looked for. `files` stand beside it.
TokenizerParts load_vocabulary(const std::filesystem::path& folder, const SettingsFiles& files);

/// Adds the tokens with a role ("cls_token" …) that a tokenizer_config.json or special_tokens_map.json states.
void read_roles(const Json& file, TokenizerParts& parts);

}  // namespace gamut::text
