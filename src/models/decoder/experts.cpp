// Rows of the decoder family whose feed-forwards are mixtures of experts.
#include "layers/experts.h"

#include <algorithm>

#include "base/error.h"
#include "layers/basic.h"
#include "models/decoder/decoder_block.h"
#include "models/decoder/decoder_family.h"

namespace gamut {
namespace {

constexpr IntRange kCount{.min = 1, .max = 65536};

/// The logits of a router, of which the config says how many experts they are for.
Value router_logits(const Scope& s, Value x, int64_t experts) {
  const Value logits = layer::linear(s, x);
  if (logits.extent(-1) == Extent(experts)) return logits;
  fail(ErrorCode::kInvalidFile, "{}.weight: {} lines, expected one for each of {} experts", s.path(),
       logits.extent(-1).to_string(), experts);
}

/// A feed-forward in the blocks where `use` says so.
void mix(DecoderSpec& spec, DecoderPart part, const std::function<bool(int64_t i)>& use) {
  const auto before = spec.layer;
  spec.layer = [=](int64_t i) {
    DecoderLayer layer = before ? before(i) : DecoderLayer{};
    if (use(i)) layer.feed_forward = part;
    return layer;
  };
}

/// Files from before transformers 5 call the block otherwise, and each expert has tensors of its own.
void mixtral(DecoderSpec& spec, const Config& config) {
  slide(spec, config, [](int64_t) { return true; });
  const int64_t experts = config.i("num_local_experts", kCount);
  const layer::Router router{.chosen = config.i("num_experts_per_tok", kCount), .normalized = true};
  const ExpertsForm form{.activation = parse_activation(spec.activation)};
  const DecoderPart part = [=](const DecoderContext&, const Scope& s, int64_t, Value x) {
    const Scope old = s / "block_sparse_moe", own = old.has("gate.weight") ? old : s / "mlp";
    const Value shares = layer::route(own, router, router_logits(own / "gate", x, experts));
    return layer::experts(own / "experts", x, shares, {"w1", "w3", "w2"}, form);
  };
  mix(spec, part, [](int64_t) { return true; });
}

/// Every `decoder_sparse_step`-th block has experts, but for those of `mlp_only_layers`.
void qwen3_moe(DecoderSpec& spec, const Config& config) {
  if (config.b_or("use_sliding_window", false)) slide(spec, config, [](int64_t) { return true; });
  const int64_t experts = config.i("num_local_experts", {.min = 0, .max = 65536}),
                step = config.i("decoder_sparse_step");
  std::vector<int64_t> plain;
  if (config.has("mlp_only_layers")) plain = config.ints("mlp_only_layers");
  layer::Router router;
  router.chosen = config.i("num_experts_per_tok", kCount);
  router.normalized = config.b("norm_topk_prob");
  const ExpertsForm form{.activation = parse_activation(spec.activation)};
  const DecoderPart part = [=](const DecoderContext&, const Scope& s, int64_t, Value x) {
    const Scope own = s / "mlp";
    const Value shares = layer::route(own, router, router_logits(own / "gate", x, experts));
    return layer::experts(own / "experts", x, shares, {}, form);
  };
  mix(spec, part,
      [=](int64_t i) { return experts > 0 && (i + 1) % step == 0 && std::ranges::find(plain, i) == plain.end(); });
}

const DecoderRow kRows[] = {
    {"mixtral", decoder_heads("Mixtral"), mixtral},
    {"qwen3_moe", decoder_heads("Qwen3Moe"), qwen3_moe},
};

std::vector<Architecture> rows() {
  std::vector<Architecture> all;
  for (const DecoderRow& row : kRows) all.push_back(make_decoder(row));
  return all;
}

}  // namespace

extern const ArchitectureFamily kExperts;
const ArchitectureFamily kExperts{rows};

}  // namespace gamut
