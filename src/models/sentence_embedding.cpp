#include "models/sentence_embedding.h"

#include "base/error.h"
#include "graph/verifier.h"
#include "ops/concat.h"
#include "ops/l2_normalize.h"
#include "ops/pool_rows.h"

namespace gamut {
namespace {

PoolKind kind_of(const std::string& pooling) {
  if (pooling == "cls") return PoolKind::kFirst;
  if (pooling == "max") return PoolKind::kMax;
  if (pooling == "mean_sqrt") return PoolKind::kMeanSqrt;
  if (pooling == "lasttoken") return PoolKind::kLast;
  return PoolKind::kMean;
}

}  // namespace

void append_sentence_embedding(Program& program, const SentenceTransformer& modules) {
  Graph& graph = program.only_graph();
  Value hidden, table;
  for (const auto& [name, value] : graph.outputs()) {
    if (name == "last_hidden_state") hidden = {&graph, value};
  }
  for (const Node* input : graph.inputs()) {
    if (input->attributes.s("name") == "rows") table = {&graph, input->outputs[0]};
  }
  check_internal(hidden && table, "sentence embedding: the program has no last_hidden_state or no rows");
  LabelScope label(graph, "sentence_embedding");
  std::vector<Value> pooled;
  for (const std::string& pooling : modules.poolings)
    pooled.push_back(op::pool_rows(kind_of(pooling), hidden, Rows{table}));
  Value embedding = op::concat(pooled, -1);
  if (modules.normalize) embedding = op::l2_normalize(embedding);
  graph.clear_outputs();
  graph.set_output("sentence_embedding", embedding);
  program.outputs = {{"sentence_embedding", Lines::kRows}};
  verify_if_wanted(graph);
}

}  // namespace gamut
