// A template as a tree. One kind of node for all: what the fields hold is said at each kind.
#pragma once

#include <functional>
#include <map>
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
  kMacro,        ///< value: the name; parameters; flag: as for kAssign
  kCallBlock,    ///< call; parameters
  kGeneration,   ///< what the assistant says
  kFilterBlock,  ///< filter
  kWith,         ///< targets and values in turn
  kAssign,       ///< target, value; flag: at the top level, where all of the template sees it
  kAssignBlock,  ///< target, filter (may be null); flag: as above
  kBlock,        ///< value: the name; flag: scoped; second: the name again where it is required
  kInclude,      ///< template
  kImport,       ///< template; body: the names that it sets
  kExtends,      ///< template
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

/// Where a variable is: so many activations outwards, at an index. See scopes.h.
struct Slot {
  int hops = 0, index = -1;
};

/// What a name is when a scope begins.
struct Load {
  enum class Kind : uint8_t { kMissing, kResolve, kAlias };
  Kind kind = Kind::kMissing;
  int index = -1;  ///< of the variable
  Slot from;       ///< kAlias: the variable of an outer scope whose value it begins with
  Value name;      ///< kResolve: looked up among the variables of the request
};

/// The variables of a part of the template.
struct Scope {
  std::vector<Load> loads;    ///< when it begins
  std::vector<int> ends;      ///< those that are gone when it ends
  std::vector<Load> locals;   ///< of a scoped block: the variables around it
  int activation = 0;         ///< of how many variables, where it has one of its own; else 0
  int self = -1, super = -1;  ///< the indexes of the variables of these names, where they are used
};

/// Of a macro, a call block or a generation block.
struct Parameters {
  std::vector<Value> names;
  Nodes defaults;  ///< of the last ones
  std::vector<int> slots;
  int caller = -1, kwargs = -1, varargs = -1;            ///< indexes of these variables where the body uses them
  bool uses_caller = false, is_explicit_caller = false;  ///< the body and the signature have `caller`
};

/// Of a loop: what scopes it has beside that of its body.
struct LoopScopes {
  Scope test, orelse;
  int loop = -1;  ///< the index of the variable `loop`, where it is used
};

using FilterFunction = Value (*)(struct FilterCall&);
using TestFunction = bool (*)(struct TestCall&);

struct Node {
  Node(NodeKind of_kind, int at_line) : kind(of_kind), line(at_line) {}
  NodeKind kind;
  Operator op = Operator::kAdd;
  bool flag = false;
  int line;
  Slot slot;  ///< of kName, kAttributeTarget and kMacro
  Value value, second;
  Nodes items, body, orelse;
  std::vector<Operator> ops;
  std::unique_ptr<CallArguments> arguments;
  std::unique_ptr<Parameters> parameters;
  std::unique_ptr<Scope> scope;
  std::unique_ptr<LoopScopes> loop;
  FilterFunction filter = nullptr;  ///< of kFilter; null: there is none of that name
  TestFunction test = nullptr;
};

/// A parsed template, with the constants that its nodes hold.
struct Template {
  ConstantPool constants;
  Nodes body;
  Scope scope;
  std::map<std::string, const Node*, std::less<>> blocks;
};

/// Parses template text (valid UTF-8). Raises TemplateSyntaxError with Jinja's message and the line; throws
/// Error{kResourceLimit} for more nesting than 256 levels.
std::unique_ptr<Template> parse_template(std::string_view source);

}  // namespace gamut::jinja
