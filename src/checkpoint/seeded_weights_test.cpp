#include "checkpoint/seeded_weights.h"

#include <gtest/gtest.h>

#include <bit>

namespace gamut {
namespace {

TEST(SeededWeights, HashesAsPublished) {
  EXPECT_EQ(fnv1a64(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv1a64("foobar"), 0x85944171f73967e8u);
}

// Expected values are those of the same rule written in Python with integers of any size.
TEST(SeededWeights, EqualsThePythonTwin) {
  const Tensor a = seeded_tensor("encoder.layer.0.attention.self.query.weight", {2, 2}, 7, 0.02, 0.0);
  const float expected_a[] = {-0x1.06530cp-6f, -0x1.212b4cp-7f, 0x1.3f879ap-9f, 0x1.7cc886p-7f};
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(a.f32()[i], expected_a[i]);
  const Tensor b = seeded_tensor("größe", {3}, UINT64_MAX, 0.1, 1.0);
  const float expected_b[] = {0x1.e048f6p-1f, 0x1.cfb798p-1f, 0x1.0c60a8p+0f};
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(b.f32()[i], expected_b[i]);
  EXPECT_EQ(seeded_tensor("", {1}, 0, 1.0, 0.0).f32()[0], 0x1.0e05fp-1f);
}

TEST(SeededWeights, LongTensorEqualsThePythonTwinBitForBit) {
  uint32_t all = 0;
  uint64_t sum = 0;
  const Tensor w = seeded_tensor("w", {100, 100}, 3, 0.037, 0.9);
  for (float value : w.f32()) {
    all ^= std::bit_cast<uint32_t>(value);
    sum += std::bit_cast<uint32_t>(value);
  }
  EXPECT_EQ(all, 0x3efb01u);
  EXPECT_EQ(sum, 10636810204255u);
}

}  // namespace
}  // namespace gamut
