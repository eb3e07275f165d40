#include "parity/case.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "checkpoint/seeded_weights.h"

namespace gamut::parity {
namespace {

std::string decode_base64(const std::string& text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    int value;
    if (c >= 'A' && c <= 'Z') value = c - 'A';
    else if (c >= 'a' && c <= 'z') value = c - 'a' + 26;
    else if (c >= '0' && c <= '9') value = c - '0' + 52;
    else if (c == '+') value = 62;
    else if (c == '/') value = 63;
    else continue;  // padding
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xff);
    }
  }
  return out;
}

Tensor parse_tensor(const Json& entry) {
  const Dims dims = entry.at("shape").get<Dims>();
  if (entry.at("dtype") == "I64") {
    const auto values = entry.at("data").get<std::vector<int64_t>>();
    return Tensor::from(dims, std::span<const int64_t>(values));
  }
  Tensor tensor = Tensor::allocate(DType::kF32, dims);
  const std::string bytes = decode_base64(entry.at("data").get<std::string>());
  if (bytes.size() != tensor.bytes()) fail(ErrorCode::kInvalidFile, "parity case: data of the wrong size");
  std::memcpy(tensor.mutable_data(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace

Case load_case(const std::filesystem::path& path) {
  const Json json = parse_json_file(path);
  const uint64_t seed = json.at("seed").get<uint64_t>();
  NamedTensors weights;
  for (const Json& tensor : json.at("tensors")) {
    const std::string name = tensor.at(0).get<std::string>();
    weights[name] =
        seeded_tensor(name, tensor.at(1).get<Dims>(), seed, tensor.at(2).get<double>(), tensor.at(3).get<double>());
  }
  Case result{.name = path.parent_path().filename().string() + "/" + path.stem().string(),
              .model_type = json.at("model_type"),
              .head = json.at("head"),
              .config = Config::from_json(json.at("config"), path.filename().string()),
              .checkpoint = std::make_shared<Checkpoint>(Checkpoint::from_tensors(std::move(weights)))};
  for (const auto& [name, entry] : json.at("inputs").items()) result.inputs[name] = parse_tensor(entry);
  for (const auto& [name, entry] : json.at("outputs").items()) result.outputs[name] = parse_tensor(entry);
  for (const auto& [name, error] : json.at("bf16_errors").items()) result.bf16_errors[name] = error;
  for (const auto& [name, error] : json.at("bf16_rms").items()) result.bf16_rms[name] = error;
  for (const Json& row : json.value("generation", Json::array())) {
    result.generation.push_back({row.at("tokens").get<std::vector<int64_t>>(), parse_tensor(row.at("logits"))});
  }
  return result;
}

std::vector<std::filesystem::path> find_cases(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

}  // namespace gamut::parity
