// gamut forward: raw tensors in and out.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "gamut/model.h"

namespace gamut::cli {
namespace {

struct ForwardArguments {
  std::string model, inputs, outputs, scalars;
  LoadOptions load;
};

/// Arguments that are no tensors. The encoders of this build take none: their switches choose outputs, which are all
/// given.
void check_scalars(const std::string& text) {
  if (text.empty()) return;
  const nlohmann::json scalars = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!scalars.is_object()) throw Error(ErrorCode::kInvalidArgument, "--scalars: expected a JSON object");
  for (const auto& [name, value] : scalars.items()) {
    if (name == "return_dict") continue;
    throw Error(ErrorCode::kUnsupported, "--scalars: \"" + name + "\" is not an argument that this model takes");
  }
}

void forward(const ForwardArguments& arguments, bool json) {
  check_scalars(arguments.scalars);
  const NamedTensors inputs = read_tensors(arguments.inputs);
  const Model model = Model::open(arguments.model, arguments.load);
  const NamedTensors outputs = model.forward(inputs);
  write_tensors(arguments.outputs, outputs);
  nlohmann::ordered_json summary = {{"head", model.head()}, {"outputs", nlohmann::ordered_json::object()}};
  for (const auto& [name, tensor] : outputs) {
    summary["outputs"][name] = {{"dtype", dtype_name(tensor.dtype())}, {"shape", tensor.dims()}};
    if (!json)
      std::printf("%s %s%s\n", name.c_str(), std::string(dtype_name(tensor.dtype())).c_str(),
                  to_string(tensor.dims()).c_str());
  }
  if (json) std::printf("%s\n", summary.dump().c_str());
}

}  // namespace

void add_forward_command(CLI::App& app, CommonOptions& common) {
  CLI::App* command =
      app.add_subcommand("forward", "Raw tensors in and out, named as the transformers class names them");
  auto arguments = std::make_shared<ForwardArguments>();
  command->add_option("MODEL", arguments->model, "Folder of the checkpoint")->required();
  command->add_option("--inputs", arguments->inputs, "safetensors file of the inputs")->required();
  command->add_option("--outputs", arguments->outputs, "safetensors file to write")->required();
  command->add_option("--scalars", arguments->scalars, "JSON object of arguments that are no tensors");
  add_load_options(*command, arguments->load);
  add_json_option(*command, common);
  command->callback([arguments, &common] { forward(*arguments, common.json); });
}

}  // namespace gamut::cli
