#include "text/template/names.h"

#include <functional>

#include "text/template/exception.h"
#include "text/template/objects.h"
#include "text/template/repr.h"

namespace gamut::jinja {
namespace {

using Visit = std::function<void(const Node&)>;

void each_child(const Node& node, const Visit& visit) {
  auto all = [&](const Nodes& nodes) {
    for (const NodePtr& child : nodes) {
      if (child) visit(*child);
    }
  };
  all(node.items);
  if (node.parameters) all(node.parameters->defaults);
  if (node.arguments) {
    all(node.arguments->positional);
    for (const KeywordArgument& argument : node.arguments->named) visit(*argument.value);
    if (node.arguments->more_positional) visit(*node.arguments->more_positional);
    if (node.arguments->more_named) visit(*node.arguments->more_named);
  }
  all(node.body);
  all(node.orelse);
}

void find_in(const Node& node, Parameters& found) {
  if (node.kind == NodeKind::kBlock) return;
  if (node.kind == NodeKind::kName) {
    const std::string& name = text_of(node.value);
    found.uses_caller = found.uses_caller || name == "caller";
    found.uses_varargs = found.uses_varargs || name == "varargs";
    found.uses_kwargs = found.uses_kwargs || name == "kwargs";
  }
  each_child(node, [&](const Node& child) { find_in(child, found); });
}

void check(const Node& node, bool is_conditional) {
  const bool is_filter = node.kind == NodeKind::kFilter;
  if (!is_conditional && (is_filter || node.kind == NodeKind::kTest)) {
    const std::string& name = text_of(node.value);
    if (!(is_filter ? filter_exists(name) : test_exists(name))) {
      throw Exception{ExceptionType::kTemplateAssertionError,
                      fmt::format("No {} named {}.", is_filter ? "filter" : "test", quoted(name)), node.line};
    }
  }
  const bool inner = is_conditional || node.kind == NodeKind::kIf || node.kind == NodeKind::kConditional;
  const bool fresh = node.kind == NodeKind::kFor || node.kind == NodeKind::kMacro ||
                     node.kind == NodeKind::kCallBlock || node.kind == NodeKind::kWith ||
                     node.kind == NodeKind::kFilterBlock || node.kind == NodeKind::kAssignBlock ||
                     node.kind == NodeKind::kBlock || node.kind == NodeKind::kGeneration;
  each_child(node, [&](const Node& child) { check(child, inner && !fresh); });
}

}  // namespace

void find_special_names(Node& macro) {
  for (const NodePtr& child : macro.body) find_in(*child, *macro.parameters);
}

void check_names(const Nodes& body) {
  for (const NodePtr& node : body) check(*node, false);
}

}  // namespace gamut::jinja
