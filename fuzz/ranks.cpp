// Vocabularies of ranks: tekken.json where the input begins with '{', a rank file of tiktoken otherwise. A first line
// that begins with '#' is the tokenizer_config.json beside it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "fuzz.h"
#include "text/convert.h"
#include "tokenizer_check.h"

namespace gamut::fuzz {
namespace {

void check(std::string_view content) {
  text::SettingsFiles files{.folder = "folder"};
  if (content.starts_with('#')) {
    const size_t end = std::min(content.find('\n'), content.size());
    files.config = parse_json(content.substr(1, end - 1), "tokenizer_config.json");
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  text::RankedVocabulary vocabulary = content.starts_with('{')
                                          ? text::read_tekken(parse_json(content, "tekken.json"), "tekken.json")
                                          : text::read_rank_file(content, "tokenizer.model");
  check_tokenizer(text::parts_from_ranks("TokenizersBackend", std::move(vocabulary), files, "tokenizer.model"));
}

}  // namespace
}  // namespace gamut::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gamut::fuzz::works([&] { gamut::fuzz::check(gamut::fuzz::as_text(data, size)); });
  return 0;
}
