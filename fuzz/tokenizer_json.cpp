// tokenizer.json: the input is its text.
#include "fuzz.h"
#include "text/load.h"
#include "tokenizer_check.h"

namespace gamut::fuzz {
namespace {

void check(std::string_view content) { check_tokenizer(text::parts_from_text(content, "tokenizer.json")); }

}  // namespace
}  // namespace gamut::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gamut::fuzz::works([&] { gamut::fuzz::check(gamut::fuzz::as_text(data, size)); });
  return 0;
}
