// Jamba, whose blocks are Mamba's or attention, with a feed-forward or experts behind each.
#include <cmath>

#include "base/error.h"
#include "layers/basic.h"
#include "layers/experts.h"
#include "models/decoder/decoder_family.h"
#include "models/decoder/mamba_mixer.h"

namespace gamut {
namespace {

constexpr IntRange kSize{.min = 1, .max = 65536};

/// Every `period`-th block from `offset` on.
struct Turn {
  int64_t period, offset;
  bool holds(int64_t i) const { return i % period == offset; }
};

/// The fields `kind`_layer_period and `kind`_layer_offset.
Turn read_turn(const Config& config, const std::string& kind) {
  const int64_t period = config.i(kind + "_layer_period", kSize);
  return {period, config.i(kind + "_layer_offset", {.min = 0, .max = period - 1})};
}

DecoderPart mixer(const Config& config, const DecoderSpec& spec) {
  const int64_t hidden = config.i("hidden_size");
  const decoder::MambaShape shape{.hidden = hidden,
                                  .inner = hidden * config.i("mamba_expand", {.min = 1, .max = 1024}),
                                  .numbers = config.i("mamba_d_state", kSize),
                                  .taps = config.i("mamba_d_conv", kSize),
                                  .activation = parse_activation(spec.activation),
                                  .norm_eps = spec.eps};
  return [shape](const DecoderContext& c, const Scope& s, int64_t index, Value x) {
    return decoder::mamba(c, s / "mamba", shape, index, x);
  };
}

DecoderPart mixture(const Config& config, const DecoderSpec& spec, int64_t experts) {
  const layer::Router router{.chosen = config.i("num_experts_per_tok", kSize)};
  const ExpertsForm form{.activation = parse_activation(spec.activation)};
  return [=](const DecoderContext&, const Scope& s, int64_t, Value x) {
    const Scope own = s / "feed_forward";
    const Value logits = layer::linear(own / "router", x);
    if (!(logits.extent(-1) == Extent(experts))) {
      fail(ErrorCode::kInvalidFile, "{}.router.weight: {} lines, expected one for each of {} experts", own.path(),
           logits.extent(-1).to_string(), experts);
    }
    return layer::experts(own / "experts", x, layer::route(own, router, logits), {}, form);
  };
}

void jamba(DecoderSpec& spec, const Config& config) {
  spec.turns = false;
  DecoderNames& n = spec.names;
  n.final_norm = "final_layernorm", n.mlp_norm = "pre_ff_layernorm";
  n.gate = "feed_forward.gate_proj", n.up = "feed_forward.up_proj", n.down = "feed_forward.down_proj";
  const int64_t experts = config.i("num_experts", kSize);
  const Turn attends = read_turn(config, "attn"), mixes = read_turn(config, "expert");
  const DecoderPart recurrence = mixer(config, spec);
  const DecoderPart feed = experts > 1 ? mixture(config, spec, experts) : DecoderPart{};
  spec.layer = [=](int64_t i) {
    DecoderLayer layer;
    if (!attends.holds(i)) layer.mixer = recurrence;
    if (mixes.holds(i)) layer.feed_forward = feed;
    return layer;
  };
}

std::vector<Architecture> rows() {
  return {make_decoder({.model_type = "jamba",
                        .heads = decoder_heads("Jamba", {"CausalLM", "SequenceClassification"}),
                        .adapt = jamba})};
}

}  // namespace

extern const ArchitectureFamily kJamba;
const ArchitectureFamily kJamba{rows};

}  // namespace gamut
