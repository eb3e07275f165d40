// The kind of a node, which its attribute "kind" holds by name.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "graph/graph.h"

namespace gamut {

/// The Kind whose place in `names` is that of the node's "kind". Throws Error{kInternal} that names the operator, `op`.
template <typename Kind, size_t kCount>
Kind kind_of(std::string_view op, const Node& node, const std::string_view (&names)[kCount]) {
  const std::string name = node.attributes.s("kind");
  for (size_t kind = 0; kind < kCount; ++kind) {
    if (name == names[kind]) return static_cast<Kind>(kind);
  }
  fail(ErrorCode::kInternal, "{}: unknown kind \"{}\"", op, name);
}

}  // namespace gamut
