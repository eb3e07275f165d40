#include "tasks/support/embedding.h"

#include "base/error.h"
#include "models/sentence_embedding.h"
#include "tasks/support/finite.h"

namespace gamut {
namespace {

TextRunner make_runner(const ModelFolder& folder, const LoadOptions& options, const SentenceTransformer& modules) {
  LoadOptions base = options;
  base.head = folder.architecture().heads.front();
  Program program = folder.record(base).program;
  append_sentence_embedding(program, modules);
  return TextRunner(folder, folder.compile(std::move(program), options), modules.max_length);
}

}  // namespace

EmbeddingModel::EmbeddingModel(const ModelFolder& folder, const LoadOptions& options)
    : modules_(read_sentence_transformer(folder.path)), runner_(make_runner(folder, options, modules_)) {
  const Graph& graph = runner_.session().program().only_graph();
  dimension_ = graph.info(graph.outputs().front().second).shape.back().constant().value_or(0);
}

std::vector<std::vector<float>> EmbeddingModel::embed(std::span<const std::string> texts, bool truncate) const {
  std::vector<std::string> prompted;
  if (!modules_.prompt.empty()) {
    for (const std::string& text : texts) prompted.push_back(modules_.prompt + text);
    texts = prompted;
  }
  std::vector<std::vector<float>> embeddings(texts.size());
  runner_.run(texts, truncate, [&](size_t index, const Encoding&, const NamedTensors& results) {
    const auto values = results.at("sentence_embedding").f32();
    require_finite(values, index, "the sentence embedding");
    embeddings[index].assign(values.begin(), values.end());
  });
  return embeddings;
}

}  // namespace gamut
