// The subcommands of the gamut program: one function each, which adds its options and what it does.
#pragma once

#include "command.h"
#include "gamut/model.h"

namespace gamut::cli {

/// What every command can be told.
struct CommonOptions {
  bool json = false;  ///< results and errors as JSON
  int exit_code = 0;  ///< what the program ends with when nothing is thrown
};

/// Adds --json.
void add_json_option(Command& command, CommonOptions& common);
/// Adds --backend, --precision, --threads, --instruction-set, --head and --strict.
void add_load_options(Command& command, LoadOptions& options);

/// gamut run MODEL [INPUT…]: the model's task on real input.
void add_run_command(CLI::App& app, CommonOptions& common);
/// gamut embed MODEL [TEXT…]: sentence embeddings.
void add_embed_command(CLI::App& app, CommonOptions& common);
/// gamut tokenize MODEL: text to tokens and back, one JSON value per line.
void add_tokenize_command(CLI::App& app, CommonOptions& common);
/// gamut template MODEL REQUEST: the prompt that a chat template makes.
void add_template_command(CLI::App& app, CommonOptions& common);
/// gamut generate MODEL: text that goes on from a prompt.
void add_generate_command(CLI::App& app, CommonOptions& common);
/// gamut chat MODEL: a conversation.
void add_chat_command(CLI::App& app, CommonOptions& common);
/// gamut forward MODEL --inputs F --outputs G: raw tensors in and out.
void add_forward_command(CLI::App& app, CommonOptions& common);
/// gamut info MODEL: what a checkpoint is.
void add_info_command(CLI::App& app, CommonOptions& common);
/// gamut models: what is supported, with the evidence.
void add_models_command(CLI::App& app, CommonOptions& common);
/// gamut doctor: what this machine gives gamut and what of it works.
void add_doctor_command(CLI::App& app, CommonOptions& common);
/// gamut convert MODEL --out FOLDER: the weights as safetensors.
void add_convert_command(CLI::App& app, CommonOptions& common);
/// gamut bench MODEL: how fast it runs here.
void add_bench_command(CLI::App& app, CommonOptions& common);

}  // namespace gamut::cli
