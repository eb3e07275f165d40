// Builds the sample cases of operators: declares inputs and fills them with reproducible values.
#pragma once

#include <string>

#include "graph/op_schema.h"
#include "graph/rows.h"

namespace gamut {

/// Records one case. Values are uniform in [low, high) from a generator seeded by the case's and the tensor's name.
class CaseBuilder {
 public:
  explicit CaseBuilder(const std::string& name);

  /// An f32 input of `dims`; its declared shape is `shape` when given, else `dims`.
  Value f32(const std::string& name, const Dims& dims, float low = -2, float high = 2, Shape shape = {});
  /// An I64 input with values in [0, limit).
  Value ids(const std::string& name, const Dims& dims, int64_t limit, Shape shape = {});
  /// An f32 weight.
  Value weight(const std::string& name, const Dims& dims, float low = -1, float high = 1);
  /// A U8 or I8 weight of codes below 2^bits; those with a sign lie around 0.
  Value codes(const std::string& name, const Dims& dims, DType dtype, int bits);
  /// Rows over a token grid.
  Rows rows(const RowTable& table);
  /// An f32 input [B,S,tail…] over the token grid of `table`.
  Value tokens(const std::string& name, const RowTable& table, const Dims& tail);

  Graph& graph() { return case_.graph; }
  /// Declares the result and gives the case away.
  OpCase finish(Value result, double tolerance = 1e-5);

 private:
  Tensor random(const std::string& name, const Dims& dims, float low, float high) const;

  OpCase case_;
};

}  // namespace gamut
