#include "gamut/tokenizer.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/edge.h"
#include "text/load.h"
#include "text/tokenizer_state.h"

namespace gamut {
namespace {

constexpr size_t kTextsPerTask = 16;

/// Runs work(begin, end) over [0, count) in blocks on `threads` threads; rethrows the first exception.
template <typename Work>
void for_blocks(size_t count, size_t threads, Work make_worker) {
  std::atomic<size_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;
  auto run = [&] {
    try {
      auto worker = make_worker();
      for (size_t begin; (begin = next.fetch_add(kTextsPerTask)) < count;) {
        worker(begin, std::min(begin + kTextsPerTask, count));
      }
    } catch (...) {
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> helpers;
    const size_t useful = std::min(threads, (count + kTextsPerTask - 1) / kTextsPerTask);
    try {
      for (size_t i = 1; i < useful; ++i) helpers.emplace_back(run);
    } catch (const std::exception&) {
      // The system's limit on threads, or no memory for one: fewer are slower, not wrong.
    }
    run();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace

Tokenizer::Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Tokenizer Tokenizer::open(const std::filesystem::path& folder) {
  return at_edge([&] { return Tokenizer(std::make_shared<const State>(text::load_tokenizer(folder))); });
}

Encoding Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  const TextInput input{text};
  return std::move(encode_batch({&input, 1}, options)[0]);
}

Encoding Tokenizer::encode(std::string_view text, std::string_view pair, const EncodeOptions& options) const {
  const TextInput input{text, pair};
  return std::move(encode_batch({&input, 1}, options)[0]);
}

std::vector<Encoding> Tokenizer::encode_batch(std::span<const TextInput> inputs, const EncodeOptions& options,
                                              size_t threads) const {
  return at_edge([&] {
    if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
    std::vector<Encoding> encodings(inputs.size());
    for_blocks(inputs.size(), threads, [&] {
      return [&](size_t begin, size_t end) {
        auto work = state_->workspaces.take();
        for (size_t i = begin; i < end; ++i) encodings[i] = state_->encode(inputs[i], options, *work);
        state_->workspaces.give_back(std::move(work));
      };
    });
    if (options.padding) text::pad_batch(encodings, *options.padding, options.ids_only);
    return encodings;
  });
}

std::string Tokenizer::decode(std::span<const int64_t> ids, bool skip_special_tokens) const {
  return at_edge([&] {
    std::vector<std::string_view> tokens;
    for (int64_t id : ids) {
      const auto token = state_->token_of(id);
      if (token && !(skip_special_tokens && state_->is_special(*token))) tokens.push_back(*token);
    }
    return text::decode_tokens(state_->parts.decoder, tokens);
  });
}

std::optional<int64_t> Tokenizer::token_to_id(std::string_view token) const { return state_->id_of(token); }

std::optional<std::string> Tokenizer::id_to_token(int64_t id) const {
  const auto token = state_->token_of(id);
  return token ? std::optional<std::string>(*token) : std::nullopt;
}

size_t Tokenizer::vocab_size() const { return state_->vocab_size; }
const SpecialTokenIds& Tokenizer::special_token_ids() const { return state_->special; }
const std::optional<Truncation>& Tokenizer::file_truncation() const { return state_->parts.truncation; }
const std::optional<Padding>& Tokenizer::file_padding() const { return state_->parts.padding; }

}  // namespace gamut
