// What a decoder's config says, in the family's terms: sizes, names of tensors, where the norms stand, which parts a
// block has.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "graph/rows.h"
#include "layers/rope.h"
#include "layers/scope.h"
#include "layers/token_input.h"

namespace gamut {

enum class DecoderNorm {
  kRms,
  kRmsPlusOne,  // the checkpoint holds the weight less one
  kLayer,
  kBareLayer,  // a layer norm without weight
};

/// How the checkpoint holds the projections to queries, keys and values.
enum class QkvLayout {
  kSplit,    // three tensors
  kConcat,   // one: all queries, all keys, all values
  kGrouped,  // one: for each head of keys the queries that share it, its key, its value
};

enum class DecoderMlp {
  kGated,       // down(activation(gate(x)) * up(x))
  kFusedGated,  // gate and up in one tensor, in this order
  kPlain,       // down(activation(up(x)))
  kNone,        // a block ends with its mixer
};

/// Names of tensors: of the model below its base, of a block below the block. Empty: there is none.
struct DecoderNames {
  std::string embedding = "embed_tokens", positions;
  std::string embedding_projection, embedding_norm, output_projection;
  std::string layers = "layers", final_norm = "norm";
  std::string input_norm = "input_layernorm", attention_output_norm;
  std::string mlp_norm = "post_attention_layernorm", mlp_output_norm;
  std::string q = "self_attn.q_proj", k = "self_attn.k_proj", v = "self_attn.v_proj", qkv, o = "self_attn.o_proj";
  std::string q_norm = "self_attn.q_norm", k_norm = "self_attn.k_norm";  // used where the checkpoint has them
  std::string sinks;                                                     // of attention, one per head
  std::string gate = "mlp.gate_proj", up = "mlp.up_proj", down = "mlp.down_proj";
  std::string lm_head = "lm_head";                     // below the root
  std::string score = "score", token_score = "score";  // of the classification heads, below the root
};

struct DecoderSpec;

/// What every block of one recording sees.
struct DecoderContext {
  const DecoderSpec& spec;
  const Config& config;
  Rows rows;
  Value positions = {};                           // I64 [B,S], each token's in its sequence
  std::map<std::string, RopeTables> tables = {};  // of the spec's ropes
  std::map<std::string, Value> numbers = {};      // of the spec's numbers [B,S,width]
  Value slopes = {};                              // the spec's [heads]; absent without
};

/// A part of block `index`, whose tensors are below `s`: x [B,S,D] -> [B,S,D].
using DecoderPart = std::function<Value(const DecoderContext& c, const Scope& s, int64_t index, Value x)>;

/// What differs from block to block.
struct DecoderLayer {
  int64_t window = 0;         // see op::Mask; 0: none
  bool turns = true;          // rotates queries and keys
  std::string rope = "rope";  // by which of the spec's ropes
  double scale = 0;           // of the scores; 0: the spec's
  DecoderPart mixer;          // in place of the spec's attention
  DecoderPart feed_forward;   // in place of the spec's
};

/// How an architecture differs from Llama. Made from the config while recording.
struct DecoderSpec {
  std::string base = "model";  // what stands before the base model's names
  DecoderNames names;

  DecoderNorm norm = DecoderNorm::kRms;
  double eps = 1e-6;
  int64_t ignored_layers = 0;  // so many behind the last may be in the file: they guess further tokens
  double final_eps = 0;        // of the final norm; 0: eps
  int64_t layers = 0, heads = 0, kv_heads = 0, head_dim = 0;
  QkvLayout qkv = QkvLayout::kSplit;
  DecoderMlp mlp = DecoderMlp::kGated;
  std::string activation = "silu";
  bool transposed = false;  // weights of the blocks are [in, out]

  /// By name; filled with "rope" from the config when `turns` and empty.
  std::map<std::string, Rope> ropes;
  bool turns = true;  // positions are rotations
  bool interleaved = false;
  std::vector<float> slopes;   // ALiBi: of each head, see op::AttentionOptions; empty: none
  int64_t first_position = 0;  // lines of the table of positions before the first token's
  double clip_qkv = 0;         // queries, keys and values lie within +- this; 0: anywhere
  /// Numbers of each token that parts of blocks ask for by name.
  std::map<std::string, TokenNumbers> numbers;

  bool parallel = false;        // attention and feed-forward read the same x; without mlp_norm, the same norm of it
  bool post_norm = false;       // input_norm and mlp_norm stand behind the sums with what was read
  bool adds_to_normed = false;  // what attention and feed-forward give is added to the norm that they read

  double attention_scale = 0;  // 0: 1 / sqrt(head_dim)
  double softcap = 0;          // of scores; 0: none
  double embedding_scale = 1, residual_scale = 1, logit_scale = 1, logit_softcap = 0;

  /// Block i; null: all are DecoderLayer{}.
  std::function<DecoderLayer(int64_t i)> layer;
};

}  // namespace gamut
