#include "graph/op_schema.h"

namespace gamut {
namespace {

/// Inputs and weights carry their type in their attributes.
void infer_declared(InferContext& c) {
  c.output(static_cast<DType>(c.attributes().i("dtype")), c.attributes().shape("shape"));
}

}  // namespace

const OpSchema kInput{.name = "input", .min_inputs = 0, .max_inputs = 0, .infer = infer_declared};
const OpSchema kWeight{.name = "weight", .min_inputs = 0, .max_inputs = 0, .infer = infer_declared};
const OpSchema kConstant{.name = "constant", .min_inputs = 0, .max_inputs = 0, .infer = [](InferContext& c) {
                           const Tensor& tensor = c.constant();
                           c.output(tensor.dtype(), to_shape(tensor.dims()));
                         }};

bool always_keeps_tokens(const Graph&, const Node&) { return true; }

}  // namespace gamut
