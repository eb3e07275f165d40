// tokenizer.json: the input is its text.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "fuzz.h"
#include "text/load.h"
#include "tokenizer_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gamut;
  fuzz::works([&] {
    const Json file = parse_json(fuzz::as_text(data, size), "tokenizer.json");
    fuzz::check_tokenizer(text::parts_from_json(file, "tokenizer.json"));
  });
  return 0;
}
