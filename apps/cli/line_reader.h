// Lines of standard input that an interrupt can end.
#pragma once

#include <optional>
#include <string>

namespace gamut::cli {

class LineReader {
 public:
  enum class Event { kLine, kEnd, kInterrupted };

  /// Waits for the next line, without its LF or CRLF. A last line without an end counts. What was typed before an
  /// interrupt is dropped. Throws Error{kIo} when standard input cannot be read and Error{kResourceLimit} for a line
  /// longer than 16 MiB.
  Event next(std::string* line);

 private:
  std::string held_;
  bool at_end_ = false;
};

}  // namespace gamut::cli
