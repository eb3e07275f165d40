#include "runtime/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>

#include "gamut/error.h"
#include "models/architecture.h"
#include "models/tiny_bert.h"

namespace gamut {
namespace {

Tensor ids(const Dims& dims, const std::vector<int64_t>& values) {
  return Tensor::from(dims, std::span<const int64_t>(values));
}

Tensor i32(const Dims& dims, const std::vector<int32_t>& values) {
  Tensor tensor = Tensor::allocate(DType::kI32, dims);
  std::copy(values.begin(), values.end(), static_cast<int32_t*>(tensor.mutable_data()));
  return tensor;
}

Session make_session(const std::string& head = "BertModel", RowLayout layout = RowLayout::kAuto,
                     const std::string& backend = "cpu") {
  auto checkpoint = test::tiny_bert(head);
  Program program = record_program(Config::from_json(test::tiny_bert_config(head)), *checkpoint).program;
  return Session(std::move(program), checkpoint, find_backend(backend), {.threads = 2}, layout);
}

std::string refusal(const Session& session, const NamedTensors& inputs) {
  try {
    session.forward(inputs);
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), "invalid_argument") << error.message();
    return error.message();
  }
  return "no error";
}

void expect_near(std::span<const float> a, std::span<const float> b, double tolerance = 2e-6) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << "at " << i;
}

/// Tokens [first, first + count) of a [B,S,W] or [T,W] result.
std::span<const float> tokens_of(const Tensor& tensor, int64_t first, int64_t count) {
  const int64_t width = tensor.dims().back();
  return tensor.f32().subspan(static_cast<size_t>(first * width), static_cast<size_t>(count * width));
}

constexpr int64_t kWidth = test::kTinyWidth;

TEST(Forward, SaysWhatIsWrongWithAnInput) {
  const Session session = make_session();
  const Tensor good = ids({1, 3}, {2, 5, 3});
  EXPECT_EQ(refusal(session, {}), "input input_ids is missing");
  EXPECT_EQ(refusal(session, {{"attention_mask", ids({1, 3}, {1, 1, 1})}}), "input input_ids is missing");
  EXPECT_EQ(refusal(session, {{"input_ids", good}, {"pixel_values", good}}),
            "input pixel_values is unknown to BertModel; expected some of: attention_mask, input_ids, token_type_ids, "
            "position_ids");
  EXPECT_EQ(refusal(session, {{"input_ids", good}, {"rows", good}}).substr(0, 21), "input rows is unknown");
  const std::vector<float> floats{2, 5, 3};
  EXPECT_EQ(refusal(session, {{"input_ids", Tensor::from({1, 3}, floats)}}),
            "input input_ids: dtype F32, expected I64 or I32");
  EXPECT_EQ(refusal(session, {{"input_ids", ids({3}, {2, 5, 3})}}),
            "input input_ids: shape [3], expected [batch, sequence]");
  EXPECT_EQ(refusal(session, {{"input_ids", ids({1, 1, 3}, {2, 5, 3})}}).substr(0, 30),
            "input input_ids: shape [1,1,3]");
  EXPECT_EQ(refusal(session, {{"input_ids", good}, {"token_type_ids", ids({1, 2}, {0, 0})}}),
            "input token_type_ids: shape [1,2], expected [1,3] as input_ids has");
  EXPECT_EQ(refusal(session, {{"input_ids", good}, {"attention_mask", ids({2, 3}, {1, 1, 1, 1, 1, 1})}}),
            "input attention_mask: shape [2,3], expected [1,3] as input_ids has");
  EXPECT_EQ(refusal(session, {{"input_ids", good}, {"attention_mask", ids({1, 3}, {1, 2, 1})}}),
            "input attention_mask: 2 at [0,1], expected 0 or 1");
  EXPECT_EQ(refusal(session, {{"input_ids", good}, {"attention_mask", ids({1, 3}, {1, 1, -1})}}),
            "input attention_mask: -1 at [0,2], expected 0 or 1");
}

TEST(Forward, SaysWhichIdIsOutOfRange) {
  const Session session = make_session();
  for (int64_t bad : {int64_t{-1}, test::kTinyVocabularySize, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(refusal(session, {{"input_ids", ids({2, 2}, {2, 3, 2, bad})}}),
              "input input_ids: " + std::to_string(bad) + " at [1,1] is outside [0, 22)");
  }
  const Tensor good = ids({1, 2}, {2, 3});
  EXPECT_EQ(refusal(session, {{"input_ids", good}, {"token_type_ids", ids({1, 2}, {0, 2})}}),
            "input token_type_ids: 2 at [0,1] is outside [0, 2)");
  EXPECT_EQ(refusal(session, {{"input_ids", good}, {"position_ids", ids({1, 2}, {0, 32})}}),
            "input position_ids: 32 at [0,1] is outside [0, 32)");
  // What is masked is not looked at.
  EXPECT_EQ(refusal(session, {{"input_ids", ids({1, 2}, {2, -100})}, {"attention_mask", ids({1, 2}, {1, 0})}}),
            "no error");
}

TEST(Forward, RefusesRowsThatAreTooLong) {
  const Session session = make_session();
  EXPECT_EQ(refusal(session, {{"input_ids", ids({1, 32}, std::vector<int64_t>(32, 5))}}), "no error");
  EXPECT_EQ(refusal(session, {{"input_ids", ids({2, 33}, std::vector<int64_t>(66, 5))}}),
            "row 0 has 33 tokens, the model takes at most 32");
  std::vector<int64_t> mask(33, 1);
  mask[7] = 0;
  EXPECT_EQ(refusal(session,
                    {{"input_ids", ids({1, 33}, std::vector<int64_t>(33, 5))}, {"attention_mask", ids({1, 33}, mask)}}),
            "no error")
      << "only what is seen counts";
  EXPECT_EQ(
      refusal(session, {{"input_ids", ids({1, 33}, std::vector<int64_t>(33, 5))}, {"position_ids", ids({1, 1}, {4})}}),
      "no error")
      << "positions that are given may repeat";
}

TEST(Forward, AMaskOfAnyLayoutGivesWhatTheRowGivesAlone) {
  const std::vector<std::vector<int64_t>> masks{{1, 1, 1, 0, 0, 0}, {0, 0, 0, 1, 1, 1}, {1, 0, 1, 0, 0, 1},
                                                {0, 1, 0, 1, 1, 0}, {0, 0, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 1}};
  for (RowLayout layout : {RowLayout::kAuto, RowLayout::kPadded}) {
    const Session session = make_session("BertModel", layout);
    std::vector<int64_t> all_ids, all_mask;
    for (size_t b = 0; b < masks.size(); ++b) {
      for (size_t s = 0; s < 6; ++s) all_ids.push_back(static_cast<int64_t>((b * 5 + s * 3) % 22));
      all_mask.insert(all_mask.end(), masks[b].begin(), masks[b].end());
    }
    const NamedTensors together =
        session.forward({{"input_ids", ids({6, 6}, all_ids)}, {"attention_mask", ids({6, 6}, all_mask)}});
    const Tensor& hidden = together.at("last_hidden_state");
    ASSERT_EQ(hidden.dims(), (Dims{6, 6, kWidth}));
    ASSERT_EQ(together.at("pooler_output").dims(), (Dims{6, kWidth}));
    for (int64_t b = 0; b < 6; ++b) {
      SCOPED_TRACE(b);
      std::vector<int64_t> seen;
      for (size_t s = 0; s < 6; ++s) {
        if (masks[b][s] == 1) seen.push_back(all_ids[b * 6 + s]);
      }
      const int64_t count = static_cast<int64_t>(seen.size());
      const NamedTensors alone = session.forward({{"input_ids", ids({1, count}, seen)}});
      int64_t next = 0;
      for (int64_t s = 0; s < 6; ++s) {
        if (masks[b][s] == 1) {
          expect_near(tokens_of(hidden, b * 6 + s, 1), tokens_of(alone.at("last_hidden_state"), next++, 1));
        } else {
          for (float value : tokens_of(hidden, b * 6 + s, 1)) EXPECT_EQ(value, 0) << "masked places are zeros";
        }
      }
      expect_near(tokens_of(together.at("pooler_output"), b, 1), tokens_of(alone.at("pooler_output"), 0, 1));
    }
  }
}

TEST(Forward, TakesNoRowsAndRowsWithoutTokens) {
  for (RowLayout layout : {RowLayout::kAuto, RowLayout::kPadded}) {
    for (const char* backend : {"cpu", "reference"}) {
      const Session session = make_session("BertModel", layout, backend);
      const NamedTensors no_batch = session.forward({{"input_ids", ids({0, 5}, {})}});
      EXPECT_EQ(no_batch.at("last_hidden_state").dims(), (Dims{0, 5, kWidth}));
      EXPECT_EQ(no_batch.at("pooler_output").dims(), (Dims{0, kWidth}));
      const NamedTensors no_sequence = session.forward({{"input_ids", ids({3, 0}, {})}});
      EXPECT_EQ(no_sequence.at("last_hidden_state").dims(), (Dims{3, 0, kWidth}));
      EXPECT_EQ(no_sequence.at("pooler_output").dims(), (Dims{3, kWidth}));
      EXPECT_EQ(session.forward({{"input_ids", ids({0, 0}, {})}}).at("last_hidden_state").dims(), (Dims{0, 0, kWidth}));
    }
  }
}

TEST(Forward, TakesI32AndBooleans) {
  const Session session = make_session();
  const NamedTensors wide =
      session.forward({{"input_ids", ids({1, 3}, {2, 5, 3})}, {"attention_mask", ids({1, 3}, {1, 0, 1})}});
  Tensor mask = Tensor::allocate(DType::kBool, {1, 3});
  const bool bits[] = {true, false, true};
  std::memcpy(mask.mutable_data(), bits, 3);
  const NamedTensors narrow = session.forward({{"input_ids", i32({1, 3}, {2, 5, 3})}, {"attention_mask", mask}});
  expect_near(wide.at("last_hidden_state").f32(), narrow.at("last_hidden_state").f32(), 0);
  EXPECT_EQ(refusal(session, {{"input_ids", i32({1, 3}, {2, -5, 3})}}),
            "input input_ids: -5 at [0,1] is outside [0, 22)");
}

TEST(Forward, BroadcastsInputsOfOneRowOrOneColumn) {
  const Session session = make_session();
  const Tensor two = ids({2, 3}, {2, 5, 3, 2, 7, 3});
  const NamedTensors full = session.forward({{"input_ids", two},
                                             {"token_type_ids", ids({2, 3}, {0, 1, 1, 0, 1, 1})},
                                             {"attention_mask", ids({2, 3}, {1, 1, 1, 1, 1, 1})},
                                             {"position_ids", ids({2, 3}, {4, 5, 6, 4, 5, 6})}});
  const NamedTensors rows = session.forward({{"input_ids", two},
                                             {"token_type_ids", ids({1, 3}, {0, 1, 1})},
                                             {"attention_mask", ids({1, 1}, {1})},
                                             {"position_ids", ids({1, 3}, {4, 5, 6})}});
  expect_near(full.at("last_hidden_state").f32(), rows.at("last_hidden_state").f32(), 0);
  const NamedTensors columns = session.forward({{"input_ids", two}, {"token_type_ids", ids({2, 1}, {0, 1})}});
  const NamedTensors spread =
      session.forward({{"input_ids", two}, {"token_type_ids", ids({2, 3}, {0, 0, 0, 1, 1, 1})}});
  expect_near(columns.at("last_hidden_state").f32(), spread.at("last_hidden_state").f32(), 0);
}

TEST(Forward, FillsWhatIsNotGiven) {
  const Session session = make_session();
  const Tensor input = ids({1, 4}, {2, 5, 6, 3}), mask = ids({1, 4}, {0, 1, 1, 1});
  const NamedTensors filled = session.forward({{"input_ids", input}, {"attention_mask", mask}});
  const NamedTensors given = session.forward({{"input_ids", input},
                                              {"attention_mask", mask},
                                              {"token_type_ids", ids({1, 4}, {0, 0, 0, 0})},
                                              {"position_ids", ids({1, 4}, {9, 0, 1, 2})}});
  expect_near(filled.at("last_hidden_state").f32(), given.at("last_hidden_state").f32(), 0);
  const NamedTensors other =
      session.forward({{"input_ids", input}, {"attention_mask", mask}, {"position_ids", ids({1, 1}, {3})}});
  EXPECT_GT(std::fabs(other.at("pooler_output").f32()[0] - given.at("pooler_output").f32()[0]), 1e-6)
      << "positions matter";
}

TEST(Forward, PackedEqualsPaddedAndBackendsAgree) {
  for (const char* head : {"BertModel", "BertForMaskedLM", "BertForSequenceClassification",
                           "BertForTokenClassification", "BertForQuestionAnswering"}) {
    SCOPED_TRACE(head);
    const NamedTensors inputs{{"input_ids", ids({2, 4}, {2, 5, 6, 3, 2, 8, 3, 0})},
                              {"attention_mask", ids({2, 4}, {1, 1, 1, 1, 1, 1, 1, 0})}};
    const NamedTensors packed = make_session(head).forward(inputs);
    for (const char* backend : {"cpu", "reference"}) {
      const NamedTensors padded = make_session(head, RowLayout::kPadded, backend).forward(inputs);
      ASSERT_EQ(packed.size(), padded.size());
      for (const auto& [name, tensor] : packed) {
        ASSERT_EQ(tensor.dims(), padded.at(name).dims());
        expect_near(tensor.f32(), padded.at(name).f32(), 1e-5);
      }
    }
  }
}

TEST(RunRows, GivesWhatForwardGives) {
  for (RowLayout layout : {RowLayout::kAuto, RowLayout::kPadded}) {
    const Session session = make_session("BertModel", layout);
    const NamedTensors rows = session.run_rows(
        {{"input_ids", {{2, 5, 3}, {}, {2, 7, 8, 9, 3}}}, {"token_type_ids", {{0, 0, 1}, {}, {0, 1, 1, 0, 1}}}});
    EXPECT_EQ(rows.at("last_hidden_state").dims(), (Dims{8, kWidth}));
    EXPECT_EQ(rows.at("pooler_output").dims(), (Dims{3, kWidth}));
    const NamedTensors first =
        session.forward({{"input_ids", ids({1, 3}, {2, 5, 3})}, {"token_type_ids", ids({1, 3}, {0, 0, 1})}});
    const NamedTensors last = session.forward(
        {{"input_ids", ids({1, 5}, {2, 7, 8, 9, 3})}, {"token_type_ids", ids({1, 5}, {0, 1, 1, 0, 1})}});
    expect_near(tokens_of(rows.at("last_hidden_state"), 0, 3), first.at("last_hidden_state").f32());
    expect_near(tokens_of(rows.at("last_hidden_state"), 3, 5), last.at("last_hidden_state").f32());
    expect_near(tokens_of(rows.at("pooler_output"), 2, 1), last.at("pooler_output").f32());
    EXPECT_EQ(session.run_rows({{"input_ids", {}}}).at("last_hidden_state").dims(), (Dims{0, kWidth}));
  }
}

TEST(RunRows, SaysWhatIsWrong) {
  const Session session = make_session();
  auto message = [&](const std::map<std::string, std::vector<std::vector<int64_t>>>& inputs) -> std::string {
    try {
      session.run_rows(inputs);
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  };
  EXPECT_EQ(message({{"token_type_ids", {{0}}}}), "input input_ids is missing");
  EXPECT_EQ(message({{"input_ids", {{2, 3}}}, {"token_type_ids", {{0}}}}),
            "input token_type_ids: its rows have other lengths");
  EXPECT_EQ(message({{"input_ids", {{2, 22}}}}), "input input_ids: 22 at token 1 is outside [0, 22)");
  EXPECT_EQ(message({{"input_ids", {}}, {"token_type_ids", {{0, 0}}}}),
            "input token_type_ids: its rows have other lengths");
  EXPECT_EQ(message({{"input_ids", {{2, 3}}}, {"token_types", {{0, 0}}}}).substr(0, 68),
            "input token_types is unknown to BertModel; expected some of: input_i");
  EXPECT_EQ(message({{"input_ids", {{2}}}, {"attention_mask", {{1}}}}).substr(0, 37),
            "input attention_mask is unknown to Be");
  EXPECT_EQ(message({{"input_ids", {{2}, std::vector<int64_t>(33, 2)}}}),
            "row 1 has 33 tokens, the model takes at most 32");
}

TEST(Session, PlansMemoryThatGrowsWithTheTokens) {
  for (RowLayout layout : {RowLayout::kAuto, RowLayout::kPadded}) {
    const Session session = make_session("BertModel", layout);
    EXPECT_LT(session.planned_bytes(1, 8), session.planned_bytes(1, 32));
    EXPECT_LT(session.planned_bytes(1, 32), session.planned_bytes(4, 32));
    EXPECT_EQ(session.planned_bytes(0, 8), session.planned_bytes(0, 32));
  }
}

/// More tokens than the backend wants in one run are cut between rows, which changes no bit.
TEST(Session, ManyTokensRunInPartsAndGiveWhatEachRowGivesAlone) {
  const Session session = make_session();
  const int64_t wanted = find_backend("cpu").tokens_per_run();
  std::vector<std::vector<int64_t>> rows;
  for (int64_t tokens = 0, n = 0; tokens < 3 * wanted; ++n) {
    rows.emplace_back(static_cast<size_t>(n * 11 % 33));  // 0 to 32 tokens
    for (size_t i = 0; i < rows.back().size(); ++i) rows.back()[i] = (n + static_cast<int64_t>(i) * 5) % 22;
    tokens += static_cast<int64_t>(rows.back().size());
  }
  const NamedTensors together = session.run_rows({{"input_ids", rows}});
  const Tensor &hidden = together.at("last_hidden_state"), &pooled = together.at("pooler_output");
  ASSERT_EQ(pooled.dims(), (Dims{static_cast<int64_t>(rows.size()), kWidth}));
  int64_t before = 0;
  for (size_t n = 0; n < rows.size(); ++n) {
    const NamedTensors alone = session.run_rows({{"input_ids", {rows[n]}}});
    const int64_t length = static_cast<int64_t>(rows[n].size());
    const std::span<const float> mine = tokens_of(hidden, before, length);
    EXPECT_TRUE(std::ranges::equal(mine, alone.at("last_hidden_state").f32())) << "row " << n;
    EXPECT_TRUE(std::ranges::equal(tokens_of(pooled, static_cast<int64_t>(n), 1), alone.at("pooler_output").f32()))
        << "row " << n;
    before += length;
  }
  EXPECT_EQ(hidden.dim(0), before);
  // Nor does memory grow any more.
  EXPECT_EQ(session.planned_bytes(4 * wanted / 32, 32), session.planned_bytes(8 * wanted / 32, 32));
}

TEST(Session, ConcurrentCallersGetWhatEachWouldGetAlone) {
  const Session session = make_session();
  std::atomic<int> different{0};
  std::vector<std::thread> callers;
  for (int64_t caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      const NamedTensors inputs{
          {"input_ids", ids({2, 3 + caller}, std::vector<int64_t>(2 * (3 + caller), 5 + caller))}};
      const Tensor first = session.forward(inputs).at("last_hidden_state");
      for (int repeat = 0; repeat < 20; ++repeat) {
        const Tensor again = session.forward(inputs).at("last_hidden_state");
        if (std::memcmp(first.data(), again.data(), first.bytes()) != 0) ++different;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(different.load(), 0);
}

}  // namespace
}  // namespace gamut
