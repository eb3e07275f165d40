// A parity case of tests/parity/cases: its config, weights, inputs and the outputs of transformers.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "checkpoint/checkpoint.h"
#include "config/config.h"
#include "gamut/tensor.h"

namespace gamut::parity {

struct Case {
  std::string name;  // "bert/BertModel_0"
  std::string model_type;
  std::string head;
  Config config;
  std::shared_ptr<const Checkpoint> checkpoint;
  NamedTensors inputs;
  NamedTensors outputs;
  /// Of language models, by row: what greedy generation goes on with, and the logits [new tokens, V] that say so.
  struct Continuation {
    std::vector<int64_t> tokens;
    Tensor logits;
  };
  std::vector<Continuation> generation;
  /// By output: how far PyTorch in bf16 is from it, at most.
  std::map<std::string, double> bf16_errors;
  /// By output: the root mean square of PyTorch's error in bf16.
  std::map<std::string, double> bf16_rms;
};

/// Reads a case and makes its weights. Throws Error when the file is not a case.
Case load_case(const std::filesystem::path& path);

/// The case files below `folder`, sorted.
std::vector<std::filesystem::path> find_cases(const std::filesystem::path& folder);

}  // namespace gamut::parity
