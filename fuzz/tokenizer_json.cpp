// tokenizer.json: the input is its text.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "fuzz.h"
#include "text/load.h"
#include "tokenizer_check.h"

namespace gamut::fuzz {
namespace {

void check(std::string_view content) {
  const Json file = parse_json(content, "tokenizer.json");
  check_tokenizer(text::parts_from_json(file, "tokenizer.json"));
}

}  // namespace
}  // namespace gamut::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gamut::fuzz::works([&] { gamut::fuzz::check(gamut::fuzz::as_text(data, size)); });
  return 0;
}
