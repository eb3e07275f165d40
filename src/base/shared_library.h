// Libraries that are opened at run time when they are there.
#pragma once

#include <memory>
#include <string>

namespace gamut {

/// An open shared library.
class SharedLibrary {
 public:
  /// What happens to its code when this object ends; `kStays` for a library that starts threads.
  enum class Life { kCloses, kStays };

  /// Asks the loader for `name` (a soname or a file). Not open when it cannot be had; `problem` says why.
  explicit SharedLibrary(const std::string& name, Life life = Life::kCloses);

  bool is_open() const { return handle_ != nullptr; }
  const std::string& problem() const { return problem_; }
  /// Its file, links followed; empty when not open.
  std::string file() const;
  /// Points `function` at the symbol `name`, or at null when there is none.
  template <typename Function>
  void find(const char* name, Function** function) const {
    *function = reinterpret_cast<Function*>(symbol(name));
  }

 private:
  void* symbol(const char* name) const;

  std::shared_ptr<void> handle_;
  std::string problem_;
};

}  // namespace gamut
