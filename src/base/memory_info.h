// How much memory this process may still use.
#pragma once

#include <cstdint>

namespace gamut {

/// Bytes that can be had now: what the machine has available, or what the control group leaves, if that is less. 0 when
/// unknown.
int64_t available_memory();

}  // namespace gamut
