// What tokenizer_config.json and the files beside it say about a tokenizer, merged as transformers merges them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/owned_json.h"
#include "text/added_tokens.h"

namespace gamut::text {

/// The files beside a vocabulary; null where there is none.
struct SettingsFiles {
  std::string folder;        ///< for messages
  OwnedJson config;          ///< tokenizer_config.json
  OwnedJson special_tokens;  ///< special_tokens_map.json
  OwnedJson added_tokens;    ///< added_tokens.json
};

struct TokenizerSettings {
  struct Role {
    std::string name;  ///< "cls_token"
    AddedToken token;
  };
  /// Bos, eos, unk, sep, pad, cls, mask, then the model's own: the order in which they join the vocabulary.
  std::vector<Role> roles;
  /// The added tokens that the files list, with the ids that they state, in the order of the ids.
  std::vector<std::pair<int64_t, AddedToken>> listed;
  /// The list of further special tokens of tokenizer_config.json; it counts even when it is empty.
  std::optional<std::vector<AddedToken>> extra;
  /// additional_special_tokens of special_tokens_map.json, for classes that take them.
  std::optional<std::vector<AddedToken>> additional;

  /// The token of a role, or null.
  const AddedToken* role(const std::string& name) const;
};

/// A token as a file or class states it: its text, or an object with options. A text becomes a special token that is
/// not normalized, with the options of `pattern` where there is one; an object is special if it says so or `special`
/// does.
AddedToken read_stated_token(const Json& value, const std::string& where, bool special,
                             const AddedToken* pattern = nullptr);

/// Merges the files over the roles of the tokenizer's class: `class_roles`, an object of role -> token, and
/// `more_roles`, a list of [role, token] in the order in which they join. Throws Error{kInvalidFile}, naming file and
/// field, for a value of the wrong kind.
TokenizerSettings read_settings(const Json& class_roles, const Json& more_roles, const SettingsFiles& files);

}  // namespace gamut::text
