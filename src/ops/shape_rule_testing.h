// For tests: rules that say what an operator accepts and refuses, as rows of tables.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "gamut/error.h"
#include "graph/rows.h"
#include "graph/verifier.h"

namespace gamut::test {

inline const Extent B = Extent::symbol(kBatch), S = Extent::symbol(kSequence), N = Extent::symbol(kRowCount);

/// A graph whose inputs are made as they are mentioned.
struct Inputs {
  Graph graph;
  int count = 0;

  Value f(const Shape& shape) { return graph.input("x" + std::to_string(count++), DType::kF32, shape); }
  Value i(const Shape& shape) { return graph.input("x" + std::to_string(count++), DType::kI64, shape); }
  Value b(const Shape& shape) { return graph.input("x" + std::to_string(count++), DType::kBool, shape); }
  Value weight(DType dtype, const Dims& dims) { return graph.weight("w" + std::to_string(count++), dtype, dims); }
  Rows rows() { return Rows::input(graph); }
};

struct Rule {
  const char* name;
  std::function<Value(Inputs&)> record;
  const char* expected;  // the shape, or a part of the message
  size_t assumptions = 0;
};

inline void PrintTo(const Rule& rule, std::ostream* out) { *out << rule.name; }

inline std::string name_of(const testing::TestParamInfo<Rule>& rule) { return rule.param.name; }

inline void expect_accepted(const Rule& rule) {
  Inputs in;
  Value y = rule.record(in);
  EXPECT_EQ(to_string(y.shape()), rule.expected);
  EXPECT_EQ(in.graph.assumptions().size(), rule.assumptions);
  in.graph.set_output("y", y);
  EXPECT_NO_THROW(verify(in.graph));
}

/// Expects an error that begins with the label, holds the rule's text and ends with the inputs.
inline void expect_refused(const Rule& rule) {
  Inputs in;
  LabelScope label(in.graph, "place");
  try {
    rule.record(in);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), "invalid_argument") << error.message();
    EXPECT_EQ(error.message().substr(0, 7), "place: ") << error.message();
    EXPECT_NE(error.message().find(rule.expected), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("; inputs "), std::string::npos) << error.message();
  }
}

}  // namespace gamut::test
