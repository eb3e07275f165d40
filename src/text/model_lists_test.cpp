// The long lists of tokenizer.json: split off, read as the strict parser reads them, refused where it refuses them.
#include "text/model_lists.h"

#include <gtest/gtest.h>

#include <string>

#include "gamut/error.h"
#include "text/load.h"
#include "text/package_number.h"
#include "text/tokenizer_test_files.h"

namespace gamut::text {
namespace {

TEST(ModelLists, TakesTheListsOut) {
  const auto file = split_file(
      R"( {"a": [1, "}"], "model": {"vocab": {"x\u00e9\n": 0, "\ud83d\ude00": 7}, "merges": ["a b", ["c ", "d"]], "z": {}} } )");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->rest, R"( {"a": [1, "}"], "model": {"vocab": {}, "merges": [], "z": {}} } )");
  ASSERT_EQ(file->lists.tokens.size(), 2u);
  EXPECT_EQ(file->lists.tokens[0].first, "x\xC3\xA9\n");
  EXPECT_EQ(file->lists.tokens[1].first, "\xF0\x9F\x98\x80");
  EXPECT_EQ(file->lists.tokens[1].second, 7);
  ASSERT_EQ(file->lists.merges.size(), 2u);
  EXPECT_EQ(file->lists.merges[1].first, "c ");
}

TEST(ModelLists, LeavesWhatIsNotPlainToTheStrictParser) {
  for (const char* text : {R"({"model": {"vocab": {"a": 01}}})", R"({"model": {"vocab": {"a": -1}}})",
                           R"({"model": {"vocab": {"a": 1.0}}})", R"({"model": {"vocab": {"a": 1,}}})",
                           R"({"model": {"vocab": {"\ud800": 1}}})", R"({"model": {"vocab": {"\q": 1}}})",
                           "{\"model\": {\"vocab\": {\"a\n\": 1}}}", R"({"model": {"merges": ["a b c"]}})",
                           R"({"model": {"merges": [["a"]]}})", R"({"model": {"vocab": [["a", 1, 2]]}})",
                           R"({"model": {"vocab": [["a", .5]]}})", R"({"model": {"vocab": {"a": 1}}} x)",
                           R"({"model": {"vocab": {"a": 1}})", "", "[]", "{\"a\xFF\": 1}"}) {
    EXPECT_FALSE(split_file(text)) << text;
  }
}

TEST(ModelLists, ADuplicateTokenIsTheStrictParsersError) {
  const char* text = R"({"model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0, "a": 1}}})";
  try {
    parts_from_text(text, "test");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.message()).find("duplicate key \"a\""), std::string::npos) << error.message();
  }
}

TEST(PackageNumber, DividesRoundedDigits) {
  // What tokenizers 0.23 makes of these digits, a last bit below or above the nearest double.
  EXPECT_EQ(package_number("-0.9522444552911937"), -0.9522444552911936);
  EXPECT_EQ(package_number("-0.9221885624698875"), -0.9221885624698876);
  EXPECT_EQ(package_number(-1.8984972911602638), -1.898497291160264);
  EXPECT_EQ(package_number("-2.5"), -2.5);
  EXPECT_EQ(package_number("1e2"), 100);
  EXPECT_EQ(package_number("5E-1"), 0.5);
  EXPECT_EQ(package_number("0.0"), 0);
  EXPECT_EQ(package_number("123456789012345678901234567890"), 12345678901234567890.0 * 1e10);
}

TEST(LoadJson, RefusesADelimiterThatIsNone) {
  nlohmann::json file = test_tokenizer_json();
  file["pre_tokenizer"] = {{"type", "CharDelimiterSplit"}};
  EXPECT_THROW(open_json(file), Error);
}

}  // namespace
}  // namespace gamut::text
