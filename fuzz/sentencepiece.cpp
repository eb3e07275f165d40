// SentencePiece models: the first byte of the input chooses the tokenizer class, the rest is the .model file.
#include "fuzz.h"
#include "text/convert.h"
#include "tokenizer_check.h"

namespace gamut::fuzz {
namespace {

constexpr const char* kClasses[] = {
    "T5Tokenizer",   "LlamaTokenizer",   "XLMRobertaTokenizer", "TokenizersBackend",  "AlbertTokenizer",
    "NllbTokenizer", "PegasusTokenizer", "BigBirdTokenizer",    "CamembertTokenizer", "SeamlessM4TTokenizer"};

void check(uint8_t choice, std::string_view bytes) {
  const auto model = text::read_sentencepiece(bytes, "tokenizer.model");
  require(!model.pieces.empty(), "a model without pieces");
  check_tokenizer(text::parts_from_sentencepiece(kClasses[choice % std::size(kClasses)], model, {.folder = "folder"},
                                                 "tokenizer.model"));
}

}  // namespace
}  // namespace gamut::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  gamut::fuzz::works([&] { gamut::fuzz::check(data[0], gamut::fuzz::as_text(data + 1, size - 1)); });
  return 0;
}
