#include "generate/stop_strings.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace gamut {

StopStrings::StopStrings(std::vector<std::string> strings) : strings_(std::move(strings)) {
  for (const std::string& text : strings_) {
    if (text.empty()) fail(ErrorCode::kInvalidArgument, "a stop string is empty");
  }
}

std::string StopStrings::push(std::string_view piece) {
  if (stopped_) return "";
  held_ += piece;
  size_t first = std::string::npos;
  for (const std::string& text : strings_) first = std::min(first, held_.find(text));
  if (first != std::string::npos) {
    stopped_ = true;
    held_.resize(first);
    return std::exchange(held_, "");
  }
  // The longest end of the text that begins a stop string has to wait.
  size_t waiting = 0;
  for (const std::string& text : strings_) {
    for (size_t length = std::min(text.size() - 1, held_.size()); length > waiting; --length) {
      if (held_.ends_with(std::string_view(text).substr(0, length))) waiting = length;
    }
  }
  std::string settled = held_.substr(0, held_.size() - waiting);
  held_.erase(0, settled.size());
  return settled;
}

std::string StopStrings::finish() { return stopped_ ? "" : std::exchange(held_, ""); }

}  // namespace gamut
