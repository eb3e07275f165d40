// Generation against the cases of cases.py: processors and filters on fixed logits, whole texts of tiny models.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "generate/generator.h"
#include "generate/logits_pipeline.h"
#include "generate/settings.h"
#include "models/architecture.h"
#include "parity/case.h"

namespace gamut {
namespace {

constexpr double kTolerance = 1e-4;

/// The committed cases, or those of GAMUT_GENERATION_CASES.
Json cases(const std::string& name) {
  const char* const folder = std::getenv("GAMUT_GENERATION_CASES");
  const std::filesystem::path path = folder ? folder : GAMUT_SOURCE_FOLDER "/tests/generate";
  return parse_json_file(path / (name + ".json"));
}

struct Settings {
  DecodingSettings decoding;
  std::vector<int64_t> ends;
  int64_t min_new_tokens;

  explicit Settings(const Json& json)
      : decoding(decide(read_decoding(Config::from_json(json)), {})),
        ends(json.value("eos_token_id", std::vector<int64_t>{})),
        min_new_tokens(json.value("min_new_tokens", int64_t{0})) {}
};

void check_line(const Json& one) {
  const Settings settings(one.at("settings"));
  const LogitsPipeline pipeline(settings.decoding, settings.ends, settings.min_new_tokens);
  const auto tokens = one.at("tokens").get<std::vector<int64_t>>();
  const auto prompt = one.at("prompt").get<std::ptrdiff_t>();
  TokenHistory history({tokens.begin(), tokens.begin() + prompt});
  for (size_t i = static_cast<size_t>(prompt); i < tokens.size(); ++i) history.push(tokens[i]);
  auto line = one.at("logits").get<std::vector<float>>();
  const TextPlace place{history, one.at("length").get<int64_t>()};
  const std::vector<float> before = line;
  pipeline.process(line, place);
  if (line != before) {
    EXPECT_TRUE(pipeline.changes(place));
  }
  if (settings.decoding.do_sample) {
    Candidates candidates;
    take_candidates(line, &candidates);
    pipeline.filter(&candidates);
    std::ranges::fill(line, -std::numeric_limits<float>::infinity());
    for (size_t i = 0; i < candidates.size(); ++i) {
      line[static_cast<size_t>(candidates.ids[i])] = candidates.logits[i];
    }
  }
  const Json& expected = one.at("expected");
  ASSERT_EQ(line.size(), expected.size());
  for (size_t i = 0; i < line.size(); ++i) {
    if (expected[i].is_null() || std::isinf(line[i])) {
      ASSERT_EQ(std::isinf(line[i]), expected[i].is_null()) << "token " << i << ": " << line[i];
    } else {
      const auto value = expected[i].get<double>();
      ASSERT_NEAR(line[i], value, kTolerance * std::max(1.0, std::fabs(value))) << "token " << i;
    }
  }
}

TEST(Generation, LinesAreFilteredAsTransformersDoes) {
  const Json lines = cases("lines");
  ASSERT_GE(lines.size(), 100u);
  for (const Json& one : lines) {
    SCOPED_TRACE(one.at("settings").dump());
    check_line(one);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

void check_text(const Json& one) {
  const parity::Case model =
      parity::load_case(GAMUT_SOURCE_FOLDER "/tests/parity/cases/" + one.at("model").get<std::string>() + ".json");
  const Session session(record_program(model.config, *model.checkpoint, {.head = model.head}).program, model.checkpoint,
                        find_backend("cpu"), {.threads = 1});
  const std::unique_ptr<State> state = session.make_state(size_t{64} << 20);
  const Settings settings(one.at("settings"));
  GenerationRequest request{
      .prompts = {one.at("prompt").get<std::vector<int64_t>>()}, .decoding = settings.decoding, .seeds = {}};
  request.limits.max_new_tokens = one.at("settings").at("max_new_tokens").get<int64_t>();
  request.limits.min_new_tokens = settings.min_new_tokens;
  request.limits.stop_ids = settings.ends;
  const std::vector<Generated> results = generate_tokens(session, *state, request);
  EXPECT_EQ(state->use().bytes, 0u);
  const auto texts = one.at("texts").get<std::vector<std::vector<int64_t>>>();
  ASSERT_EQ(results.size(), texts.size());
  for (size_t n = 0; n < texts.size(); ++n) {
    ASSERT_FALSE(results[n].error) << results[n].error->message();
    EXPECT_EQ(results[n].tokens, texts[n]) << "text " << n;
    if (!results[n].score) continue;
    const auto score = one.at("scores").at(n).get<double>();
    EXPECT_NEAR(*results[n].score, score, kTolerance * std::max(1.0, std::fabs(score))) << "text " << n;
  }
}

TEST(Generation, TextsAreThoseOfTransformers) {
  const Json texts = cases("texts");
  ASSERT_GE(texts.size(), 40u);
  for (const Json& one : texts) {
    SCOPED_TRACE(one.at("model").get<std::string>() + " " + one.at("settings").dump());
    check_text(one);
  }
}

}  // namespace
}  // namespace gamut
