// gamut tokenize: JSON lines on stdin, JSON lines on stdout, in the same order.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "commands.h"
#include "gamut/error.h"
#include "gamut/tokenizer.h"

namespace gamut::cli {
namespace {

struct TokenizeArguments {
  std::string model;
  bool decode = false;
  bool stream = false;
  bool keep_special = false;
  bool no_special = false;
  size_t threads = 0;
  std::optional<size_t> max_length, pad_to, pad_multiple;
  size_t stride = 0;
  TruncationStrategy strategy = TruncationStrategy::kLongestFirst;
  TextSide truncation_side = TextSide::kRight, padding_side = TextSide::kRight;
};

void append_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_number(std::string& out, int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out.append(digits, end);
}

/// Adds `"name": [...]`, each item written by `item`.
template <typename Items, typename Item>
void append_list(std::string& out, std::string_view name, const Items& items, Item item) {
  out += '"';
  out += name;
  out += "\": [";
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    item(items[i]);
  }
  out += ']';
}

void append_encoding(std::string& out, const Encoding& encoding, bool with_overflowing) {
  auto number = [&](int64_t value) { append_number(out, value); };
  out += '{';
  append_list(out, "ids", encoding.ids, number);
  out += ", ";
  append_list(out, "tokens", encoding.tokens, [&](const std::string& token) { append_string(out, token); });
  out += ", ";
  append_list(out, "offsets", encoding.offsets, [&](const CharRange& range) {
    out += '[';
    append_number(out, range.begin);
    out += ", ";
    append_number(out, range.end);
    out += ']';
  });
  out += ", ";
  append_list(out, "type_ids", encoding.type_ids, number);
  out += ", ";
  append_list(out, "attention_mask", encoding.attention_mask, number);
  out += ", ";
  append_list(out, "special_tokens_mask", encoding.special_tokens_mask, number);
  if (with_overflowing) {
    out += ", ";
    append_list(out, "overflowing", encoding.overflowing,
                [&](const Encoding& part) { append_encoding(out, part, false); });
  }
  out += '}';
}

/// Turns a line of input into a line of output.
class LineWorker {
 public:
  LineWorker(const Tokenizer& tokenizer, const TokenizeArguments& arguments)
      : tokenizer_(tokenizer), arguments_(arguments) {
    options_.add_special_tokens = !arguments.no_special;
    if (arguments.max_length) {
      options_.truncation =
          Truncation{*arguments.max_length, arguments.strategy, arguments.stride, arguments.truncation_side};
    }
    if (arguments.pad_to || arguments.pad_multiple) options_.padding = padding();
  }

  void run(std::string_view line, size_t number, std::string& out) const {
    const nlohmann::json input = nlohmann::json::parse(line, nullptr, false);
    if (input.is_discarded()) bad(number, "not valid JSON in UTF-8");
    if (arguments_.decode || arguments_.stream) {
      decode(input, number, out);
    } else {
      encode(input, number, out);
    }
    out += '\n';
  }

 private:
  [[noreturn]] static void bad(size_t number, const std::string& what) {
    throw Error(ErrorCode::kInvalidArgument, "standard input, line " + std::to_string(number) + ": " + what);
  }

  Padding padding() const {
    Padding padding = tokenizer_.file_padding().value_or(Padding{});
    if (!tokenizer_.file_padding() && tokenizer_.special_token_ids().pad) {
      padding.id = *tokenizer_.special_token_ids().pad;
      padding.token = tokenizer_.id_to_token(padding.id).value_or(padding.token);
    }
    padding.length = arguments_.pad_to;
    padding.multiple_of = arguments_.pad_multiple;
    padding.direction = arguments_.padding_side;
    return padding;
  }

  void encode(const nlohmann::json& input, size_t number, std::string& out) const {
    Encoding encoding;
    if (input.is_string()) {
      encoding = tokenizer_.encode(input.get_ref<const std::string&>(), options_);
    } else if (input.is_object() && input.contains("text") && input["text"].is_string()) {
      const std::string& text = input["text"].get_ref<const std::string&>();
      const bool has_pair = input.contains("pair") && !input["pair"].is_null();
      if (has_pair && !input["pair"].is_string()) bad(number, "\"pair\" is not a string");
      encoding = has_pair ? tokenizer_.encode(text, input["pair"].get_ref<const std::string&>(), options_)
                          : tokenizer_.encode(text, options_);
    } else {
      bad(number, R"(expected a string or {"text", "pair"})");
    }
    append_encoding(out, encoding, options_.truncation.has_value());
  }

  void decode(const nlohmann::json& input, size_t number, std::string& out) const {
    if (!input.is_array()) bad(number, "expected an array of token ids");
    std::vector<int64_t> ids;
    for (const auto& id : input) {
      if (!id.is_number_integer()) bad(number, "expected an array of token ids, found " + id.dump());
      // Above the range of int64 an id is as unknown as any other that the vocabulary lacks.
      const bool fits = !id.is_number_unsigned() || id.get<uint64_t>() <= INT64_MAX;
      ids.push_back(fits ? id.get<int64_t>() : INT64_MAX);
    }
    if (arguments_.stream) return stream(ids, out);
    out += "{\"text\": ";
    append_string(out, tokenizer_.decode(ids, !arguments_.keep_special));
    out += '}';
  }

  /// The text that each id settles, and the rest.
  void stream(const std::vector<int64_t>& ids, std::string& out) const {
    DecodeStream decoder(tokenizer_, !arguments_.keep_special);
    std::vector<std::string> pieces;
    for (int64_t id : ids) pieces.push_back(decoder.push(id));
    pieces.push_back(decoder.finish());
    out += '{';
    append_list(out, "pieces", pieces, [&](const std::string& piece) { append_string(out, piece); });
    out += '}';
  }

  const Tokenizer& tokenizer_;
  const TokenizeArguments& arguments_;
  EncodeOptions options_;
};

/// Lines that are read, worked on and written together.
struct Batch {
  std::vector<std::string> lines;
  size_t first_number = 1;
};

bool read_batch(std::istream& in, Batch& batch) {
  constexpr size_t kMostLines = 8192, kMostBytes = 8u << 20;
  batch.first_number += batch.lines.size();
  batch.lines.clear();
  size_t bytes = 0;
  for (std::string line; batch.lines.size() < kMostLines && bytes < kMostBytes && std::getline(in, line);) {
    bytes += line.size();
    batch.lines.push_back(std::move(line));
  }
  return !batch.lines.empty();
}

/// Works on the batch in blocks of lines and returns the output of each block. After a failure the blocks from the
/// failing line on are empty and `error` is set.
std::vector<std::string> run_batch(const Batch& batch, const LineWorker& worker, size_t threads,
                                   std::exception_ptr& error) {
  constexpr size_t kLinesPerBlock = 64;
  std::vector<std::string> outputs((batch.lines.size() + kLinesPerBlock - 1) / kLinesPerBlock);
  std::vector<std::exception_ptr> errors(outputs.size());
  std::atomic<size_t> next{0};
  auto run = [&] {
    for (size_t block; (block = next++) < outputs.size();) {
      const size_t end = std::min(batch.lines.size(), (block + 1) * kLinesPerBlock);
      try {
        for (size_t i = block * kLinesPerBlock; i < end; ++i) {
          const bool blank = batch.lines[i].find_first_not_of(" \t\r") == std::string::npos;
          if (!blank) worker.run(batch.lines[i], batch.first_number + i, outputs[block]);
        }
      } catch (...) {
        errors[block] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (size_t i = 1; i < std::min(threads, outputs.size()); ++i) helpers.emplace_back(run);
    run();
  }
  for (size_t block = 0; block < outputs.size(); ++block) {
    if (!errors[block]) continue;
    error = errors[block];
    outputs.resize(block + 1);
    break;
  }
  return outputs;
}

void run_tokenize(const TokenizeArguments& arguments) {
  const Tokenizer tokenizer = Tokenizer::open(arguments.model);
  const LineWorker worker(tokenizer, arguments);
  const size_t threads = arguments.threads ? arguments.threads : std::max(1u, std::thread::hardware_concurrency());
  std::ios::sync_with_stdio(false);
  for (Batch batch; read_batch(std::cin, batch);) {
    std::exception_ptr error;
    for (const std::string& output : run_batch(batch, worker, threads, error)) {
      if (std::fwrite(output.data(), 1, output.size(), stdout) != output.size()) {
        throw Error(ErrorCode::kIo, "standard output: cannot write");
      }
    }
    std::fflush(stdout);
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace

void add_tokenize_command(CLI::App& app, CommonOptions& common) {
  auto arguments = std::make_shared<TokenizeArguments>();
  Command command(
      app, "tokenize",
      "Text to tokens: a JSON string or {\"text\", \"pair\"} per line of stdin, one object per line of stdout.");
  const std::vector<std::pair<std::string, TextSide>> sides{{"left", TextSide::kLeft}, {"right", TextSide::kRight}};
  const std::vector<std::pair<std::string, TruncationStrategy>> strategies{
      {"longest_first", TruncationStrategy::kLongestFirst},
      {"only_first", TruncationStrategy::kOnlyFirst},
      {"only_second", TruncationStrategy::kOnlySecond}};
  command.positional("MODEL", arguments->model, "Folder with tokenizer.json, or a vocabulary and its settings");
  command.flag("--decode", arguments->decode, "Arrays of ids in, {\"text\"} out");
  command.flag("--stream", arguments->stream,
               "With --decode: {\"pieces\"}, the text that each id settles, then the rest");
  command.flag("--keep-special", arguments->keep_special, "Keep special tokens in decoded text");
  command.flag("--no-special", arguments->no_special, "Add no special tokens");
  command.option("--threads", arguments->threads, "Threads (0: all of the machine's)");
  command.option("--max-length", arguments->max_length, "Truncate to this many tokens; adds \"overflowing\"");
  command.option("--stride", arguments->stride, "Tokens that overflowing windows share");
  command.choice("--strategy", arguments->strategy, strategies, "Which text truncation cuts");
  command.choice("--truncation-side", arguments->truncation_side, sides, "left or right");
  command.option("--pad-to", arguments->pad_to, "Pad to this many tokens");
  command.option("--pad-multiple", arguments->pad_multiple, "Pad to a multiple of this many tokens");
  command.choice("--padding-side", arguments->padding_side, sides, "left or right");
  command.flag("--json", common.json, "Errors as JSON (results always are)");
  command.run([arguments] { run_tokenize(*arguments); });
}

}  // namespace gamut::cli
