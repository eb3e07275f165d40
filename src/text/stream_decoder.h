// Decoding token by token: what the tokens so far settle of the text, never half a character.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/decoder.h"

namespace gamut::text {

/// Follows a decoder. All that push and finish return, one after another, is what decode_tokens makes of all tokens.
///
/// A text is held back until it is settled: bytes until their character is whole, a run of byte tokens (<0xE2> …) until
/// it ends, since one wrong byte changes all of it. Steps that look at the whole text behind one that joins the tokens
/// hold it to the end; no published tokenizer has such a decoder.
class StreamDecoder {
 public:
  /// `decoder` must outlive this.
  explicit StreamDecoder(const Decoder& decoder) : decoder_(&decoder), states_(decoder.size()) {}

  std::string push(std::string_view token);
  /// The text that was held back. Nothing may be pushed afterwards.
  std::string finish();

 private:
  using Tokens = std::vector<std::string>;
  /// What a step remembers of the tokens before.
  struct State {
    bool started = false;
    Tokens held;
    std::string bytes, previous;
    size_t stripped = 0;  ///< how many times StripDecoder has taken its content off the beginning
  };

  std::string run(Tokens tokens, bool is_end);
  void step(const DecoderStep& step, State& state, bool in_pieces, bool is_end, Tokens& tokens);
  static void join_bytes(const DecoderStep& step, State& state, bool is_end, Tokens& tokens);
  static void trim_pieces(State& state, bool is_end, Tokens& tokens);
  static void drop_repeated(const DecoderStep& step, State& state, Tokens& tokens);
  static void hold_bytes(State& state, bool is_end, Tokens& tokens);
  static void strip_pieces(const StripDecoder& strip, State& state, bool is_end, Tokens& tokens);

  const Decoder* decoder_;
  std::vector<State> states_;
  bool started_ = false;
};

}  // namespace gamut::text
