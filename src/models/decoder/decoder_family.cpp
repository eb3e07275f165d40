#include "models/decoder/decoder_family.h"

#include "base/error.h"
#include "layers/basic.h"
#include "layers/token_input.h"
#include "models/decoder/decoder_block.h"
#include "ops/binary.h"
#include "ops/linear.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/take_tokens.h"
#include "ops/unary.h"

namespace gamut {
namespace {

using decoder::block, decoder::norm_if, decoder::scaled, decoder::with_rank;

/// What one recording works with besides what its blocks see.
struct Recording : DecoderContext {
  Program& program;
  Graph& graph;
  Scope root;
  Scope base;
  bool is_tied;  // the config's word, for files without a tensor of the head
  Value ids;
};

Value embed(Recording& r) {
  const DecoderNames& names = r.spec.names;
  Value x = scaled(layer::embedding(r.base / names.embedding, r.ids), r.spec.embedding_scale);
  if (!names.embedding_projection.empty()) x = layer::linear(r.base / names.embedding_projection, x);
  if (!names.positions.empty()) {
    const Value lines = r.spec.first_position == 0 ? r.positions : r.positions + r.graph.scalar(r.spec.first_position);
    x = x + layer::embedding(r.base / names.positions, lines);
  }
  return norm_if(r, r.base, names.embedding_norm, x);
}

Value decode(Recording& r) {
  const DecoderSpec& spec = r.spec;
  for (const auto& [name, rope] : spec.ropes) r.tables[name] = add_rope_tables(r.program, r.graph, rope, name);
  for (const auto& [name, numbers] : spec.numbers) {
    r.numbers[name] = add_token_numbers(r.program, r.graph, numbers, name);
  }
  if (!spec.slopes.empty()) r.slopes = r.graph.constant(Tensor::from({spec.heads}, spec.slopes));
  Value x = embed(r);
  for (int64_t i = 0; i < spec.layers; ++i) x = block(r, r.base / spec.names.layers / i, i, x);
  DecoderSpec last = spec;
  if (spec.final_eps > 0) last.eps = spec.final_eps;
  x = norm_if({last, r.config, r.rows}, r.base, spec.names.final_norm, x);
  return spec.names.output_projection.empty() ? x : layer::linear(r.base / spec.names.output_projection, x);
}

void output(Recording& r, const std::string& name, Value value, Lines lines) {
  r.graph.set_output(name, value);
  r.program.outputs.push_back({name, lines});
}

/// Logits of the tokens that are asked for.
void record_causal_lm(Recording& r, Value x) {
  const DecoderSpec& spec = r.spec;
  r.program.inputs.push_back({.name = kTakenTokens, .per_token = false, .fill = fill_all_places()});
  x = op::take_tokens(x, r.graph.input(kTakenTokens, DType::kI64, {Extent::symbol(kTakenCount)}));
  const Scope head = r.root / spec.names.lm_head;
  LabelScope label(r.graph, head.path());
  Value weight = head.weight_if("weight");
  if (!weight && r.is_tied) weight = (r.base / spec.names.embedding).weight("weight");
  if (!weight) weight = head.weight("weight");  // says what is missing
  Value logits = scaled(op::linear(x, weight, {.bias = head.weight_if("bias")}), spec.logit_scale);
  if (spec.logit_softcap > 0) {
    const auto cap = static_cast<float>(spec.logit_softcap);
    logits = op::unary(UnaryKind::kTanh, logits * (1 / cap)) * cap;
  }
  output(r, "logits", logits, Lines::kTaken);
}

/// The place of each row's last token that is not `padding` (below 0: of its last token), as transformers'
/// GenericForSequenceClassification.
HostFunction fill_last_tokens(int64_t padding) {
  return [padding](const NamedTensors& inputs, const RowTable& rows) {
    Tensor places = Tensor::allocate(DType::kI64, {static_cast<int64_t>(rows.rows.size())});
    const auto ids = inputs.at("input_ids").i64();
    for (size_t n = 0; n < rows.rows.size(); ++n) {
      const RowTable::Row& row = rows.rows[n];
      int64_t last = row.length - 1;
      while (padding >= 0 && last > 0 && ids[static_cast<size_t>(row.start + last)] == padding) --last;
      if (row.length == 0) fail(ErrorCode::kInvalidArgument, "row {} has no tokens: it has no class", n);
      const bool is_all_padding = padding >= 0 && ids[static_cast<size_t>(row.start + last)] == padding;
      places.mutable_i64()[n] = row.start + (is_all_padding ? 0 : last);
    }
    return places;
  };
}

void record_classification(Recording& r, Value x) {
  const int64_t padding = r.config.i_or("pad_token_id", -1, {.min = -1});
  r.program.inputs.push_back({.name = kTakenTokens, .per_token = false, .fill = fill_last_tokens(padding)});
  x = op::take_tokens(x, r.graph.input(kTakenTokens, DType::kI64, {r.rows.count()}));
  output(r, "logits", layer::linear(r.root / r.spec.names.score, x), Lines::kRows);
}

void record_question_answering(Recording& r, Value x) {
  const Value y = layer::linear(r.root / "qa_outputs", x);
  const Shape grid{r.rows.batch(), r.rows.sequence()};
  output(r, "start_logits", op::reshape(op::slice(y, -1, 0, 1), grid), Lines::kTokens);
  output(r, "end_logits", op::reshape(op::slice(y, -1, 1, 1), grid), Lines::kTokens);
}

void record_head(Recording& r, const std::string& head, bool is_base) {
  const Value x = decode(r);
  if (is_base) return output(r, "last_hidden_state", x, Lines::kTokens);
  if (head.ends_with("ForSequenceClassification")) return record_classification(r, x);
  if (head.ends_with("ForQuestionAnswering")) return record_question_answering(r, x);
  if (head.ends_with("ForTokenClassification"))
    return output(r, "logits", layer::linear(r.root / r.spec.names.token_score, x), Lines::kTokens);
  record_causal_lm(r, x);
}

/// Llama as the config describes it, which rows then change.
DecoderSpec read_spec(const Config& config) {
  DecoderSpec spec;
  spec.layers = config.i("num_hidden_layers", {.min = 0, .max = 10000});
  // Recurrent types have no attention heads and their configs no such field.
  const bool attends = config.has("num_attention_heads") || config.defaults().has("num_attention_heads");
  spec.heads = attends ? config.i("num_attention_heads", {.min = 1, .max = 65536}) : 1;
  spec.kv_heads =
      config.has("num_key_value_heads") ? config.i("num_key_value_heads", {.min = 1, .max = 65536}) : spec.heads;
  const int64_t width = config.i("hidden_size");
  spec.head_dim = config.has("head_dim") ? config.i("head_dim", {.min = 1, .max = 65536}) : width / spec.heads;
  spec.activation = config.has("hidden_act") ? config.s("hidden_act") : "silu";
  if (config.has("rms_norm_eps")) spec.eps = config.num("rms_norm_eps", {.min = 0, .max = 1});
  return spec;
}

void check_spec(const DecoderSpec& spec, const Config& config) {
  if (spec.head_dim < 1 || spec.heads % spec.kv_heads != 0) {
    fail(ErrorCode::kInvalidFile,
         "{}: {} attention heads of {} numbers share {} heads of keys and values; expected a multiple of those",
         config.source(), spec.heads, spec.head_dim, spec.kv_heads);
  }
}

/// Where the base model's tensors lie; the question-answering classes of several types call it "transformer".
std::string find_base(const DecoderRow& row, const DecoderSpec& spec, const std::string& head, const Scope& root) {
  std::vector<std::string> others = row.other_bases;
  if (head.ends_with("ForQuestionAnswering")) others.emplace_back("transformer");
  for (const std::string& base : others) {
    if (root.has(base + "." + spec.names.embedding + ".weight")) return base;
  }
  return spec.base;
}

void record(const DecoderRow& row, Program& program, const Config& whole, WeightNames& names) {
  const Config config = row.config_field.empty() ? whole : whole.sub(row.config_field);
  DecoderSpec spec = read_spec(config);
  spec.base = row.base_prefix;
  if (row.adapt != nullptr) row.adapt(spec, config);
  check_spec(spec, config);
  if (spec.turns && spec.ropes.empty()) spec.ropes["rope"] = read_rope(config, {.head_dim = spec.head_dim});
  Graph& graph = program.graphs.emplace("decode", Graph("decode")).first->second;
  const Scope root(graph, names);
  spec.base = find_base(row, spec, program.head, root);
  for (int64_t i = 0; i < spec.ignored_layers; ++i) {
    names.ignore((root / spec.base / spec.names.layers / (spec.layers + i)).path() + ".");
  }
  const bool is_tied = whole.b_or("tie_word_embeddings", true);
  Recording r{{spec, config, Rows::input(graph)}, program, graph, root, root / spec.base, is_tied, {}};
  r.ids = add_token_input(r.program, r.graph, r.rows, {.name = "input_ids", .limit = config.i("vocab_size")});
  int64_t table = 0;
  if (!spec.names.positions.empty()) {
    const Scope s = r.base / spec.names.positions;
    table = *with_rank(s, "weight", s.weight("weight"), 2).extent(0).constant() - spec.first_position;
    if (table < 1) fail(ErrorCode::kInvalidFile, "{}.weight: no line for a token's position", s.path());
  }
  r.positions =
      add_token_input(r.program, r.graph, r.rows, {.name = "position_ids", .limit = table, .fill = fill_positions()});
  if (table > 0) program.max_length = table;
  record_head(r, program.head, program.head == row.heads.front());
  program.states = find_states(graph);
}

}  // namespace

std::vector<std::string> decoder_heads(const std::string& prefix, const std::vector<std::string>& tasks) {
  std::vector<std::string> heads{prefix + "Model"};
  for (const std::string& task : tasks) heads.push_back(prefix + "For" + task);
  return heads;
}

void slide(DecoderSpec& spec, const Config& config, const std::function<bool(int64_t i)>& use) {
  if (!config.has("sliding_window")) return;
  const int64_t window = config.i("sliding_window");
  const std::vector<std::string> types =
      config.has("layer_types") ? config.strings("layer_types") : std::vector<std::string>{};
  if (!types.empty() && static_cast<int64_t>(types.size()) < spec.layers) {
    fail(ErrorCode::kInvalidFile, "{}: layer_types has {} entries for {} layers", config.source(), types.size(),
         spec.layers);
  }
  const auto before = spec.layer;
  spec.layer = [=](int64_t i) {
    DecoderLayer layer = before ? before(i) : DecoderLayer{};
    const bool slides = types.empty() ? use(i) : types[static_cast<size_t>(i)] == "sliding_attention";
    layer.window = slides ? window : 0;
    return layer;
  };
}

Architecture make_decoder(const DecoderRow& row) {
  Architecture architecture;
  architecture.model_type = row.model_type;
  architecture.heads = row.heads;
  architecture.note = row.note;
  architecture.names = {.base_prefix = row.base_prefix,
                        .renames = row.renames,
                        .ignored_suffixes = row.ignored_suffixes,
                        .ignored_prefixes = row.ignored_prefixes};
  architecture.record = [row](Program& program, const Config& config, WeightNames& names) {
    record(row, program, config, names);
  };
  return architecture;
}

}  // namespace gamut
