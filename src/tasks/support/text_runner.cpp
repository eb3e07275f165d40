#include "tasks/support/text_runner.h"

#include <algorithm>

#include "base/error.h"
#include "runtime/batching.h"

namespace gamut {
namespace {

/// Lines [begin, begin + count) of a tensor, without a copy.
Tensor lines_of(const Tensor& tensor, int64_t begin, int64_t count) {
  Dims dims = tensor.dims();
  const size_t line = dims[0] == 0 ? 0 : tensor.bytes() / static_cast<size_t>(dims[0]);
  dims[0] = count;
  auto owner = std::make_shared<Tensor>(tensor);
  return Tensor(tensor.dtype(), dims, static_cast<const char*>(tensor.data()) + static_cast<size_t>(begin) * line,
                owner);
}

}  // namespace

TextRunner::TextRunner(const ModelFolder& folder, Session session, std::optional<int64_t> max_length)
    : tokenizer_(Tokenizer::open(folder.path)), session_(std::move(session)) {
  max_length_ = session_.program().max_length;
  if (max_length && (max_length_ == 0 || *max_length < max_length_)) max_length_ = *max_length;
}

std::vector<Encoding> TextRunner::encode(std::span<const std::string> texts, bool truncate) const {
  EncodeOptions options{.ids_only = true};
  if (truncate && max_length_ > 0) options.truncation = Truncation{.max_length = static_cast<size_t>(max_length_)};
  std::vector<TextInput> inputs;
  inputs.reserve(texts.size());
  for (const std::string& text : texts) inputs.push_back({text});
  std::vector<Encoding> encodings = tokenizer_.encode_batch(inputs, options, texts.size() > 16 ? 0 : 1);
  for (size_t i = 0; i < encodings.size(); ++i) {
    if (max_length_ > 0 && static_cast<int64_t>(encodings[i].ids.size()) > max_length_) {
      fail_with_hint(
          ErrorCode::kInvalidArgument,
          fmt::format("text {} has {} tokens, the model takes at most {}", i, encodings[i].ids.size(), max_length_),
          "Pass \"truncate\": true (--truncate) to cut it.");
    }
  }
  return encodings;
}

void TextRunner::run(std::span<const std::string> texts, bool truncate, const Consumer& consume) const {
  const std::vector<Encoding> encodings = encode(texts, truncate);
  std::vector<int64_t> lengths;
  for (const Encoding& encoding : encodings) lengths.push_back(static_cast<int64_t>(encoding.ids.size()));
  const Program& program = session_.program();
  const bool has_types =
      std::ranges::any_of(program.inputs, [](const ProgramInput& i) { return i.name == "token_type_ids"; });
  for (const std::vector<size_t>& batch : plan_batches(lengths)) {
    std::map<std::string, std::vector<std::vector<int64_t>>> inputs;
    for (size_t index : batch) {
      inputs["input_ids"].push_back(encodings[index].ids);
      if (has_types) inputs["token_type_ids"].push_back(encodings[index].type_ids);
    }
    const NamedTensors results = session_.run_rows(inputs);
    int64_t start = 0;
    for (size_t n = 0; n < batch.size(); ++n) {
      NamedTensors mine;
      for (const ProgramOutput& output : program.outputs) {
        const Tensor& all = results.at(output.name);
        mine[output.name] = output.lines != Lines::kRows ? lines_of(all, start, lengths[batch[n]])
                                                         : lines_of(all, static_cast<int64_t>(n), 1);
      }
      consume(batch[n], encodings[batch[n]], mine);
      start += lengths[batch[n]];
    }
  }
}

}  // namespace gamut
