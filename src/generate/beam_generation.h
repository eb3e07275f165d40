// Generation with beams: one prompt after the other, the beams of one together.
#pragma once

#include <vector>

#include "generate/generator.h"

namespace gamut {

/// As generate_tokens, for requests with several beams. Groups (num_beam_groups) search one after the other at each
/// place, and pay diversity_penalty for each token that an earlier group has just chosen (Vijayakumar et al.: Diverse
/// beam search; 2016); the best of all groups are the results.
std::vector<Generated> generate_beams(const Session& session, State& state, const GenerationRequest& request);

}  // namespace gamut
