// Configs and weights that lie: each ends in one clear Error or works, soon, and nothing crashes.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "backend/backend.h"
#include "base/error.h"
#include "base/json.h"
#include "models/architecture.h"
#include "parity/case.h"
#include "runtime/session.h"

namespace gamut::faults {
namespace {

using Clock = std::chrono::steady_clock;

parity::Case first_case(const Architecture& architecture, const std::string& head) {
  return parity::load_case(std::filesystem::path(GAMUT_PARITY_FOLDER) / "cases" / architecture.model_type /
                           (head + "_0.json"));
}

/// Files are at fault when they cannot be recorded, never an argument.
Recorded record(const Config& config, const Checkpoint& checkpoint, const std::string& head) {
  try {
    return record_program(config, checkpoint, {.head = head});
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::kInvalidArgument) << error.message();
    throw;
  }
}

/// Records, compiles and runs; the Error's message, or "" when all works. An Error that blames gamut fails the test.
std::string outcome(const Config& config, const std::shared_ptr<const Checkpoint>& checkpoint,
                    const NamedTensors& inputs, const std::string& head) {
  const auto start = Clock::now();
  std::string message;
  try {
    Recorded recorded = record(config, *checkpoint, head);
    const Session session(std::move(recorded.program), checkpoint, find_backend("cpu"), {.threads = 1});
    session.forward(inputs);
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::kInternal) << error.message();
    EXPECT_LT(error.message().size(), 2048u);
    message = error.message();
    EXPECT_NE(message, "");
  }
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(1)) << message;
  return message;
}

const std::vector<Json>& hostile_values() {
  static const std::vector<Json> values{0,
                                        -1,
                                        1,
                                        3,
                                        2147483647,
                                        2147483648,
                                        -2147483649,
                                        INT64_MAX,
                                        INT64_MIN,
                                        UINT64_MAX,
                                        9223372036854775808u,
                                        0.5,
                                        -0.0,
                                        1e308,
                                        -1e308,
                                        1e-320,
                                        true,
                                        false,
                                        nullptr,
                                        "",
                                        "768",
                                        std::string(1 << 20, 'x'),
                                        "\xC3\xA9",
                                        Json::array(),
                                        Json::object(),
                                        Json::array({1, -1}),
                                        Json{{"0", "a"}, {"x", 1}}};
  return values;
}

/// The fields of a config and others that the model code may read.
std::set<std::string> fields_of(const parity::Case& one) {
  std::set<std::string> fields{"num_labels",
                               "id2label",
                               "label2id",
                               "pad_token_id",
                               "tie_word_embeddings",
                               "is_decoder",
                               "add_cross_attention",
                               "position_embedding_type",
                               "layer_norm_eps",
                               "embedding_size",
                               "relative_attention_num_buckets",
                               "type_vocab_size",
                               "head_dim",
                               "hidden_dropout_prob"};
  for (const auto& [name, value] : one.config.json().items()) fields.insert(name);
  return fields;
}

class Hostile : public testing::TestWithParam<std::string> {
 protected:
  const Architecture& architecture() const { return find_architecture(GetParam()); }

  /// The tensors of a case, less those of parts that the architecture leaves out.
  std::vector<TensorEntry> tensors_read(const parity::Case& one) const {
    std::vector<TensorEntry> entries = one.checkpoint->entries();
    std::erase_if(entries, [&](const TensorEntry& entry) {
      return std::ranges::any_of(architecture().names.ignored_prefixes,
                                 [&](const std::string& prefix) { return entry.name.starts_with(prefix); });
    });
    return entries;
  }
};

/// AddressSanitizer makes a try ten times as long: one of so many is then made, others for other model types.
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kTurns = 4;
#else
constexpr size_t kTurns = 1;
#endif

/// What only heads read is tried with each of them; all else with the base model, and with one head in turn.
bool is_tried(const std::string& field, size_t value, size_t head, size_t heads) {
  static const std::set<std::string> of_heads{"tie_word_embeddings", "num_labels",   "id2label", "label2id",
                                              "vocab_size",          "architectures"};
  return head == 0 || of_heads.contains(field) || value % (heads - 1) == head - 1;
}

/// The case with another config.
void try_config(const parity::Case& one, const Json& json) {
  try {
    outcome(Config::from_json(json), one.checkpoint, one.inputs, one.head);
  } catch (const Error& error) {
    ADD_FAILURE() << error.message();
  }
}

/// The case with `field`, a JSON pointer without its first slash, at `value`.
void try_field(const parity::Case& one, const std::string& field, const Json& value) {
  Json json = one.config.json();
  json[Json::json_pointer("/" + field)] = value;
  SCOPED_TRACE(one.head + " " + field + " " + (value.is_string() ? "a string" : value.dump()));
  try_config(one, json);
}

TEST_P(Hostile, EveryFieldOfTheConfig) {
  const std::vector<std::string>& heads = architecture().heads;
  const bool all = std::getenv("GAMUT_EVERY_FAULT") != nullptr;
  size_t turn = std::hash<std::string>()(GetParam());
  for (size_t head = 0; head < heads.size(); ++head) {
    const parity::Case one = first_case(architecture(), heads[head]);
    ASSERT_EQ(outcome(one.config, one.checkpoint, one.inputs, heads[head]), "");
    for (const std::string& field : fields_of(one)) {
      for (size_t value = 0; value < hostile_values().size(); ++value) {
        if (!all && (!is_tried(field, value, head, heads.size()) || ++turn % kTurns != 0)) continue;
        try_field(one, field, hostile_values()[value]);
      }
    }
  }
}

/// The entries of objects and lists in a config, as JSON pointers without the first slash; the labels' are left out.
std::vector<std::string> inner_fields_of(const Json& config) {
  std::vector<std::string> fields;
  for (const auto& [name, value] : config.items()) {
    if (!value.is_structured() || name.ends_with("2label") || name == "label2id") continue;
    for (const auto& [inner, unused] : value.items()) fields.push_back(name + "/" + inner);
  }
  return fields;
}

/// `config` less an entry of an object or a list in it.
Json without(Json config, const std::string& field) {
  const size_t slash = field.find('/');
  Json& outer = config[field.substr(0, slash)];
  const std::string inner = field.substr(slash + 1);
  outer.is_array() ? outer.erase(std::stoul(inner)) : static_cast<void>(outer.erase(inner));
  return config;
}

std::vector<std::filesystem::path> cases_of(const std::string& model_type) {
  const auto folder = std::filesystem::path(GAMUT_PARITY_FOLDER) / "cases" / model_type;
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) files.push_back(file.path());
  std::ranges::sort(files);
  return files;
}

TEST_P(Hostile, EveryFieldWithinTheConfig) {
  const bool all = std::getenv("GAMUT_EVERY_FAULT") != nullptr;
  size_t turn = std::hash<std::string>()(GetParam());
  std::set<std::string> tried;
  for (const std::filesystem::path& file : cases_of(GetParam())) {
    const parity::Case one = parity::load_case(file);
    const Json& config = one.config.json();
    for (const std::string& field : inner_fields_of(config)) {
      const Json& outer = config.at(field.substr(0, field.find('/')));
      const std::string kind = outer.is_object() && outer.contains("rope_type") ? outer["rope_type"].dump() : "";
      if (!tried.insert(field + kind).second) continue;
      for (const Json& value : hostile_values()) {
        if (all || ++turn % kTurns == 0) try_field(one, field, value);
      }
      SCOPED_TRACE(one.head + " without " + field);
      try_config(one, without(config, field));
    }
  }
}

/// The tensors of a case, to be changed.
NamedTensors tensors_of(const parity::Case& one) {
  NamedTensors tensors;
  for (const TensorEntry& entry : one.checkpoint->entries()) tensors[entry.name] = one.checkpoint->tensor(entry);
  return tensors;
}

std::string outcome_with(const parity::Case& one, const NamedTensors& tensors) {
  return outcome(one.config, std::make_shared<const Checkpoint>(Checkpoint::from_tensors(tensors)), one.inputs,
                 one.head);
}

Tensor zeros(DType dtype, const Dims& dims) {
  Tensor tensor = Tensor::allocate(dtype, dims);
  if (tensor.bytes() > 0) std::memset(tensor.mutable_data(), 0, tensor.bytes());
  return tensor;
}

TEST_P(Hostile, MissingAndExtraTensors) {
  for (const std::string& head : architecture().heads) {
    const parity::Case one = first_case(architecture(), head);
    for (const TensorEntry& entry : tensors_read(one)) {
      SCOPED_TRACE(head + " " + entry.name);
      NamedTensors without = tensors_of(one);
      without.erase(entry.name);
      const std::string message = outcome_with(one, without);
      // Biases and a tied decoder are optional; what is refused is named, if need be by the old name it might have.
      EXPECT_TRUE(message.empty() || message.find(" is missing") != std::string::npos ||
                  message.find("does not fit the embeddings") != std::string::npos)
          << message;
      if (entry.name.ends_with("weight") && entry.name.find("decoder") == std::string::npos &&
          entry.name.find("pooler") == std::string::npos && entry.name.find("Norm") == std::string::npos &&
          entry.name.find("norm") == std::string::npos && entry.name.find("embeddings_project") == std::string::npos &&
          entry.name.find("generator_lm_head") == std::string::npos &&
          entry.name.find("vocab_projector") == std::string::npos) {
        EXPECT_NE(message, "");
      }
      NamedTensors extra = tensors_of(one);
      extra[entry.name + ".more"] = zeros(DType::kF32, {1});
      const std::string surplus = outcome_with(one, extra);
      EXPECT_EQ(surplus.empty(), !is_in_numbered_layer(entry.name)) << surplus;
    }
  }
}

TEST_P(Hostile, WrongShapes) {
  const parity::Case one = first_case(architecture(), architecture().heads.front());
  for (const TensorEntry& entry : tensors_read(one)) {
    for (size_t axis = 0; axis <= entry.dims.size(); ++axis) {
      for (const int64_t extent : {0, 1, 2, 7, 8, 9}) {
        Dims dims = entry.dims;
        if (axis == dims.size()) dims.push_back(1);
        dims[axis] = extent;
        SCOPED_TRACE(entry.name + " " + to_string(dims));
        NamedTensors tensors = tensors_of(one);
        tensors[entry.name] = zeros(DType::kF32, dims);
        outcome_with(one, tensors);
      }
    }
    NamedTensors scalar = tensors_of(one);
    scalar[entry.name] = zeros(DType::kF32, {});
    EXPECT_NE(outcome_with(one, scalar), "") << entry.name;
  }
}

TEST_P(Hostile, WrongDTypes) {
  const parity::Case one = first_case(architecture(), architecture().heads.front());
  for (const TensorEntry& entry : tensors_read(one)) {
    for (const DType dtype : {DType::kBool, DType::kU8, DType::kI8, DType::kI16, DType::kU16, DType::kI32, DType::kU32,
                              DType::kI64, DType::kU64, DType::kC64}) {
      NamedTensors tensors = tensors_of(one);
      tensors[entry.name] = zeros(dtype, entry.dims);
      const std::string message = outcome_with(one, tensors);
      EXPECT_NE(message, "") << entry.name << " " << dtype_name(dtype);
    }
    for (const DType dtype : {DType::kF16, DType::kBf16, DType::kF64, DType::kF8E4M3, DType::kF8E5M2}) {
      NamedTensors tensors = tensors_of(one);
      tensors[entry.name] = zeros(dtype, entry.dims);
      EXPECT_EQ(outcome_with(one, tensors), "") << entry.name << " " << dtype_name(dtype);
    }
  }
}

/// Formats of a few bits: refused by name, or read.
TEST_P(Hostile, SmallFloats) {
  const parity::Case one = first_case(architecture(), architecture().heads.front());
  for (const TensorEntry& entry : tensors_read(one)) {
    if (entry.dims.empty() || entry.dims.back() % 4 != 0) continue;  // whole bytes
    for (const DType dtype :
         {DType::kF4, DType::kF6E2M3, DType::kF6E3M2, DType::kF8E8M0, DType::kF8E5M2Fnuz, DType::kF8E4M3Fnuz}) {
      NamedTensors tensors = tensors_of(one);
      tensors[entry.name] = zeros(dtype, entry.dims);
      const std::string message = outcome_with(one, tensors);
      EXPECT_TRUE(message.empty() || message.find(dtype_name(dtype)) != std::string::npos) << message;
    }
  }
}

std::vector<std::string> model_types() {
  std::vector<std::string> types;
  for (const Architecture& architecture : architectures()) types.push_back(architecture.model_type);
  return types;
}

INSTANTIATE_TEST_SUITE_P(All, Hostile, testing::ValuesIn(model_types()));

}  // namespace
}  // namespace gamut::faults
