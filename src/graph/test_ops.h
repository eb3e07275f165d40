// For tests: three operators of their own, so that the graph's rules are tested without the real ones.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "gamut/error.h"
#include "graph/op_schema.h"

namespace gamut::test {

/// x [...] -> [...], f32; keeps tokens apart.
inline const OpSchema kMap{.name = "map",
                           .infer =
                               [](InferContext& c) {
                                 c.require_dtype(0, DType::kF32);
                                 c.output(DType::kF32, c.shape(0));
                               },
                           .keeps_tokens = always_keeps_tokens};

/// a, b of one shape (b optional) -> that shape; keeps tokens apart.
inline const OpSchema kJoin{.name = "join",
                            .min_inputs = 1,
                            .max_inputs = 3,
                            .infer =
                                [](InferContext& c) {
                                  for (size_t i = 1; i < c.input_count(); ++i) {
                                    if (!c.has(i)) continue;
                                    if (c.rank(i) != c.rank(0)) c.fail("ranks differ");
                                    for (int axis = 0; axis < c.rank(0); ++axis) {
                                      c.require_equal(c.shape(0)[axis], c.shape(i)[axis], "extents");
                                    }
                                  }
                                  c.output(c.dtype(0), c.shape(0));
                                },
                            .keeps_tokens = always_keeps_tokens};

/// x -> [the attribute "shape"], whatever x is; mixes tokens.
inline const OpSchema kMix{.name = "mix",
                           .infer = [](InferContext& c) { c.output(DType::kF32, c.attributes().shape("shape")); }};

/// x -> two results of its shape.
inline const OpSchema kTwice{.name = "twice",
                             .infer =
                                 [](InferContext& c) {
                                   c.output(c.dtype(0), c.shape(0));
                                   c.output(c.dtype(0), c.shape(0));
                                 },
                             .keeps_tokens = always_keeps_tokens};

/// Expects `action` to throw an Error of that code whose message holds `part`.
template <typename Action>
void expect_error(Action action, ErrorCode code, const std::string& part) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), error_code_name(code)) << error.message();
    EXPECT_NE(error.message().find(part), std::string::npos) << error.message() << "\nexpected in it: " << part;
    return;
  }
  ADD_FAILURE() << "no error; expected one with: " << part;
}

}  // namespace gamut::test
