// Recurrent operators on OpenVINO: tokens become one line per row, a loop goes along the lines.
#pragma once

#include <functional>

#include "backend/openvino/lower.h"

namespace gamut::openvino {

/// What a recurrent node gives: y [B,S,...] with zeros on padding, and what each row leaves behind, [N, dims...].
struct Recurrence {
  Out y, state;
};

/// Lowers a node of a recurrent operator whose rows go on from `initial` [N, dims...] (see StateSpec::dims).
Recurrence lower_recurrence(Lowering& lowering, const Node& node, const Out& initial);
/// The same with rows that go on from the node's state, if it has one, and else start from zeros.
Out lower_recurrent(Lowering& lowering, const Node& node);

/// F32 zeros [N, dims...] for the rows of a recurrent node.
Out zero_states(Lowering& lowering, const Node& node);

/// The tokens of a recurrent node, by row: N lines of the longest row's length L.
class TokenLines {
 public:
  TokenLines(Lowering& lowering, const Node& node);
  /// x [B,S,tail...] -> [N,L,tail...], zeros behind a row's end. `tail` is constant.
  Out from_grid(const Out& x, const std::vector<int64_t>& tail) const;
  /// The way back; zeros on padding.
  Out to_grid(const Out& y, const std::vector<int64_t>& tail) const;
  /// BOOL [N,L]: false behind a row's end.
  Out is_token() const;

 private:
  Out places_, lines_, tokens_;
};

/// One token of a loop: what it is given, [N,...] each, what is the same for all tokens, and the state before it.
using LoopBody = std::function<Recurrence(const ov::OutputVector& token, const ov::OutputVector& shared, const Out& h)>;
/// Runs `body` along axis 1 of `tokens` [N,L,...]; y [N,L,...] is what it gives, token by token.
Recurrence loop_tokens(const ov::OutputVector& tokens, const ov::OutputVector& shared, const Out& initial,
                       const LoopBody& body);

}  // namespace gamut::openvino
