#include <nlohmann/json.hpp>

#include "api/api_testing.h"
#include "gamut/generate.h"
#include "gamut/task.h"

namespace gamut {
namespace {

using test::expect_part;
using test::refusal;
using test::TinyChatFolder;

Json run(const Pipeline& pipeline, const Json& request) { return Json::parse(pipeline.run(request.dump())); }

TEST(TextGeneration, GoesOnFromATextAsTheGeneratorDoes) {
  const TinyChatFolder folder;
  const Pipeline pipeline = Pipeline::open(folder.path());
  EXPECT_EQ(pipeline.task(), "text-generation");
  const Json answer = run(pipeline, {{"inputs", "the cat"}, {"parameters", {{"max_new_tokens", 6}}}});
  const GeneratedText expected = Generator::open(folder.path()).generate({"the cat"}, {.max_new_tokens = 6}).front();
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer[0]["generated_text"], "the cat" + expected.text);
  EXPECT_EQ(answer[0]["finish_reason"], "length");
  EXPECT_EQ(answer[0]["prompt_tokens"], expected.prompt_tokens);
  EXPECT_EQ(answer[0]["new_tokens"], 6);
  const Json several = run(pipeline, {{"inputs", {"the cat", "paris"}},
                                      {"parameters", {{"max_new_tokens", 6}, {"return_full_text", false}}}});
  ASSERT_EQ(several.size(), 2u);
  EXPECT_EQ(several[0][0]["generated_text"], expected.text);
}

TEST(TextGeneration, AnswersAConversationThroughItsTemplate) {
  const TinyChatFolder folder;
  const Pipeline pipeline = Pipeline::open(folder.path());
  const Json question = {{{"role", "user"}, {"content", "cat"}}};
  const Json limits = {{"max_new_tokens", 5}};
  const GeneratedText expected = Generator::open(folder.path())
                                     .generate({"the cat . a"}, {.max_new_tokens = 5, .add_special_tokens = false})
                                     .front();
  Json wanted = question;
  wanted.push_back({{"role", "assistant"}, {"content", expected.text}});
  EXPECT_EQ(run(pipeline, {{"inputs", question}, {"parameters", limits}})[0]["generated_text"], wanted);
  const Json several = run(pipeline, {{"inputs", {question, question}}, {"parameters", limits}});
  EXPECT_EQ(several[1][0]["generated_text"], wanted);
  // An answer at the end is gone on with.
  Json open = question;
  open.push_back({{"role", "assistant"}, {"content", "paris"}});
  const Json longer = run(pipeline, {{"inputs", open}, {"parameters", limits}})[0]["generated_text"];
  ASSERT_EQ(longer.size(), 2u);
  EXPECT_EQ(longer[1]["content"].get<std::string>().find("paris"), 0u);
  folder.remove("chat_template.jinja");
  const Pipeline plain = Pipeline::open(folder.path());
  expect_part(refusal([&] {
                plain.run(Json{{"inputs", question}}.dump());
              }),
              "unsupported: the model has no chat template");
}

TEST(TextGeneration, PassesOnPiecesThatMakeUpTheText) {
  const TinyChatFolder folder;
  const Pipeline pipeline = Pipeline::open(folder.path());
  std::string pieces;
  auto collect = [&](size_t, std::string_view piece) {
    pieces += piece;
    return true;
  };
  const std::string request =
      R"({"inputs": "the cat", "parameters": {"max_new_tokens": 6, "return_full_text": false}})";
  const Json answer = Json::parse(pipeline.run(request, collect));
  EXPECT_EQ(answer[0]["generated_text"], pieces);
  const Json cancelled = Json::parse(pipeline.run(request, [](size_t, std::string_view) { return false; }));
  EXPECT_EQ(cancelled[0]["finish_reason"], "cancelled");
}

TEST(TextGeneration, SaysWhatIsWrongWithARequest) {
  const TinyChatFolder folder;
  const Pipeline pipeline = Pipeline::open(folder.path());
  auto failure = [&](const Json& request) { return refusal([&] { pipeline.run(request.dump()); }); };
  for (const Json& inputs : {Json(5), Json::object({{"role", "user"}}), Json::array({"a", 5}),
                             Json::array({"a", Json::array({Json::object()})})}) {
    expect_part(failure({{"inputs", inputs}}), "invalid_argument: inputs: ");
  }
  auto with = [](const Json& parameters) { return Json{{"inputs", "the"}, {"parameters", parameters}}; };
  expect_part(failure(with({{"top_kk", 1}})), "parameter \"top_kk\" is unknown");
  expect_part(failure(with({{"max_new_tokens", -1}})), "parameter max_new_tokens: -1");
  expect_part(failure(with({{"max_new_tokens", 1}, {"min_new_tokens", 2}})), "2 to 1 new tokens");
  expect_part(failure(with({{"stop", Json::array({""})}})), "stop string is empty");
  expect_part(failure(with({{"stop_ids", Json::array({-1})}})), "parameter stop_ids");
  expect_part(failure(with({{"stop_ids", 3}})), "parameter stop_ids");
  EXPECT_EQ(run(pipeline, {{"inputs", Json::array()}}), Json::array());
}

TEST(TextGeneration, APromptThatCannotRunDoesNotStopTheOthers) {
  const TinyChatFolder folder;
  const Pipeline pipeline = Pipeline::open(folder.path());
  std::string longest;
  for (int i = 0; i < 300; ++i) longest += "cat ";
  const Json both = run(pipeline, {{"inputs", {longest, "the cat"}}, {"parameters", {{"max_new_tokens", 2}}}});
  EXPECT_EQ(both[0][0]["error"]["code"], "invalid_argument");
  EXPECT_EQ(both[1][0]["new_tokens"], 2);
  expect_part(refusal([&] { pipeline.run(Json{{"inputs", longest}}.dump()); }), "the model's context 256");
}

TEST(TextGeneration, OptionsBecomeParametersAndOptionsAgain) {
  EXPECT_EQ(generation_parameters({}), "{}");
  const GenerateOptions options{.max_new_tokens = 7, .stop = {"x"}, .stop_ids = {1, 2}, .ignore_eos = true};
  EXPECT_EQ(Json::parse(generation_parameters(options)),
            (Json{{"max_new_tokens", 7}, {"stop", {"x"}}, {"stop_ids", {1, 2}}, {"ignore_eos", true}}));
}

}  // namespace
}  // namespace gamut
