#include "graph/attributes.h"

#include <fmt/format.h>

namespace gamut {
namespace {

struct Printer {
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return fmt::format("{:.9g}", value); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const std::vector<int64_t>& value) const { return gamut::to_string(Dims(value)); }
  std::string operator()(const Extent& value) const { return value.to_string(); }
  std::string operator()(const Shape& value) const { return gamut::to_string(value); }
};

}  // namespace

std::string Attributes::to_string() const {
  if (values_.empty()) return "";
  std::string out = "{";
  for (const auto& [name, value] : values_) {
    if (out.size() > 1) out += ", ";
    out += name + "=" + std::visit(Printer{}, value);
  }
  return out + "}";
}

}  // namespace gamut
