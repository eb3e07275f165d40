#include "runtime/batching.h"

#include <gtest/gtest.h>

#include <set>

namespace gamut {
namespace {

TEST(PlanBatches, TakesEveryRowOnceWithinTheLimits) {
  std::vector<int64_t> lengths;
  for (int i = 0; i < 1000; ++i) lengths.push_back((i * 37) % 301);
  const auto batches = plan_batches(lengths, {.max_tokens = 512, .max_rows = 16});
  std::set<size_t> seen;
  for (const auto& batch : batches) {
    int64_t tokens = 0;
    for (size_t row : batch) {
      EXPECT_TRUE(seen.insert(row).second);
      tokens += lengths[row];
    }
    EXPECT_LE(tokens, 512);
    EXPECT_LE(batch.size(), 16u);
  }
  EXPECT_EQ(seen.size(), lengths.size());
}

TEST(PlanBatches, GivesALongRowItsOwnBatch) {
  const std::vector<int64_t> lengths{3, 9000, 4};
  const auto batches = plan_batches(lengths, {.max_tokens = 512, .max_rows = 16});
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0], std::vector<size_t>{1});
  EXPECT_EQ(batches[1], (std::vector<size_t>{2, 0}));
  EXPECT_TRUE(plan_batches({}, {}).empty());
}

}  // namespace
}  // namespace gamut
