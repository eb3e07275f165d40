// Plain loops for the operators that go on from a state: the oracle of every faster form.
#pragma once

#include <span>

#include "backend/host_ops.h"
#include "backend/state.h"

namespace gamut::reference {

/// Runs `node`, which has the attribute "state", for the rows of its rows table; their states are those of a
/// PagedState. Throws Error{kInternal} for an operator that it does not know.
void run_stateful_op(const Node& node, std::span<const HostTensor> inputs, const HostTensor& output,
                     const StateRun& states);

}  // namespace gamut::reference
