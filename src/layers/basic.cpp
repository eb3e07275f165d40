#include "layers/basic.h"

#include "ops/binary.h"
#include "ops/gather_rows.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/rms_norm.h"

namespace gamut::layer {

Value linear(const Scope& s, Value x) {
  LabelScope label(s.graph(), s.path());
  Value weight = s.weight("weight");
  return op::linear(x, weight, {.bias = s.weight_if("bias")});
}

Value layer_norm(const Scope& s, Value x, double eps) {
  LabelScope label(s.graph(), s.path());
  Value weight = s.weight("weight");
  return op::layer_norm(x, weight, s.weight_if("bias"), eps);
}

Value rms_norm(const Scope& s, Value x, double eps, bool plus_one) {
  LabelScope label(s.graph(), s.path());
  Value weight = s.weight("weight");
  return op::rms_norm(x, plus_one ? weight + 1.0f : weight, eps);
}

Value embedding(const Scope& s, Value ids) {
  LabelScope label(s.graph(), s.path());
  return op::gather_rows(s.weight("weight"), ids);
}

}  // namespace gamut::layer
