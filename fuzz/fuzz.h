// What the fuzzers share: an input either works or ends in one clear Error; anything else is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "gamut/error.h"
#include "text/utf8.h"

namespace gamut::fuzz {

/// Longer messages repeat what a stranger wrote instead of saying what is wrong with it.
constexpr size_t kLongestMessage = 2048;

/// Ends the fuzzer with a finding.
[[noreturn]] inline void finding(std::string_view what, std::string_view detail = {}) {
  std::fprintf(stderr, "finding: %.*s %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

inline void require(bool condition, std::string_view what) {
  if (!condition) finding(what);
}

/// Runs `action`. An Error is a right answer to a wrong input if people and programs can read it and it does not blame
/// gamut; every other exception leaves the fuzzer and is a finding.
template <typename Action>
bool works(Action action) {
  try {
    action();
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) finding("an internal error:", error.message());
    if (error.message().empty()) finding("an error without a message");
    if (error.message().size() > kLongestMessage) finding("a message without end:", error.message().substr(0, 1000));
    if (text::valid_utf8_prefix(error.message()) != error.message().size()) {
      finding("a message that is not UTF-8:", error.message());
    }
    return false;
  }
}

inline std::string_view as_text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace gamut::fuzz
