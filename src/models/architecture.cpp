#include "models/architecture.h"

#include <algorithm>

#include "base/error.h"
#include "base/excerpt.h"
#include "graph/verifier.h"
#include "models/table.h"

namespace gamut {
namespace {

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// The head to record: the one asked for, the one the checkpoint was saved from, or the base model.
std::string choose_head(const Architecture& architecture, const Config& config, const std::string& wanted) {
  auto known = [&](const std::string& head) { return std::ranges::count(architecture.heads, head) > 0; };
  if (!wanted.empty()) {
    if (known(wanted)) return wanted;
    fail(ErrorCode::kUnsupported, "head \"{}\" is unknown for model type {}; expected one of: {}", excerpt(wanted),
         architecture.model_type, join(architecture.heads));
  }
  const std::vector<std::string> saved = config.architectures();
  if (saved.empty()) return architecture.heads.front();
  if (known(saved.front())) return saved.front();
  fail_with_hint(ErrorCode::kUnsupported,
                 fmt::format("head \"{}\" of {} is not supported for model type {}; supported: {}", saved.front(),
                             config.source(), architecture.model_type, join(architecture.heads)),
                 "Choose one of them with --head.");
}

/// Recording reads nothing but files, so a shape or attribute that an operator refuses is theirs, no argument of a
/// caller's.
void record(const Architecture& architecture, Program& program, const Config& config, WeightNames& names) {
  try {
    architecture.record(program, config, names);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument) throw;
    throw Error(ErrorCode::kInvalidFile, error.message(), error.hint());
  }
}

void check_unused(const std::vector<std::string>& unused, bool strict) {
  for (const std::string& name : unused) {
    if (is_in_numbered_layer(name)) {
      fail(ErrorCode::kInvalidFile,
           "tensor {} of a layer is not used by the model: config.json and checkpoint disagree", name);
    }
  }
  if (strict && !unused.empty()) {
    fail(ErrorCode::kInvalidFile, "{} tensors are not used by the model: {}", unused.size(), join(unused));
  }
}

}  // namespace

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all = [] {
    std::vector<Architecture> rows;
    for (const ArchitectureFamily* family : model_families()) {
      for (Architecture& row : family->rows()) rows.push_back(std::move(row));
    }
    std::ranges::sort(rows, {}, &Architecture::model_type);
    return rows;
  }();
  return all;
}

const Architecture& find_architecture(const std::string& model_type) {
  std::vector<std::string> known;
  for (const Architecture& architecture : architectures()) {
    if (architecture.model_type == model_type) return architecture;
    known.push_back(architecture.model_type);
  }
  fail_with_hint(ErrorCode::kUnsupported,
                 fmt::format("model type \"{}\" is not supported; supported: {}", excerpt(model_type), join(known)),
                 "`gamut models` lists what is.");
}

bool is_base_model(const Architecture& architecture, const std::string& head) {
  return head == architecture.heads.front();
}

Recorded record_program(const Config& config, const Checkpoint& checkpoint, const RecordOptions& options) {
  const Architecture& architecture = find_architecture(config.model_type());
  Recorded recorded;
  recorded.program.model_type = architecture.model_type;
  recorded.program.head = choose_head(architecture, config, options.head);
  WeightNames names(checkpoint, architecture.names);
  record(architecture, recorded.program, config, names);
  for (const auto& [name, graph] : recorded.program.graphs) verify_if_wanted(graph);
  recorded.unused_tensors = names.unused();
  check_unused(recorded.unused_tensors, options.strict);
  return recorded;
}

}  // namespace gamut
