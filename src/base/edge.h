// The library's edge: whatever is thrown inside leaves it as an Error.
#pragma once

#include <utility>

namespace gamut {

/// Throws the Error for the exception that is being handled: memory that ran out is Error{kResourceLimit}, a refusal of
/// the operating system Error{kIo}, anything else Error{kInternal}. To be called in a catch block.
[[noreturn]] void rethrow_as_error();

/// Runs `body`, from which only Errors come out.
template <typename Body>
decltype(auto) at_edge(Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    rethrow_as_error();
  }
}

}  // namespace gamut
