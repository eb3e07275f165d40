#include "tasks/support/model_folder.h"

#include "base/error.h"

namespace gamut {

Config ModelFolder::open_config(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    fail_with_hint(ErrorCode::kNotFound, fmt::format("{}: no such model folder", path.string()),
                   "Expected a folder with config.json and model.safetensors; names on the Hub are not supported yet.");
  }
  return Config::open(path);
}

ModelFolder ModelFolder::open(const std::filesystem::path& path) {
  Config config = open_config(path);
  find_architecture(config.model_type());  // says what is supported before any weight is looked for
  return {path, std::move(config), std::make_shared<const Checkpoint>(Checkpoint::open(path))};
}

int64_t ModelFolder::context() const {
  const Config text = config.has("text_config") ? config.sub("text_config") : config;
  return text.has("max_position_embeddings") ? text.i("max_position_embeddings") : 0;
}

Recorded ModelFolder::record(const LoadOptions& options) const {
  return record_program(config, *checkpoint, {.head = options.head, .strict = options.strict});
}

Session ModelFolder::compile(Program program, const LoadOptions& options) const {
  const CompileOptions compile{.model = fmt::format("{} ({})", path.string(), program.head),
                               .precision = parse_precision(options.precision),
                               .threads = options.threads,
                               .instruction_set = options.instruction_set,
                               .device = options.device,
                               .cache_folder = options.cache_folder};
  return Session(std::move(program), checkpoint, find_backend(options.backend), compile);
}

}  // namespace gamut
