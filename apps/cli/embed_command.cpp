// gamut embed: one embedding per text, streamed.
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>

#include "commands.h"
#include "gamut/task.h"
#include "text_input.h"

namespace gamut::cli {
namespace {

struct EmbedArguments {
  std::string model;
  TextSource source;
  LoadOptions load;
};

/// Texts that are read, embedded and printed at a time.
constexpr size_t kChunk = 1024;

/// The shortest decimal number that reads back as the same float.
void append_float(std::string& out, float value) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

void print_embedding(const std::vector<float>& embedding, bool json) {
  std::string line = json ? "{\"embedding\": [" : "";
  for (size_t i = 0; i < embedding.size(); ++i) {
    if (i > 0) line += json ? ", " : " ";
    append_float(line, embedding[i]);
  }
  line += json ? "]}\n" : "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
}

void embed(const EmbedArguments& arguments, bool json) {
  const SentenceEmbedder embedder = SentenceEmbedder::open(arguments.model, arguments.load);
  Progress progress;
  for_each_chunk(arguments.source, kChunk, [&](std::span<const std::string> texts) {
    for (const std::vector<float>& embedding : embedder.embed(texts)) print_embedding(embedding, json);
    std::fflush(stdout);
    progress.add(texts.size());
  });
}

}  // namespace

void add_embed_command(CLI::App& app, CommonOptions& common) {
  CLI::App* command =
      app.add_subcommand("embed", "Sentence embeddings, pooled as the checkpoint says; one line per text");
  auto arguments = std::make_shared<EmbedArguments>();
  command->add_option("MODEL", arguments->model, "Folder of the checkpoint")->required();
  command->add_option("TEXT", arguments->source.arguments, "Texts (default: standard input, one per line)");
  command->add_option("--file", arguments->source.file, "File of texts, one per line");
  add_load_options(*command, arguments->load);
  add_json_option(*command, common);
  command->callback([arguments, &common] { embed(*arguments, common.json); });
}

}  // namespace gamut::cli
