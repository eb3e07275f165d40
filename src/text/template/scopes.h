// Which variable each name means, decided once before a template runs, by Jinja's rules.
//
// A loop, a `with`, a filter block and a block that sets a variable begin a scope: what they set is gone behind them.
// `if` does not. Root, macro, call block, block, recursive loop and the test of a loop are functions: their variables
// live in an activation of their own, and a macro keeps the activation in which it was made. A name that a scope sets
// begins with the value that it has outside; one that nobody sets is looked up in the request.
#pragma once

#include "text/template/ast.h"

namespace gamut::jinja {

/// Fills in slots and scopes, and finds the functions of filters and tests. Raises TemplateAssertionError for a filter
/// or test that does not exist (unless a condition may keep it from being used), a block defined twice, a loop that
/// sets `loop`, and the like.
void resolve_scopes(Template& source);

}  // namespace gamut::jinja
