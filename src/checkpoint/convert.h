// Exact conversion of every real dtype of a checkpoint to f32.
#pragma once

#include "gamut/tensor.h"

namespace gamut {

/// `t` with its values as f32, rounded to nearest even where f32 is narrower (F64, I32, U32, I64, U64); F32 is returned
/// as it is, without a copy. BOOL becomes 0 and 1. F8_E4M3 is the variant without infinities, FNUZ variants have the
/// one NaN 0x80, F8_E8M0 is 2^(x-127) with NaN at 255 (OCP Microscaling Formats 1.0). Elements narrower than a byte are
/// packed from the lowest bit up. Throws Error{kUnsupported} for C64.
Tensor to_f32(const Tensor& t);

}  // namespace gamut
