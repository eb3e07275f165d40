#include "text/convert.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "text/json_fields.h"
#include "text/load_steps.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

std::string encode_base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char byte : bytes) {
    bits = bits << 8 | static_cast<uint8_t>(byte);
    for (count += 8; count >= 6;) out += kDigits[bits >> (count -= 6) & 63];
  }
  if (count > 0) out += kDigits[bits << (6 - count) & 63];
  return out;
}

Model make_bpe(const Conversion& conversion, const RankedTokens& tokens, const Bpe::Merges& merges, bool raw_bytes) {
  const OwnedJson fields = conversion.scope.expand(member_or_empty(conversion.description, "model"));
  Bpe::Options options;
  if (fields.contains("unk_token") && fields["unk_token"].is_string()) options.unk_token = fields["unk_token"];
  options.end_of_word_suffix = fields.value("end_of_word_suffix", "");
  options.fuse_unk = fields.value("fuse_unk", false);
  options.byte_fallback = fields.value("byte_fallback", false);
  options.ignore_merges = fields.value("ignore_merges", false);
  options.raw_bytes = raw_bytes;
  return Bpe(Vocabulary(tokens, conversion.source), merges, std::move(options), conversion.source);
}

/// "left right" per line; lines that begin with "#version" say nothing.
Bpe::Merges read_merges(std::string_view text, const std::string& source) {
  if (const size_t valid = valid_utf8_prefix(text); valid != text.size()) {
    fail(ErrorCode::kInvalidFile, "{}: invalid UTF-8 at byte {}", source, valid);
  }
  Bpe::Merges merges;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("#version")) continue;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      fail(ErrorCode::kInvalidFile, "{}: line {}: \"{}\", expected \"left right\"", source, number, excerpt(line, 80));
    }
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

/// What stands around ranks.
constexpr std::string_view kRankSteps = R"({
  "model": {"ignore_merges": true},
  "normalizer": null,
  "pre_tokenizer": [{"type": "Split", "pattern": {"Regex": "$pattern"}, "behavior": "Isolated", "invert": false},
                    {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}],
  "decoder": {"type": "ByteLevel"}})";

using Pieces = std::vector<std::pair<std::string, double>>;

/// The pieces in the order of the class's ids: some of its own in front, those of the file from `skip` on, some behind.
Pieces arrange(const Conversion& conversion, const SentencePieceModel& model) {
  const Json& plan = member_or_empty(conversion.description, "pieces");
  Pieces pieces;
  pieces.reserve(model.pieces.size() + 128);
  auto add_names = [&](const char* key, double score) {
    if (!plan.contains(key)) return;
    for (std::string& name : conversion.scope.expand_names(plan[key])) pieces.emplace_back(std::move(name), score);
  };
  add_names("head", 0);
  add_names("low", -100);
  for (size_t i = plan.value("skip", size_t{0}); i < model.pieces.size(); ++i) {
    pieces.emplace_back(model.pieces[i].text, model.pieces[i].score);
  }
  add_names("tail", 0);
  return pieces;
}

/// Where the settings list a token that the vocabulary lacks under the id of another one, the other was its
/// placeholder.
void rename_placeholders(const TokenizerSettings& settings, RankedTokens& tokens) {
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < tokens.size(); ++i) places[tokens[i].first] = i;
  for (const auto& [id, token] : settings.listed) {
    if (id >= static_cast<int64_t>(tokens.size()) || places.contains(token.content)) continue;
    std::string& placeholder = tokens[static_cast<size_t>(id)].first;
    if (places[placeholder] != static_cast<size_t>(id)) continue;
    places[token.content] = static_cast<size_t>(id);
    placeholder = token.content;
  }
}

/// The same for a vocabulary without scores: "distinct" leaves out what stands in front already, "offset" keeps the
/// places of the file's pieces and moves them.
RankedTokens arrange_tokens(const Conversion& conversion, const SentencePieceModel& model) {
  const Json& plan = member_or_empty(conversion.description, "pieces");
  RankedTokens tokens;
  std::vector<std::string> head;
  if (plan.contains("head")) head = conversion.scope.expand_names(plan["head"]);
  for (const std::string& name : head) tokens.emplace_back(name, static_cast<int64_t>(tokens.size()));
  const bool distinct = plan.value("distinct", false);
  const int64_t offset = plan.value("offset", int64_t{0});
  int64_t next = distinct ? static_cast<int64_t>(head.size()) : offset;
  for (const auto& piece : model.pieces) {
    if (distinct && std::find(head.begin(), head.end(), piece.text) != head.end()) continue;
    tokens.emplace_back(piece.text, next++);
  }
  if (conversion.description.value("roles_of_model", false)) rename_placeholders(conversion.settings, tokens);
  return tokens;
}

size_t unknown_piece(const Conversion& conversion, const Json& fields, const Pieces& pieces) {
  if (fields.contains("find_unk")) {
    const Json& find = fields["find_unk"];
    const Json& unk = conversion.scope.get("unk_token");
    for (size_t i = find.value("from", size_t{0}); i < pieces.size(); ++i) {
      if (is_text(unk, pieces[i].first) && (find.value("any_score", false) || pieces[i].second == 0)) return i;
    }
  }
  const Json& id = fields.contains("unk_id") ? fields["unk_id"] : Json();
  if (!id.is_number_integer() || id.get<int64_t>() < 0) {
    fail(ErrorCode::kInvalidFile, "{}: no piece for unknown characters", conversion.source);
  }
  return id.get<size_t>();
}

Model make_unigram(const Conversion& conversion, const SentencePieceModel& model) {
  const OwnedJson fields = conversion.scope.expand(member_or_empty(conversion.description, "model"));
  const Pieces pieces = arrange(conversion, model);
  const Unigram::Options options{unknown_piece(conversion, fields, pieces), fields.value("byte_fallback", false)};
  return Unigram(pieces, options, conversion.source);
}

Model make_sentencepiece_bpe(const Conversion& conversion, const SentencePieceModel& model, bool raw_bytes) {
  RankedTokens own;
  for (const auto& piece : model.pieces) own.emplace_back(piece.text, static_cast<int64_t>(own.size()));
  const Bpe::Merges merges = merges_of(own, conversion.source);
  return make_bpe(conversion, arrange_tokens(conversion, model), merges, raw_bytes);
}

/// Control pieces are special tokens, pieces of the user's are added ones.
std::vector<AddedToken> marked_pieces(const SentencePieceModel& model) {
  std::vector<AddedToken> tokens;
  for (const auto& piece : model.pieces) {
    const bool is_control = piece.type == SentencePieceModel::PieceType::kControl;
    if (!is_control && piece.type != SentencePieceModel::PieceType::kUserDefined) continue;
    AddedToken token;
    token.content = piece.text;
    token.special = is_control;
    token.normalized = false;
    tokens.push_back(std::move(token));
  }
  return tokens;
}

/// The tokens with a role that a model names, for classes that leave them to it.
OwnedJson roles_of(const SentencePieceModel& model) {
  OwnedJson roles = Json::object();
  auto add = [&](const char* role, int64_t id, const std::string& piece, const char* otherwise) {
    if (id >= 0) roles[role] = piece.empty() ? otherwise : piece;
  };
  add("bos_token", model.bos_id, model.bos_piece, "<s>");
  add("eos_token", model.eos_id, model.eos_piece, "</s>");
  add("unk_token", model.unk_id, model.unk_piece, "<unk>");
  return roles;
}

/// The special tokens that follow the `count` tokens of a rank file: those that the settings list, with fillers for the
/// ids between, and the further ones.
std::vector<std::string> tokens_behind(const Conversion& conversion, size_t count) {
  const TokenizerSettings& settings = conversion.settings;
  std::vector<std::string> tokens;
  const auto first = static_cast<int64_t>(count);
  const int64_t last = settings.listed.empty() ? 0 : settings.listed.back().first;
  constexpr int64_t kMostFillers = int64_t{1} << 20;
  if (last - first > kMostFillers) {
    fail(ErrorCode::kInvalidFile, "{}: {} ranks, and an added token of id {}", conversion.source, count, last);
  }
  for (int64_t id = first; id <= last; ++id) tokens.push_back("<|reserved_token_" + std::to_string(id) + "|>");
  for (const auto& [id, token] : settings.listed) {
    if (id >= first) tokens[static_cast<size_t>(id - first)] = token.content;
  }
  if (!settings.extra) return tokens;
  const std::unordered_set<std::string> known(tokens.begin(), tokens.end());
  for (const AddedToken& token : *settings.extra) {
    if (!known.contains(token.content)) tokens.push_back(token.content);
  }
  return tokens;
}

}  // namespace

Steps read_steps(const Conversion& conversion) {
  Steps steps;
  auto read = [&](const char* key, auto reader, auto& out) {
    const OwnedJson value = conversion.scope.expand(member_or_empty(conversion.description, key));
    const std::string where = conversion.source + ": " + key;
    if (value.is_array()) {
      for (const Json& step : value) reader(step, where, out);
    } else if (!value.empty()) {
      reader(value, where, out);
    }
  };
  read("normalizer", read_normalizer, steps.normalizers);
  read("pre_tokenizer", read_pre_tokenizer, steps.pre_tokenizers);
  read("decoder", read_decoder, steps.decoder);
  return steps;
}

TokenizerParts finish(const Conversion& conversion, const AddedTokenSources& sources, const SettingsFiles& files,
                      TokenizerParts parts) {
  add_tokens(conversion, sources, parts);
  set_post_processor(conversion, files.config, parts);
  return parts;
}

OwnedJson require_description(const std::string& name, const std::string& source) {
  OwnedJson description = class_description(name);
  if (description.is_null()) {
    fail(ErrorCode::kUnsupported, "{}: tokenizer class \"{}\" is not supported without a tokenizer.json", source,
         excerpt(name));
  }
  return description;
}

RankedTokens read_token_ids(const Json& vocabulary, const std::string& source) {
  if (!vocabulary.is_object()) fail(ErrorCode::kInvalidFile, "{}: expected an object of token -> id", source);
  RankedTokens tokens;
  tokens.reserve(vocabulary.size());
  for (const auto& [token, id] : vocabulary.items()) {
    if (!id.is_number_integer()) {
      fail(ErrorCode::kInvalidFile, "{}: \"{}\": expected a whole number", source, excerpt(token));
    }
    tokens.emplace_back(token, id.get<int64_t>());
  }
  return tokens;
}

TokenizerParts parts_from_merges(const std::string& name, const Json& vocabulary, std::string_view merges,
                                 const SettingsFiles& files) {
  const std::string source = files.folder + "/vocab.json";
  const Conversion conversion = start_conversion(require_description(name, source), files, source);
  RankedTokens tokens = read_token_ids(vocabulary, source);
  Steps steps = read_steps(conversion);
  const bool raw_bytes = steps.raw_bytes();
  Model model = make_bpe(conversion, tokens, read_merges(merges, files.folder + "/merges.txt"), raw_bytes);
  return finish(conversion, {}, files, std::move(steps).with(std::move(model)));
}

TokenizerParts parts_from_sentencepiece(const std::string& name, const SentencePieceModel& model,
                                        const SettingsFiles& files, const std::string& source) {
  OwnedJson description = require_description(name, source);
  const OwnedJson roles = description.value("roles_of_model", false) ? roles_of(model) : OwnedJson();
  Conversion conversion = start_conversion(std::move(description), files, source, roles);
  if (!model.char_map.empty()) conversion.scope.set("char_map", encode_base64(model.char_map));
  conversion.scope.set("unk_id", model.unk_id);
  conversion.scope.set("unk_piece", model.unk_piece);
  conversion.scope.set("byte_fallback", model.byte_fallback);
  Steps steps = read_steps(conversion);
  const std::string type = member_or_empty(conversion.description, "model").value("type", "");
  const bool unigram = type.empty() ? model.kind == SentencePieceModel::Kind::kUnigram : type == "Unigram";
  const bool raw_bytes = steps.raw_bytes();
  TokenizerParts parts = std::move(steps).with(unigram ? make_unigram(conversion, model)
                                                       : make_sentencepiece_bpe(conversion, model, raw_bytes));
  const std::vector<AddedToken> own = marked_pieces(model);
  return finish(conversion, {{}, &own}, files, std::move(parts));
}

TokenizerParts parts_from_ranks(const std::string& name, RankedVocabulary vocabulary, const SettingsFiles& files,
                                const std::string& source) {
  OwnedJson description = require_description(name, source);
  OwnedJson steps = parse_json(kRankSteps, "the steps of ranks");
  for (const auto& [key, value] : steps.items()) description[key].swap(value);
  Conversion conversion = start_conversion(std::move(description), files, source);
  conversion.scope.set("pattern", vocabulary.pattern);
  if (vocabulary.special_tokens.empty())
    vocabulary.special_tokens = tokens_behind(conversion, vocabulary.tokens.size());
  AddedTokenSources sources;
  for (const std::string& content : vocabulary.special_tokens) {
    AddedToken token;
    token.content = content;
    token.special = true;
    token.normalized = false;
    sources.model_first.push_back(std::move(token));
  }
  Model model = make_bpe(conversion, vocabulary.tokens, vocabulary.merges, true);
  return finish(conversion, sources, files, read_steps(conversion).with(std::move(model)));
}

}  // namespace gamut::text
