#include "generate/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <ranges>

#include "models/architecture.h"
#include "models/tiny_llama.h"

namespace gamut {
namespace {

using Prompts = std::vector<std::vector<int64_t>>;

struct Loaded {
  std::unique_ptr<Session> session;
  std::unique_ptr<State> state;
};

Loaded load(size_t budget = 64 << 20, const std::string& poisoned = "") {
  NamedTensors tensors = test::tiny_llama_tensors();
  if (!poisoned.empty()) tensors.at(poisoned).mutable_f32()[0] = std::numeric_limits<float>::quiet_NaN();
  auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::from_tensors(std::move(tensors)));
  const Config config = Config::from_json(test::tiny_llama_config());
  Loaded loaded;
  loaded.session = std::make_unique<Session>(record_program(config, *checkpoint).program, checkpoint,
                                             find_backend("cpu"), CompileOptions{.threads = 2});
  loaded.state = loaded.session->make_state(budget);
  return loaded;
}

std::vector<Generated> generate(const Loaded& loaded, const Prompts& prompts, GenerationLimits limits = {},
                                TokenCallback on_token = {}, const DecodingSettings& decoding = {}) {
  GenerationRequest request{
      .prompts = prompts, .limits = std::move(limits), .decoding = decoding, .seeds = {}, .keep_logits = true};
  request.on_token = std::move(on_token);
  std::vector<Generated> rows = generate_tokens(*loaded.session, *loaded.state, request);
  EXPECT_EQ(loaded.state->use().bytes, 0u);
  return rows;
}

const Prompts kPrompts{{3, 1, 4}, {1, 5, 9, 2, 6, 5, 3, 5, 8, 9}, {7}};

TEST(Generator, ARowIsTheSameAloneAndAmongOthers) {
  const Loaded loaded = load();
  const auto together = generate(loaded, kPrompts, {.max_new_tokens = 80});
  for (size_t n = 0; n < kPrompts.size(); ++n) {
    const auto alone = generate(loaded, {kPrompts[n]}, {.max_new_tokens = 80});
    ASSERT_EQ(together[n].tokens.size(), 80u);
    EXPECT_EQ(alone[0].tokens, together[n].tokens);
    for (size_t i = 0; i < together[n].logits.size(); ++i) {
      EXPECT_TRUE(std::ranges::equal(alone[0].logits[i].f32(), together[n].logits[i].f32())) << n << " " << i;
    }
  }
}

TEST(Generator, LongPromptsComeInPieces) {
  const Loaded loaded = load();
  Prompts prompts{{}, {4, 2}};
  for (int64_t i = 0; i < 2500; ++i) prompts[0].push_back(i * i % test::kLlamaVocabulary);
  const auto rows = generate(loaded, prompts, {.max_new_tokens = 3});
  NamedTensors whole = loaded.session->run_rows({{"input_ids", {prompts[0]}}});
  const Tensor& logits = whole.at("logits");
  for (int64_t i = 0; i < logits.dim(1); ++i) {
    EXPECT_NEAR(logits.f32()[static_cast<size_t>((logits.dim(0) - 1) * logits.dim(1) + i)],
                rows[0].logits[0].f32()[static_cast<size_t>(i)], 2e-5);
  }
}

TEST(Generator, EachBadPromptHasItsOwnError) {
  const Loaded loaded = load();
  const Prompts prompts{{}, {3, 1, 4}, {1, test::kLlamaVocabulary}, {-1}, std::vector<int64_t>(50, 2)};
  const auto rows = generate(loaded, prompts, {.max_new_tokens = 4, .context = 40});
  for (size_t n : {0, 2, 3, 4}) {
    ASSERT_TRUE(rows[n].error) << n;
    EXPECT_EQ(rows[n].error->code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(rows[n].reason, FinishReason::kError);
    EXPECT_TRUE(rows[n].tokens.empty());
  }
  EXPECT_EQ(rows[1].tokens, generate(loaded, {prompts[1]}, {.max_new_tokens = 4})[0].tokens);
}

TEST(Generator, AFullStateEndsOneRequest) {
  const Loaded roomy = load();
  const Prompts prompts{std::vector<int64_t>(100, 3), {5, 6}};
  const auto expected = generate(roomy, prompts, {.max_new_tokens = 30});
  // Pages of 64 tokens: the long prompt needs two at once and a third for its 29th token, the other one.
  const size_t page = 2 * 2 * (4 + 4) * 64 * sizeof(float);
  const Loaded tight = load(3 * page);
  const auto rows = generate(tight, prompts, {.max_new_tokens = 30});
  ASSERT_TRUE(rows[0].error);
  EXPECT_EQ(rows[0].error->code(), ErrorCode::kResourceLimit);
  EXPECT_FALSE(rows[0].tokens.empty());
  EXPECT_FALSE(rows[1].error);
  EXPECT_EQ(rows[1].tokens, expected[1].tokens);
}

TEST(Generator, NumbersThatAreNotFiniteAreAnError) {
  const Loaded loaded = load(64 << 20, "model.embed_tokens.weight");  // of id 0 only
  const auto rows = generate(loaded, {{0, 1}, {2, 3}}, {.max_new_tokens = 1});
  ASSERT_TRUE(rows[0].error);
  EXPECT_NE(rows[0].error->message().find("not finite"), std::string::npos);
  EXPECT_FALSE(rows[1].error);
}

int64_t computed(const std::vector<Generated>& rows) {
  int64_t sum = 0;
  for (const Generated& row : rows) sum += row.computed;
  return sum;
}

/// `count` tokens that all begin alike, and an end of its own.
std::vector<int64_t> alike(int64_t count, const std::vector<int64_t>& end) {
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < count; ++i) tokens.push_back(i * i % test::kLlamaVocabulary);
  tokens.insert(tokens.end(), end.begin(), end.end());
  return tokens;
}

TEST(Generator, WhatPromptsHaveInCommonIsComputedOnce) {
  const Loaded loaded = load();
  const Prompts prompts{alike(100, {1, 2}), alike(100, {}), alike(70, {5}), alike(100, {1, 2, 3}), {4, 4}};
  const auto together = generate(loaded, prompts, {.max_new_tokens = 20});
  EXPECT_EQ(computed(together), 100 + 1 + 1 + 2 + 1 + 2 - 1);
  for (size_t n = 0; n < prompts.size(); ++n) {
    const auto alone = generate(loaded, {prompts[n]}, {.max_new_tokens = 20});
    EXPECT_EQ(alone[0].computed, static_cast<int64_t>(prompts[n].size()));
    EXPECT_EQ(alone[0].tokens, together[n].tokens);
    for (size_t i = 0; i < alone[0].logits.size(); ++i) {
      for (size_t v = 0; v < test::kLlamaVocabulary; ++v) {
        EXPECT_NEAR(alone[0].logits[i].f32()[v], together[n].logits[i].f32()[v], 2e-5);
      }
    }
  }
}

TEST(Generator, APrefixThatFindsNoMemoryLeavesTheOthers) {
  const size_t page = 2 * 2 * (4 + 4) * 64 * sizeof(float);
  const Loaded tight = load(3 * page);
  // The parent of the other needs four pages at once when it goes beyond what they share.
  const auto rows = generate(tight, {alike(64, std::vector<int64_t>(200, 1)), alike(64, {2})}, {.max_new_tokens = 4});
  ASSERT_TRUE(rows[0].error);
  EXPECT_EQ(rows[0].error->code(), ErrorCode::kResourceLimit);
  ASSERT_FALSE(rows[1].error);
  EXPECT_EQ(rows[1].tokens, generate(load(), {alike(64, {2})}, {.max_new_tokens = 4})[0].tokens);
  // Not even the common part fits: each has its own error.
  const Loaded none = load(page);
  for (const Generated& row : generate(none, {alike(100, {1}), alike(100, {2}), alike(100, {3})})) {
    EXPECT_TRUE(row.error);
  }
}

TEST(Generator, StopsWhereItIsTold) {
  const Loaded loaded = load();
  const std::vector<int64_t> all = generate(loaded, {{3, 1, 4}}, {.max_new_tokens = 12})[0].tokens;
  const int64_t end = all[5];
  const auto first = static_cast<size_t>(std::ranges::find(all, end) - all.begin());
  const auto stopped = generate(loaded, {{3, 1, 4}}, {.max_new_tokens = 12, .stop_ids = {end}})[0];
  EXPECT_EQ(stopped.reason, FinishReason::kStop);
  EXPECT_EQ(stopped.tokens, std::vector<int64_t>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first) + 1));
  const auto later = generate(loaded, {{3, 1, 4}}, {.max_new_tokens = 12, .min_new_tokens = 12, .stop_ids = {end}})[0];
  EXPECT_EQ(later.tokens.size(), 12u);
  EXPECT_EQ(std::ranges::count(later.tokens | std::views::take(11), end), 0);
  EXPECT_EQ(generate(loaded, {{3, 1, 4}}, {.max_new_tokens = 0})[0].tokens.size(), 0u);
  EXPECT_EQ(generate(loaded, {{3, 1, 4}}, {.max_new_tokens = 99, .context = 10})[0].tokens.size(), 7u);
}

TEST(Generator, ACallerCancelsOneRequest) {
  const Loaded loaded = load();
  const auto rows = generate(loaded, kPrompts, {.max_new_tokens = 9},
                             [count = 0](size_t prompt, int64_t) mutable { return prompt != 1 || ++count < 3; });
  EXPECT_EQ(rows[1].reason, FinishReason::kCancelled);
  EXPECT_EQ(rows[1].tokens.size(), 3u);
  EXPECT_EQ(rows[0].tokens.size(), 9u);
}

TEST(Generator, ARepetitionPenaltyChangesWhatIsLikeliest) {
  const Loaded loaded = load();
  const auto rows = generate(loaded, {{3, 1, 4}}, {.max_new_tokens = 20}, {}, {.repetition_penalty = 1e6});
  std::vector<int64_t> tokens = rows[0].tokens;
  std::ranges::sort(tokens);
  EXPECT_EQ(std::ranges::adjacent_find(tokens), tokens.end());  // nothing twice while there is something positive
}

}  // namespace
}  // namespace gamut
