#include "text/ranks.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_map>

#include "base/error.h"
#include "base/excerpt.h"
#include "text/byte_alphabet.h"
#include "text/char_map.h"
#include "text/json_fields.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

/// Which of a token's pairs comes first: the one of the shorter left token, or of the lower ids.
enum class PairOrder { kLeftLength, kIds };

std::string spelled_bytes(std::string_view bytes) {
  std::string out;
  char buffer[4];
  for (char byte : bytes) {
    out.append(buffer, static_cast<size_t>(encode_utf8(kByteCharacters[static_cast<uint8_t>(byte)], buffer)));
  }
  return out;
}

/// Looking for the pairs of one token costs the square of its length.
void check_work(const RankedTokens& tokens, const std::string& source) {
  constexpr uint64_t kMost = uint64_t{1} << 31;
  uint64_t work = 0;
  for (const auto& [token, id] : tokens) {
    const uint64_t size = std::min<uint64_t>(token.size(), 1u << 20);
    work += size * size;
    if (work > kMost) {
      fail(ErrorCode::kResourceLimit, "{}: tokens as long as that of id {} ({} bytes) make too many pairs", source, id,
           token.size());
    }
  }
}

struct Pair {
  std::string_view left, right;
  int64_t left_id, right_id;
};

Bpe::Merges find_merges(const RankedTokens& tokens, PairOrder order, const std::string& source) {
  check_work(tokens, source);
  std::unordered_map<std::string_view, int64_t> ids;
  ids.reserve(tokens.size());
  for (const auto& [token, id] : tokens) ids[token] = id;
  std::vector<std::string_view> sorted;
  sorted.reserve(ids.size());
  for (const auto& entry : tokens) {
    const std::string_view token = entry.first;
    if (ids[token] == entry.second) sorted.push_back(token);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [&](auto a, auto b) { return ids[a] < ids[b]; });
  Bpe::Merges merges;
  std::vector<Pair> pairs;
  for (std::string_view token : sorted) {
    pairs.clear();
    for (size_t at = 1; at < token.size(); ++at) {
      if (is_utf8_tail(token[at])) continue;
      const auto left = ids.find(token.substr(0, at));
      if (left == ids.end()) continue;
      const auto right = ids.find(token.substr(at));
      if (right != ids.end()) pairs.push_back({left->first, right->first, left->second, right->second});
    }
    if (order == PairOrder::kIds) {
      std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
        return std::pair(a.left_id, a.right_id) < std::pair(b.left_id, b.right_id);
      });
    }
    for (const Pair& pair : pairs) merges.emplace_back(pair.left, pair.right);
  }
  return merges;
}

std::string_view take_line(std::string_view& content) {
  const size_t end = std::min(content.find_first_of("\r\n"), content.size());
  const std::string_view line = content.substr(0, end);
  content.remove_prefix(std::min(end + 1, content.size()));
  return line;
}

/// "aGVsbG8= 17"; false when the line is something else.
bool read_rank_line(std::string_view line, std::string& bytes, int64_t& rank) {
  const size_t space = line.find(' ');
  if (space == 0 || space == std::string_view::npos) return false;
  const std::string_view digits = line.substr(space + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
  if (error != std::errc() || end != digits.data() + digits.size() || rank < 0) return false;
  auto decoded = decode_base64(line.substr(0, space));
  if (!decoded) return false;
  bytes = std::move(*decoded);
  return true;
}

std::vector<std::string> read_special_tokens(const JsonFields& file) {
  if (file.get("special_tokens").is_null()) {
    fail(ErrorCode::kUnsupported, "{}: no special_tokens, which files before version v7 leave to mistral-common",
         file.where());
  }
  const Json& list = file.array("special_tokens");
  std::vector<std::string> tokens(list.size());
  std::vector<bool> seen(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const JsonFields entry(list[i], file.place("special_tokens[" + std::to_string(i) + "]"));
    const auto rank = static_cast<size_t>(entry.count("rank"));
    if (rank >= tokens.size() || seen[rank]) entry.bad("rank", "each rank from 0 on once", entry.get("rank"));
    seen[rank] = true;
    tokens[rank] = entry.string("token_str");
  }
  return tokens;
}

/// How many entries of the vocabulary count: the file may hold more than the model has.
size_t inner_vocabulary(const JsonFields& config, size_t entries, size_t specials) {
  if (config.get("default_vocab_size").is_null()) return entries;
  const auto size = static_cast<size_t>(config.count("default_vocab_size"));
  if (size < specials)
    config.bad("default_vocab_size", "at least the special tokens", config.get("default_vocab_size"));
  return std::min(entries, size - specials);
}

}  // namespace

bool is_rank_file(std::string_view content) {
  constexpr size_t kLongestLine = 4096;
  std::string_view start = content.substr(0, kLongestLine);
  std::string bytes;
  int64_t rank = 0;
  return read_rank_line(take_line(start), bytes, rank);
}

Bpe::Merges merges_of(const RankedTokens& tokens, const std::string& source) {
  return find_merges(tokens, PairOrder::kLeftLength, source);
}

RankedVocabulary read_rank_file(std::string_view content, const std::string& source) {
  if (const size_t valid = valid_utf8_prefix(content); valid != content.size()) {
    fail(ErrorCode::kInvalidFile, "{}: invalid UTF-8 at byte {}", source, valid);
  }
  RankedVocabulary vocabulary;
  std::string bytes;
  for (size_t number = 1; !content.empty(); ++number) {
    const std::string_view line = take_line(content);
    if (line.empty()) continue;
    int64_t rank = 0;
    if (!read_rank_line(line, bytes, rank)) {
      fail(ErrorCode::kInvalidFile, "{}: line {}: {}, expected base64, a space and a rank", source, number,
           excerpt(line, 80));
    }
    vocabulary.tokens.emplace_back(spelled_bytes(bytes), rank);
  }
  vocabulary.merges = find_merges(vocabulary.tokens, PairOrder::kIds, source);
  vocabulary.pattern =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  return vocabulary;
}

RankedVocabulary read_tekken(const Json& file, const std::string& source) {
  const JsonFields fields(file, source);
  const JsonFields config(fields.object("config"), fields.place("config"));
  RankedVocabulary vocabulary;
  vocabulary.pattern = config.string("pattern");
  vocabulary.special_tokens = read_special_tokens(fields);
  size_t specials = vocabulary.special_tokens.size();
  if (!config.get("default_num_special_tokens").is_null()) {
    constexpr size_t kMostSpecials = 1u << 20;
    specials = static_cast<size_t>(config.count("default_num_special_tokens"));
    if (specials < vocabulary.special_tokens.size() || specials > kMostSpecials) {
      config.bad("default_num_special_tokens", "as many as special_tokens, or some more",
                 config.get("default_num_special_tokens"));
    }
    for (size_t i = vocabulary.special_tokens.size(); i < specials; ++i) {
      vocabulary.special_tokens.push_back("<SPECIAL_" + std::to_string(i) + ">");
    }
  }
  const Json& list = fields.array("vocab");
  const size_t entries = inner_vocabulary(config, list.size(), specials);
  for (size_t i = 0; i < entries; ++i) {
    const JsonFields entry(list[i], fields.place("vocab[" + std::to_string(i) + "]"));
    const auto bytes = decode_base64(entry.string("token_bytes"));
    if (!bytes) entry.bad("token_bytes", "base64", entry.get("token_bytes"));
    vocabulary.tokens.emplace_back(spelled_bytes(*bytes), static_cast<int64_t>(specials + i));
  }
  vocabulary.merges = find_merges(vocabulary.tokens, PairOrder::kIds, source);
  for (size_t i = 0; i < specials; ++i) {
    vocabulary.tokens.emplace_back(vocabulary.special_tokens[i], static_cast<int64_t>(i));
  }
  return vocabulary;
}

}  // namespace gamut::text
