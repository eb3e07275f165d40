// config.json: every number in it reaches the model code, which records its graph over the tensors of a parity case.
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "config/config.h"
#include "fuzz.h"
#include "models/architecture.h"

namespace gamut::fuzz {
namespace {

/// Checkpoints without values by transformers class, of the first parity case of each.
std::map<std::string, Checkpoint> load_checkpoints() {
  std::map<std::string, Checkpoint> checkpoints;
  const std::filesystem::path cases = GAMUT_SOURCE_FOLDER "/tests/parity/cases";
  for (const Architecture& architecture : architectures()) {
    for (const std::string& head : architecture.heads) {
      const Json json = parse_json_file(cases / architecture.model_type / (head + "_0.json"));
      NamedTensors tensors;
      for (const Json& tensor : json.at("tensors")) {
        tensors[tensor.at(0).get<std::string>()] = Tensor(DType::kF32, tensor.at(1).get<Dims>(), &cases, nullptr);
      }
      checkpoints.emplace(head, Checkpoint::from_tensors(tensors));
    }
  }
  return checkpoints;
}

void check(std::string_view text) {
  static const std::map<std::string, Checkpoint> checkpoints = load_checkpoints();
  const Config config = Config::parse(text);
  works([&] { config.id2label(); });
  works([&] { config.sub("text_config").i("hidden_size"); });
  const Architecture& architecture = find_architecture(config.model_type());
  const std::vector<std::string> saved = config.architectures();
  auto found = checkpoints.find(saved.empty() ? architecture.heads.front() : saved.front());
  if (found == checkpoints.end()) found = checkpoints.find(architecture.heads.front());
  const Recorded recorded = record_program(config, found->second);
  require(!recorded.program.graph("encode").outputs().empty(), "a program without outputs");
}

}  // namespace
}  // namespace gamut::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gamut::fuzz::works([&] { gamut::fuzz::check(gamut::fuzz::as_text(data, size)); });
  return 0;
}
