#include "text/load_steps.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "text/json_fields.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

std::string at(const std::string& where, size_t i) { return where + "[" + std::to_string(i) + "]"; }

bool boolean_or(const JsonFields& fields, const char* key, bool otherwise) {
  return fields.optional_boolean(key).value_or(otherwise);
}

/// {"String": …} or {"Regex": …}
Pattern read_pattern(const JsonFields& fields) {
  const JsonFields inner(fields.object("pattern"), fields.place("pattern"));
  if (!inner.get("String").is_null()) {
    std::string text = inner.string("String");
    if (text.empty()) inner.bad("String", "a string that is not empty", inner.get("String"));
    return text;
  }
  const std::string regex = inner.string("Regex");
  if (const auto known = known_pattern(regex)) return *known;
  return Regex(regex, inner.place("Regex"));
}

/// One character; `otherwise` null: it has to be there.
std::string read_character(const JsonFields& fields, const char* key, const char* otherwise) {
  if (fields.get(key).is_null() && otherwise != nullptr) return otherwise;
  std::string text = fields.string(key);
  if (count_characters(text) != 1) fields.bad(key, "one character", fields.get(key));
  return text;
}

SplitBehavior read_behavior(const JsonFields& fields, SplitBehavior otherwise) {
  if (fields.get("behavior").is_null()) return otherwise;
  const std::string name = fields.string("behavior");
  for (auto [known, behavior] : {std::pair{"Removed", SplitBehavior::kRemoved},
                                 {"Isolated", SplitBehavior::kIsolated},
                                 {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
                                 {"MergedWithNext", SplitBehavior::kMergedWithNext},
                                 {"Contiguous", SplitBehavior::kContiguous}}) {
    if (name == known) return behavior;
  }
  fields.bad("behavior", "a split behavior", fields.get("behavior"));
}

Normalizer read_char_map(const JsonFields& fields) {
  const auto bytes = decode_base64(fields.string("precompiled_charsmap"));
  if (!bytes) fail(ErrorCode::kInvalidFile, "{}: not base64", fields.place("precompiled_charsmap"));
  return PrecompiledNormalizer{std::make_shared<CharMap>(*bytes, fields.place("precompiled_charsmap"))};
}

Normalizer read_one_normalizer(const JsonFields& fields, const std::string& type) {
  if (type == "BertNormalizer") {
    const bool lowercase = fields.boolean("lowercase");
    return BertNormalizer{fields.boolean("clean_text"), fields.boolean("handle_chinese_chars"),
                          fields.optional_boolean("strip_accents").value_or(lowercase), lowercase};
  }
  if (type == "NFC") return UnicodeForm{false, true};
  if (type == "NFD") return UnicodeForm{false, false};
  if (type == "NFKC") return UnicodeForm{true, true};
  if (type == "NFKD") return UnicodeForm{true, false};
  if (type == "Lowercase") return SimpleNormalizer::kLowercase;
  if (type == "Nmt") return SimpleNormalizer::kNmt;
  if (type == "StripAccents") return SimpleNormalizer::kStripAccents;
  if (type == "ByteLevel") return SimpleNormalizer::kByteLevel;
  if (type == "Strip") return StripNormalizer{fields.boolean("strip_left"), fields.boolean("strip_right")};
  if (type == "Prepend") return PrependNormalizer{fields.string("prepend")};
  if (type == "Replace") return ReplaceNormalizer{read_pattern(fields), fields.string("content")};
  if (type == "Precompiled") return read_char_map(fields);
  fields.unsupported("normalizer", type);
}

PreTokenizer read_metaspace(const JsonFields& fields) {
  using Prepend = MetaspacePreTokenizer::Prepend;
  MetaspacePreTokenizer metaspace;
  metaspace.replacement = read_character(fields, "replacement", "\xE2\x96\x81");
  metaspace.split = boolean_or(fields, "split", true);
  const std::string scheme = fields.get("prepend_scheme").is_null() ? "always" : fields.string("prepend_scheme");
  if (scheme == "first") {
    metaspace.prepend = Prepend::kFirst;
  } else if (scheme == "never") {
    metaspace.prepend = Prepend::kNever;
  } else if (scheme != "always") {
    fields.bad("prepend_scheme", "\"always\", \"first\" or \"never\"", fields.get("prepend_scheme"));
  }
  if (!boolean_or(fields, "add_prefix_space", true)) metaspace.prepend = Prepend::kNever;
  return metaspace;
}

PreTokenizer read_one_pre_tokenizer(const JsonFields& fields, const std::string& type) {
  using Class = ClassPreTokenizer::Class;
  if (type == "BertPreTokenizer") return BertPreTokenizer{};
  if (type == "ByteLevel") {
    return ByteLevelPreTokenizer{fields.boolean("add_prefix_space"), boolean_or(fields, "use_regex", true)};
  }
  if (type == "Split") {
    return SplitPreTokenizer{read_pattern(fields), read_behavior(fields, SplitBehavior::kIsolated),
                             boolean_or(fields, "invert", false)};
  }
  if (type == "Metaspace") return read_metaspace(fields);
  if (type == "Digits") {
    const bool each = boolean_or(fields, "individual_digits", false);
    return ClassPreTokenizer{Class::kDigits, each ? SplitBehavior::kIsolated : SplitBehavior::kContiguous};
  }
  if (type == "Punctuation") {
    return ClassPreTokenizer{Class::kPunctuation, read_behavior(fields, SplitBehavior::kIsolated)};
  }
  if (type == "WhitespaceSplit") return ClassPreTokenizer{Class::kSpace, SplitBehavior::kRemoved};
  if (type == "Whitespace") return WhitespacePreTokenizer{};
  if (type == "UnicodeScripts") return UnicodeScripts{};
  if (type == "CharDelimiterSplit") {
    return SplitPreTokenizer{read_character(fields, "delimiter", nullptr), SplitBehavior::kRemoved, false};
  }
  if (type == "FixedLength") {
    const int64_t length = fields.get("length").is_null() ? 5 : fields.count("length");
    if (length == 0) fields.bad("length", "at least 1", fields.get("length"));
    return FixedLength{static_cast<size_t>(length)};
  }
  fields.unsupported("pre-tokenizer", type);
}

DecoderStep read_strip(const JsonFields& fields) {
  return StripDecoder{read_character(fields, "content", " "), static_cast<size_t>(fields.count("start")),
                      static_cast<size_t>(fields.count("stop"))};
}

DecoderStep read_one_decoder(const JsonFields& fields, const std::string& type) {
  if (type == "WordPiece") return WordPieceDecoder{fields.string("prefix"), fields.boolean("cleanup")};
  if (type == "ByteLevel") return SimpleDecoder::kByteLevel;
  if (type == "ByteFallback") return SimpleDecoder::kByteFallback;
  if (type == "Fuse") return SimpleDecoder::kFuse;
  if (type == "BPEDecoder") return BpeDecoder{fields.string("suffix")};
  if (type == "Strip") return read_strip(fields);
  if (type == "Replace") return ReplaceDecoder{read_pattern(fields), fields.string("content")};
  if (type == "CTC") {
    return CtcDecoder{fields.string("pad_token"), fields.string("word_delimiter_token"), fields.boolean("cleanup")};
  }
  if (type == "Metaspace") {
    const auto metaspace = std::get<MetaspacePreTokenizer>(read_metaspace(fields));
    return MetaspaceDecoder{metaspace.replacement, metaspace.prepend != MetaspacePreTokenizer::Prepend::kNever};
  }
  fields.unsupported("decoder", type);
}

/// The ids and tokens of one entry of a template's special_tokens.
TemplatePart read_special(const JsonFields& fields) {
  TemplatePart part{TemplatePart::Kind::kSpecial, 0, {}, {}};
  for (const Json& id : fields.array("ids")) {
    if (!id.is_number_unsigned()) fields.bad("ids", "token ids", fields.get("ids"));
    part.ids.push_back(id.get<int64_t>());
  }
  for (const Json& token : fields.array("tokens")) {
    if (!token.is_string()) fields.bad("tokens", "strings", fields.get("tokens"));
    part.tokens.push_back(token.get<std::string>());
  }
  if (part.ids.size() != part.tokens.size()) fields.bad("tokens", "as many as ids", fields.get("tokens"));
  return part;
}

TemplatePart read_template_part(const Json& value, const std::string& where, const JsonFields& special_tokens,
                                bool is_pair) {
  const JsonFields fields(value, where);
  const bool is_special = !fields.get("SpecialToken").is_null();
  const std::string key = is_special ? "SpecialToken" : "Sequence";
  const JsonFields inner(fields.object(key), fields.place(key));
  const std::string id = inner.string("id");
  TemplatePart part;
  if (is_special) {
    part = read_special(JsonFields(special_tokens.object(id), special_tokens.place(id)));
  } else if (id == "B" && is_pair) {
    part.kind = TemplatePart::Kind::kSecond;
  } else if (id != "A") {
    inner.bad("id", is_pair ? "\"A\" or \"B\"" : "\"A\"", inner.get("id"));
  }
  part.type_id = inner.count("type_id");
  return part;
}

Template read_template(const JsonFields& fields, const std::string& key, const JsonFields& special_tokens) {
  Template parts;
  const Json& list = fields.array(key);
  for (size_t i = 0; i < list.size(); ++i) {
    parts.push_back(read_template_part(list[i], at(fields.place(key), i), special_tokens, key == "pair"));
  }
  return parts;
}

/// ["[SEP]", 102]
TemplatePart read_bert_token(const JsonFields& fields, const std::string& key) {
  const Json& pair = fields.array(key);
  if (pair.size() != 2 || !pair[0].is_string() || !pair[1].is_number_unsigned()) fields.bad(key, "[token, id]", pair);
  return {TemplatePart::Kind::kSpecial, 0, {pair[1].get<int64_t>()}, {pair[0].get<std::string>()}};
}

/// Adds the processor to those before it in a sequence; only one of them may place tokens.
void read_one_processor(const JsonFields& fields, const std::string& type, PostProcessor& out, bool& placed) {
  if (type == "ByteLevel" || type == "RobertaProcessing") {
    if (fields.boolean("trim_offsets")) out.trims.push_back({fields.boolean("add_prefix_space")});
    if (type == "ByteLevel") return;
  }
  if (placed) fields.unsupported("second post-processor that adds tokens,", type);
  placed = true;
  if (type == "BertProcessing") {
    out.processing = bert_processing(read_bert_token(fields, "cls"), read_bert_token(fields, "sep"));
  } else if (type == "RobertaProcessing") {
    out.processing = roberta_processing(read_bert_token(fields, "cls"), read_bert_token(fields, "sep"));
  } else if (type == "TemplateProcessing") {
    out.windows_keep_types = true;
    const JsonFields special_tokens(fields.object("special_tokens"), fields.place("special_tokens"));
    out.processing = {read_template(fields, "single", special_tokens), read_template(fields, "pair", special_tokens)};
  } else {
    fields.unsupported("post-processor", type);
  }
}

/// Calls read(fields, type) for a step, or for each step of a (nested) sequence, which stands in `list`.
template <typename Read>
void each_step(const Json& value, const std::string& where, const char* list, const Read& read) {
  if (value.is_null()) return;
  const JsonFields fields(value, where);
  const std::string type = fields.string("type");
  if (type != "Sequence") return read(fields, type);
  const Json& steps = fields.array(list);
  for (size_t i = 0; i < steps.size(); ++i) each_step(steps[i], at(fields.place(list), i), list, read);
}

}  // namespace

void read_normalizer(const Json& value, const std::string& where, std::vector<Normalizer>& out) {
  each_step(value, where, "normalizers", [&](const JsonFields& fields, const std::string& type) {
    out.push_back(read_one_normalizer(fields, type));
  });
}

void read_pre_tokenizer(const Json& value, const std::string& where, std::vector<PreTokenizer>& out) {
  each_step(value, where, "pretokenizers", [&](const JsonFields& fields, const std::string& type) {
    out.push_back(read_one_pre_tokenizer(fields, type));
  });
}

void read_decoder(const Json& value, const std::string& where, Decoder& out) {
  each_step(value, where, "decoders",
            [&](const JsonFields& fields, const std::string& type) { out.push_back(read_one_decoder(fields, type)); });
  // An empty sequence joins the tokens without the spaces that no decoder at all puts between them.
  if (!value.is_null() && out.empty()) out.push_back(SimpleDecoder::kFuse);
}

PostProcessor read_post_processor(const Json& value, const std::string& where) {
  PostProcessor out{plain_processing()};
  bool placed = false;
  each_step(value, where, "processors",
            [&](const JsonFields& fields, const std::string& type) { read_one_processor(fields, type, out, placed); });
  return out;
}

}  // namespace gamut::text
