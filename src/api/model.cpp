#include "gamut/model.h"

#include "backend/backend.h"
#include "base/edge.h"
#include "base/error.h"
#include "checkpoint/safetensors.h"
#include "tasks/support/model_folder.h"

namespace gamut {

struct Model::State {
  Session session;
};

std::vector<std::string> backends() { return backend_names(); }

Model Model::open(const std::filesystem::path& folder, const LoadOptions& options) {
  return at_edge([&] {
    const ModelFolder files = ModelFolder::open(folder);
    return Model(std::make_shared<const State>(State{files.compile(files.record(options).program, options)}));
  });
}

const std::string& Model::head() const { return state_->session.program().head; }

std::vector<std::string> Model::input_names() const {
  std::vector<std::string> names;
  for (const ProgramInput& input : state_->session.program().inputs) {
    if (input.per_token) names.push_back(input.name);
  }
  return names;
}

int64_t Model::input_limit(const std::string& name) const {
  for (const ProgramInput& input : state_->session.program().inputs) {
    if (input.name == name) return input.limit;
  }
  fail(ErrorCode::kInvalidArgument, "input {} is unknown to {}", name, head());
}

std::string Model::precision() const { return precision_name(state_->session.precision()); }

int64_t Model::max_length() const { return state_->session.program().max_length; }

NamedTensors Model::forward(const NamedTensors& inputs) const {
  return at_edge([&] { return state_->session.forward(inputs); });
}

NamedTensors read_tensors(const std::filesystem::path& file) {
  return at_edge([&] { return read_safetensors(file); });
}

void write_tensors(const std::filesystem::path& file, const NamedTensors& tensors) {
  at_edge([&] { write_safetensors(file, tensors); });
}

}  // namespace gamut
