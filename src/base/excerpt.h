// The beginning of a text that a stranger wrote, for a message.
#pragma once

#include <string>
#include <string_view>

namespace gamut {

/// The first `most` bytes of `text`: whole characters, and "…" when more follow.
std::string excerpt(std::string_view text, size_t most = 100);

}  // namespace gamut
