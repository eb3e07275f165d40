#include "tasks/support/request.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gamut/error.h"

namespace gamut {
namespace {

template <typename Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), "invalid_argument") << error.message();
    return error.message();
  }
  return "no error";
}

Json json(const char* text) { return Json::parse(text); }

TEST(Request, IsAnObjectWithInputsAndPerhapsParameters) {
  EXPECT_EQ(request_inputs(json(R"({"inputs": "a", "parameters": {}})")), "a");
  EXPECT_TRUE(request_inputs(json(R"({"inputs": null})")).is_null());
  EXPECT_EQ(refusal([] { request_inputs(json("[1]")); }), "request: [1], expected an object with \"inputs\"");
  EXPECT_EQ(refusal([] { request_inputs(json("\"a\"")); }), "request: \"a\", expected an object with \"inputs\"");
  EXPECT_EQ(refusal([] { request_inputs(json("{}")); }), "request: \"inputs\" is missing");
  EXPECT_EQ(refusal([] { request_inputs(json(R"({"inputs": 1, "parameter": {}})")); }),
            "request: \"parameter\" is unknown; expected \"inputs\" and \"parameters\"");
}

TEST(Request, TextsAreAStringOrAnArrayOfStrings) {
  EXPECT_EQ(as_texts(json("\"a\""), "inputs"), std::vector<std::string>{"a"});
  EXPECT_EQ(as_texts(json(R"(["a", ""])"), "inputs"), (std::vector<std::string>{"a", ""}));
  EXPECT_TRUE(as_texts(json("[]"), "inputs").empty());
  EXPECT_EQ(refusal([] { as_texts(json("5"), "inputs"); }), "inputs: 5, expected a string or an array of strings");
  EXPECT_EQ(refusal([] { as_texts(json(R"(["a", null])"), "inputs"); }), "inputs: null, expected a string");
  EXPECT_LT(refusal([] { as_texts(Json::object({{"x", std::string(1 << 20, 'y')}}), "inputs"); }).size(), 300u);
}

TEST(Request, UnknownParametersAreRefused) {
  EXPECT_NO_THROW(check_parameters(json(R"({"parameters": {"top_k": 1}})"), {"top_k"}));
  EXPECT_NO_THROW(check_parameters(json(R"({"parameters": null})"), {}));
  EXPECT_NO_THROW(check_parameters(json("{}"), {}));
  EXPECT_EQ(refusal([] {
              check_parameters(json(R"({"parameters": {"topk": 1}})"), {"top_k", "targets"});
            }),
            "parameter \"topk\" is unknown; expected some of: top_k, targets");
  EXPECT_EQ(refusal([] { check_parameters(json(R"({"parameters": {"a": 1}})"), {}); }),
            "parameter \"a\" is unknown; expected none");
  EXPECT_EQ(refusal([] { check_parameters(json(R"({"parameters": [1]})"), {}); }),
            "parameters: [1], expected an object");
}

TEST(Request, ParametersHaveTypesAndRanges) {
  const Json request =
      json(R"({"parameters": {"on": true, "k": 7, "none": null, "half": 2.5, "huge": 18446744073709551615}})");
  EXPECT_TRUE(bool_parameter(request, "on", false));
  EXPECT_TRUE(bool_parameter(request, "absent", true));
  EXPECT_TRUE(bool_parameter(request, "none", true));
  EXPECT_EQ(int_parameter(request, "k", 5, 1, 10), 7);
  EXPECT_EQ(int_parameter(request, "absent", 5, 1, 10), 5);
  EXPECT_EQ(refusal([&] { int_parameter(request, "k", 5, 1, 6); }), "parameter k: 7, expected an integer from 1 to 6");
  EXPECT_EQ(refusal([&] { int_parameter(request, "half", 5, 1, 6); }),
            "parameter half: 2.5, expected an integer from 1 to 6");
  EXPECT_EQ(refusal([&] { int_parameter(request, "on", 5, 0, 6); }),
            "parameter on: true, expected an integer from 0 to 6");
  EXPECT_NE(refusal([&] { int_parameter(request, "huge", 5, -5, 6); }), "no error");
  EXPECT_EQ(refusal([&] { bool_parameter(request, "k", false); }), "parameter k: 7, expected true or false");
}

}  // namespace
}  // namespace gamut
