#include "backend/paged_state.h"

#include <gtest/gtest.h>

#include <functional>

#include "gamut/error.h"

namespace gamut {
namespace {

StateSpec kv(const std::string& name, int64_t window = 0) {
  return {.name = name, .heads = 2, .key_dim = 3, .value_dim = 5, .window = window};
}

constexpr size_t kPageBytes = 2 * (3 + 5) * kPageTokens * sizeof(float);

ErrorCode code_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

void grow(PagedState& state, int64_t sequence, int64_t tokens) {
  state.reserve(sequence, tokens);
  state.advance(sequence, tokens);
}

TEST(PagedState, TakesPagesAsSequencesGrow) {
  PagedState state({kv("a")}, 3 * kPageBytes);
  const int64_t s = state.add();
  EXPECT_EQ(state.use().bytes, 0u);
  grow(state, s, 1);
  EXPECT_EQ(state.use().bytes, kPageBytes);
  grow(state, s, kPageTokens - 1);
  EXPECT_EQ(state.use().bytes, kPageBytes);
  grow(state, s, 1);
  EXPECT_EQ(state.use().bytes, 2 * kPageBytes);
  EXPECT_EQ(state.length(s), kPageTokens + 1);
  state.drop(s);
  EXPECT_EQ(state.use().bytes, 0u);
  EXPECT_EQ(code_of([&] { state.length(s); }), ErrorCode::kNotFound);
}

TEST(PagedState, AFullPoolRefusesOneAndChangesNothing) {
  PagedState state({kv("a"), kv("b")}, 4 * kPageBytes);
  const int64_t first = state.add(), second = state.add();
  grow(state, first, kPageTokens);  // a page holds both states
  EXPECT_EQ(state.use().bytes, 2 * kPageBytes);
  EXPECT_EQ(code_of([&] { state.reserve(second, 3 * kPageTokens); }), ErrorCode::kResourceLimit);
  EXPECT_EQ(state.use().bytes, 2 * kPageBytes);
  grow(state, second, kPageTokens);
  EXPECT_EQ(code_of([&] { state.reserve(first, 1); }), ErrorCode::kResourceLimit);
  state.drop(second);
  grow(state, first, 1);
}

TEST(PagedState, ForksShareUntilTheyWrite) {
  PagedState state({kv("a")}, 100 * kPageBytes);
  const int64_t parent = state.add();
  grow(state, parent, kPageTokens + 3);
  const PagedKv& place = state.kv("a");
  state.pages(place, parent)[1][0] = 7;
  const int64_t child = state.fork(parent);
  EXPECT_EQ(state.use().bytes, 2 * kPageBytes);
  EXPECT_EQ(state.pages(place, child)[1], state.pages(place, parent)[1]);
  grow(state, child, 1);
  EXPECT_EQ(state.use().bytes, 3 * kPageBytes);
  EXPECT_EQ(state.pages(place, child)[0], state.pages(place, parent)[0]);
  EXPECT_NE(state.pages(place, child)[1], state.pages(place, parent)[1]);
  EXPECT_EQ(state.pages(place, child)[1][0], 7);
  state.drop(parent);
  EXPECT_EQ(state.use().bytes, 2 * kPageBytes);
  EXPECT_EQ(state.length(child), kPageTokens + 4);
}

TEST(PagedState, WindowsFreeWhatNoQuerySees) {
  PagedState state({kv("near", 10)}, 100 * kPageBytes);
  const int64_t s = state.add();
  grow(state, s, kPageTokens + 8);  // the next query sees 9 tokens before it: the first page still has one
  EXPECT_EQ(state.use().bytes, 2 * kPageBytes);
  EXPECT_NO_THROW(state.truncate(s, kPageTokens + 7));
  grow(state, s, 1);
  grow(state, s, 1);
  EXPECT_EQ(state.use().bytes, kPageBytes);
  EXPECT_EQ(state.pages(state.kv("near"), s)[0], nullptr);
  EXPECT_EQ(code_of([&] { state.truncate(s, kPageTokens); }), ErrorCode::kUnsupported);
  EXPECT_EQ(state.length(s), kPageTokens + 9);
  EXPECT_NO_THROW(state.truncate(s, 0));
  EXPECT_EQ(state.use().bytes, 0u);
}

TEST(PagedState, RecurrencesAreCopiedAndNotCut) {
  const StateSpec recurrent{.name = "r", .kind = StateKind::kRecurrent, .dims = {2, 3}};
  PagedState state({kv("a"), recurrent}, 100 * kPageBytes);
  const int64_t s = state.add();
  const auto seen = [&](int64_t sequence) {
    state.reserve(sequence, 1);
    return state.recurrent("r", sequence)[5];
  };
  const auto run = [&](int64_t sequence, float left) {
    state.reserve(sequence, 4);
    state.recurrent("r", sequence)[5] = left;
    state.advance(sequence, 4);
  };
  EXPECT_EQ(seen(s), 0);
  run(s, 2);
  const int64_t copy = state.fork(s);
  run(s, 3);
  EXPECT_EQ(seen(copy), 2);
  EXPECT_EQ(seen(s), 3);
  EXPECT_EQ(code_of([&] { state.truncate(s, 2); }), ErrorCode::kUnsupported);
  state.truncate(s, 0);
  EXPECT_EQ(seen(s), 0);
}

TEST(PagedState, ARunThatFailsLeavesItsRecurrence) {
  PagedState state({kv("a"), {.name = "r", .kind = StateKind::kRecurrent, .dims = {2}}}, 100 * kPageBytes);
  const int64_t s = state.add();
  for (float left : {5.0f, 6.0f}) {
    state.reserve(s, 1);
    state.recurrent("r", s)[0] = left;
    if (left == 5) state.advance(s, 1);
  }
  state.reserve(s, 1);
  EXPECT_EQ(state.recurrent("r", s)[0], 5);
}

TEST(PagedState, AdvancingNeedsRoom) {
  PagedState state({kv("a")}, 100 * kPageBytes);
  const int64_t s = state.add();
  state.reserve(s, 2);
  EXPECT_EQ(code_of([&] { state.advance(s, 3); }), ErrorCode::kInternal);
  EXPECT_EQ(state.length(s), 0);
  EXPECT_EQ(code_of([&] { state.truncate(s, 1); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace gamut
