// A model's config.json with typed, range-checked fields, defaults and aliases as the configuration classes have them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace gamut {

/// Inclusive bounds of an integer field. The default admits sizes and counts: a field that may be zero or negative says
/// so.
struct IntRange {
  int64_t min = 1;
  int64_t max = std::numeric_limits<int32_t>::max();
};

/// Inclusive bounds of a number, which is finite unless `max` is infinity.
struct NumRange {
  double min = std::numeric_limits<double>::lowest();
  double max = std::numeric_limits<double>::max();
};

/// One object of config.json. A field is looked up under its name and the aliases of the model type, first in the file,
/// then in the model type's defaults (src/config/defaults). `null` counts as absent and hides the default, as in
/// transformers. The getters throw Error{kInvalidFile} that names file, field, value and what was expected when the
/// field is absent, has another type or lies outside its range. Copies share the content.
class Config {
 public:
  /// Reads `dir`/config.json. Throws Error{kNotFound} or Error{kInvalidFile}.
  static Config open(const std::filesystem::path& dir);
  /// Takes parsed JSON, which must be an object; `source` names it in messages.
  static Config from_json(Json json, std::string source = "config.json");
  /// Parses text. For tests and files that hold a config.
  static Config parse(std::string_view text, std::string source = "config.json");

  /// "bert". Throws Error{kInvalidFile} with a hint when the file does not say.
  std::string model_type() const;
  /// The class names the checkpoint was saved from; empty when the file does not say.
  std::vector<std::string> architectures() const;

  /// Whether the field has a value other than null, in the file or by default.
  bool has(std::string_view name) const;
  /// Whether the file itself gives the field (under its name or an alias), null included.
  bool given(std::string_view name) const;

  /// An integer. A number such as 768.0 counts as one; true and "768" do not.
  int64_t i(std::string_view name, IntRange range = {}) const;
  /// A finite number.
  double num(std::string_view name, NumRange range = {}) const;
  /// A string.
  std::string s(std::string_view name) const;
  /// true or false.
  bool b(std::string_view name) const;
  /// An array of integers, at most `max_count` of them, each within `range`.
  std::vector<int64_t> ints(std::string_view name, IntRange range = {}, size_t max_count = kMaxItems) const;
  /// An array of finite numbers.
  std::vector<double> nums(std::string_view name, NumRange range = {}, size_t max_count = kMaxItems) const;
  /// An array of strings.
  std::vector<std::string> strings(std::string_view name, size_t max_count = kMaxItems) const;

  /// The same, with a value for an absent field.
  int64_t i_or(std::string_view name, int64_t fallback, IntRange range = {}) const;
  double num_or(std::string_view name, double fallback, NumRange range = {}) const;
  std::string s_or(std::string_view name, std::string_view fallback) const;
  bool b_or(std::string_view name, bool fallback) const;

  /// A nested object as a Config of its own, with the defaults of its own model type when it names one; messages say
  /// "text_config.hidden_size".
  Config sub(std::string_view name) const;

  /// Number of labels of a classification head: `num_labels`, else the size of `id2label`, else 2. Also what
  /// i("num_labels") returns.
  int64_t num_labels() const;
  /// Label names by id: `id2label`, else "LABEL_0" … for num_labels(). Throws Error{kResourceLimit} for more than 65536
  /// of the latter.
  std::map<int64_t, std::string> id2label() const;

  /// What the model type's defaults alone say.
  Config defaults() const;

  /// The file's own object, without defaults.
  const Json& json() const { return *json_; }
  /// What messages call this object: "dir/config.json".
  const std::string& source() const { return source_; }

 private:
  static constexpr size_t kMaxItems = 65536;

  Config() = default;
  const Json* lookup(std::string_view name) const;
  const Json* lookup_given(std::string_view name) const;
  const Json& require(std::string_view name, const char* expected) const;
  std::string_view canonical(std::string_view name) const;
  [[noreturn]] void refuse(std::string_view name, const Json& found, const std::string& expected) const;
  int64_t as_int(std::string_view name, const Json& value, IntRange range) const;
  double as_num(std::string_view name, const Json& value, NumRange range) const;
  const Json& as_array(std::string_view name, const char* expected, size_t max_count) const;

  std::shared_ptr<const Json> json_;
  std::shared_ptr<const Json> defaults_;  ///< {"attribute_map": {…}, "defaults": {…}} of the model type; may be null
  std::string source_;
  std::string prefix_;  ///< "text_config." inside a nested object
};

}  // namespace gamut
