// Sampling: random numbers, filters on lines as long as a vocabulary, distributions, streams of sequences, refusals.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "generate/generator.h"
#include "generate/token_choice.h"
#include "generate/weighted_place.h"
#include "models/architecture.h"
#include "models/tiny_llama.h"

namespace gamut {
namespace {

using Prompts = std::vector<std::vector<int64_t>>;
using Words = std::array<uint32_t, 4>;

TEST(RandomStream, IsPhiloxAsPublished) {
  // The known answers of Random123.
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

std::vector<float> random_line(size_t width, double spread) {
  std::vector<float> line(width);
  const RandomStream stream(5, 0);
  for (size_t i = 0; i < width; ++i) {
    const double noise = std::log(-std::log(stream.uniform(i)));
    line[i] = static_cast<float>(-spread * noise);
  }
  return line;
}

TEST(WeightedPlace, IsWhereSortingFindsIt) {
  for (const double spread : {0.0, 1e-4, 1.0, 30.0}) {
    std::vector<float> keys = random_line(5000, spread);
    keys[17] = 3e38f, keys[18] = -3e38f;
    const std::vector<float> weights(keys.size(), 1.0f);
    std::vector<size_t> order(keys.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, {}, [&](size_t i) { return keys[i]; });
    for (const size_t n : {0, 1, 63, 2500, 4998, 4999}) {
      EXPECT_EQ(weighted_place(keys, weights, static_cast<double>(n)), order[n]) << spread << " " << n;
    }
    EXPECT_EQ(weighted_place(keys, weights, 5000), keys.size());
  }
}

/// Chi-square of draws from the settings against the probabilities of the filtered line.
TEST(Sampling, DrawsByProbability) {
  const std::vector<float> line = random_line(40, 0.8);
  const TokenHistory history({1, 2, 3});
  for (const DecodingSettings& settings :
       {DecodingSettings{.do_sample = true}, DecodingSettings{.do_sample = true, .temperature = 0.7, .top_k = 12},
        DecodingSettings{.do_sample = true, .top_p = 0.8, .min_p = 0.02}}) {
    const LogitsPipeline pipeline(settings, {}, 0);
    Candidates expected;
    take_candidates(line, &expected);
    pipeline.filter(&expected);
    find_probabilities(&expected);
    TokenChoice choice(pipeline);
    constexpr int kDraws = 40000;
    std::vector<int> counts(line.size());
    for (int i = 0; i < kDraws; ++i) {
      ++counts[static_cast<size_t>(choice.choose(line, {history, 9}, RandomStream(static_cast<uint64_t>(i), 0)))];
    }
    double chi = 0;
    int kept = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const double mean = kDraws * static_cast<double>(expected.probabilities[i]);
      const int count = std::exchange(counts[static_cast<size_t>(expected.ids[i])], 0);
      chi += (count - mean) * (count - mean) / mean;
      kept += count;
    }
    EXPECT_EQ(kept, kDraws);  // nothing that is filtered out
    const auto freedom = static_cast<double>(expected.size() - 1);
    EXPECT_LE(chi, freedom + 4 * std::sqrt(2 * freedom));
  }
}

TEST(Sampling, NoTokenLeftIsAnError) {
  const LogitsPipeline pipeline({.do_sample = true, .suppress_tokens = {0, 1}}, {}, 0);
  TokenChoice choice(pipeline);
  const TokenHistory history({1});
  EXPECT_THROW(choice.choose(std::vector<float>{1, 2}, {history, 9}, RandomStream()), Error);
}

struct Loaded {
  std::unique_ptr<Session> session;
  std::unique_ptr<State> state;

  std::vector<Generated> run(const Prompts& prompts, const DecodingSettings& decoding,
                             std::vector<uint64_t> seeds = {}) const {
    GenerationRequest request{
        .prompts = prompts, .limits = {.max_new_tokens = 30}, .decoding = decoding, .seeds = seeds};
    std::vector<Generated> rows = generate_tokens(*session, *state, request);
    EXPECT_EQ(state->use().bytes, 0u);
    return rows;
  }
};

Loaded load(int threads) {
  auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::from_tensors(test::tiny_llama_tensors()));
  const Config config = Config::from_json(test::tiny_llama_config());
  Loaded loaded;
  loaded.session = std::make_unique<Session>(record_program(config, *checkpoint).program, checkpoint,
                                             find_backend("cpu"), CompileOptions{.threads = threads});
  loaded.state = loaded.session->make_state(64 << 20);
  return loaded;
}

TEST(Sampling, ASequenceIsTheSameInAnyCompanyAndOnAnyThreads) {
  const Loaded one = load(1), two = load(2);
  for (const int64_t beams : {1, 3}) {
    const DecodingSettings decoding{.do_sample = true, .top_k = 20, .num_beams = beams, .num_return_sequences = 2};
    const auto alone = one.run({{3, 1, 4}}, decoding, {42});
    const auto among = two.run({{7}, {3, 1, 4}, {9, 9}}, decoding, {1, 42, 3});
    EXPECT_EQ(alone[0].tokens, among[2].tokens);
    EXPECT_EQ(alone[1].tokens, among[3].tokens);
    EXPECT_NE(alone[0].tokens, alone[1].tokens);
    EXPECT_NE(alone[0].tokens, one.run({{3, 1, 4}}, decoding, {43})[0].tokens);
  }
}

TEST(Sampling, LogprobsAreThoseOfTheModel) {
  const Loaded loaded = load(1);
  for (const int64_t beams : {1, 4}) {
    const auto row = loaded.run({{3, 1, 4}}, {.num_beams = beams, .logprobs = 29})[0];
    ASSERT_EQ(row.logprobs.size(), row.tokens.size());
    double sum = 0;
    for (size_t i = 0; i < row.tokens.size(); ++i) {
      double all = 0;
      for (const TokenLogprob& one : row.logprobs[i].top) all += std::exp(one.logprob);
      EXPECT_NEAR(all, 1, 1e-5);
      const auto own = std::ranges::find(row.logprobs[i].top, row.tokens[i], &TokenLogprob::id);
      ASSERT_NE(own, row.logprobs[i].top.end());
      EXPECT_EQ(own->logprob, row.logprobs[i].logprob);
      if (beams == 1) {
        EXPECT_EQ(own, row.logprobs[i].top.begin());
      }
      sum += row.logprobs[i].logprob;
    }
    if (beams > 1) {
      EXPECT_NEAR(*row.score, sum / 30, 1e-4);
    }
  }
}

TEST(Sampling, RefusesWhatCannotBe) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();
  auto refused = [](const char* name, const std::function<void(DecodingOptions*)>& set) {
    DecodingOptions options{.do_sample = true};
    set(&options);
    try {
      decide(options, {});
      ADD_FAILURE() << name << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_NE(error.message().find(name), std::string::npos) << error.message();
    }
  };
  for (const double value : {0.0, -1.0, kNan, kInfinity}) {
    refused("temperature", [&](auto* o) { o->temperature = value; });
    refused("repetition_penalty", [&](auto* o) { o->repetition_penalty = value; });
  }
  for (const double value : {-0.1, 1.1, kNan, kInfinity}) {
    refused("top_p", [&](auto* o) { o->top_p = value; });
    refused("min_p", [&](auto* o) { o->min_p = value; });
    refused("typical_p", [&](auto* o) { o->typical_p = value; });
    refused("top_h", [&](auto* o) { o->top_h = value; });
    refused("epsilon_cutoff", [&](auto* o) { o->epsilon_cutoff = value; });
    refused("eta_cutoff", [&](auto* o) { o->eta_cutoff = value; });
  }
  refused("top_k", [](auto* o) { o->top_k = -1; });
  refused("num_beams", [](auto* o) { o->num_beams = 0; });
  refused("num_beams", [](auto* o) { o->num_beams = 1 << 30; });
  refused("num_return_sequences", [](auto* o) { o->num_beams = 2, o->num_return_sequences = 3; });
  refused("num_return_sequences", [](auto* o) { o->do_sample = false, o->num_return_sequences = 2; });
  refused("num_beam_groups", [](auto* o) { o->do_sample = false, o->num_beams = 4, o->num_beam_groups = 3; });
  refused("diversity_penalty", [](auto* o) { o->do_sample = false, o->num_beams = 4, o->num_beam_groups = 2; });
  refused("length_penalty", [&](auto* o) { o->num_beams = 2, o->length_penalty = kNan; });
  refused("presence_penalty", [](auto* o) { o->presence_penalty = 3; });
  refused("sequence_bias", [&](auto* o) { o->sequence_bias = {{{1}, kInfinity}}; });
  refused("logprobs", [](auto* o) { o->logprobs = -1; });
  EXPECT_THROW(check_vocabulary({.bad_words_ids = {{29}}}, 29), Error);
  EXPECT_THROW(check_vocabulary({.num_beams = 1024}, 1 << 20), Error);
}

TEST(Sampling, MoreBeamsThanTokens) {
  const Loaded loaded = load(1);
  const auto rows = loaded.run({{3}}, {.num_beams = 40, .num_return_sequences = 40});
  for (size_t i = 1; i < rows.size(); ++i) EXPECT_LE(*rows[i].score, *rows[i - 1].score);
}

}  // namespace
}  // namespace gamut
