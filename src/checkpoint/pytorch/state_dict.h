// Which of a pickle's values are the weights, and under which names.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/pytorch/file_range.h"
#include "checkpoint/pytorch/pickle_objects.h"

namespace gamut {

/// The tensors of a state dict.
struct StateDict {
  struct Item {
    std::string name;
    uint32_t tensor = 0;  ///< position in PickleObjects::tensors
  };
  std::vector<Item> items;
  std::vector<std::string> warnings;
};

/// The tensors of the dict `root`, dicts in it joined by dots: {"a": {"b": t}} is "a.b". A training checkpoint, a dict
/// without tensors of its own that holds exactly one of "state_dict", "model_state_dict", "model" and "module" as a
/// dict, is that dict; what is left out is a warning. `source` is where the pickle lies. Throws Error{kInvalidFile} for
/// anything but a dict with tensors, for a name twice, empty, with control characters or not UTF-8, and for two
/// candidates; Error{kUnsupported} for a dtype without a DType; Error{kResourceLimit} for names without end.
StateDict read_state_dict(const FileRange& source, const PickleObjects& objects, const PickleValue& root);

}  // namespace gamut
