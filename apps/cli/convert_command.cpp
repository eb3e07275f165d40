// gamut convert: the weights of a model folder as safetensors.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "gamut/convert.h"

namespace gamut::cli {
namespace {

struct ConvertArguments {
  std::string model, out;
  int64_t shard_megabytes = 5000;
  bool force = false;
};

void run_convert(const ConvertArguments& arguments, bool json) {
  const Converted converted =
      convert(arguments.model, arguments.out,
              {.shard_bytes = static_cast<uint64_t>(arguments.shard_megabytes) * 1'000'000, .force = arguments.force});
  if (json) {
    const nlohmann::ordered_json summary = {{"files", converted.files},
                                            {"copied", converted.copied},
                                            {"tensors", converted.tensors},
                                            {"bytes", converted.bytes},
                                            {"warnings", converted.warnings}};
    std::printf("%s\n", summary.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
    return;
  }
  for (const std::string& file : converted.files) std::printf("%s\n", (arguments.out + "/" + file).c_str());
  std::printf("%llu tensors, %llu bytes; %zu other files copied\n", static_cast<unsigned long long>(converted.tensors),
              static_cast<unsigned long long>(converted.bytes), converted.copied.size());
  for (const std::string& warning : converted.warnings) std::printf("warning: %s\n", warning.c_str());
}

}  // namespace

void add_convert_command(CLI::App& app, CommonOptions& common) {
  Command command(app, "convert", "The weights as safetensors, in a new folder with everything else");
  auto arguments = std::make_shared<ConvertArguments>();
  command.positional("MODEL", arguments->model, "Folder of the checkpoint");
  command.required("--out", arguments->out, "Folder to make");
  command.option("--shard-megabytes", arguments->shard_megabytes, "Size of a file above which there are several",
                 {.min = 1, .max = 1'000'000'000});
  command.flag("--force", arguments->force, "Write into a folder that exists");
  add_json_option(command, common);
  command.run([arguments, &common] { run_convert(*arguments, common.json); });
}

}  // namespace gamut::cli
