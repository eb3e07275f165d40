#include "passes/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "gamut/error.h"
#include "ops/binary.h"
#include "ops/reshape.h"
#include "ops/unary.h"

namespace gamut {
namespace {

size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

bool alive_together(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

TEST(PlanMemory, NoTwoLiveBuffersOverlapAndThePeakLiesBetweenItsBounds) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<Lifetime> lifetimes(1 + random() % 40);
    const int steps = 1 + static_cast<int>(random() % 30);
    for (Lifetime& life : lifetimes) {
      life.first = static_cast<int>(random() % static_cast<unsigned>(steps));
      life.last = life.first + static_cast<int>(random() % 6);
      life.bytes = random() % 5 == 0 ? 0 : random() % 5000;
    }
    const MemoryPlan plan = plan_memory(lifetimes);
    ASSERT_EQ(plan.offsets.size(), lifetimes.size());
    size_t sum = 0, needed = 0;
    for (size_t i = 0; i < lifetimes.size(); ++i) {
      const Lifetime& a = lifetimes[i];
      sum += rounded(a.bytes);
      ASSERT_EQ(plan.offsets[i] % 64, 0u);
      ASSERT_LE(plan.offsets[i] + a.bytes, plan.bytes);
      for (size_t j = 0; j < i; ++j) {
        const Lifetime& b = lifetimes[j];
        if (a.bytes == 0 || b.bytes == 0 || !alive_together(a, b)) continue;
        const bool apart = plan.offsets[i] + a.bytes <= plan.offsets[j] || plan.offsets[j] + b.bytes <= plan.offsets[i];
        ASSERT_TRUE(apart) << "buffers " << i << " and " << j << " in round " << round;
      }
    }
    for (int step = 0; step < steps + 6; ++step) {
      size_t live = 0;
      for (const Lifetime& life : lifetimes) {
        if (life.first <= step && step <= life.last) live += rounded(life.bytes);
      }
      needed = std::max(needed, live);
    }
    ASSERT_LE(plan.bytes, sum);
    ASSERT_GE(plan.bytes, needed);
  }
}

TEST(PlanMemory, FindsTheOptimumOfAChain) {
  // x -> y -> z -> w: two buffers at a time, the largest neighbours are 300 and 200.
  const std::vector<Lifetime> chain{{0, 1, 64}, {1, 2, 128}, {2, 3, 320}, {3, 4, 192}};
  const MemoryPlan plan = plan_memory(chain);
  EXPECT_EQ(plan.bytes, 512u);
  EXPECT_EQ(plan.offsets[2], 0u);
  EXPECT_EQ(plan.offsets[3], 320u);
}

TEST(PlanMemory, UsesAHoleBetweenTwoBuffers) {
  // The first two lie below and above the hole that the third leaves when it ends.
  const std::vector<Lifetime> lifetimes{{0, 9, 640}, {0, 3, 512}, {0, 9, 448}, {4, 9, 256}, {4, 9, 256}};
  const MemoryPlan plan = plan_memory(lifetimes);
  EXPECT_EQ(plan.bytes, 640u + 512 + 448);
}

TEST(PlanMemory, OfNothingIsNothing) {
  EXPECT_EQ(plan_memory({}).bytes, 0u);
  const std::vector<Lifetime> empty{{0, 3, 0}};
  EXPECT_EQ(plan_memory(empty).bytes, 0u);
}

TEST(PlannedBytes, OfAChainAreTwoBuffersHoweverLongItIs) {
  const Extent b = Extent::symbol("B");
  for (int length : {2, 10, 50}) {
    Graph g;
    Value x = g.input("x", DType::kF32, {b, 64});
    for (int i = 0; i < length; ++i) x = op::unary(UnaryKind::kExp, x);
    g.set_output("y", x);
    EXPECT_EQ(planned_bytes(g, {{"B", 4}}), 2u * 4 * 64 * 4) << length;
    EXPECT_EQ(planned_bytes(g, {{"B", 0}}), 0u);
  }
}

TEST(PlannedBytes, CountAViewOnceAndLeavesNot) {
  Graph g;
  Value x = g.input("x", DType::kF32, {16, 16}), w = g.weight("w", DType::kF32, {16, 16});
  Value y = x + w;
  g.set_output("y", op::reshape(y, {256}));
  g.set_output("view", op::reshape(x, {256}));
  EXPECT_EQ(planned_bytes(g, {}), 1024u);
}

TEST(FindBuffers, FollowsReshapesToTheirSource) {
  Graph g;
  Value x = g.input("x", DType::kF32, {4, 4}), y = x + 1.0f;
  Value a = op::reshape(y, {16}), b = op::reshape(a, {2, 8}), c = op::reshape(x, {16});
  g.set_output("y", b);
  const std::vector<int> buffers = find_buffers(g);
  EXPECT_EQ(buffers[a.id], y.id);
  EXPECT_EQ(buffers[b.id], y.id);
  EXPECT_EQ(buffers[c.id], x.id);
  EXPECT_EQ(buffers[y.id], y.id);
}

TEST(FindLifetimes, AViewKeepsItsBufferAliveAndOutputsLiveToTheEnd) {
  Graph g;
  Value x = g.input("x", DType::kF32, {4});  // node 0
  Value y = op::unary(UnaryKind::kNeg, x);   // node 1
  Value view = op::reshape(y, {2, 2});       // node 2
  Value z = op::unary(UnaryKind::kNeg, x);   // node 3
  Value sum = op::reshape(view, {4}) + z;    // nodes 4, 5
  g.set_output("sum", sum);
  const std::vector<int> buffers = find_buffers(g);
  const std::vector<bool> placed(g.value_count(), true);
  const auto lifetimes = find_lifetimes(g, buffers, value_bytes(g, {}), placed);
  EXPECT_EQ(lifetimes[y.id].first, 1);
  EXPECT_EQ(lifetimes[y.id].last, 5);
  EXPECT_EQ(lifetimes[view.id].bytes, 0u);
  EXPECT_EQ(lifetimes[sum.id].last, 6);
  EXPECT_EQ(lifetimes[y.id].bytes, 16u);
}

TEST(ValueBytes, AreCheckedForOverflow) {
  Graph g;
  const Extent n = Extent::symbol("N");
  g.set_output("y", g.input("x", DType::kF32, {n, n}));
  std::vector<Dims> dims;
  EXPECT_EQ(value_bytes(g, {{"N", 3}}, &dims), std::vector<size_t>{36});
  EXPECT_EQ(dims[0], (Dims{3, 3}));
  EXPECT_THROW(value_bytes(g, {{"N", int64_t{1} << 32}}), Error);
}

}  // namespace
}  // namespace gamut
