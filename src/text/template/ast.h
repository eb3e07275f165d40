// A template as a tree. One kind of node for all: what the fields hold is said at each kind.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/template/value.h"

namespace gamut::jinja {

struct Node;
using NodePtr = std::unique_ptr<Node>;
using Nodes = std::vector<NodePtr>;

enum class NodeKind : uint8_t {
  // Expressions; the operands are in `items`.
  kConstant,         ///< value
  kData,             ///< value: text outside of tags
  kName,             ///< value: the variable's name
  kAttributeTarget,  ///< value: the namespace's name, second: the attribute; only assigned to
  kTuple,
  kList,
  kDict,         ///< keys and values in turn
  kConditional,  ///< test, then, else (may be null)
  kBinary,       ///< op
  kUnary,        ///< op: '-', '+' or '!' for not
  kAnd,
  kOr,
  kCompare,  ///< first operand, then one per entry of ops
  kConcat,
  kAttribute,  ///< object; value: the attribute's name
  kItem,       ///< object, index
  kSlice,      ///< object, start, stop, step (each may be null)
  kCall,       ///< callee; arguments
  kFilter,     ///< operand (null in a filter block); value: the name; arguments
  kTest,       ///< operand; value: the name; arguments
  // Statements; what they contain is in `body`.
  kOutput,       ///< items
  kFor,          ///< target, iterable, test (may be null); orelse; flag: recursive
  kIf,           ///< test; orelse
  kMacro,        ///< value: the name; parameters
  kCallBlock,    ///< call; parameters
  kGeneration,   ///< what the assistant says
  kFilterBlock,  ///< filter
  kWith,         ///< targets and values in turn
  kAssign,       ///< target, value
  kAssignBlock,  ///< target, filter (may be null)
  kBlock,        ///< value: the name; flag: required
  kLoader,       ///< include, import and extends: template; flag: a missing one is ignored
  kAutoescape,   ///< option
  kBreak,
  kContinue,
};

/// The operators of kBinary (as they are written) and kCompare.
enum class Operator : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kNegate,
  kPlus,
  kNot,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn
};

struct KeywordArgument {
  std::string name;
  NodePtr value;
};

struct CallArguments {
  Nodes positional;
  std::vector<KeywordArgument> named;
  NodePtr more_positional, more_named;  ///< behind * and **, or null
};

/// Of a macro or a call block.
struct Parameters {
  std::vector<Value> names;
  Nodes defaults;  ///< of the last ones
  bool uses_caller = false, uses_varargs = false, uses_kwargs = false;
};

struct Node {
  Node(NodeKind of_kind, int at_line) : kind(of_kind), line(at_line) {}
  NodeKind kind;
  Operator op = Operator::kAdd;
  bool flag = false;
  int line;
  Value value, second;
  Nodes items, body, orelse;
  std::vector<Operator> ops;
  std::unique_ptr<CallArguments> arguments;
  std::unique_ptr<Parameters> parameters;
};

/// A parsed template, with the constants that its nodes hold.
struct Template {
  ConstantPool constants;
  Nodes body;
};

/// Parses template text (valid UTF-8). Raises TemplateSyntaxError with Jinja's message and the line; throws
/// Error{kResourceLimit} for more nesting than 256 levels.
std::unique_ptr<Template> parse_template(std::string_view source);

}  // namespace gamut::jinja
