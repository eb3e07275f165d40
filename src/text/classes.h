// The tokenizer classes of transformers: how each builds a tokenizer out of a vocabulary, and which one a checkpoint
// has.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/owned_json.h"

namespace gamut {

/// The content of src/text/classes/`stem`.json or src/text/class_names.json; empty when there is no such file.
/// tools/make_tokenizer_names.py writes the latter.
std::string_view tokenizer_class_text(std::string_view stem);

namespace text {

/// The class that AutoTokenizer takes for a checkpoint with this tokenizer_config.json and config.json (null where
/// there is none), without its "Fast"; empty where neither says anything.
std::string class_for(const Json& tokenizer_config, const Json& model_config);

/// The description of a class, or null when there is none. docs/tokenizer-files.md says what it may hold.
OwnedJson class_description(const std::string& name);

/// The values that a description refers to.
class ClassScope {
 public:
  /// `options`: what the class has by default, over it what tokenizer_config.json says; null says nothing.
  ClassScope(const Json& defaults, const Json& config);

  void set(const std::string& name, Json value) { values_[name] = std::move(value); }
  /// The value of a name, or null.
  const Json& get(const std::string& name) const;
  bool truth(const std::string& name) const;
  /// A whole number; throws Error{kInvalidFile} for anything else or one above `most`.
  size_t count(const std::string& name, size_t most) const;

  /// `node` with "$name" replaced by values and {"if": name, "then": …, "else": …} by one of the two ("!name" asks for
  /// the opposite). What comes out as null is left out of arrays.
  OwnedJson expand(const Json& node) const;
  /// The strings of an array: "$name" is replaced, "text{a..b}" stands for the numbers from a up to below b, or from
  /// a - 1 down to b; a and b are numbers or names.
  std::vector<std::string> expand_names(const Json& list) const;
  /// The same for one item; nothing comes of a value that is null.
  std::vector<std::string> expand_item(const Json& item) const;

 private:
  size_t bound(const std::string& text) const;
  void expand_item(const Json& item, std::vector<std::string>& out) const;
  void expand_name(const std::string& text, std::vector<std::string>& out) const;

  OwnedJson values_ = Json::object();
};

}  // namespace text
}  // namespace gamut
