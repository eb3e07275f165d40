// The reference backend: every operator decomposed into core operators, run by plain loops. The oracle of the others.
#pragma once

#include "backend/backend.h"

namespace gamut::reference {

const Backend& backend();

/// Evaluates an expression over weights (see passes/fold.h); handed to the other backends for folding.
Tensor evaluate_expression(const Graph& expression, const Checkpoint& checkpoint);

}  // namespace gamut::reference
