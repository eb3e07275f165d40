// Filters of the tokens that may be drawn: top-k, top-p and the like, each without sorting the vocabulary.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gamut {

/// Tokens that may be drawn, by id, with their logits. Both vectors have the same length.
struct Candidates {
  std::vector<int32_t> ids;
  std::vector<float> logits;
  std::vector<float> probabilities;  ///< what find_probabilities made last

  size_t size() const { return ids.size(); }
};

/// The tokens of a line f32 [V] that are not ruled out (minus infinity).
void take_candidates(std::span<const float> line, Candidates* candidates);
/// The softmax of the logits. The sum of all; zero when there are none.
double find_probabilities(Candidates* candidates);

// Each filter keeps candidates as the warper of that name in transformers does, `least` of them at least.

/// All logits are divided by `temperature`.
void scale_by_temperature(Candidates* candidates, double temperature);
/// The `k` largest, and all that equal the smallest of these.
void keep_top_k(Candidates* candidates, size_t k);
/// From the likeliest on as long as the sum of the less likely ones exceeds 1 - p.
void keep_top_p(Candidates* candidates, double p, size_t least);
/// Of the 100 likeliest as many as have h of their entropy.
void keep_top_h(Candidates* candidates, double h);
/// Those with p × (probability of the likeliest) or more.
void keep_min_p(Candidates* candidates, double p, size_t least);
/// Those whose information is nearest to the entropy, until they have `mass` together.
void keep_typical(Candidates* candidates, double mass, size_t least);
/// Those with a probability of `epsilon` or more.
void keep_above(Candidates* candidates, double epsilon, size_t least);
/// Those with min(eta, sqrt(eta) exp(-entropy)) or more.
void keep_eta(Candidates* candidates, double eta, size_t least);

/// The largest number; minus infinity of none.
float largest_of(std::span<const float> values);
/// The sum in double.
double sum_of(std::span<const float> values);
/// The places of the `count` largest numbers, largest first, of equal ones the first; all when there are fewer.
std::vector<size_t> largest_places(std::span<const float> values, size_t count);

}  // namespace gamut
