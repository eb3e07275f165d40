// vocab.txt: the input is its text. A first line that begins with '{' is the tokenizer_config.json beside it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/owned_json.h"
#include "fuzz.h"
#include "text/convert.h"
#include "tokenizer_check.h"

namespace gamut::fuzz {
namespace {

void check(std::string_view vocabulary) {
  text::SettingsFiles files{.folder = "folder"};
  if (vocabulary.starts_with('{')) {
    const size_t end = std::min(vocabulary.find('\n'), vocabulary.size());
    files.config = parse_json(vocabulary.substr(0, end), "tokenizer_config.json");
    files.special_tokens = copy_json(files.config);
    vocabulary.remove_prefix(std::min(end + 1, vocabulary.size()));
  }
  check_tokenizer(text::parts_from_lines("BertTokenizer", vocabulary, files));
}

}  // namespace
}  // namespace gamut::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gamut::fuzz::works([&] { gamut::fuzz::check(gamut::fuzz::as_text(data, size)); });
  return 0;
}
