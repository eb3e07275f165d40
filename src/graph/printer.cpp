#include "graph/printer.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "graph/op_schema.h"

namespace gamut {
namespace {

uint64_t hash(std::string_view bytes) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (unsigned char c : bytes) hash = (hash ^ c) * 1099511628211u;
  return hash;
}

std::string type_text(const ValueInfo& info) {
  std::string name(dtype_name(info.dtype));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name + to_string(info.shape);
}

std::string node_text(const Graph& graph, const Node& node) {
  std::string out;
  for (int output : node.outputs) out += fmt::format("{}%{}", out.empty() ? "" : ", ", output);
  out += fmt::format(" = {}", node.op->name);
  if (node.op == &kInput || node.op == &kWeight) {
    out += fmt::format(" \"{}\"", node.attributes.s("name"));
  } else if (node.op == &kConstant) {
    out += "()";
    if (node.constant.count() == 1 && node.constant.dtype() == DType::kF32) {
      out = fmt::format("{} {:.9g}", out, node.constant.f32()[0]);
    } else if (node.constant.count() == 1 && node.constant.dtype() == DType::kI64) {
      out = fmt::format("{} {}", out, node.constant.i64()[0]);
    } else {
      const std::string_view bytes(static_cast<const char*>(node.constant.data()), node.constant.bytes());
      out = fmt::format("{} #{:016x}", out, hash(bytes));
    }
  } else {
    out += "(";
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      out += i > 0 ? ", " : "";
      out += node.inputs[i] < 0 ? "none" : fmt::format("%{}", node.inputs[i]);
    }
    out += ")";
    if (std::string attributes = node.attributes.to_string(); !attributes.empty()) out += " " + attributes;
  }
  out += " :";
  for (int output : node.outputs) out += " " + type_text(graph.info(output));
  if (!node.label.empty()) out += "  # " + node.label;
  return out;
}

}  // namespace

std::string print(const Graph& graph) {
  std::string out = fmt::format("graph {} {{\n", graph.name());
  for (const Node& node : graph.nodes()) out += "  " + node_text(graph, node) + "\n";
  for (const Assumption& a : graph.assumptions()) {
    out += fmt::format("  assume {} == {}  # {}\n", a.a.to_string(), a.b.to_string(), a.reason);
  }
  for (const auto& [name, value] : graph.outputs()) out += fmt::format("  output \"{}\" = %{}\n", name, value);
  return out + "}\n";
}

std::string digest(const Graph& graph) { return fmt::format("{:016x}", hash(print(graph))); }

}  // namespace gamut
