// Text: encoding and decoding with small tokenizers. The last bytes of the input choose tokenizer and options, the rest
// is the text and its pair.
#include <fuzzer/FuzzedDataProvider.h>

#include "fuzz.h"
#include "text/load.h"
#include "text/tokenizer_test_files.h"
#include "tokenizer_check.h"

namespace gamut::fuzz {
namespace {

Tokenizer open(const nlohmann::json& file) {
  return Tokenizer(std::make_shared<const Tokenizer::State>(text::parts_from_json(file, "tokenizer.json")));
}

/// A byte-level BPE, one with byte fallback over metaspaces, one of affixes behind expressions, a Unigram behind every
/// kind of normalizer, a WordLevel.
constexpr const char* kModels[] = {
    R"({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "Ġ": 2, "Ã": 3, "©": 4, "ab": 5, "Ġa": 6, "Ã©": 7, "aa": 8, "aaaa": 9},
                  "merges": ["a b", "Ġ a", "Ã ©", "a a", "aa aa"]}})",
    R"({"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                       {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                    {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "vocab": {"<unk>": 0, "▁": 1, "a": 2, "b": 3, "▁a": 4, "ab": 5, "<0xC3>": 6, "<0xA9>": 7},
                  "merges": [["▁", "a"], ["a", "b"]], "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true}})",
    R"({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [
          {"type": "Split", "pattern": {"Regex": "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
           "behavior": "Isolated", "invert": false}, {"type": "Digits", "individual_digits": true}]},
        "decoder": {"type": "BPEDecoder", "suffix": "</w>"},
        "model": {"type": "BPE", "vocab": {"<unk>": 0, "a": 1, "##b": 2, "##b</w>": 3, "a##b": 4, "ab": 5, "ab</w>": 6},
                  "merges": ["a ##b", "a ##b</w>"], "unk_token": "<unk>", "continuing_subword_prefix": "##",
                  "end_of_word_suffix": "</w>"}})",
    R"({"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKD"}, {"type": "Nmt"}, {"type": "StripAccents"},
          {"type": "NFC"}, {"type": "Lowercase"}, {"type": "Strip", "strip_left": true, "strip_right": false},
          {"type": "Replace", "pattern": {"Regex": " {2,}|x*"}, "content": "-"}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true},
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true},
        "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": false,
                  "vocab": [["<unk>", 0], ["▁", -2], ["a", -1], ["b", -1], ["ab", -2], ["▁a", -2.5], ["-", -3], ["é", -4]]}})",
    R"({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}, {"type": "UnicodeScripts"},
          {"type": "FixedLength", "length": 3}]},
        "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"<unk>": 0, "a": 1, "ab": 2, "中": 3}}})",
};

std::vector<Tokenizer> make_tokenizers() {
  nlohmann::json plain = text::test_tokenizer_json();
  nlohmann::json cased = plain, bare = plain, blank = plain;
  cased["normalizer"]["lowercase"] = false;
  bare["normalizer"] = bare["pre_tokenizer"] = bare["decoder"] = bare["post_processor"] = nullptr;
  blank["added_tokens"][0]["content"] = " ";
  for (nlohmann::json& token : blank["added_tokens"]) token["lstrip"] = token["rstrip"] = true;
  blank["added_tokens"][6]["normalized"] = true;
  std::vector<Tokenizer> all{open(plain), open(cased), open(bare), open(blank)};
  for (const char* model : kModels) {
    nlohmann::json file = nlohmann::json::parse(model);
    file["added_tokens"] = plain["added_tokens"];
    all.push_back(open(file));
  }
  return all;
}

/// Small sizes, where windows and templates meet, and now and then one that no memory holds; those between are only
/// slow.
size_t any_size(FuzzedDataProvider& data) {
  const bool is_large = data.ConsumeIntegralInRange<int>(0, 15) == 0;
  return is_large ? data.ConsumeIntegral<size_t>() | size_t{1} << 40 : data.ConsumeIntegralInRange<size_t>(0, 63);
}

EncodeOptions any_options(FuzzedDataProvider& data) {
  EncodeOptions options;
  options.add_special_tokens = data.ConsumeBool();
  options.ids_only = data.ConsumeBool();
  if (data.ConsumeBool()) {
    options.truncation =
        Truncation{.max_length = any_size(data),
                   .strategy = data.PickValueInArray({TruncationStrategy::kLongestFirst, TruncationStrategy::kOnlyFirst,
                                                      TruncationStrategy::kOnlySecond}),
                   .stride = any_size(data),
                   .direction = data.ConsumeBool() ? TextSide::kLeft : TextSide::kRight};
  }
  if (data.ConsumeBool()) {
    options.padding = Padding{.direction = data.ConsumeBool() ? TextSide::kLeft : TextSide::kRight};
    if (data.ConsumeBool()) options.padding->length = any_size(data);
    if (data.ConsumeBool()) options.padding->multiple_of = any_size(data);
  }
  return options;
}

void check_same_ids(const Encoding& a, const Encoding& b) {
  require(a.ids == b.ids && a.type_ids == b.type_ids && a.overflowing.size() == b.overflowing.size(),
          "two encodings of one text");
}

void check(FuzzedDataProvider& data) {
  static const std::vector<Tokenizer> tokenizers = make_tokenizers();
  const Tokenizer& tokenizer = tokenizers[data.ConsumeIntegralInRange<size_t>(0, tokenizers.size() - 1)];
  EncodeOptions options = any_options(data);
  const bool is_pair = data.ConsumeBool();
  const std::string second = is_pair ? data.ConsumeRandomLengthString() : "";
  const std::string first = data.ConsumeRemainingBytesAsString();
  auto encode = [&] { return is_pair ? tokenizer.encode(first, second, options) : tokenizer.encode(first, options); };
  const Encoding encoding = encode();
  check_encoding(encoding, first, second, options.ids_only);
  tokenizer.decode(encoding.ids, true);
  const std::string decoded = tokenizer.decode(encoding.ids, false);
  require(text::valid_utf8_prefix(decoded) == decoded.size(), "a decoded text that is not UTF-8");
  options.ids_only = !options.ids_only;
  check_same_ids(encoding, encode());
}

}  // namespace
}  // namespace gamut::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider provider(data, size);
  gamut::fuzz::works([&] { gamut::fuzz::check(provider); });
  return 0;
}
