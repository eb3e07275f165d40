#include "generate/prefixes.h"

#include <gtest/gtest.h>

#include <random>

namespace gamut {
namespace {

using Prompt = std::vector<int64_t>;

Prompt tokens(int64_t count, std::initializer_list<int64_t> end = {}) {
  Prompt prompt(static_cast<size_t>(count), 7);
  prompt.insert(prompt.end(), end);
  return prompt;
}

TEST(Prefixes, FewCommonTokensAreNotShared) {
  EXPECT_EQ(share_prefixes({}).size(), 0u);
  const std::vector<Prompt> prompts{{}, tokens(kLeastShared - 1, {1}), tokens(kLeastShared - 1, {2}), {}};
  for (const SharedPrefix& each : share_prefixes(prompts)) EXPECT_EQ(each.length, 0);
}

TEST(Prefixes, EqualPromptsLeaveOneTokenEach) {
  const std::vector<Prompt> prompts{tokens(40), tokens(40), tokens(40)};
  const std::vector<SharedPrefix> shared = share_prefixes(prompts);
  EXPECT_EQ(shared, (std::vector<SharedPrefix>{{}, {0, 39}, {0, 39}}));
}

TEST(Prefixes, APromptThatIsTheBeginOfAnotherIsItsParent) {
  const std::vector<Prompt> prompts{tokens(30, {1, 2, 3}), tokens(30)};
  EXPECT_EQ(share_prefixes(prompts), (std::vector<SharedPrefix>{{1, 30}, {}}));
}

/// Whatever the prompts, forks happen where both have the same tokens and the parent comes by.
TEST(Prefixes, EveryForkIsPossible) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<Prompt> prompts(random() % 12);
    for (Prompt& prompt : prompts) {
      prompt = tokens(static_cast<int64_t>(random() % 40));
      while (random() % 8 != 0) prompt.push_back(static_cast<int64_t>(random() % 2));
    }
    const std::vector<SharedPrefix> shared = share_prefixes(prompts);
    for (size_t n = 0; n < prompts.size(); ++n) {
      if (shared[n].length == 0) continue;
      const Prompt& parent = prompts[shared[n].parent];
      EXPECT_GE(shared[n].length, kLeastShared);
      EXPECT_LT(shared[n].length, static_cast<int64_t>(prompts[n].size()));
      EXPECT_GE(common_length(prompts[n], parent), shared[n].length);
      EXPECT_LT(shared[shared[n].parent].length, shared[n].length) << "the parent begins behind the fork";
    }
    // Sharing misses nothing: no pair has more in common than what the later of the two has from anywhere.
    for (size_t a = 0; a < prompts.size(); ++a) {
      for (size_t b = a + 1; b < prompts.size(); ++b) {
        const int64_t common = common_length(prompts[a], prompts[b]);
        if (common <= kLeastShared) continue;
        EXPECT_GE(std::max(shared[a].length, shared[b].length), common - 1);
      }
    }
  }
}

}  // namespace
}  // namespace gamut
