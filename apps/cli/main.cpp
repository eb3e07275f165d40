// The gamut program: parses the command line, runs one subcommand, reports errors.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "gamut/error.h"

namespace {

constexpr int kFailure = 1;
constexpr int kBadUsage = 2;

/// Errors go to stderr for people, and to stdout as {"error": …} for programs.
int report(bool json, int exit_code, std::string_view code, const std::string& message, const std::string& hint) {
  if (json) {
    nlohmann::json error = {{"error", {{"code", code}, {"message", message}, {"hint", hint}}}};
    std::printf("%s\n", error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::fprintf(stderr, "gamut: %s\n", message.c_str());
    if (!hint.empty()) std::fprintf(stderr, "%s\n", hint.c_str());
  }
  return exit_code;
}

/// Whether --json was asked for, also when the rest of the command line is wrong.
bool wants_json(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json") return true;
  }
  return false;
}

/// A standard stream that is closed must not become a file that is opened later: what is printed would end in it.
/// Reads from such an input and writes to such an output fail.
void occupy_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) != -1) continue;
    // The lowest free number is this one: those below are taken.
    const int taken = ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (taken != stream && taken >= 0) ::close(taken);
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  CLI::App app{"Runs Hugging Face checkpoints as published.", "gamut"};
  app.require_subcommand(1);
  gamut::cli::CommonOptions common;
  gamut::cli::add_run_command(app, common);
  gamut::cli::add_embed_command(app, common);
  gamut::cli::add_tokenize_command(app, common);
  gamut::cli::add_template_command(app, common);
  gamut::cli::add_chat_command(app, common);
  gamut::cli::add_generate_command(app, common);
  gamut::cli::add_forward_command(app, common);
  gamut::cli::add_info_command(app, common);
  gamut::cli::add_models_command(app, common);
  gamut::cli::add_doctor_command(app, common);
  gamut::cli::add_convert_command(app, common);
  gamut::cli::add_bench_command(app, common);
  try {
    app.parse(argc, argv);
    // A full disk or a closed pipe shows at the latest here.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      throw gamut::Error(gamut::ErrorCode::kIo, "standard output: cannot be written");
    }
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    if (argc > 1 && argv[1][0] != '-' && app.get_subcommands().empty()) {
      return report(wants_json(argc, argv), kBadUsage, "bad_usage",
                    "unknown command \"" + std::string(argv[1]).substr(0, 100) + "\"",
                    "Run `gamut --help` for the list.");
    }
    return report(wants_json(argc, argv), kBadUsage, "bad_usage", error.what(),
                  "Run `gamut --help` or `gamut COMMAND --help`.");
  } catch (const gamut::Error& error) {
    return report(common.json, kFailure, gamut::error_code_name(error.code()), error.message(), error.hint());
  } catch (const std::bad_alloc&) {
    return report(common.json, kFailure, gamut::error_code_name(gamut::ErrorCode::kResourceLimit), "out of memory", "");
  } catch (const std::exception& error) {
    return report(common.json, kFailure, gamut::error_code_name(gamut::ErrorCode::kInternal), error.what(),
                  "This is a defect in gamut; please report it.");
  }
  return common.exit_code;
}
