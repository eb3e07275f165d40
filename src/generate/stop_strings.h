// Watches a growing text for strings that end it, and holds back what may be the begin of one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gamut {

class StopStrings {
 public:
  /// Empty strings are refused with Error{kInvalidArgument}.
  explicit StopStrings(std::vector<std::string> strings);

  /// The text that is settled once `piece` has come: nothing of it belongs to a stop string.
  std::string push(std::string_view piece);
  /// What was held back, when no more will come.
  std::string finish();
  /// A stop string has come; everything from its begin on is dropped.
  bool is_stopped() const { return stopped_; }

 private:
  std::vector<std::string> strings_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace gamut
