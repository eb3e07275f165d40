// Rows of the decoder family that mix tokens by a recurrence: Mamba and its kin.
#include <limits>

#include "base/error.h"
#include "models/decoder/decoder_family.h"
#include "models/decoder/mamba_mixer.h"

namespace gamut {
namespace {

/// Numbers of one block's state, taps of its convolution and the like: more is no model.
constexpr IntRange kSize{.min = 1, .max = 65536};

/// What Mamba and its kin have in common: norms, names, no positions, no feed-forward.
void state_space(DecoderSpec& spec, const Config& config) {
  spec.eps = config.num("layer_norm_epsilon", {.min = 0, .max = 1});
  spec.turns = false;
  spec.mlp = DecoderMlp::kNone;
  DecoderNames& n = spec.names;
  n.embedding = "embeddings", n.final_norm = "norm_f", n.input_norm = "norm", n.mlp_norm = "";
}

int64_t inner_size(const Config& config, const char* expand) {
  const double inner = config.num(expand, {.min = 0, .max = 65536}) * static_cast<double>(config.i("hidden_size"));
  if (!(inner >= 1 && inner <= std::numeric_limits<int32_t>::max())) {
    fail(ErrorCode::kInvalidFile, "{}: {} times hidden_size is {}, expected a size", config.source(), expand, inner);
  }
  return static_cast<int64_t>(inner);
}

/// Below 0: the mixer has no norms of its own.
void mamba_with_norms(DecoderSpec& spec, const Config& config, double norm_eps) {
  state_space(spec, config);
  const decoder::MambaShape shape{.hidden = config.i("hidden_size"),
                                  .inner = inner_size(config, "expand"),
                                  .numbers = config.i("state_size", kSize),
                                  .taps = config.i("conv_kernel", kSize),
                                  .activation = parse_activation(config.s("hidden_act")),
                                  .norm_eps = norm_eps};
  const DecoderPart mixer = [shape](const DecoderContext& c, const Scope& s, int64_t index, Value x) {
    return decoder::mamba(c, s / "mixer", shape, index, x);
  };
  spec.layer = [mixer](int64_t) { return DecoderLayer{.mixer = mixer}; };
}

void mamba(DecoderSpec& spec, const Config& config) { mamba_with_norms(spec, config, -1); }

void falcon_mamba(DecoderSpec& spec, const Config& config) {
  mamba_with_norms(spec, config, config.num("mixer_rms_eps", {.min = 0, .max = 1}));
}

void mamba2(DecoderSpec& spec, const Config& config) {
  state_space(spec, config);
  const std::vector<double> limits =
      config.nums("time_step_limit", {.min = 0, .max = std::numeric_limits<double>::infinity()}, 2);
  if (limits.size() != 2) {
    fail(ErrorCode::kInvalidFile, "{}: time_step_limit has {} numbers, expected 2", config.source(), limits.size());
  }
  const decoder::Mamba2Shape shape{.hidden = config.i("hidden_size"),
                                   .inner = inner_size(config, "expand"),
                                   .heads = config.i("num_heads", kSize),
                                   .groups = config.i("n_groups", kSize),
                                   .numbers = config.i("state_size", kSize),
                                   .taps = config.i("conv_kernel", kSize),
                                   .activation = parse_activation(config.s("hidden_act")),
                                   .norm_eps = spec.eps,
                                   .least_step = limits[0],
                                   .most_step = limits[1]};
  if (shape.heads % shape.groups != 0 || shape.inner != shape.heads * config.i("head_dim", kSize)) {
    fail(ErrorCode::kInvalidFile, "{}: {} heads of {} for {} channels in {} groups; expected them to fit",
         config.source(), shape.heads, config.i("head_dim"), shape.inner, shape.groups);
  }
  const DecoderPart mixer = [shape](const DecoderContext& c, const Scope& s, int64_t index, Value x) {
    return decoder::mamba2(c, s / "mixer", shape, index, x);
  };
  spec.layer = [mixer](int64_t) { return DecoderLayer{.mixer = mixer}; };
}

DecoderRow row(const char* model_type, const char* prefix, void (*adapt)(DecoderSpec& spec, const Config& config)) {
  return {.model_type = model_type,
          .heads = decoder_heads(prefix, {"CausalLM"}),
          .adapt = adapt,
          .base_prefix = "backbone",
          .renames = {{"embedding.weight", "embeddings.weight"}}};
}

std::vector<Architecture> rows() {
  return {make_decoder(row("mamba", "Mamba", mamba)), make_decoder(row("falcon_mamba", "FalconMamba", falcon_mamba)),
          make_decoder(row("mamba2", "Mamba2", mamba2))};
}

}  // namespace

extern const ArchitectureFamily kStateSpace;
const ArchitectureFamily kStateSpace{rows};

}  // namespace gamut
