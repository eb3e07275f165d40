#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "text/json_fields.h"
#include "text/load.h"

namespace gamut::text {
namespace {

std::string at(const std::string& where, size_t i) { return where + "[" + std::to_string(i) + "]"; }

void read_normalizer(const Json& value, const std::string& where, std::vector<Normalizer>& out) {
  if (value.is_null()) return;
  const JsonFields fields(value, where);
  const std::string type = fields.string("type");
  if (type == "Sequence") {
    const Json& list = fields.array("normalizers");
    for (size_t i = 0; i < list.size(); ++i) read_normalizer(list[i], at(fields.place("normalizers"), i), out);
  } else if (type == "BertNormalizer") {
    const bool lowercase = fields.boolean("lowercase");
    out.push_back(BertNormalizer{fields.boolean("clean_text"), fields.boolean("handle_chinese_chars"),
                                 fields.optional_boolean("strip_accents").value_or(lowercase), lowercase});
  } else {
    fields.unsupported("normalizer", type);
  }
}

void read_pre_tokenizer(const Json& value, const std::string& where, std::vector<PreTokenizer>& out) {
  if (value.is_null()) return;
  const JsonFields fields(value, where);
  const std::string type = fields.string("type");
  if (type == "Sequence") {
    const Json& list = fields.array("pretokenizers");
    for (size_t i = 0; i < list.size(); ++i) read_pre_tokenizer(list[i], at(fields.place("pretokenizers"), i), out);
  } else if (type == "BertPreTokenizer") {
    out.push_back(BertPreTokenizer{});
  } else {
    fields.unsupported("pre-tokenizer", type);
  }
}

Vocabulary read_vocabulary(const JsonFields& model) {
  const Json& entries = model.object("vocab");
  std::vector<std::pair<std::string, int64_t>> tokens;
  tokens.reserve(entries.size());
  for (const auto& [token, id] : entries.items()) {
    if (!id.is_number_integer()) model.bad("vocab." + token, "a whole number", id);
    tokens.emplace_back(token, id.get<int64_t>());
  }
  return Vocabulary(std::move(tokens), model.place("vocab"));
}

Model read_model(const Json& value, const std::string& where) {
  const JsonFields fields(value, where);
  // Files of early versions state no type; only WordPiece has this field.
  const bool untyped = fields.get("type").is_null() && !fields.get("max_input_chars_per_word").is_null();
  const std::string type = untyped ? "WordPiece" : fields.string("type");
  if (type != "WordPiece") fields.unsupported("model", type);
  WordPiece::Options options{fields.string("unk_token"), fields.string("continuing_subword_prefix"),
                             static_cast<size_t>(fields.count("max_input_chars_per_word"))};
  return WordPiece(read_vocabulary(fields), std::move(options));
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

PostProcessor read_post_processor(const Json& value, const std::string& where) {
  if (value.is_null()) return plain_processing();
  const JsonFields fields(value, where);
  const std::string type = fields.string("type");
  if (type == "BertProcessing") return bert_processing(read_bert_token(fields, "cls"), read_bert_token(fields, "sep"));
  if (type != "TemplateProcessing") fields.unsupported("post-processor", type);
  const JsonFields special_tokens(fields.object("special_tokens"), fields.place("special_tokens"));
  return TemplateProcessing{read_template(fields, "single", special_tokens),
                            read_template(fields, "pair", special_tokens)};
}

Decoder read_decoder(const Json& value, const std::string& where) {
  if (value.is_null()) return JoinDecoder{};
  const JsonFields fields(value, where);
  const std::string type = fields.string("type");
  if (type != "WordPiece") fields.unsupported("decoder", type);
  return WordPieceDecoder{fields.string("prefix"), fields.boolean("cleanup")};
}

AddedToken read_added_token(const Json& value, const std::string& where) {
  const JsonFields fields(value, where);
  AddedToken token;
  token.content = fields.string("content");
  token.single_word = fields.boolean("single_word");
  token.lstrip = fields.boolean("lstrip");
  token.rstrip = fields.boolean("rstrip");
  token.normalized = fields.boolean("normalized");
  token.special = fields.boolean("special");
  return token;
}

TextSide read_side(const JsonFields& fields, bool may_be_absent) {
  if (may_be_absent && fields.get("direction").is_null()) return TextSide::kRight;
  const std::string side = fields.string("direction");
  if (side != "Left" && side != "Right") fields.bad("direction", "\"Left\" or \"Right\"", fields.get("direction"));
  return side == "Left" ? TextSide::kLeft : TextSide::kRight;
}

std::optional<Truncation> read_truncation(const Json& value, const std::string& where) {
  if (value.is_null()) return std::nullopt;
  const JsonFields fields(value, where);
  Truncation truncation;
  truncation.max_length = static_cast<size_t>(fields.count("max_length"));
  truncation.stride = static_cast<size_t>(fields.count("stride"));
  truncation.direction = read_side(fields, true);
  const std::string strategy = fields.string("strategy");
  if (strategy == "OnlyFirst") {
    truncation.strategy = TruncationStrategy::kOnlyFirst;
  } else if (strategy == "OnlySecond") {
    truncation.strategy = TruncationStrategy::kOnlySecond;
  } else if (strategy != "LongestFirst") {
    fields.bad("strategy", "\"LongestFirst\", \"OnlyFirst\" or \"OnlySecond\"", fields.get("strategy"));
  }
  return truncation;
}

std::optional<Padding> read_padding(const Json& value, const std::string& where) {
  if (value.is_null()) return std::nullopt;
  const JsonFields fields(value, where);
  Padding padding;
  const Json& strategy = fields.get("strategy");
  if (strategy.is_object()) {
    padding.length = static_cast<size_t>(JsonFields(strategy, fields.place("strategy")).count("Fixed"));
  } else if (fields.string("strategy") != "BatchLongest") {
    fields.bad("strategy", "\"BatchLongest\" or {\"Fixed\": length}", strategy);
  }
  if (!fields.get("pad_to_multiple_of").is_null()) {
    padding.multiple_of = static_cast<size_t>(fields.count("pad_to_multiple_of"));
  }
  padding.direction = read_side(fields, false);
  padding.id = fields.count("pad_id");
  padding.type_id = fields.count("pad_type_id");
  padding.token = fields.string("pad_token");
  return padding;
}

}  // namespace

TokenizerParts parts_from_json(const Json& file, const std::string& source) {
  const JsonFields fields(file, source);
  auto place = [&](const char* key) { return source + ": " + key; };
  // The parts that a build may lack come first: their message says more than one about a detail elsewhere.
  std::vector<Normalizer> normalizers;
  std::vector<PreTokenizer> pre_tokenizers;
  Model model = read_model(fields.get("model"), place("model"));
  read_normalizer(fields.get("normalizer"), place("normalizer"), normalizers);
  read_pre_tokenizer(fields.get("pre_tokenizer"), place("pre_tokenizer"), pre_tokenizers);
  TokenizerParts parts{std::move(normalizers), std::move(pre_tokenizers), std::move(model)};
  parts.post_processor = read_post_processor(fields.get("post_processor"), place("post_processor"));
  parts.decoder = read_decoder(fields.get("decoder"), place("decoder"));
  if (!fields.get("added_tokens").is_null()) {
    const Json& list = fields.array("added_tokens");
    for (size_t i = 0; i < list.size(); ++i) {
      parts.added_tokens.push_back(read_added_token(list[i], at(place("added_tokens"), i)));
    }
  }
  number_added_tokens(parts);
  parts.truncation = read_truncation(fields.get("truncation"), place("truncation"));
  parts.padding = read_padding(fields.get("padding"), place("padding"));
  return parts;
}

}  // namespace gamut::text
