// Texts for a command: from its arguments, a file, or standard input, one per line.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace gamut::cli {

/// Where a command's texts come from: the arguments when there are any, else `file` when it is named, else standard
/// input.
struct TextSource {
  std::vector<std::string> arguments;
  std::string file;
};

/// Hands the texts out in chunks of at most `chunk` texts, in order. A line ends with LF or CRLF. Throws
/// Error{kNotFound} when the file cannot be read.
void for_each_chunk(const TextSource& source, size_t chunk,
                    const std::function<void(std::span<const std::string>)>& body);

/// All texts at once.
std::vector<std::string> read_all(const TextSource& source);

/// Counts finished texts on a terminal's standard error; silent in a pipe.
class Progress {
 public:
  Progress();
  ~Progress();
  void add(size_t texts);

 private:
  bool visible_;
  size_t done_ = 0;
};

}  // namespace gamut::cli
