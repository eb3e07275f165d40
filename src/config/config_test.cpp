#include "config/config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "config/defaults.h"
#include "gamut/error.h"

namespace gamut {
namespace {

template <typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

constexpr const char* kModelTypes[] = {"bert", "roberta", "distilbert", "electra", "mpnet", "camembert", "xlm-roberta"};

TEST(Config, ReadsTypedFields) {
  const Config c = Config::parse(R"({"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 384,
    "layer_norm_eps": 1e-05, "hidden_act": "relu", "tie_word_embeddings": false, "widths": [1, 2], "mean": [0.5, 1],
    "layer_types": ["full", "window"]})");
  EXPECT_EQ(c.model_type(), "bert");
  EXPECT_EQ(c.architectures(), std::vector<std::string>{"BertModel"});
  EXPECT_EQ(c.i("hidden_size"), 384);
  EXPECT_EQ(c.num("layer_norm_eps"), 1e-5);
  EXPECT_EQ(c.num("hidden_size"), 384.0);
  EXPECT_EQ(c.s("hidden_act"), "relu");
  EXPECT_FALSE(c.b("tie_word_embeddings"));
  EXPECT_EQ(c.ints("widths"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(c.nums("mean"), (std::vector<double>{0.5, 1}));
  EXPECT_EQ(c.strings("layer_types"), (std::vector<std::string>{"full", "window"}));
  EXPECT_EQ(c.i_or("hidden_size", 1), 384);
  EXPECT_EQ(c.i_or("absent", -7), -7);
  EXPECT_EQ(c.num_or("absent", 0.5), 0.5);
  EXPECT_EQ(c.s_or("absent", "x"), "x");
  EXPECT_TRUE(c.b_or("absent", true));
}

TEST(Config, AbsentFieldsHaveTheDefaultsOfTheirClass) {
  const Config c = Config::parse(R"({"model_type": "bert"})");
  EXPECT_EQ(c.i("hidden_size"), 768);
  EXPECT_EQ(c.num("layer_norm_eps"), 1e-12);
  EXPECT_EQ(c.s("hidden_act"), "gelu");
  EXPECT_TRUE(c.b("tie_word_embeddings"));
  EXPECT_EQ(c.i("pad_token_id", {.min = 0}), 0);
  EXPECT_TRUE(c.has("hidden_size"));
  EXPECT_FALSE(c.given("hidden_size"));
  EXPECT_TRUE(c.architectures().empty());
  EXPECT_EQ(Config::parse(R"({"model_type": "electra"})").i("embedding_size"), 128);
  EXPECT_EQ(Config::parse(R"({"model_type": "mpnet"})").i("relative_attention_num_buckets"), 32);
  EXPECT_EQ(Config::parse(R"({"model_type": "roberta"})").i("pad_token_id", {.min = 0}), 1);
}

TEST(Config, EveryModelTypeHasUsableDefaults) {
  for (const char* type : kModelTypes) {
    const Config c = Config::parse(fmt::format(R"({{"model_type": "{}"}})", type));
    EXPECT_EQ(c.i("hidden_size") % c.i("num_attention_heads"), 0) << type;
    EXPECT_GE(c.i("num_hidden_layers"), 1) << type;
    EXPECT_GE(c.i("vocab_size"), 1000) << type;
    EXPECT_TRUE(c.b("tie_word_embeddings")) << type;
    EXPECT_EQ(c.num_labels(), 2) << type;
  }
}

TEST(Config, UnknownTypesHaveOnlyTheDefaultsOfTheBaseClass) {
  const Config c = Config::parse(R"({"model_type": "bertt"})");
  EXPECT_FALSE(c.has("hidden_size"));
  EXPECT_FALSE(c.b("is_encoder_decoder"));
  EXPECT_EQ(message_of([&] { c.i("hidden_size"); }), "config.json: no hidden_size, expected an integer");
}

TEST(Config, AliasesResolveBothWays) {
  const Config d = Config::parse(R"({"model_type": "distilbert", "dim": 32, "num_hidden_layers": 3})");
  EXPECT_EQ(d.i("dim"), 32);
  EXPECT_EQ(d.i("hidden_size"), 32);
  EXPECT_EQ(d.i("n_layers"), 3);
  EXPECT_EQ(d.i("num_hidden_layers"), 3);
  EXPECT_EQ(d.i("num_attention_heads"), 12);
  EXPECT_TRUE(d.given("hidden_size"));
  EXPECT_TRUE(d.given("n_layers"));
  // transformers 5.23: DistilBertConfig(dim=60, hidden_size=36).dim == 36.
  EXPECT_EQ(Config::parse(R"({"model_type": "distilbert", "dim": 60, "hidden_size": 36})").i("dim"), 36);
}

TEST(Config, NullIsAbsentAndHidesTheDefault) {
  const Config c = Config::parse(R"({"model_type": "bert", "pad_token_id": null})");
  EXPECT_FALSE(c.has("pad_token_id"));
  EXPECT_TRUE(c.given("pad_token_id"));
  EXPECT_EQ(c.i_or("pad_token_id", -1), -1);
  EXPECT_FALSE(c.has("classifier_dropout"));
  EXPECT_EQ(message_of([&] { c.i("pad_token_id"); }), "config.json: no pad_token_id, expected an integer");
}

TEST(Config, RefusesWrongTypes) {
  const Config c = Config::parse(R"({"a": "768", "b": true, "c": 1.5, "d": {}, "e": [1, "x"], "f": 1e300, "g": 768.0,
    "h": 18446744073709551615, "n": -1})");
  const std::string an_integer = ", expected an integer from 1 to 2147483647";
  EXPECT_EQ(message_of([&] { c.i("a"); }), "config.json: a is \"768\"" + an_integer);
  EXPECT_EQ(message_of([&] { c.i("b"); }), "config.json: b is true" + an_integer);
  EXPECT_EQ(message_of([&] { c.i("c"); }), "config.json: c is 1.5" + an_integer);
  EXPECT_EQ(message_of([&] { c.i("d"); }), "config.json: d is an object" + an_integer);
  EXPECT_EQ(message_of([&] { c.i("f"); }), "config.json: f is 1e+300" + an_integer);
  EXPECT_EQ(message_of([&] { c.i("h"); }), "config.json: h is 18446744073709551615" + an_integer);
  EXPECT_EQ(c.i("g"), 768);
  EXPECT_EQ(message_of([&] { c.num("a"); }), "config.json: a is \"768\", expected a finite number");
  EXPECT_EQ(message_of([&] { c.num("n", {.min = 0, .max = 1}); }),
            "config.json: n is -1, expected a number from 0 to 1");
  EXPECT_EQ(message_of([&] { c.s("c"); }), "config.json: c is 1.5, expected a string");
  EXPECT_EQ(message_of([&] { c.b("n"); }), "config.json: n is -1, expected true or false");
  EXPECT_EQ(message_of([&] { c.ints("e"); }), "config.json: e[1] is \"x\"" + an_integer);
  EXPECT_EQ(message_of([&] { c.nums("e"); }), "config.json: e[1] is \"x\", expected a finite number");
  EXPECT_EQ(message_of([&] { c.strings("e"); }), "config.json: e[0] is 1, expected a string");
  EXPECT_EQ(message_of([&] { c.ints("d"); }), "config.json: d is an object, expected an array of integers");
  EXPECT_EQ(message_of([&] { c.ints("e", {}, 1); }), "config.json: e has 2 items, at most 1 expected");
  EXPECT_EQ(message_of([&] { c.sub("e"); }), "config.json: e is an array, expected an object");
  EXPECT_EQ(message_of([&] { c.i_or("a", 3); }), "config.json: a is \"768\"" + an_integer);
}

TEST(Config, HostileNumbersMeetTheirRange) {
  for (const char* value : {"0", "-1", "-9223372036854775808", "9223372036854775807", "9223372036854775808",
                            "2147483648", "1e18", "-0.0", "1e308"}) {
    const Config c = Config::parse(fmt::format(R"({{"model_type": "bert", "hidden_size": {}}})", value));
    EXPECT_NE(message_of([&] { c.i("hidden_size"); }).find("expected an integer from 1 to 2147483647"),
              std::string::npos)
        << value;
  }
  const Config c = Config::parse(R"({"heads": 0})");
  EXPECT_EQ(c.i("heads", {.min = 0}), 0);
  EXPECT_EQ(message_of([&] { c.i("heads", {.min = 1, .max = 64}); }),
            "config.json: heads is 0, expected an integer from 1 to 64");
}

TEST(Config, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "[]", "1", "{\"a\": NaN}", "{\"a\": 1e999}", "{\"a\": 1, \"a\": 2}"}) {
    EXPECT_NE(message_of([&] { Config::parse(text, "t.json"); }).find("t.json: "), std::string::npos) << text;
  }
  EXPECT_NE(message_of([] { Config::open("/nonexistent"); }).find("/nonexistent/config.json: no such file"),
            std::string::npos);
}

TEST(Config, KnowsInfinityInBothSpellings) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const char* spelling : {"Infinity", R"({"__float__": "Infinity"})"}) {
    const std::string text = fmt::format(R"({{"a \\\" Infinity": 1, "limits": [0.5, {0}], "most": {0}}})", spelling);
    const Config c = Config::parse(text);
    EXPECT_EQ(c.i("a \\\" Infinity"), 1);
    EXPECT_EQ(c.nums("limits", {.min = 0, .max = kInfinity}), (std::vector<double>{0.5, kInfinity})) << text;
    EXPECT_EQ(c.num("most", {.max = kInfinity}), kInfinity);
    EXPECT_NE(message_of([&] { c.num("most"); }).find("most is an object, expected a finite number"),
              std::string::npos);
    EXPECT_NE(message_of([&] { c.i("most"); }).find("expected an integer"), std::string::npos);
  }
  for (const char* text : {R"({"a": -Infinity})", R"({"a": xInfinity})", R"({"a": Infinityx})"}) {
    EXPECT_NE(message_of([&] { Config::parse(text, "t.json"); }).find("t.json: "), std::string::npos) << text;
  }
}

TEST(Config, NamesTheFile) {
  const auto dir = std::filesystem::path(testing::TempDir()) / "config_test";
  std::filesystem::create_directories(dir);
  std::ofstream(dir / "config.json") << R"({"hidden_size": 0})";
  const Config c = Config::open(dir);
  EXPECT_EQ(message_of([&] { c.i("hidden_size"); }),
            (dir / "config.json").string() + ": hidden_size is 0, expected an integer from 1 to 2147483647");
}

TEST(Config, SaysWhenTheModelTypeIsMissing) {
  try {
    Config::parse("{}").model_type();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "config.json: no model_type, expected the name of an architecture such as \"bert\"");
    EXPECT_NE(error.hint(), "");
  }
  EXPECT_EQ(message_of([] { Config::parse(R"({"model_type": 3})").model_type(); }),
            "config.json: model_type is 3, expected a string");
}

TEST(Config, NestedConfigsHaveTheirOwnDefaultsAndSayWhereTheyAre) {
  auto outer = std::make_unique<Config>(Config::parse(
      R"({"model_type": "clip", "text_config": {"model_type": "distilbert", "dim": 8, "n_heads": 0, "deep": {"x": "y"}}})"));
  const Config text = outer->sub("text_config");
  outer.reset();
  EXPECT_EQ(text.i("hidden_size"), 8);
  EXPECT_EQ(text.i("n_layers"), 6);
  EXPECT_EQ(message_of([&] { text.i("num_attention_heads"); }),
            "config.json: text_config.num_attention_heads is 0, expected an integer from 1 to 2147483647");
  EXPECT_EQ(message_of([&] { text.sub("deep").i("x"); }),
            "config.json: text_config.deep.x is \"y\", expected an integer from 1 to 2147483647");
  EXPECT_EQ(message_of([&] { text.sub("none"); }), "config.json: no text_config.none, expected an object");
}

TEST(Config, LabelsAsTransformersCountsThem) {
  EXPECT_EQ(Config::parse("{}").num_labels(), 2);
  EXPECT_EQ(Config::parse("{}").id2label(), (std::map<int64_t, std::string>{{0, "LABEL_0"}, {1, "LABEL_1"}}));
  const Config named = Config::parse(R"({"id2label": {"0": "no", "1": "yes", "10": "perhaps"}})");
  EXPECT_EQ(named.i("num_labels"), 3);
  EXPECT_TRUE(named.has("num_labels"));
  EXPECT_EQ(named.id2label(), (std::map<int64_t, std::string>{{0, "no"}, {1, "yes"}, {10, "perhaps"}}));
  EXPECT_EQ(Config::parse(R"({"num_labels": 5, "id2label": null})").num_labels(), 5);
  // transformers 5.23 keeps num_labels and renames the labels when the two differ.
  const Config differing = Config::parse(R"({"num_labels": 1, "id2label": {"0": "a", "1": "b"}})");
  EXPECT_EQ(differing.id2label(), (std::map<int64_t, std::string>{{0, "LABEL_0"}}));
  EXPECT_EQ(message_of([] { Config::parse(R"({"num_labels": 0})").num_labels(); }),
            "config.json: num_labels is 0, expected an integer from 1 to 16777216");
  EXPECT_NE(message_of([] { Config::parse(R"({"num_labels": 99999999999})").id2label(); }), "");
  EXPECT_EQ(Config::parse(R"({"num_labels": 65536})").id2label().rbegin()->second, "LABEL_65535");
  EXPECT_EQ(message_of([] { Config::parse(R"({"num_labels": 65537})").id2label(); }),
            "config.json: num_labels is 65537 and id2label does not name them, at most 65536 expected");
  EXPECT_NE(message_of([] { Config::parse(R"({"id2label": []})").num_labels(); }), "");
  EXPECT_NE(message_of([] { Config::parse(R"({"id2label": {"x": "a"}})").id2label(); }), "");
  EXPECT_NE(message_of([] { Config::parse(R"({"id2label": {"1": "a", "01": "b"}})").id2label(); }), "");
}

TEST(Config, DefaultsAreWellFormed) {
  for (const char* type : kModelTypes) {
    const Json defaults = parse_json(config_defaults_text(type), type);
    EXPECT_TRUE(defaults.at("attribute_map").is_object());
    EXPECT_TRUE(defaults.at("defaults").is_object());
  }
  EXPECT_EQ(config_defaults_text("no such type"), "");
  EXPECT_EQ(config_defaults_text(""), "");
}

}  // namespace
}  // namespace gamut
