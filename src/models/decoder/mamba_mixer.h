// The mixers of Mamba and Mamba 2: a short convolution over tokens, then a recurrence whose rates the token decides.
#pragma once

#include "models/decoder/decoder_spec.h"
#include "ops/activation.h"

namespace gamut::decoder {

/// The sizes of a Mamba block, and what its kin do with what the token decides.
struct MambaShape {
  int64_t hidden = 0, inner = 0, numbers = 0, taps = 0;
  ActivationKind activation = ActivationKind::kSilu;  // of the convolution
  double norm_eps = -1;                               // of the norms of steps, b and c; below 0: there are none
};

/// x [B,S,D] -> [B,S,D] by the mixer `s` of block `index`. The norms of steps, b and c have weights where the
/// checkpoint has them.
Value mamba(const DecoderContext& c, const Scope& s, const MambaShape& shape, int64_t index, Value x);

struct Mamba2Shape {
  int64_t hidden = 0, inner = 0, heads = 0, groups = 0, numbers = 0, taps = 0;
  ActivationKind activation = ActivationKind::kSilu;
  double norm_eps = 0;
  double least_step = 0, most_step = 0;
};

/// The same of a Mamba 2 block.
Value mamba2(const DecoderContext& c, const Scope& s, const Mamba2Shape& shape, int64_t index, Value x);

}  // namespace gamut::decoder
