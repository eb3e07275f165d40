// Throwing gamut::Error with a formatted message.
#pragma once

#include <fmt/core.h>

#include <string>

#include "gamut/error.h"

namespace gamut {

/// A message of at most about 2,000 bytes: what a file says may be quoted in it, however long. The middle of a longer
/// one goes, whole characters of it.
std::string shortened(std::string message);

/// Throws Error{code, message}. `message` is formatted as by fmt, and shortened.
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> message, Args&&... args) {
  throw Error(code, shortened(fmt::format(message, std::forward<Args>(args)...)));
}

/// Throws Error{code, message, hint}; hint tells the user what to do next.
[[noreturn]] void fail_with_hint(ErrorCode code, std::string message, std::string hint);

/// A defect of gamut itself: throws Error{kInternal} when `condition` is false.
inline void check_internal(bool condition, const char* what) {
  if (!condition) throw Error(ErrorCode::kInternal, what, "This is a defect in gamut; please report it.");
}

}  // namespace gamut
