#include "gamut/generate.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "base/edge.h"
#include "base/error.h"
#include "base/memory_info.h"
#include "generate/stop_strings.h"
#include "tasks/support/generation_parameters.h"
#include "tasks/support/generator_state.h"
#include "tasks/support/model_folder.h"

namespace gamut {

namespace {

constexpr int64_t kDefaultNewTokens = 256;

/// 53 bits, so that the seed survives JSON readers that know no larger integers.
uint64_t unseen_seed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32 | device()) >> 11;
}

/// The class that has a language model's head.
std::string causal_head(const ModelFolder& folder, const LoadOptions& options) {
  if (!options.head.empty()) return options.head;
  for (const std::string& head : folder.architecture().heads) {
    for (const char* end : {"ForCausalLM", "LMHeadModel", "ForConditionalGeneration"}) {
      if (head.ends_with(end)) return head;
    }
  }
  fail(ErrorCode::kUnsupported, "{}: model type {} does not generate text", folder.path.string(),
       folder.architecture().model_type);
}

/// The text of one prompt as its tokens come.
struct Stream {
  std::optional<DecodeStream> decoder;
  StopStrings stops;
  std::string text;
};

/// Turns tokens into text and texts into ends of requests.
class Streams {
 public:
  Streams(const std::optional<Tokenizer>& tokenizer, size_t prompts, const std::vector<std::string>& stop,
          const TextCallback& on_text)
      : on_text_(on_text) {
    if (!tokenizer && !stop.empty()) {
      fail(ErrorCode::kInvalidArgument, "stop strings need a tokenizer, and the model has none");
    }
    for (size_t i = 0; i < prompts; ++i) {
      streams_.push_back({std::nullopt, StopStrings(stop), ""});
      if (tokenizer) streams_.back().decoder.emplace(*tokenizer);
    }
  }

  /// False when the prompt ends with this token.
  bool push(size_t prompt, int64_t token) {
    Stream& stream = streams_[prompt];
    if (!stream.decoder) return true;
    return pass_on(prompt, stream.stops.push(stream.decoder->push(token))) && !stream.stops.is_stopped();
  }

  void finish(size_t prompt, GeneratedText* result) {
    Stream& stream = streams_[prompt];
    if (stream.decoder && result->finish_reason != "cancelled") {
      pass_on(prompt, stream.stops.push(stream.decoder->finish()));
      pass_on(prompt, stream.stops.finish());
    }
    result->text = std::move(stream.text);
  }

  bool is_stopped(size_t prompt) const { return streams_[prompt].stops.is_stopped(); }

 private:
  bool pass_on(size_t prompt, const std::string& piece) {
    streams_[prompt].text += piece;
    return piece.empty() || !on_text_ || on_text_(prompt, piece);
  }

  const TextCallback& on_text_;
  std::vector<Stream> streams_;
};

NamedTensors raw_result(const Tensor& ids, const std::vector<Generated>& rows, int64_t padding, int64_t vocabulary) {
  size_t longest = 0;
  for (const Generated& row : rows) longest = std::max(longest, row.tokens.size());
  const auto batch = static_cast<int64_t>(rows.size()), added = static_cast<int64_t>(longest);
  const int64_t prompt = ids.dim(1), copies = ids.dim(0) == 0 ? 1 : batch / ids.dim(0);
  Tensor sequences = Tensor::allocate(DType::kI64, {batch, prompt + added});
  Tensor logits = Tensor::allocate(DType::kF32, {batch, added, vocabulary});
  std::ranges::fill(sequences.mutable_i64(), padding);
  std::ranges::fill(logits.mutable_f32(), 0.0f);
  for (int64_t b = 0; b < batch; ++b) {
    const Generated& row = rows[static_cast<size_t>(b)];
    int64_t* to = sequences.mutable_i64().data() + b * (prompt + added);
    std::copy_n(ids.i64().data() + b / copies * prompt, prompt, to);
    std::ranges::copy(row.tokens, to + prompt);
    for (size_t i = 0; i < row.logits.size(); ++i) {
      std::ranges::copy(row.logits[i].f32(),
                        logits.mutable_f32().data() + (b * added + static_cast<int64_t>(i)) * vocabulary);
    }
  }
  NamedTensors result{{"sequences", sequences}, {"logits", logits}};
  if (!rows.empty() && rows.front().score) {
    Tensor scores = Tensor::allocate(DType::kF32, {batch});
    std::ranges::transform(rows, scores.mutable_f32().begin(),
                           [](const Generated& row) { return row.score.value_or(0); });
    result.emplace("sequences_scores", scores);
  }
  return result;
}

}  // namespace

size_t Generator::State::budget() const {
  return state_bytes > 0 ? state_bytes : static_cast<size_t>(std::max<int64_t>(available_memory() / 2, 1 << 20));
}

std::vector<int64_t> Generator::State::encode(const std::string& text, const GenerateOptions& options) const {
  if (!tokenizer) {
    fail_with_hint(ErrorCode::kNotFound, "the model folder has no tokenizer files", "Pass ids instead of text.");
  }
  return tokenizer->encode(text, {.add_special_tokens = options.add_special_tokens, .ids_only = true}).ids;
}

GenerationLimits Generator::State::limits(const GenerateOptions& options) const {
  GenerationLimits limits;
  const std::optional<int64_t> most = options.max_new_tokens ? options.max_new_tokens : settings.max_new_tokens;
  const std::optional<int64_t> length =
      options.decoding.max_length ? options.decoding.max_length : settings.decoding.max_length;
  limits.max_new_tokens = most.value_or(length ? INT64_MAX : kDefaultNewTokens);
  if (!most && length) limits.max_length = *length;
  limits.min_new_tokens = options.min_new_tokens.value_or(settings.min_new_tokens.value_or(0));
  if (limits.max_new_tokens < 0 || limits.min_new_tokens < 0 || limits.min_new_tokens > limits.max_new_tokens) {
    fail(ErrorCode::kInvalidArgument, "{} to {} new tokens, expected a range of numbers from 0 on",
         limits.min_new_tokens, limits.max_new_tokens);
  }
  limits.stop_ids = options.stop_ids;
  if (!options.ignore_eos)
    limits.stop_ids.insert(limits.stop_ids.end(), settings.eos_ids.begin(), settings.eos_ids.end());
  limits.context = context;
  return limits;
}

/// The options, with the bad words as ids: as they are, and behind a space.
DecodingOptions Generator::State::with_bad_words(const GenerateOptions& options) const {
  DecodingOptions decoding = options.decoding;
  if (options.bad_words.empty()) return decoding;
  if (!tokenizer) fail(ErrorCode::kInvalidArgument, "bad words need a tokenizer, and the model has none");
  if (!decoding.bad_words_ids)
    decoding.bad_words_ids =
        settings.decoding.bad_words_ids.value_or(decltype(settings.decoding.bad_words_ids)::value_type{});
  for (const std::string& word : options.bad_words) {
    for (const std::string& text : {word, " " + word}) {
      std::vector<int64_t> ids = tokenizer->encode(text, {.add_special_tokens = false, .ids_only = true}).ids;
      if (ids.empty()) fail(ErrorCode::kInvalidArgument, "bad_words: \"{}\" has no tokens", word);
      decoding.bad_words_ids->push_back(std::move(ids));
    }
  }
  return decoding;
}

GenerationRequest Generator::State::request(std::vector<std::vector<int64_t>> prompts,
                                            const GenerateOptions& options) const {
  GenerationRequest request;
  request.limits = limits(options);
  request.decoding = decide(with_bad_words(options), settings.decoding);
  if (request.decoding.do_sample) {
    for (size_t i = 0; i < prompts.size(); ++i) {
      request.seeds.push_back(options.decoding.seed ? *options.decoding.seed : unseen_seed());
    }
  }
  request.prompts = std::move(prompts);
  return request;
}

Generator Generator::open(const std::filesystem::path& folder, const LoadOptions& options, size_t state_bytes) {
  return at_edge([&] {
    const ModelFolder files = ModelFolder::open(folder);
    LoadOptions load = options;
    load.head = causal_head(files, options);
    std::optional<Tokenizer> tokenizer;
    try {
      tokenizer = Tokenizer::open(folder);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) throw;
    }
    const Config config = files.config.has("text_config") ? files.config.sub("text_config") : files.config;
    return Generator(
        std::make_shared<const State>(State{files.compile(files.record(load).program, load), tokenizer,
                                            read_generation_settings(folder, config), files.context(), state_bytes}));
  });
}

std::vector<GeneratedText> Generator::State::generate(const std::vector<std::vector<int64_t>>& prompts,
                                                      const GenerateOptions& options, const TextCallback& on_text,
                                                      const Run& run) const {
  GenerationRequest made = request(prompts, options);
  const auto copies = static_cast<size_t>(made.decoding.num_return_sequences);
  std::vector<std::string> stop = options.stop;
  stop.insert(stop.end(), settings.stop_strings.begin(), settings.stop_strings.end());
  Streams streams(tokenizer, prompts.size() * copies, stop, on_text);
  // The id that ends a text says nothing.
  const std::vector<int64_t> ends = made.limits.stop_ids;
  made.is_cancelled = options.is_cancelled;
  made.on_token = [&](size_t result, int64_t token) {
    return std::ranges::count(ends, token) > 0 || streams.push(result, token);
  };
  const std::vector<uint64_t> seeds = made.seeds;
  std::vector<Generated> rows = run(std::move(made));
  std::vector<GeneratedText> results(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool is_stopped = rows[i].reason == FinishReason::kCancelled && streams.is_stopped(i);
    results[i].finish_reason = is_stopped ? "stop" : finish_reason_name(rows[i].reason);
    results[i].prompt_tokens = static_cast<int64_t>(prompts[i / copies].size());
    results[i].logprobs = std::move(rows[i].logprobs);
    results[i].score = rows[i].score;
    if (!seeds.empty()) results[i].seed = seeds[i / copies];
    results[i].error = rows[i].error;
    results[i].ids = std::move(rows[i].tokens);
    streams.finish(i, &results[i]);
  }
  return results;
}

std::vector<GeneratedText> Generator::generate_ids(const std::vector<std::vector<int64_t>>& prompts,
                                                   const GenerateOptions& options, const TextCallback& on_text) const {
  return at_edge([&] {
    return state_->generate(prompts, options, on_text, [&](const GenerationRequest& request) {
      const std::unique_ptr<gamut::State> state = state_->session.make_state(state_->budget());
      return generate_tokens(state_->session, *state, request);
    });
  });
}

std::vector<GeneratedText> Generator::generate(const std::vector<std::string>& prompts, const GenerateOptions& options,
                                               const TextCallback& on_text) const {
  return at_edge([&] {
    std::vector<std::vector<int64_t>> ids;
    for (const std::string& prompt : prompts) ids.push_back(state_->encode(prompt, options));
    return generate_ids(ids, options, on_text);
  });
}

NamedTensors Generator::generate_raw(const NamedTensors& inputs, const GenerateOptions& options) const {
  return at_edge([&] {
    for (const auto& [name, tensor] : inputs) {
      if (name == "input_ids" || name == "attention_mask") continue;
      fail(ErrorCode::kInvalidArgument, "input {} is unknown to generation; expected input_ids and attention_mask",
           name);
    }
    const Session::TokenRows prompts = state_->session.token_rows(inputs);
    GenerationRequest request = state_->request(prompts.rows, options);
    request.keep_logits = true;
    request.limits.context = 0;  // as transformers: whatever the program can compute
    const std::unique_ptr<gamut::State> state = state_->session.make_state(state_->budget());
    const std::vector<Generated> rows = generate_tokens(state_->session, *state, request);
    int64_t vocabulary = 0;
    for (const Generated& row : rows) {
      if (row.error) throw Error(*row.error);
      if (!row.logits.empty()) vocabulary = row.logits.front().dim(0);
    }
    const GenerationSettings& settings = state_->settings;
    const int64_t end = settings.eos_ids.empty() ? 0 : settings.eos_ids.front();
    return raw_result(prompts.ids, rows, settings.padding_id.value_or(end), vocabulary);
  });
}

int64_t Generator::texts_per_prompt(const GenerateOptions& options) const {
  return at_edge([&] { return decide(options.decoding, state_->settings.decoding).num_return_sequences; });
}

std::string Generator::precision() const { return precision_name(state_->session.precision()); }

int64_t Generator::vocabulary() const {
  for (const ProgramInput& input : state_->session.program().inputs) {
    if (input.name == "input_ids") return input.limit;
  }
  return 0;
}

std::string generation_parameters(const GenerateOptions& options) {
  return write_generation_parameters(options).dump(-1, ' ', false, Json::error_handler_t::replace);
}

const std::vector<std::string>& Generator::warnings() const { return state_->settings.warnings; }

}  // namespace gamut
