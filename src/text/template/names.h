// What can be said of the names in a template before it runs: filters and tests exist, macros that use caller.
#pragma once

#include "text/template/ast.h"

namespace gamut::jinja {

bool filter_exists(std::string_view name);
bool test_exists(std::string_view name);

/// Finds out whether the body of a macro uses caller, varargs and kwargs.
void find_special_names(Node& macro);

/// Raises TemplateAssertionError for a filter or test that does not exist (inside of conditions, using it does) and for
/// an assignment to `loop` inside a loop.
void check_names(const Nodes& body);

}  // namespace gamut::jinja
