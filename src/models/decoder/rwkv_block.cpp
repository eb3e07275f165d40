#include "models/decoder/rwkv_block.h"

#include "layers/basic.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/causal_conv1d.h"
#include "ops/concat.h"
#include "ops/gated.h"
#include "ops/reshape.h"
#include "ops/unary.h"
#include "ops/wkv.h"

namespace gamut::decoder {
namespace {

/// x and the token before it, weighted per channel by `name` [1,1,D] and what is left to 1; projected by `layer`.
Value project_mixed(const DecoderContext& c, const Scope& s, int64_t index, const char* part, Value x) {
  const Scope layer = s / part;
  LabelScope label(s.graph(), layer.path());
  const std::string name = std::string("time_mix_") + part;
  const Value weight = with_rank(s, name.c_str(), s.weight(name), 3);
  const Value own = op::reshape(weight, {*weight.extent(2).constant(), 1});
  const Value taps = op::concat({s.graph().scalar(1.0f) - own, own}, 1);
  const std::string state = "layer." + std::to_string(index) + "." + name + "." + s.path();
  return layer::linear(layer, op::causal_conv1d(x, taps, {}, c.rows, state));
}

}  // namespace

Value rwkv_time_mix(const DecoderContext& c, const Scope& block, int64_t index, Value x, double eps) {
  const Scope s = block / "attention";
  x = layer::layer_norm(block / "ln1", x, eps);
  auto mixed = [&](const char* part) { return project_mixed(c, s, index, part, x); };
  const Value key = mixed("key"), value = mixed("value"), receptance = mixed("receptance");
  LabelScope label(s.graph(), s.path());
  const Value decay = op::unary(UnaryKind::kNeg, op::unary(UnaryKind::kExp, s.weight("time_decay")));
  const Value mean = op::wkv(c.rows, {key, value, decay, s.weight("time_first")}, "layer." + std::to_string(index));
  return layer::linear(s / "output", op::gated(ActivationKind::kSigmoid, receptance, mean));
}

Value rwkv_channel_mix(const DecoderContext& c, const Scope& block, int64_t index, Value x, double eps) {
  const Scope s = block / "feed_forward";
  x = layer::layer_norm(block / "ln2", x, eps);
  const Value key = op::activation(ActivationKind::kRelu2, project_mixed(c, s, index, "key", x));
  const Value receptance = project_mixed(c, s, index, "receptance", x);
  return op::gated(ActivationKind::kSigmoid, receptance, layer::linear(s / "value", key));
}

}  // namespace gamut::decoder
