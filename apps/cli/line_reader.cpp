#include "line_reader.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gamut/error.h"
#include "interrupt.h"

namespace gamut::cli {
namespace {

constexpr size_t kLongestLine = size_t{16} << 20;

}  // namespace

LineReader::Event LineReader::next(std::string* line) {
  size_t searched = 0;
  while (true) {
    const size_t end = held_.find('\n', searched);
    searched = held_.size();
    if (end != std::string::npos || (at_end_ && !held_.empty())) {
      *line = held_.substr(0, end);
      held_.erase(0, end == std::string::npos ? end : end + 1);
      if (!line->empty() && line->back() == '\r') line->pop_back();
      return Event::kLine;
    }
    if (at_end_) return Event::kEnd;
    if (held_.size() > kLongestLine) {
      throw Error(ErrorCode::kResourceLimit, "standard input: a line has more than 16 MiB");
    }
    char block[1 << 16];
    const ssize_t count =
        InterruptGuard::is_raised() ? (errno = EINTR, -1) : ::read(STDIN_FILENO, block, sizeof(block));
    if (count > 0) {
      held_.append(block, static_cast<size_t>(count));
    } else if (count == 0) {
      at_end_ = true;
    } else if (errno == EINTR && InterruptGuard::is_raised()) {
      held_.clear();
      return Event::kInterrupted;
    } else if (errno != EINTR) {
      throw Error(ErrorCode::kIo, std::string("standard input: cannot be read: ") + std::strerror(errno));
    }
  }
}

}  // namespace gamut::cli
