// Rotary position embeddings: the frequencies that a config.json asks for, and the angles of a run's tokens.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "graph/program.h"

namespace gamut {

/// Where a config says how its rotations go, besides `rope_parameters`, `rope_scaling` and `rope_theta`.
struct RopeOptions {
  int64_t head_dim = 0;
  /// The entry of a `rope_parameters` that has one per kind of layer ("sliding_attention"); empty: it has none.
  std::string layer_type;
  /// The share of a head's numbers that turn, where nothing says otherwise.
  double rotary_share = 1;
  /// Types without scaling heed `partial_rotary_factor`; the others always do.
  bool heeds_partial_factor = false;
  /// Other names that files have for a type.
  std::map<std::string, std::string> renamed_types = {};
  /// What files without a rope object call the share and theta.
  const char* share_field = "partial_rotary_factor";
  const char* theta_field = "rope_theta";
  double theta = 10000;    ///< where neither the file nor the defaults say
  double plain_theta = 0;  ///< above 0: no scaling and this theta, whatever the config says
};

/// Frequencies and scale of one kind of layer, after transformers' modeling_rope_utils.py.
struct Rope {
  /// Angle per position of each pair of numbers, for a row that ends at position length - 1.
  std::function<std::vector<float>(int64_t length)> frequencies;
  /// Rows whose lengths have the same class have the same frequencies; null: all rows.
  std::function<int64_t(int64_t length)> length_class;
  int64_t pairs = 0;
  float scale = 1;         ///< of cosine and sine
  double score_scale = 1;  ///< of scores, in models that heed YaRN's mscale_all_dim there
};

/// The object that describes the rotations: today's field, the one before, or the default's; empty without any.
/// `layer_type`: see RopeOptions.
Config rope_object(const Config& config, const std::string& layer_type = "");

/// Throws Error{kUnsupported} for an unknown rope_type, Error{kInvalidFile} for numbers that cannot be.
Rope read_rope(const Config& config, const RopeOptions& options);

/// Cosine and sine of each token's angles [B,S,pairs], as inputs of `program` that are filled from position_ids.
struct RopeTables {
  Value cos, sin;
};
RopeTables add_rope_tables(Program& program, Graph& graph, const Rope& rope, const std::string& name);

}  // namespace gamut
