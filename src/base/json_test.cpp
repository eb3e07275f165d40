#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace gamut {
namespace {

std::string message_of(std::string_view text, JsonLimits limits = {}) {
  try {
    parse_json(text, "t.json", limits);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

TEST(Json, ParsesNestedValues) {
  Json j = parse_json(R"({"a": [1, {"b": -2.5}, null, true], "c": "é"})", "t.json");
  EXPECT_EQ(j["a"][1]["b"].get<double>(), -2.5);
  EXPECT_EQ(j["c"].get<std::string>(), "é");
}

TEST(Json, RefusesDuplicateKeys) {
  EXPECT_EQ(message_of(R"({"a": 1, "b": {"x": 1, "x": 2}})"), "t.json: duplicate key \"x\"");
}

TEST(Json, RefusesDepth) {
  EXPECT_EQ(message_of(std::string(65, '[') + std::string(65, ']')), "t.json: nested deeper than 64 levels");
}

TEST(Json, NamesTheOffsetOfBadSyntax) {
  EXPECT_NE(message_of("{\"a\": }").find("t.json: invalid JSON at byte 7"), std::string::npos)
      << message_of("{\"a\": }");
  EXPECT_NE(message_of("{} x").find("t.json: invalid JSON"), std::string::npos);
  EXPECT_EQ(message_of(std::string_view("{}\0x", 4)), "t.json: invalid JSON at byte 2: a NUL byte");
  EXPECT_LT(message_of(std::string(100000, 'x')).size(), 300u);
  EXPECT_NE(message_of("").find("t.json: invalid JSON"), std::string::npos);
  EXPECT_NE(message_of("\"\xff\"").find("t.json: invalid JSON"), std::string::npos);
}

TEST(Json, RefusesTooManyBytes) {
  EXPECT_EQ(message_of("[1,2,3]", {.max_bytes = 4}), "t.json: 7 bytes of JSON, at most 4 expected");
}

}  // namespace
}  // namespace gamut
