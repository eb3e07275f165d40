// linear_scan: a number per channel that every token scales and adds to.
#pragma once

#include <string>

#include "graph/graph.h"
#include "graph/rows.h"

namespace gamut::op {

/// The operator; as of every recurrent one, input 1 is the rows table.
extern const OpSchema kLinearScan;

/// a, b [B,S,C] -> y [B,S,C]: y_t = a_t * y_(t-1) + b_t along each row, with zeros before its first token. With a name
/// of a `state` rows go on from earlier runs. Padding gives zeros.
Value linear_scan(const Rows& rows, Value a, Value b, const std::string& state = "");

}  // namespace gamut::op
