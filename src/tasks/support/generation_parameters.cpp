#include "tasks/support/generation_parameters.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tasks/support/request.h"

namespace gamut {
namespace {

/// Calls `visit(name, field)` for every option that has a JSON form.
template <typename Options, typename Visit>
void visit_options(Options& options, Visit visit) {
  visit("max_new_tokens", options.max_new_tokens);
  visit("min_new_tokens", options.min_new_tokens);
  visit("stop", options.stop);
  visit("stop_ids", options.stop_ids);
  visit("ignore_eos", options.ignore_eos);
  visit("add_special_tokens", options.add_special_tokens);
}

/// Sets fields from the members of a request's "parameters".
class Reader {
 public:
  explicit Reader(const Json& request) : request_(request) {}

  void operator()(const char* name, bool& field) const { field = bool_parameter(request_, name, field); }
  void operator()(const char* name, std::optional<int64_t>& field) const {
    if (find_parameter(request_, name) != nullptr) field = int_parameter(request_, name, 0, 0, INT64_MAX);
  }
  void operator()(const char* name, std::vector<std::string>& field) const {
    const Json* value = find_parameter(request_, name);
    if (value != nullptr) field = as_texts(*value, fmt::format("parameter {}", name));
  }
  void operator()(const char* name, std::vector<int64_t>& field) const {
    const Json* value = find_parameter(request_, name);
    if (value == nullptr) return;
    if (!value->is_array()) fail(ErrorCode::kInvalidArgument, "parameter {}: expected an array of ids", name);
    for (const Json& id : *value) {
      if (!id.is_number_integer() || id < 0 || id > INT64_MAX) {
        fail(ErrorCode::kInvalidArgument, "parameter {}: expected an array of ids, integers from 0 on", name);
      }
      field.push_back(id.get<int64_t>());
    }
  }

 private:
  const Json& request_;
};

}  // namespace

std::vector<std::string> generation_parameter_names() {
  std::vector<std::string> names;
  const GenerateOptions options;
  visit_options(options, [&](const char* name, const auto&) { names.emplace_back(name); });
  return names;
}

GenerateOptions read_generation_parameters(const Json& request) {
  GenerateOptions options;
  visit_options(options, Reader(request));
  return options;
}

Json write_generation_parameters(const GenerateOptions& options) {
  const GenerateOptions defaults;
  Json all = Json::object(), initial = Json::object();
  auto write_to = [](Json& to) {
    return [&to](const char* name, const auto& field) {
      if constexpr (requires { field.has_value(); }) {
        to[name] = field ? Json(*field) : Json(nullptr);
      } else {
        to[name] = field;
      }
    };
  };
  visit_options(options, write_to(all));
  visit_options(defaults, write_to(initial));
  Json changed = Json::object();
  for (const auto& [name, value] : all.items()) {
    if (value != initial[name]) changed[name] = value;
  }
  return changed;
}

}  // namespace gamut
