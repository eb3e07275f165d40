#include "text/stream_decoder.h"

#include <algorithm>
#include <utility>

#include "text/utf8.h"

namespace gamut::text {
namespace {

/// Whether a step makes one token of all.
bool joins(const DecoderStep& step) {
  if (std::holds_alternative<BytesDecoder>(step) || std::holds_alternative<TrimDecoder>(step)) return true;
  const auto* simple = std::get_if<SimpleDecoder>(&step);
  return simple && *simple != SimpleDecoder::kByteFallback;
}

/// How many bytes at the end of `bytes` may still become a character.
size_t unfinished(std::string_view bytes) {
  for (size_t length = 1; length < 4 && length <= bytes.size(); ++length) {
    const std::string_view tail = bytes.substr(bytes.size() - length);
    const auto lead = static_cast<uint8_t>(tail[0]);
    if ((lead & 0xC0) == 0x80) continue;
    const size_t whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || whole <= length) return 0;
    if (length == 1) return 1;
    // The second byte decides whether the lead byte can still be right.
    const auto second = static_cast<uint8_t>(tail[1]);
    const uint8_t least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const uint8_t most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return second >= least && second <= most ? length : 0;
  }
  return 0;
}

/// Applies a step that treats the first token differently to tokens that are not the first.
void apply_behind_first(const DecoderStep& step, std::vector<std::string>& tokens) {
  tokens.insert(tokens.begin(), "-");
  apply_step(step, tokens);
  tokens.erase(tokens.begin());
}

}  // namespace

/// Keeps the bytes of a character that is not whole.
void StreamDecoder::join_bytes(const DecoderStep& step, State& state, bool is_end, Tokens& tokens) {
  for (const std::string& token : tokens) append_token_bytes(step, token, state.bytes);
  const size_t settled = state.bytes.size() - (is_end ? 0 : unfinished(state.bytes));
  tokens.assign(1, text_of_bytes(step, std::string_view(state.bytes).substr(0, settled)));
  state.bytes.erase(0, settled);
}

/// Keeps whitespace that may be the last.
void StreamDecoder::trim_pieces(State& state, bool is_end, Tokens& tokens) {
  std::string text = std::move(state.bytes);
  for (const std::string& token : tokens) text += token;
  if (!state.started) text.erase(0, blank_start(text));
  state.started = state.started || !text.empty();
  const size_t settled = text.size() - blank_end(text);
  state.bytes = is_end ? std::string() : text.substr(settled);
  text.resize(settled);
  tokens.clear();
  tokens.push_back(std::move(text));
}

void StreamDecoder::hold_bytes(State& state, bool is_end, Tokens& tokens) {
  tokens.insert(tokens.begin(), std::make_move_iterator(state.held.begin()), std::make_move_iterator(state.held.end()));
  state.held.clear();
  if (!is_end) {
    size_t settled = tokens.size();
    while (settled > 0 && is_byte_token(tokens[settled - 1])) --settled;
    state.held.assign(std::make_move_iterator(tokens.begin() + static_cast<ptrdiff_t>(settled)),
                      std::make_move_iterator(tokens.end()));
    tokens.resize(settled);
  }
  apply_step(SimpleDecoder::kByteFallback, tokens);
}

/// The token comes in pieces: `start` times the content off its beginning, and so many off its end.
void StreamDecoder::strip_pieces(const StripDecoder& strip, State& state, bool is_end, Tokens& tokens) {
  for (const std::string& token : tokens) state.bytes += token;
  const std::string& content = strip.content;
  std::string_view text = state.bytes;
  while (!state.started && state.stripped < strip.start && text.starts_with(content)) {
    text.remove_prefix(content.size());
    ++state.stripped;
  }
  state.started = state.started || !text.empty();
  size_t kept = 0;
  for (size_t i = 0; i < strip.stop && text.substr(0, text.size() - kept).ends_with(content); ++i) {
    kept += content.size();
  }
  std::string out(text.substr(0, text.size() - kept));
  state.bytes = is_end ? std::string() : std::string(text.substr(out.size()));
  tokens.clear();
  tokens.push_back(std::move(out));
}

/// A token like the one before it is no new one.
void StreamDecoder::drop_repeated(const DecoderStep& step, State& state, Tokens& tokens) {
  Tokens kept;
  for (std::string& token : tokens) {
    if (state.started && token == state.previous) continue;
    state.started = true;
    state.previous = token;
    Tokens one{std::move(token)};
    apply_step(step, one);
    kept.insert(kept.end(), one.begin(), one.end());
  }
  tokens = std::move(kept);
}

void StreamDecoder::step(const DecoderStep& step, State& state, bool in_pieces, bool is_end, Tokens& tokens) {
  const auto* simple = std::get_if<SimpleDecoder>(&step);
  if (simple && *simple == SimpleDecoder::kFuse) return;
  if (const auto* strip = std::get_if<StripDecoder>(&step); strip && in_pieces) {
    return strip_pieces(*strip, state, is_end, tokens);
  }
  if (std::holds_alternative<TrimDecoder>(step)) return trim_pieces(state, is_end, tokens);
  if (in_pieces) {
    for (const std::string& token : tokens) state.bytes += token;
    tokens.clear();
    if (!is_end) return;
    tokens.push_back(std::move(state.bytes));
    return apply_step(step, tokens);
  }
  if ((simple && *simple == SimpleDecoder::kByteLevel) || std::holds_alternative<BytesDecoder>(step)) {
    return join_bytes(step, state, is_end, tokens);
  }
  if (simple) return hold_bytes(state, is_end, tokens);
  if (std::holds_alternative<BpeDecoder>(step)) {
    tokens.insert(tokens.begin(), state.held.begin(), state.held.end());
    state.held.clear();
    if (tokens.empty()) return;
    if (!is_end) state.held.assign(1, tokens.back());  // what ends a word is a space unless it ends the text
    apply_step(step, tokens);
    if (!is_end) tokens.pop_back();
    return;
  }
  if (std::holds_alternative<CtcDecoder>(step)) return drop_repeated(step, state, tokens);
  if (tokens.empty()) return;
  if (state.started) return apply_behind_first(step, tokens);
  state.started = true;
  apply_step(step, tokens);
}

std::string StreamDecoder::run(Tokens tokens, bool is_end) {
  bool in_pieces = false;
  for (size_t i = 0; i < decoder_->size(); ++i) {
    step((*decoder_)[i], states_[i], in_pieces, is_end, tokens);
    in_pieces = in_pieces || joins((*decoder_)[i]);
  }
  std::string text;
  for (const std::string& token : tokens) {
    if (decoder_->empty() && std::exchange(started_, true)) text += ' ';
    text += token;
  }
  return text;
}

std::string StreamDecoder::push(std::string_view token) { return run({std::string(token)}, false); }

std::string StreamDecoder::finish() { return run({}, true); }

}  // namespace gamut::text
