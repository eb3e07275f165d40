// A model compiled by OpenVINO, run with a graph's bindings.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <openvino/runtime/compiled_model.hpp>
#include <openvino/runtime/infer_request.hpp>
#include "backend/backend.h"
#include "backend/openvino/interface.h"

namespace gamut::openvino {

class OpenvinoExecutable : public Executable {
 public:
  /// `checkpoint` holds the weights that the model reads where they lie.
  OpenvinoExecutable(Graph graph, Interface interface, ov::CompiledModel model, Precision precision,
                     std::shared_ptr<const Checkpoint> checkpoint);

  using Executable::run;
  NamedTensors run(const NamedTensors& inputs, const StateRun& states) const override;
  Precision precision() const override { return precision_; }
  size_t planned_bytes(const SymbolValues& symbols) const override;
  size_t weight_bytes() const override { return weight_bytes_; }

  const ov::CompiledModel& model() const { return model_; }

 private:
  ov::InferRequest take_request() const;
  void check_ids(ov::InferRequest& request) const;
  void keep(ov::InferRequest& request, const NamedTensors& inputs, const StateRun& states) const;

  const Graph graph_;
  const Interface interface_;
  const std::shared_ptr<const Checkpoint> checkpoint_;
  std::vector<bool> is_passed_on_;  // by value, see find_passed_on
  const Precision precision_;
  size_t weight_bytes_ = 0;
  mutable ov::CompiledModel model_;

  mutable std::mutex mutex_;  // guards what follows
  mutable std::vector<ov::InferRequest> idle_requests_;
};

}  // namespace gamut::openvino
