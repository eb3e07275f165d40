#include "text/tokenizer_state.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace gamut {

using namespace text;  // NOLINT(google-build-using-namespace): these are its functions, the state is the public class's

namespace {

/// Calls `read` with what knows the tokens of a model.
template <typename Read>
auto read_tokens(const Model& model, const Read& read) {
  return std::visit(
      [&](const auto& m) {
        if constexpr (std::is_same_v<std::decay_t<decltype(m)>, Characters>) {
          return read(m);
        } else {
          return read(m.vocabulary());
        }
      },
      model);
}

}  // namespace

size_t text::model_size(const Model& model) {
  return read_tokens(model, [](const auto& tokens) { return tokens.size(); });
}

std::optional<int64_t> text::model_id(const Model& model, std::string_view token) {
  return read_tokens(model, [&](const auto& tokens) { return tokens.id(token); });
}

std::optional<std::string_view> text::model_token(const Model& model, int64_t id) {
  return read_tokens(model, [&](const auto& tokens) { return tokens.token(id); });
}

void text::number_added_tokens(TokenizerParts& parts) {
  const auto size = static_cast<int64_t>(model_size(parts.model));
  int64_t highest = -1;
  std::vector<AddedToken> kept;
  std::unordered_map<std::string, size_t> places;
  for (AddedToken& token : parts.added_tokens) {
    if (token.content.empty()) continue;
    auto [place, is_new] = places.try_emplace(token.content, kept.size());
    if (!is_new) {
      token.id = kept[place->second].id;
      kept[place->second] = std::move(token);
      continue;
    }
    token.id = model_id(parts.model, token.content).value_or(highest >= size ? highest + 1 : size);
    highest = std::max(highest, token.id);
    kept.push_back(std::move(token));
  }
  parts.added_tokens = std::move(kept);
}

Tokenizer::State::State(TokenizerParts parts_in) : parts(std::move(parts_in)) {
  vocab_size = model_size(parts.model);
  for (const AddedToken& token : parts.added_tokens) {
    added_by_id_[token.id] = token.content;
    added_by_content_[token.content] = token.id;
    if (token.special) special_contents_.insert(token.content);
    if (!model_id(parts.model, token.content)) ++vocab_size;
  }
  build_matchers();
  auto role = [&](const char* name) -> std::optional<int64_t> {
    auto found = parts.roles.find(name);
    return found == parts.roles.end() ? std::nullopt : id_of(found->second);
  };
  special = {role("cls_token"), role("sep_token"), role("mask_token"), role("pad_token"), role("unk_token")};
}

void Tokenizer::State::build_matchers() {
  std::vector<AddedTokenMatcher::Pattern> raw, normalized;
  NormalizerScratch scratch;
  AlignedText text;
  // Where two normalized forms are equal the special token counts, so those come first.
  for (bool special_ones : {true, false}) {
    for (const AddedToken& token : parts.added_tokens) {
      if (token.special != special_ones) continue;
      if (!token.normalized) {
        raw.push_back({token.content, &token});
        continue;
      }
      text::normalize(parts.normalizers, {token.content}, scratch, text);
      normalized.push_back({std::string(text.text()), &token});
      added_by_id_[token.id] = normalized.back().text;
    }
  }
  raw_matcher_ = AddedTokenMatcher(std::move(raw));
  normalized_matcher_ = AddedTokenMatcher(std::move(normalized));
}

std::optional<std::string_view> Tokenizer::State::token_of(int64_t id) const {
  auto found = added_by_id_.find(id);
  if (found != added_by_id_.end()) return found->second;
  return model_token(parts.model, id);
}

std::string_view Tokenizer::State::spell(int64_t id) const {
  return model_token(parts.model, id).value_or(std::string_view());
}

std::optional<int64_t> Tokenizer::State::id_of(std::string_view token) const {
  auto found = added_by_content_.find(std::string(token));
  if (found != added_by_content_.end()) return found->second;
  return model_id(parts.model, token);
}

namespace {

void tokenize_word(const Model& model, std::string_view text, ByteSpan word, Workspace& work) {
  if (const auto* bpe = std::get_if<Bpe>(&model)) {
    bpe->tokenize(text, word, work.bpe, work.word_tokens);
  } else if (const auto* unigram = std::get_if<Unigram>(&model)) {
    unigram->tokenize(text, word, work.unigram, work.word_tokens);
  } else if (const auto* pieces = std::get_if<WordPiece>(&model)) {
    pieces->tokenize(text, word, work.word_tokens);
  } else if (const auto* characters = std::get_if<Characters>(&model)) {
    characters->tokenize(text, word, work.word_tokens);
  } else {
    std::get<WordLevel>(model).tokenize(text, word, work.word_tokens);
  }
}

/// The number of characters before a place of a text; each step costs what it moves.
class CharacterCounter {
 public:
  explicit CharacterCounter(std::string_view text) : text_(text) {}

  uint32_t before(size_t place) {
    const auto moved = static_cast<uint32_t>(
        count_characters(text_.substr(std::min(place, place_), std::max(place, place_) - std::min(place, place_))));
    counted_ = place < place_ ? counted_ - moved : counted_ + moved;
    place_ = place;
    return counted_;
  }

 private:
  std::string_view text_;
  size_t place_ = 0;
  uint32_t counted_ = 0;
};

/// The characters of the original text that the oracle names for a token beyond its word: it takes the place in the
/// word for one in the text, and where the text has no such place the bytes for characters.
Token token_beyond(const WordToken& token, std::string_view original, CharacterCounter& counter) {
  const auto [begin, end] = token.span;
  auto narrow = [](size_t place) { return static_cast<uint32_t>(std::min<size_t>(place, UINT32_MAX)); };
  if (begin >= original.size()) return {token.id, narrow(begin), narrow(end)};
  const uint32_t first = counter.before(begin + 1) - 1;
  if (end < original.size()) return {token.id, first, counter.before(end + 1) - 1};
  const uint32_t last = end - 1 < original.size() ? counter.before(end) - 1 : first + 1;
  return {token.id, first, last + 1};
}

}  // namespace

void Tokenizer::State::tokenize(std::string_view raw, Workspace& work, TokenSequence& out) const {
  if (raw.size() >= UINT32_MAX) {
    fail(ErrorCode::kResourceLimit, "text of {} bytes, less than 4 GiB expected", raw.size());
  }
  out.clear(raw.size());
  const std::string_view text = repair_utf8(raw, &work.repaired);
  work.original = text;
  if (raw_matcher_.empty()) return tokenize_plain({text}, work, out);
  raw_matcher_.split(text, work.segments);
  CharacterCounter begins(text), ends(text);
  for (const TextSegment& segment : work.segments) {
    const std::string_view part = text.substr(segment.span.begin, segment.span.end - segment.span.begin);
    const uint32_t begin = begins.before(segment.span.begin);
    if (segment.token == nullptr) {
      tokenize_plain({part, nullptr, begin}, work, out);
    } else {
      out.add(segment.token->id, begin, ends.before(segment.span.end), part);
    }
  }
}

/// A text without the added tokens that are looked for in raw text.
void Tokenizer::State::tokenize_plain(TextView view, Workspace& work, TokenSequence& out) const {
  text::normalize(parts.normalizers, view, work.scratch, work.normalized);
  const std::string_view text = work.normalized.text();
  if (normalized_matcher_.empty()) return tokenize_words({0, text.size()}, work, out);
  normalized_matcher_.split(text, work.inner);
  for (const TextSegment& segment : work.inner) {
    if (segment.token == nullptr) {
      tokenize_words(segment.span, work, out);
      continue;
    }
    const uint32_t* origin = work.normalized.origin();
    out.add(segment.token->id, origin_begin(origin[segment.span.begin]), origin_end(origin[segment.span.end - 1]),
            text.substr(segment.span.begin, segment.span.end - segment.span.begin));
  }
}

/// A part of the normalized text without any added token.
void Tokenizer::State::tokenize_words(ByteSpan span, Workspace& work, TokenSequence& out) const {
  const Bpe* bpe = std::get_if<Bpe>(&parts.model);
  const TextView view = pre_tokenize(parts.pre_tokenizers, work.normalized.view(span), bpe && bpe->raw_bytes(),
                                     work.words, work.pre_tokenizer);
  work.word_tokens.clear();
  for (ByteSpan word : work.words) tokenize_word(parts.model, view.text, word, work);
  out.tokens.reserve(out.tokens.size() + work.word_tokens.size());
  CharacterCounter counter(work.original);
  for (const WordToken& token : work.word_tokens) {
    if (token.beyond) {
      out.tokens.push_back(token_beyond(token, work.original, counter));
      continue;
    }
    const uint32_t begin = origin_begin(view.origin[token.span.begin]);
    const uint32_t end = origin_end(view.origin[std::max(token.span.end, token.span.begin + 1) - 1]);
    if (token.as_text) {
      out.add(token.id, begin, end, view.text.substr(token.span.begin, token.span.end - token.span.begin));
    } else {
      out.tokens.push_back({token.id, begin, end});
    }
  }
}

std::unique_ptr<Workspace> text::WorkspacePool::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<Workspace>();
  std::unique_ptr<Workspace> work = std::move(free_.back());
  free_.pop_back();
  return work;
}

void text::WorkspacePool::give_back(std::unique_ptr<Workspace> work) {
  // What one very long text took is not kept.
  constexpr size_t kMostKept = 1u << 20;
  if (work->normalized.size() > kMostKept) return;
  const std::lock_guard lock(mutex_);
  if (free_.size() < 64) free_.push_back(std::move(work));
}

Encoding Tokenizer::State::encode(const TextInput& input, const EncodeOptions& options, Workspace& work) const {
  tokenize(input.text, work, work.first);
  if (input.pair) tokenize(*input.pair, work, work.second);
  return assemble(work.first, input.pair ? &work.second : nullptr, parts.post_processor, options, *this);
}

}  // namespace gamut
