// How states will work on OpenVINO (decision 8 of the design), proved by a program of one attention: keys and values
// grow in variables of the request, steps equal one run over everything, beams are reordered, tokens are taken back.
#include <cmath>

#include <openvino/op/assign.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/read_value.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/scaled_dot_product_attention.hpp>
#include <openvino/op/util/variable.hpp>
#include "backend/openvino/device.h"
#include "backend/openvino/lower.h"
#include "backend/openvino/testing.h"

namespace gamut::openvino {
namespace {

constexpr int64_t kHeads = 2, kHeadDim = 8;

/// Inputs q, k, v [B,H,S,D] of the new tokens and "beams" [B], which of the former rows each row continues.
class Program {
 public:
  Program() {
    const ov::PartialShape shape{-1, kHeads, -1, kHeadDim};
    for (int i = 0; i < 3; ++i) inputs_.push_back(std::make_shared<ov::op::v0::Parameter>(ov::element::f32, shape));
    inputs_.push_back(std::make_shared<ov::op::v0::Parameter>(ov::element::i32, ov::PartialShape{-1}));
    const Out keys = grow("keys", inputs_[1]), values = grow("values", inputs_[2]);
    const Out y = make<ov::op::v13::ScaledDotProductAttention>(inputs_[0], keys, values, false);
    auto model =
        std::make_shared<ov::Model>(ov::ResultVector{std::make_shared<ov::op::v0::Result>(y)}, sinks_, inputs_);
    compiled_ = core().compile_model(model, "CPU", Device{"CPU", ov::element::f32, 2}.properties());
  }

  ov::CompiledModel& compiled() { return compiled_; }

 private:
  Out grow(const std::string& name, const std::shared_ptr<ov::op::v0::Parameter>& next) {
    const ov::op::util::VariableInfo info{ov::PartialShape{-1, kHeads, -1, kHeadDim}, ov::element::f32, name};
    auto variable = std::make_shared<ov::op::util::Variable>(info);
    const Out nothing = make<ov::op::v0::Constant>(ov::element::f32, ov::Shape{0, kHeads, 0, kHeadDim});
    const Out past = make<ov::op::v8::Gather>(make<ov::op::v6::ReadValue>(nothing, variable), inputs_[3],
                                              make<ov::op::v0::Constant>(ov::element::i32, ov::Shape{}, 0));
    const Out all = make<ov::op::v0::Concat>(ov::OutputVector{past, next->output(0)}, 2);
    sinks_.push_back(std::make_shared<ov::op::v6::Assign>(all, variable));
    return all;
  }

  ov::ParameterVector inputs_;
  ov::SinkVector sinks_;
  ov::CompiledModel compiled_;
};

/// Deterministic numbers for token `token` of row `row`.
float number(int which, int64_t row, int64_t head, int64_t token, int64_t i) {
  return static_cast<float>(std::sin(1.0 + which * 0.7 + static_cast<double>(row * 5 + head * 3 + token * 2) * 0.37 +
                                     static_cast<double>(i) * 0.9));
}

/// q, k or v of tokens [from, to) of `rows`.
ov::Tensor tokens(int which, const std::vector<int64_t>& rows, int64_t from, int64_t to) {
  ov::Tensor tensor(ov::element::f32, {rows.size(), kHeads, static_cast<size_t>(to - from), kHeadDim});
  float* at = tensor.data<float>();
  for (int64_t row : rows) {
    for (int64_t head = 0; head < kHeads; ++head) {
      for (int64_t token = from; token < to; ++token) {
        for (int64_t i = 0; i < kHeadDim; ++i) *at++ = number(which, row, head, token, i);
      }
    }
  }
  return tensor;
}

/// Runs the tokens; the result of the last one, [B,H,D].
std::vector<float> step(ov::InferRequest& request, const std::vector<int64_t>& rows, int64_t from, int64_t to,
                        std::vector<int32_t> beams) {
  for (int which = 0; which < 3; ++which) {
    request.set_input_tensor(static_cast<size_t>(which), tokens(which, rows, from, to));
  }
  request.set_input_tensor(3, ov::Tensor(ov::element::i32, {beams.size()}, beams.data()));
  request.infer();
  const ov::Tensor y = request.get_output_tensor(0);  // [B,H,S,D]
  std::vector<float> last;
  for (size_t line = 0; line < rows.size() * kHeads; ++line) {
    const float* at = y.data<float>() + (line + 1) * static_cast<size_t>((to - from) * kHeadDim) - kHeadDim;
    last.insert(last.end(), at, at + kHeadDim);
  }
  return last;
}

/// The last query of each row over its first `length` tokens, written out.
std::vector<float> expected(const std::vector<int64_t>& rows, int64_t length) {
  std::vector<float> y;
  for (int64_t row : rows) {
    for (int64_t head = 0; head < kHeads; ++head) {
      std::vector<double> weights(static_cast<size_t>(length));
      double sum = 0;
      for (int64_t key = 0; key < length; ++key) {
        double score = 0;
        for (int64_t i = 0; i < kHeadDim; ++i) {
          score += static_cast<double>(number(0, row, head, length - 1, i)) * number(1, row, head, key, i);
        }
        sum += weights[static_cast<size_t>(key)] = std::exp(score / std::sqrt(static_cast<double>(kHeadDim)));
      }
      for (int64_t i = 0; i < kHeadDim; ++i) {
        double value = 0;
        for (int64_t key = 0; key < length; ++key) {
          value += weights[static_cast<size_t>(key)] * number(2, row, head, key, i);
        }
        y.push_back(static_cast<float>(value / sum));
      }
    }
  }
  return y;
}

void expect_near(const std::vector<float>& actual, const std::vector<float>& wanted, const char* what) {
  ASSERT_EQ(actual.size(), wanted.size()) << what;
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(actual[i], wanted[i], 1e-5) << what << " at " << i;
}

TEST(States, AppendReorderTruncateForkAndDrop) {
  Program program;
  ov::InferRequest request = program.compiled().create_infer_request();
  request.reset_state();
  // Append: a prompt of four tokens, then one at a time. The first run has no rows to continue.
  ov::Tensor empty(ov::element::f32, {2, kHeads, 0, kHeadDim});
  for (ov::VariableState& state : request.query_state()) state.set_state(empty);
  expect_near(step(request, {0, 1}, 0, 4, {0, 1}), expected({0, 1}, 4), "prefill");
  expect_near(step(request, {0, 1}, 4, 5, {0, 1}), expected({0, 1}, 5), "step");
  // Reorder: rows change places.
  expect_near(step(request, {1, 0}, 5, 6, {1, 0}), expected({1, 0}, 6), "reorder");
  // Fork: both rows continue the first.
  expect_near(step(request, {1, 1}, 6, 7, {0, 0}), expected({1, 1}, 7), "fork");
  // Truncate: back to five tokens.
  for (ov::VariableState& state : request.query_state()) {
    const ov::Tensor all = state.get_state();
    ov::Tensor kept(ov::element::f32, {2, kHeads, 5, kHeadDim});
    ov::Tensor(all, {0, 0, 0, 0}, {2, kHeads, 5, kHeadDim}).copy_to(kept);
    state.set_state(kept);
  }
  expect_near(step(request, {1, 1}, 5, 6, {0, 1}), expected({1, 1}, 6), "truncate");
  // Drop: one row leaves.
  expect_near(step(request, {1}, 6, 7, {1}), expected({1}, 7), "drop");
  // Another request has states of its own.
  ov::InferRequest other = program.compiled().create_infer_request();
  for (ov::VariableState& state : other.query_state())
    state.set_state(ov::Tensor(ov::element::f32, {1, kHeads, 0, kHeadDim}));
  expect_near(step(other, {3}, 0, 2, {0}), expected({3}, 2), "other request");
  expect_near(step(request, {1}, 7, 8, {0}), expected({1}, 8), "first request");
}

}  // namespace
}  // namespace gamut::openvino
