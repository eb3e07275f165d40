// Recurrent operators with states: a sequence that is cut into runs gives what one run over all of it gives.
#include <gtest/gtest.h>

#include <cmath>

#include "backend/backend.h"
#include "backend/cpu/kernel_table.h"
#include "graph/op_case_builder.h"
#include "graph/verifier.h"
#include "ops/causal_conv1d.h"
#include "ops/selective_scan.h"
#include "ops/ssd_scan.h"

namespace gamut {
namespace {

const std::vector<int64_t> kLengths{41, 6};

Value conv(CaseBuilder& b, const RowTable& table, const Rows& rows) {
  Value x = b.tokens("x", table, {19});
  return op::causal_conv1d(x, b.weight("weight", {19, 5}), b.weight("bias", {19}), rows, "state");
}

Value scan(CaseBuilder& b, const RowTable& table, const Rows& rows) {
  Value x = b.tokens("x", table, {19});
  op::SelectiveScanInputs inputs{.steps = b.tokens("steps", table, {19}), .a = b.weight("a", {19, 10}, -2, 0)};
  inputs.b = b.tokens("b", table, {10}), inputs.c = b.tokens("c", table, {10}), inputs.d = b.weight("d", {19});
  return op::selective_scan(x, inputs, rows, "state");
}

Value ssd(CaseBuilder& b, const RowTable& table, const Rows& rows) {
  Value x = b.tokens("x", table, {4, 19});
  op::SsdScanInputs inputs{.steps = b.tokens("steps", table, {4}), .a = b.weight("a", {4}, -2, 0)};
  inputs.b = b.tokens("b", table, {2, 10}), inputs.c = b.tokens("c", table, {2, 10}), inputs.d = b.weight("d", {4});
  return op::ssd_scan(x, inputs, rows, "state");
}

/// One operator, its node recorded with a state.
struct Operator {
  const char* name;
  Value (*record)(CaseBuilder& b, const RowTable& table, const Rows& rows);
};
const Operator kOperators[] = {{"causal_conv1d", conv}, {"selective_scan", scan}, {"ssd_scan", ssd}};

OpCase make_case(const Operator& op, const RowTable& table) {
  CaseBuilder b(op.name);
  const Rows rows = b.rows(table);
  Value y = op.record(b, table, rows);
  return b.finish(y);
}

/// The tokens [begin, end) of each row of packed inputs; a row that has ended gives none.
NamedTensors cut(const NamedTensors& inputs, const RowTable& table, int64_t begin, int64_t end) {
  std::vector<int64_t> lengths;
  for (const RowTable::Row& row : table.rows) {
    lengths.push_back(std::max<int64_t>(0, std::min(end, row.length) - begin));
  }
  const RowTable part = RowTable::packed(lengths);
  NamedTensors result;
  for (const auto& [name, tensor] : inputs) {
    if (tensor.dtype() == DType::kI64) {
      result[name] = part.to_tensor();
      continue;
    }
    Dims dims = tensor.dims();
    dims[1] = part.sequence;
    const int64_t width = static_cast<int64_t>(tensor.f32().size()) / table.tokens();
    Tensor piece = Tensor::allocate(DType::kF32, dims);
    for (size_t n = 0; n < part.rows.size(); ++n) {
      const float* from = tensor.f32().data() + (table.rows[n].start + begin) * width;
      std::copy_n(from, part.rows[n].length * width, piece.mutable_f32().data() + part.rows[n].start * width);
    }
    result[name] = piece;
  }
  return result;
}

struct Target {
  const char* backend;
  const char* instruction_set;
};

class Recurrent : public testing::TestWithParam<Target> {
 protected:
  /// Runs the sequences in pieces of so many tokens, over and over; the results in the order of one run.
  static std::vector<float> in_pieces(const Backend& backend, const Executable& executable, const OpCase& sample,
                                      const RowTable& table, const std::vector<int64_t>& pieces) {
    const std::unique_ptr<State> state = backend.make_state(find_states(sample.graph), 1 << 20);
    const std::vector<int64_t> sequences{state->add(), state->add()};
    std::vector<float> all;
    std::vector<std::vector<float>> by_row(table.rows.size());
    for (int64_t begin = 0, i = 0; begin < kLengths[0]; ++i) {
      const int64_t end = begin + pieces[static_cast<size_t>(i) % pieces.size()];
      const NamedTensors inputs = cut(sample.inputs, table, begin, end);
      const auto rows = inputs.at("rows").i64();
      for (size_t n = 0; n < sequences.size(); ++n) state->reserve(sequences[n], rows[2 * n + 1]);
      const Tensor y = executable.run(inputs, {state.get(), sequences}).at("y");
      const auto width = y.f32().size() / static_cast<size_t>(std::max<int64_t>(1, y.dim(1)));
      for (size_t n = 0; n < sequences.size(); ++n) {
        const auto part =
            y.f32().subspan(static_cast<size_t>(rows[2 * n]) * width, static_cast<size_t>(rows[2 * n + 1]) * width);
        by_row[n].insert(by_row[n].end(), part.begin(), part.end());
        state->advance(sequences[n], rows[2 * n + 1]);
      }
      begin = end;
    }
    for (const std::vector<float>& row : by_row) all.insert(all.end(), row.begin(), row.end());
    return all;
  }
};

TEST_P(Recurrent, PiecesEqualTheWhole) {
  const CompileOptions options{.threads = 2, .instruction_set = GetParam().instruction_set};
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (options.instruction_set == isa_name(isa) && !cpu::has_kernels(isa)) GTEST_SKIP() << "not on this machine";
  }
  const Backend& backend = find_backend(GetParam().backend);
  const RowTable table = RowTable::packed(kLengths);
  for (const Operator& op : kOperators) {
    SCOPED_TRACE(op.name);
    const OpCase sample = make_case(op, table);
    verify(sample.graph);
    ASSERT_EQ(find_states(sample.graph).size(), 1u);
    auto weights = std::make_shared<Checkpoint>(Checkpoint::from_tensors(sample.weights));
    const auto executable = backend.compile(sample.graph, weights, options);
    const Tensor whole = executable->run(sample.inputs).at("y");
    for (const std::vector<int64_t>& pieces :
         std::vector<std::vector<int64_t>>{{1}, {2, 3}, {33, 1}, {50}, {4, 1, 7}}) {
      const std::vector<float> found = in_pieces(backend, *executable, sample, table, pieces);
      ASSERT_EQ(found.size(), whole.f32().size());
      for (size_t i = 0; i < found.size(); ++i) {
        // The plain loops round what they keep to f32; kernels give the same bits.
        const float expected = whole.f32()[i];
        if (GetParam().instruction_set[0] != 0) {
          ASSERT_EQ(found[i], expected) << "pieces of " << pieces[0] << ", at " << i;
        } else {
          ASSERT_NEAR(found[i], expected, 1e-5 * std::max(1.0f, std::fabs(expected))) << pieces[0] << ", at " << i;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Recurrent,
                         testing::Values(Target{"reference", ""}, Target{"cpu", "baseline"}, Target{"cpu", "avx2"},
                                         Target{"cpu", "avx512"}),
                         [](const auto& target) {
                           return std::string(target.param.backend) + target.param.instruction_set;
                         });

}  // namespace
}  // namespace gamut
