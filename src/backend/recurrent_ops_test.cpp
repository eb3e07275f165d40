// Every recurrent operator goes on from its state: rows cut into pieces give what they give in one run, and what else
// is in a run changes nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "backend/backend.h"
#include "backend/cpu/kernel_table.h"
#include "graph/op_schema.h"
#include "graph/rows.h"
#include "ops/table.h"
#include "passes/rewrite.h"

namespace gamut {
namespace {

/// The tokens [from, from + count) of a sample's row.
struct Piece {
  size_t row = 0;
  int64_t from = 0, count = 0;
};

bool is_recurrent_op(const OpSchema& op) {
  const std::vector<OpCase> samples = op.cases();
  return std::ranges::any_of(samples, [&](const OpCase& sample) {
    return std::ranges::any_of(sample.graph.nodes(),
                               [&](const Node& node) { return node.op == &op && is_recurrent(sample.graph, node); });
  });
}

/// The graph with a state at its recurrence.
Graph with_state(const Graph& graph) {
  return rewrite(graph, [&](Graph& out, const Node& node, std::span<const Value> inputs) -> std::optional<Value> {
    if (!is_recurrent(graph, node)) return std::nullopt;
    Node kept = node;
    kept.attributes.set("state", std::string("s"));
    return out.add_like(kept, {inputs.begin(), inputs.end()});
  });
}

/// An operator's sample with a state, on one backend.
class Stateful {
 public:
  Stateful(const OpCase& sample, const std::string& backend, const CompileOptions& options)
      : sample_(sample), graph_(with_state(sample.graph)), states_(find_states(graph_)) {
    auto weights = std::make_shared<Checkpoint>(Checkpoint::from_tensors(sample.weights));
    executable_ = find_backend(backend).compile(graph_, weights, options);
    state_ = find_backend(backend).make_state(states_, size_t{1} << 26);
  }

  bool has_state() const { return !states_.empty(); }
  std::vector<int64_t> add_sequences(size_t count) {
    std::vector<int64_t> all;
    for (size_t i = 0; i < count; ++i) all.push_back(state_->add());
    return all;
  }
  /// The results of the pieces' tokens, one piece behind the other.
  std::vector<float> run(const std::vector<Piece>& pieces, const std::vector<int64_t>& sequences) {
    std::vector<int64_t> own;
    for (const Piece& piece : pieces) {
      own.push_back(sequences[piece.row]);
      state_->reserve(own.back(), piece.count);
    }
    const Tensor y = executable_->run(cut(pieces), {state_.get(), own}).at("y");
    for (const Piece& piece : pieces) state_->advance(sequences[piece.row], piece.count);
    return {y.f32().begin(), y.f32().end()};
  }

 private:
  NamedTensors cut(const std::vector<Piece>& pieces) const {
    std::vector<int64_t> lengths;
    for (const Piece& piece : pieces) lengths.push_back(piece.count);
    const RowTable table = RowTable::packed(lengths);
    NamedTensors inputs = sample_.inputs;
    inputs["rows"] = table.to_tensor();
    for (const Node* input : graph_.inputs()) {
      const Shape& shape = graph_.info(input->outputs[0]).shape;
      if (shape.empty() || !(shape[0] == Extent::symbol(kBatch))) continue;
      const Tensor& all = sample_.inputs.at(input->attributes.s("name"));
      Dims dims = all.dims();
      const int64_t width = all.count() / std::max<int64_t>(1, dims[0] * dims[1]);
      dims[0] = table.batch, dims[1] = table.sequence;
      Tensor own = Tensor::allocate(DType::kF32, dims);
      float* to = own.mutable_f32().data();
      for (const Piece& piece : pieces) {
        const int64_t start = sample_.inputs.at("rows").i64()[2 * piece.row] + piece.from;
        to = std::copy_n(all.f32().data() + start * width, piece.count * width, to);
      }
      inputs[input->attributes.s("name")] = own;
    }
    return inputs;
  }

  const OpCase& sample_;
  Graph graph_;
  std::vector<StateSpec> states_;
  std::unique_ptr<Executable> executable_;
  std::unique_ptr<State> state_;
};

/// All rows that have tokens, whole.
std::vector<Piece> whole_rows(const OpCase& sample) {
  std::vector<Piece> all;
  const Tensor& rows = sample.inputs.at("rows");
  for (size_t n = 0; n < static_cast<size_t>(rows.dim(0)); ++n) {
    if (const int64_t length = rows.i64()[2 * n + 1]; length > 0) all.push_back({n, 0, length});
  }
  return all;
}

/// Each row's results when rows run together, `step`, then step + 1, … tokens at a time.
std::vector<std::vector<float>> run_in_steps(Stateful& stateful, std::vector<Piece> rest, int64_t step, size_t rows) {
  std::vector<std::vector<float>> results(rows);
  const std::vector<int64_t> sequences = stateful.add_sequences(rows);
  for (; !rest.empty(); ++step) {
    std::vector<Piece> now, later;
    for (const Piece& piece : rest) {
      const int64_t count = std::min(step, piece.count);
      now.push_back({piece.row, piece.from, count});
      if (count < piece.count) later.push_back({piece.row, piece.from + count, piece.count - count});
    }
    const std::vector<float> y = stateful.run(now, sequences);
    int64_t tokens = 0, done = 0;
    for (const Piece& piece : now) tokens += piece.count;
    const auto width = static_cast<int64_t>(y.size()) / tokens;
    for (const Piece& piece : now) {
      const auto begin = y.begin() + done * width;
      results[piece.row].insert(results[piece.row].end(), begin, begin + piece.count * width);
      done += piece.count;
    }
    rest = later;
  }
  return results;
}

void expect_close(const std::vector<float>& actual, const std::vector<float>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  double scale = 1;
  for (float value : expected) scale = std::max(scale, std::fabs(static_cast<double>(value)));
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(actual[i], expected[i], tolerance * scale) << "at " << i;
}

void check_sample(const OpCase& sample, const std::string& backend, const CompileOptions& options) {
  SCOPED_TRACE(sample.name + " on " + backend + " " + options.instruction_set);
  Stateful stateful(sample, backend, options);
  if (!stateful.has_state()) return;  // a convolution of one tap
  const std::vector<Piece> rows = whole_rows(sample);
  const auto count = static_cast<size_t>(sample.inputs.at("rows").dim(0));
  constexpr int64_t kAll = int64_t{1} << 40;
  const auto together = run_in_steps(stateful, rows, kAll, count);
  const auto in_steps = run_in_steps(stateful, rows, 1, count);
  for (const Piece& row : rows) {
    expect_close(in_steps[row.row], together[row.row], sample.tolerance);
    const auto alone = run_in_steps(stateful, {row}, kAll, count)[row.row];
    EXPECT_EQ(alone, together[row.row]) << "row " << row.row << " depends on the others";
  }
}

TEST(RecurrentOperators, GoOnFromTheirStates) {
  int found = 0;
  for (const OpSchema* op : op::table()) {
    if (op->state == nullptr || !is_recurrent_op(*op)) continue;
    ++found;
    for (const OpCase& sample : op->cases()) {
      check_sample(sample, "reference", {});
      for (int i = 0; i < kIsaCount; ++i) {
        const Isa isa = static_cast<Isa>(i);
        if (cpu::has_kernels(isa)) check_sample(sample, "cpu", {.threads = 2, .instruction_set = isa_name(isa)});
      }
    }
  }
  EXPECT_GE(found, 4);
}

}  // namespace
}  // namespace gamut
