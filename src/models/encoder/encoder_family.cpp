#include "models/encoder/encoder_family.h"

#include <cmath>

#include "base/error.h"
#include "layers/basic.h"
#include "layers/scope.h"
#include "layers/token_input.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/binary.h"
#include "ops/gather_rows.h"
#include "ops/linear.h"
#include "ops/pool_rows.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/transpose.h"

namespace gamut {
namespace {

/// What one recording works with.
struct Recording {
  const EncoderSpec& spec;
  const Config& config;
  Program& program;
  Graph& graph;
  Scope root;
  Scope base;
  Rows rows;
  double eps;
};

/// Positions from pad+1 on, over the tokens that are not `padding`, as transformers'
/// create_position_ids_from_input_ids.
HostFunction positions_after_padding(int64_t padding) {
  return [padding](const NamedTensors& inputs, const RowTable& rows) {
    Tensor positions = Tensor::allocate(DType::kI64, {rows.batch, rows.sequence});
    auto out = positions.mutable_i64();
    std::ranges::fill(out, padding);
    const Tensor& ids = inputs.at("input_ids");
    for (const RowTable::Row& row : rows.rows) {
      int64_t next = padding + 1;
      for (int64_t i = row.start; i < row.start + row.length; ++i) {
        if (ids.i64()[i] != padding) out[i] = next++;
      }
    }
    return positions;
  };
}

/// T5's bucket of the distance from query to key, both directions, as MPNet's relative_position_bucket (max_distance
/// 128).
int64_t relative_bucket(int64_t distance, int64_t buckets) {
  const int64_t half = buckets / 2, exact = half / 2;
  const int64_t side = distance > 0 ? half : 0, n = std::llabs(distance);
  if (n < exact) return side + n;
  const float ratio = std::log(static_cast<float>(n) / static_cast<float>(exact)) /
                      static_cast<float>(std::log(128.0 / static_cast<double>(exact)));
  return side + std::min(half - 1, exact + static_cast<int64_t>(ratio * static_cast<float>(half - exact)));
}

/// The bias [H,S,S] that all layers share, from the buckets [S,S] of the distances.
Value relative_bias(Recording& r) {
  const int64_t buckets = 32;  // MPNet's encoder does not pass relative_attention_num_buckets on
  r.program.inputs.push_back({.name = "relative_buckets",
                              .per_token = false,
                              .limit = 0,
                              .fill = [buckets](const NamedTensors&, const RowTable& rows) {
                                const int64_t n = rows.sequence;
                                Tensor table = Tensor::allocate(DType::kI64, {n, n});
                                auto out = table.mutable_i64();
                                for (int64_t q = 0; q < n; ++q) {
                                  for (int64_t k = 0; k < n; ++k) out[q * n + k] = relative_bucket(k - q, buckets);
                                }
                                return table;
                              }});
  Value distances = r.graph.input("relative_buckets", DType::kI64, {r.rows.sequence(), r.rows.sequence()});
  return op::transpose(layer::embedding(r.base / r.spec.relative_bias, distances), {2, 0, 1});
}

Value embed(Recording& r) {
  const Scope s = r.base / "embeddings";
  auto lines = [&](const char* table) {
    const Value weight = (s / table).weight("weight");
    if (weight.rank() != 2) {
      fail(ErrorCode::kInvalidFile, "tensor {}.weight has shape {}, expected [lines, width]", (s / table).path(),
           to_string(weight.shape()));
    }
    return *weight.extent(0).constant();
  };
  const int64_t pad = r.spec.padding_token >= 0 ? r.spec.padding_token : r.config.i_or("pad_token_id", 0, {.min = 0});
  const bool after_padding = r.spec.positions == Positions::kAfterPadding;
  r.program.max_length = lines("position_embeddings") - (after_padding ? pad + 1 : 0);
  if (r.program.max_length < 1) {
    fail(ErrorCode::kInvalidFile, "{}: pad_token_id {} leaves no positions in a table of {}", r.config.source(), pad,
         lines("position_embeddings"));
  }

  Value ids = add_token_input(r.program, r.graph, r.rows, {.name = "input_ids", .limit = lines("word_embeddings")});
  Value x = layer::embedding(s / "word_embeddings", ids);
  if (r.spec.token_types) {
    Value types =
        add_token_input(r.program, r.graph, r.rows,
                        {.name = "token_type_ids", .limit = lines("token_type_embeddings"), .fill = fill_zeros()});
    x = x + layer::embedding(s / "token_type_embeddings", types);
  }
  Value positions = add_token_input(r.program, r.graph, r.rows,
                                    {.name = "position_ids",
                                     .limit = lines("position_embeddings"),
                                     .fill = after_padding ? positions_after_padding(pad) : fill_positions()});
  x = layer::layer_norm(s / "LayerNorm", x + layer::embedding(s / "position_embeddings", positions), r.eps);
  // ELECTRA's embeddings may be narrower than its layers.
  return (r.base / "embeddings_project").has("weight") ? layer::linear(r.base / "embeddings_project", x) : x;
}

/// Post-norm transformer block: attention, add and norm, feed-forward, add and norm.
Value block(Recording& r, const Scope& s, Value x, Value bias) {
  const EncoderSpec& spec = r.spec;
  const int64_t width = r.config.i("hidden_size"), heads = r.config.i("num_attention_heads");
  if (width % heads != 0) {
    fail(ErrorCode::kInvalidFile, "{}: hidden_size {} is not a multiple of num_attention_heads {}", r.config.source(),
         width, heads);
  }
  auto split = [&](const std::string& name) { return op::split_heads(layer::linear(s / name, x), width / heads); };
  LabelScope label(s.graph(), s.path());
  // One after the other: the order in which a compiler evaluates arguments would be the order of the recording.
  const Value q = split(spec.query), k = split(spec.key), v = split(spec.value);
  Value y = op::attention(q, k, v, {.mask = {r.rows}, .bias = bias});
  x = layer::layer_norm(s / spec.attention_norm, x + layer::linear(s / spec.attention_output, op::merge_heads(y)),
                        r.eps);
  y = op::activation(parse_activation(r.config.s(r.spec.activation_field)), layer::linear(s / spec.up, x));
  return layer::layer_norm(s / spec.output_norm, x + layer::linear(s / spec.down, y), r.eps);
}

Value encode(Recording& r) {
  Value x = embed(r);
  const Extent width(r.config.i("hidden_size"));
  if (!(x.extent(-1) == width)) {
    fail(ErrorCode::kInvalidFile, "{}: hidden_size {} does not fit the embeddings of width {}", r.config.source(),
         width.to_string(), x.extent(-1).to_string());
  }
  Value bias = r.spec.relative_bias.empty() ? Value{} : relative_bias(r);
  const int64_t layers = r.config.i("num_hidden_layers", {.min = 0, .max = 10000});
  for (int64_t i = 0; i < layers; ++i) x = block(r, r.base / r.spec.layers / i, x, bias);
  return x;
}

void output(Recording& r, const std::string& name, Value value, bool per_token) {
  r.graph.set_output(name, value);
  r.program.outputs.push_back({name, per_token ? Lines::kTokens : Lines::kRows});
}

Value dense(Recording& r, const std::string& path, const std::string& activation, Value x) {
  return op::activation(parse_activation(activation), layer::linear(r.root / path, x));
}

/// Decoder of the masked language model: tied to the word embeddings when it has no weight and the config ties.
Value decode_tokens(Recording& r, Value x) {
  const EncoderSpec& spec = r.spec;
  const std::string activation = spec.lm_activation.empty() ? r.config.s(spec.activation_field) : spec.lm_activation;
  x = layer::layer_norm(r.root / spec.lm_norm, dense(r, spec.lm_dense, activation, x), r.eps);
  const Scope decoder = r.root / spec.lm_decoder;
  LabelScope label(r.graph, decoder.path());
  Value weight = decoder.weight_if("weight");
  if (!weight && r.config.b_or("tie_word_embeddings", true))
    weight = (r.base / "embeddings.word_embeddings").weight("weight");
  if (!weight) weight = decoder.weight("weight");  // says what is missing
  // Saved as the decoder's own bias, as the head's, or (tied) as both.
  Value own = decoder.weight_if("bias"), shared = r.root.weight_if(spec.lm_bias);
  return op::linear(x, weight, {.bias = own ? own : shared ? shared : decoder.weight("bias")});
}

void record_head(Recording& r, const std::string& head) {
  const EncoderSpec& spec = r.spec;
  Value x = encode(r);
  auto first_token = [&] { return op::pool_rows(PoolKind::kFirst, x, r.rows); };
  if (head == spec.class_prefix + "Model") {
    output(r, "last_hidden_state", x, true);
    const std::string pooler = spec.base + "." + spec.pooler;
    if (!spec.pooler.empty() && (r.root / pooler).has("weight")) {
      output(r, "pooler_output", dense(r, pooler, "tanh", first_token()), false);
    }
  } else if (head == spec.class_prefix + "ForMaskedLM") {
    output(r, "logits", decode_tokens(r, x), true);
  } else if (head == spec.class_prefix + "ForSequenceClassification") {
    Value y = dense(r, spec.classifier_dense, spec.classifier_activation, first_token());
    output(r, "logits", layer::linear(r.root / spec.classifier_out, y), false);
  } else if (head == spec.class_prefix + "ForTokenClassification") {
    output(r, "logits", layer::linear(r.root / "classifier", x), true);
  } else {
    Value y = layer::linear(r.root / "qa_outputs", x);
    const Shape grid{r.rows.batch(), r.rows.sequence()};
    output(r, "start_logits", op::reshape(op::slice(y, -1, 0, 1), grid), true);
    output(r, "end_logits", op::reshape(op::slice(y, -1, 1, 1), grid), true);
  }
}

void refuse_variants(const Config& config) {
  for (const char* flag : {"is_decoder", "add_cross_attention"}) {
    if (config.b_or(flag, false)) {
      fail(ErrorCode::kUnsupported, "{}: {} is true; only encoders are supported for this model type", config.source(),
           flag);
    }
  }
  const std::string positions = config.s_or("position_embedding_type", "absolute");
  if (positions != "absolute") {
    fail(ErrorCode::kUnsupported, "{}: position_embedding_type \"{}\" is not supported; expected absolute",
         config.source(), positions);
  }
}

}  // namespace

Architecture make_encoder(const EncoderSpec& spec) {
  Architecture row;
  row.model_type = spec.model_type;
  for (const char* head :
       {"Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"}) {
    row.heads.push_back(spec.class_prefix + head);
  }
  row.names.base_prefix = spec.base;
  row.names.renames = {{"LayerNorm.gamma", "LayerNorm.weight"}, {"LayerNorm.beta", "LayerNorm.bias"}};
  row.names.ignored_suffixes = {"embeddings.position_ids", "embeddings.token_type_ids"};
  row.record = [spec](Program& program, const Config& config, WeightNames& names) {
    refuse_variants(config);
    Graph& graph = program.graphs.emplace("encode", Graph("encode")).first->second;
    const Scope root(graph, names);
    const double eps = spec.fixed_eps > 0 ? spec.fixed_eps : config.num("layer_norm_eps", {.min = 0, .max = 1});
    Recording r{spec, config, program, graph, root, root / spec.base, Rows::input(graph), eps};
    record_head(r, program.head);
  };
  return row;
}

}  // namespace gamut
