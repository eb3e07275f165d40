#include <utility>

#include "base/edge.h"
#include "gamut/tokenizer.h"
#include "text/stream_decoder.h"
#include "text/tokenizer_state.h"

namespace gamut {

struct DecodeStream::State {
  std::shared_ptr<const Tokenizer::State> tokenizer;
  bool skip_special_tokens;
  text::StreamDecoder decoder;
};

DecodeStream::DecodeStream(const Tokenizer& tokenizer, bool skip_special_tokens)
    : state_(new State{tokenizer.state_, skip_special_tokens, text::StreamDecoder(tokenizer.state_->parts.decoder)}) {}
DecodeStream::~DecodeStream() = default;
DecodeStream::DecodeStream(DecodeStream&&) noexcept = default;
DecodeStream& DecodeStream::operator=(DecodeStream&&) noexcept = default;

std::string DecodeStream::push(int64_t id) {
  return at_edge([&] {
    const auto token = state_->tokenizer->token_of(id);
    const bool skipped = !token || (state_->skip_special_tokens && state_->tokenizer->is_special(*token));
    return skipped ? std::string() : state_->decoder.push(*token);
  });
}

std::string DecodeStream::finish() {
  return at_edge([&] {
    std::string rest = state_->decoder.finish();
    state_->decoder = text::StreamDecoder(state_->tokenizer->parts.decoder);
    return rest;
  });
}

}  // namespace gamut
