#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "text/json_fields.h"
#include "text/load.h"
#include "text/load_steps.h"
#include "text/package_number.h"

namespace gamut::text {
namespace {

std::string at(const std::string& where, size_t i) { return where + "[" + std::to_string(i) + "]"; }

/// Thrown and caught here: lists that only the strict parser has the message for.
struct DuplicateToken {};

Vocabulary read_vocabulary(const JsonFields& model, const ModelLists* lists) {
  if (lists != nullptr && lists->has_tokens) {
    Vocabulary vocabulary(lists->tokens, model.place("vocab"));
    if (vocabulary.size() != lists->tokens.size()) throw DuplicateToken();
    return vocabulary;
  }
  const Json& entries = model.object("vocab");
  std::vector<std::pair<std::string, int64_t>> tokens;
  tokens.reserve(entries.size());
  for (const auto& [token, id] : entries.items()) {
    if (!id.is_number_integer()) model.bad("vocab." + token, "a whole number", id);
    tokens.emplace_back(token, id.get<int64_t>());
  }
  return Vocabulary(tokens, model.place("vocab"));
}

std::string string_or(const JsonFields& fields, const char* key, const char* otherwise) {
  return fields.get(key).is_null() ? otherwise : fields.string(key);
}

/// "left right" or ["left", "right"]
std::pair<std::string, std::string> read_merge(const JsonFields& model, const Json& merge, size_t i) {
  if (merge.is_string()) {
    const std::string& text = merge.get_ref<const std::string&>();
    const size_t space = text.find(' ');
    if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos) {
      return {text.substr(0, space), text.substr(space + 1)};
    }
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  }
  model.bad("merges[" + std::to_string(i) + "]", "\"left right\" or [left, right]", merge);
}

Bpe::Options read_bpe_options(const JsonFields& fields, bool raw_bytes) {
  Bpe::Options options;
  if (!fields.get("unk_token").is_null()) options.unk_token = fields.string("unk_token");
  options.continuing_subword_prefix = string_or(fields, "continuing_subword_prefix", "");
  options.end_of_word_suffix = string_or(fields, "end_of_word_suffix", "");
  options.fuse_unk = fields.optional_boolean("fuse_unk").value_or(false);
  options.byte_fallback = fields.optional_boolean("byte_fallback").value_or(false);
  options.ignore_merges = fields.optional_boolean("ignore_merges").value_or(false);
  options.raw_bytes = raw_bytes;
  // Merges left out by chance are for training; 0 is what files state that mean none.
  if (const Json& dropout = fields.get("dropout"); !dropout.is_null() && dropout != 0) {
    fields.unsupported("model.dropout", dropout.dump());
  }
  return options;
}

Model read_bpe(const JsonFields& fields, bool raw_bytes, const ModelLists* lists) {
  Bpe::Options options = read_bpe_options(fields, raw_bytes);
  const Json& list = fields.array("merges");
  Vocabulary vocabulary = read_vocabulary(fields, lists);
  if (lists != nullptr && lists->has_merges) {
    return Bpe(std::move(vocabulary), Bpe::MergeViews(lists->merges), std::move(options), fields.where());
  }
  Bpe::Merges merges;
  merges.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) merges.push_back(read_merge(fields, list[i], i));
  return Bpe(std::move(vocabulary), merges, std::move(options), fields.where());
}

Model read_unigram(const JsonFields& fields, const ModelLists* lists) {
  Unigram::Options options{std::nullopt, fields.optional_boolean("byte_fallback").value_or(false)};
  if (!fields.get("unk_id").is_null()) options.unk_id = static_cast<size_t>(fields.count("unk_id"));
  if (lists != nullptr && lists->has_pieces) {
    return Unigram(std::span<const Unigram::Piece>(lists->pieces), options, fields.where());
  }
  std::vector<std::pair<std::string, double>> pieces;
  const Json& list = fields.array("vocab");
  for (size_t i = 0; i < list.size(); ++i) {
    const Json& piece = list[i];
    if (!piece.is_array() || piece.size() != 2 || !piece[0].is_string() || !piece[1].is_number()) {
      fields.bad("vocab[" + std::to_string(i) + "]", "[piece, score]", piece);
    }
    pieces.emplace_back(piece[0].get<std::string>(), package_number(piece[1].get<double>()));
  }
  return Unigram(pieces, options, fields.where());
}

/// Files of early versions state no type; the fields tell.
std::string model_type(const JsonFields& fields) {
  if (!fields.get("type").is_null()) return fields.string("type");
  if (!fields.get("max_input_chars_per_word").is_null()) return "WordPiece";
  if (!fields.get("merges").is_null()) return "BPE";
  return fields.get("vocab").is_array() ? "Unigram" : "WordLevel";
}

Model read_model(const Json& value, const std::string& where, bool raw_bytes, const ModelLists* lists) {
  const JsonFields fields(value, where);
  const std::string type = model_type(fields);
  if (type == "BPE") return read_bpe(fields, raw_bytes, lists);
  if (type == "Unigram") return read_unigram(fields, lists);
  if (type == "WordLevel") return WordLevel(read_vocabulary(fields, lists), fields.string("unk_token"));
  if (type != "WordPiece") fields.unsupported("model", type);
  WordPiece::Options options{fields.string("unk_token"), fields.string("continuing_subword_prefix"),
                             static_cast<size_t>(fields.count("max_input_chars_per_word"))};
  return WordPiece(read_vocabulary(fields, lists), std::move(options));
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

TokenizerParts parts_from_json(const Json& file, const std::string& source, const ModelLists* lists) {
  const JsonFields fields(file, source);
  auto place = [&](const char* key) { return source + ": " + key; };
  // The parts that a build may lack come first: their message says more than one about a detail elsewhere.
  std::vector<Normalizer> normalizers;
  std::vector<PreTokenizer> pre_tokenizers;
  read_normalizer(fields.get("normalizer"), place("normalizer"), normalizers);
  read_pre_tokenizer(fields.get("pre_tokenizer"), place("pre_tokenizer"), pre_tokenizers);
  const bool raw_bytes =
      !pre_tokenizers.empty() && std::holds_alternative<ByteLevelPreTokenizer>(pre_tokenizers.back());
  Model model = read_model(fields.get("model"), place("model"), raw_bytes, lists);
  TokenizerParts parts{std::move(normalizers), std::move(pre_tokenizers), std::move(model)};
  parts.post_processor = read_post_processor(fields.get("post_processor"), place("post_processor"));
  read_decoder(fields.get("decoder"), place("decoder"), parts.decoder);
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

TokenizerParts parts_from_text(std::string_view text, const std::string& source) {
  OwnedJson file;
  if (const auto split = text.size() <= JsonLimits().max_bytes ? split_file(text) : std::nullopt) {
    try {
      file = parse_json(split->rest, source);
    } catch (const Error&) {
      free_json(file);  // the message has to name a byte of the whole file
    }
    try {
      if (!file.is_null()) return parts_from_json(file, source, &split->lists);
    } catch (const DuplicateToken&) {
      free_json(file);
    }
  }
  file = parse_json(text, source);
  return parts_from_json(file, source);
}

}  // namespace gamut::text
