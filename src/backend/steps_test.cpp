// Every operator that keeps a state, on every backend: its sample cases cut into several runs are its cases in one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "backend/backend.h"
#include "graph/op_schema.h"
#include "graph/rows.h"
#include "ops/attention.h"
#include "ops/table.h"
#include "passes/rewrite.h"

namespace gamut {
namespace {

constexpr size_t kStateBytes = size_t{64} << 20;

/// The sample with the attribute "state" on the operator's node; nothing when that cannot have one.
std::optional<Graph> with_state(const OpCase& sample, const OpSchema* op) {
  bool found = false;
  Graph graph = rewrite(sample.graph, [&](Graph& out, const Node& node, std::span<const Value> inputs) {
    const bool is_bound =
        op != &op::kAttention || (node.op == op && node.attributes.b("causal") && (inputs.size() <= 4 || !inputs[4]));
    if (node.op != op || !is_bound || sample.inputs.count("rows") == 0) return std::optional<Value>();
    found = true;
    Attributes attributes = node.attributes;
    attributes.set("state", std::string("kept"));
    return std::optional(out.add(*op, {inputs.begin(), inputs.end()}, std::move(attributes)));
  });
  if (!found) return std::nullopt;
  return graph;
}

bool is_per_token(const Graph& graph, const std::string& input) {
  for (const Node* node : graph.inputs()) {
    if (node->attributes.s("name") != input) continue;
    const Shape& shape = graph.info(node->outputs[0]).shape;
    return shape.size() >= 2 && shape[0].as_symbol() == kBatch && shape[1].as_symbol() == kSequence;
  }
  return false;
}

/// One row's part of a run: `length` tokens from `place` on in the sample's grid.
struct Part {
  int64_t place, length;
};

/// The sample's per-token tensor at the parts, on the grid of `table`.
Tensor take(const Tensor& from, const std::vector<Part>& parts, const RowTable& table) {
  Dims dims = from.dims();
  const size_t width = from.f32().size() / static_cast<size_t>(dims[0] * dims[1]);
  dims[0] = table.batch, dims[1] = table.sequence;
  Tensor to = Tensor::allocate(DType::kF32, dims);
  std::ranges::fill(to.mutable_f32(), 0.0f);
  for (size_t n = 0; n < parts.size(); ++n) {
    const auto place = static_cast<size_t>(parts[n].place) * width,
               count = static_cast<size_t>(parts[n].length) * width;
    std::ranges::copy(
        from.f32().subspan(place, count),
        to.mutable_f32().begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(table.rows[n].start) * width));
  }
  return to;
}

class Steps {
 public:
  Steps(const OpCase& sample, const Graph& graph, const Backend& backend)
      : sample_(sample), graph_(graph), packs_(backend.prefers_packed_rows()) {
    auto weights = std::make_shared<Checkpoint>(Checkpoint::from_tensors(sample.weights));
    expected_ = find_backend("reference").compile(sample.graph, weights, {})->run(sample.inputs).at("y");
    executable_ = backend.compile(graph, weights, {.threads = 2});
    state_ = backend.make_state(find_states(graph), kStateBytes);
    for (int64_t n = 0; n < rows().dim(0); ++n) sequences_.push_back(state_->add());
  }

  /// Runs `step` tokens of every row that has some left, until none has.
  void run(int64_t step) {
    std::vector<int64_t> done(sequences_.size());
    while (run_one(step, &done)) {
    }
  }

 private:
  const Tensor& rows() const { return sample_.inputs.at("rows"); }

  bool run_one(int64_t step, std::vector<int64_t>* done) {
    std::vector<Part> parts;
    std::vector<int64_t> sequences, lengths;
    for (size_t n = 0; n < sequences_.size(); ++n) {
      const int64_t length = std::min(step, rows().i64()[2 * n + 1] - (*done)[n]);
      if (length == 0) continue;
      parts.push_back({rows().i64()[2 * n] + (*done)[n], length});
      sequences.push_back(sequences_[n]), lengths.push_back(length);
      (*done)[n] += length;
    }
    if (parts.empty()) return false;
    const RowTable table = packs_ ? RowTable::packed(lengths) : RowTable::padded(lengths);
    NamedTensors inputs{{"rows", table.to_tensor()}};
    for (const auto& [name, tensor] : sample_.inputs) {
      if (name != "rows") inputs[name] = is_per_token(graph_, name) ? take(tensor, parts, table) : tensor;
    }
    for (size_t n = 0; n < sequences.size(); ++n) state_->reserve(sequences[n], lengths[n]);
    const Tensor actual = executable_->run(inputs, {state_.get(), sequences}).at("y");
    for (size_t n = 0; n < sequences.size(); ++n) state_->advance(sequences[n], lengths[n]);
    for (size_t n = 0; n < parts.size(); ++n) compare(actual, table.rows[n].start, parts[n]);
    return true;
  }

  void compare(const Tensor& actual, int64_t start, const Part& part) const {
    const size_t width = expected_.f32().size() / static_cast<size_t>(expected_.dim(0) * expected_.dim(1));
    const auto count = static_cast<size_t>(part.length) * width;
    const auto ours = actual.f32().subspan(static_cast<size_t>(start) * width, count);
    const auto theirs = expected_.f32().subspan(static_cast<size_t>(part.place) * width, count);
    for (size_t i = 0; i < count; ++i) {
      const double allowed = sample_.tolerance * std::max(1.0, std::fabs(static_cast<double>(theirs[i])));
      ASSERT_NEAR(ours[i], theirs[i], allowed) << "token " << part.place << ", number " << i;
    }
  }

  const OpCase& sample_;
  const Graph& graph_;
  const bool packs_;
  Tensor expected_;
  std::unique_ptr<Executable> executable_;
  std::unique_ptr<State> state_;
  std::vector<int64_t> sequences_;
};

TEST(Steps, AreOneRunOnEveryBackend) {
  for (const OpSchema* op : op::table()) {
    if (op->state == nullptr) continue;
    int tried = 0;
    for (OpCase& sample : op->cases()) {
      const auto graph = with_state(sample, op);
      if (!graph) continue;
      ++tried;
      for (const std::string& backend : backend_names()) {
        for (int64_t step : {1, 3, 33}) {
          SCOPED_TRACE(sample.name + " on " + backend + " by " + std::to_string(step));
          Steps(sample, *graph, find_backend(backend)).run(step);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
    EXPECT_GT(tried, 0) << op->name;
  }
}

}  // namespace
}  // namespace gamut
