// The subcommands of the gamut program: one function each, which adds its options and what it does.
#pragma once

#include <CLI/CLI.hpp>

namespace gamut::cli {

/// What every command can be told.
struct CommonOptions {
  bool json = false;  ///< results and errors as JSON
};

/// gamut tokenize MODEL: text to tokens and back, one JSON value per line.
void add_tokenize_command(CLI::App& app, CommonOptions& common);

}  // namespace gamut::cli
