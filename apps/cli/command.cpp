#include "command.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace gamut::cli {
namespace {

template <typename T>
void add_number(CLI::App* command, const std::string& name, T& value, const std::string& help, NumberRange range) {
  command->add_option(name, value, help)->capture_default_str()->check(CLI::Range(range.min, range.max));
}

template <typename T>
void add_optional(CLI::App* command, const std::string& name, std::optional<T>& value, const std::string& help,
                  NumberRange range) {
  command
      ->add_option_function<int64_t>(
          name, [&value](const int64_t& number) { value = static_cast<T>(number); }, help)
      ->check(CLI::Range(range.min, range.max));
}

}  // namespace

Command::Command(CLI::App& app, const std::string& name, const std::string& summary)
    : command_(app.add_subcommand(name, summary)) {}

Command& Command::positional(const std::string& name, std::string& value, const std::string& help) {
  command_->add_option(name, value, help)->required();
  return *this;
}

Command& Command::positionals(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  command_->add_option(name, values, help);
  return *this;
}

Command& Command::option(const std::string& name, std::string& value, const std::string& help) {
  CLI::Option* option = command_->add_option(name, value, help);
  if (!value.empty()) option->capture_default_str();
  return *this;
}

Command& Command::option(const std::string& name, std::filesystem::path& value, const std::string& help) {
  CLI::Option* option = command_->add_option_function<std::string>(
      name, [&value](const std::string& path) { value = path; }, help);
  if (!value.empty()) option->default_str(value.string());
  return *this;
}

Command& Command::option(const std::string& name, int& value, const std::string& help, NumberRange range) {
  return add_number(command_, name, value, help, range), *this;
}

Command& Command::option(const std::string& name, int64_t& value, const std::string& help, NumberRange range) {
  return add_number(command_, name, value, help, range), *this;
}

Command& Command::option(const std::string& name, size_t& value, const std::string& help, NumberRange range) {
  return add_number(command_, name, value, help, range), *this;
}

Command& Command::option(const std::string& name, std::optional<size_t>& value, const std::string& help,
                         NumberRange range) {
  return add_optional(command_, name, value, help, range), *this;
}

Command& Command::option(const std::string& name, std::optional<int64_t>& value, const std::string& help,
                         NumberRange range) {
  return add_optional(command_, name, value, help, range), *this;
}

Command& Command::option(const std::string& name, std::optional<double>& value, const std::string& help) {
  command_->add_option(name, value, help);
  return *this;
}

Command& Command::texts(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  command_->add_option(name, values, help)->allow_extra_args(false);
  return *this;
}

Command& Command::numbers(const std::string& name, std::vector<int64_t>& values, const std::string& help,
                          NumberRange range) {
  command_->add_option(name, values, help)->delimiter(',')->check(CLI::Range(range.min, range.max));
  return *this;
}

Command& Command::required(const std::string& name, std::string& value, const std::string& help) {
  command_->add_option(name, value, help)->required();
  return *this;
}

Command& Command::flag(const std::string& name, bool& value, const std::string& help) {
  command_->add_flag(name, value, help);
  return *this;
}

Command& Command::add_choice(const std::string& name, const std::vector<std::string>& words,
                             std::function<void(size_t)> set, const std::string& help) {
  command_
      ->add_option_function<std::string>(
          name,
          [words, set = std::move(set)](const std::string& word) {
            set(static_cast<size_t>(std::ranges::find(words, word) - words.begin()));
          },
          help)
      ->check(CLI::IsMember(words));
  return *this;
}

void Command::run(std::function<void()> body) { command_->callback(std::move(body)); }

}  // namespace gamut::cli
