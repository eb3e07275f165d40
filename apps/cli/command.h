// The options of one subcommand. Only command.cpp and main.cpp see CLI11, which takes seconds to compile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace gamut::cli {

/// Bounds of a number on the command line, both included.
struct NumberRange {
  int64_t min = 0;
  int64_t max = INT64_MAX;
};

/// A subcommand being described. The variables it is given must live until the command line has been parsed; what they
/// hold before is the default, which the help shows.
class Command {
 public:
  Command(CLI::App& app, const std::string& name, const std::string& summary);

  /// A positional argument that must be there, and one that takes all that is left.
  Command& positional(const std::string& name, std::string& value, const std::string& help);
  Command& positionals(const std::string& name, std::vector<std::string>& values, const std::string& help);

  /// `--name VALUE`.
  Command& option(const std::string& name, std::string& value, const std::string& help);
  Command& option(const std::string& name, std::filesystem::path& value, const std::string& help);
  Command& option(const std::string& name, int& value, const std::string& help, NumberRange range = {});
  Command& option(const std::string& name, int64_t& value, const std::string& help, NumberRange range = {});
  Command& option(const std::string& name, size_t& value, const std::string& help, NumberRange range = {});
  Command& option(const std::string& name, std::optional<size_t>& value, const std::string& help,
                  NumberRange range = {});
  Command& option(const std::string& name, std::optional<int64_t>& value, const std::string& help,
                  NumberRange range = {});
  Command& option(const std::string& name, std::optional<double>& value, const std::string& help);
  /// `--name TEXT`, as often as one likes.
  Command& texts(const std::string& name, std::vector<std::string>& values, const std::string& help);
  /// `--name N1,N2,…`.
  Command& numbers(const std::string& name, std::vector<int64_t>& values, const std::string& help,
                   NumberRange range = {});
  /// `--name` without which the program does not run.
  Command& required(const std::string& name, std::string& value, const std::string& help);
  /// `--name` alone.
  Command& flag(const std::string& name, bool& value, const std::string& help);
  /// `--name WORD`, one of the words; sets the value that belongs to it.
  template <typename T>
  Command& choice(const std::string& name, T& value, const std::vector<std::pair<std::string, T>>& words,
                  const std::string& help) {
    std::vector<std::string> names;
    for (const auto& [word, meaning] : words) names.push_back(word);
    return add_choice(
        name, names, [&value, words](size_t index) { value = words[index].second; }, help);
  }

  /// What the command does once everything is parsed.
  void run(std::function<void()> body);

 private:
  Command& add_choice(const std::string& name, const std::vector<std::string>& words, std::function<void(size_t)> set,
                      const std::string& help);

  CLI::App* command_;
};

}  // namespace gamut::cli
