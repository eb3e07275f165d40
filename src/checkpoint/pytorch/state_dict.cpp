#include "checkpoint/pytorch/state_dict.h"

#include <algorithm>
#include <optional>

#include "checkpoint/safetensors_name.h"
#include "text/utf8.h"

namespace gamut {
namespace {

constexpr size_t kMaxDepth = 16;
constexpr size_t kMaxName = 4096;
constexpr size_t kMaxNames = 64u << 20;  ///< bytes of all names
constexpr size_t kMaxVisits = 1u << 21;  ///< values looked at, which are more than there are when dicts are shared
constexpr std::string_view kWrappers[] = {"state_dict", "model_state_dict", "model", "module"};

/// Walks the dicts and collects the tensors.
class Walk {
 public:
  Walk(const FileRange& source, const PickleObjects& objects) : source_(source), objects_(objects) {}

  void add(const PickleValue& dict, const std::string& prefix, size_t depth) {
    if (depth == kMaxDepth) source_.refuse(0, "{}: more than {} dicts inside each other", in_quotes(prefix), kMaxDepth);
    const auto items = objects_.items(dict);
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      if (++visits_ > kMaxVisits) limit(fmt::format("a state dict of more than {} values", kMaxVisits));
      const PickleValue& value = items[i + 1];
      if (value.kind != PickleKind::kTensor && value.kind != PickleKind::kDict) {
        leave_out(items[i], prefix);
      } else if (const std::string name = prefix + key_of(items[i]); value.kind == PickleKind::kTensor) {
        add_tensor(name, static_cast<uint32_t>(value.payload));
      } else {
        check_length(name);
        add(value, name + ".", depth + 1);
      }
    }
  }

  StateDict finish() {
    std::ranges::stable_sort(found_.items, {}, &StateDict::Item::name);
    for (size_t i = 1; i < found_.items.size(); ++i) {
      if (found_.items[i - 1].name != found_.items[i].name) continue;
      source_.refuse(at(found_.items[i]), "tensor {} is there twice, first at byte {}", in_quotes(found_.items[i].name),
                     at(found_.items[i - 1]));
    }
    if (found_.items.empty()) source_.refuse(0, "a pickle without tensors, expected a dict from names to tensors");
    if (left_out_ > 0) {
      found_.warnings.push_back(
          fmt::format("{} values of the state dict are no tensors and were left out, the first is "
                      "{}",
                      left_out_, in_quotes(first_left_out_)));
    }
    return std::move(found_);
  }

 private:
  [[noreturn]] void limit(const std::string& message) const {
    source_.refuse_as(ErrorCode::kResourceLimit, 0, message);
  }

  uint64_t at(const StateDict::Item& item) const { return objects_.tensors[item.tensor].at; }

  std::string key_of(const PickleValue& key) const {
    if (key.kind == PickleKind::kText || key.kind == PickleKind::kBytes) return std::string(objects_.text(key));
    if (key.kind == PickleKind::kInt) return std::to_string(key.number());
    source_.refuse(0, "a dict with {} as a key, expected a name", kind_name(key.kind));
  }

  void leave_out(const PickleValue& key, const std::string& prefix) {
    const bool has_name = key.kind == PickleKind::kText && key.size <= kMaxName;
    if (left_out_++ == 0) first_left_out_ = prefix + (has_name ? std::string(objects_.text(key)) : "?");
  }

  void check_length(const std::string& name) {
    if (name.size() > kMaxName) {
      limit(fmt::format("tensor {}: a name of {} bytes, at most {} expected", in_quotes(name), name.size(), kMaxName));
    }
    name_bytes_ += name.size();
    if (name_bytes_ > kMaxNames) limit(fmt::format("names of more than {} bytes", kMaxNames));
  }

  void add_tensor(const std::string& name, uint32_t index) {
    const PickledTensor& tensor = objects_.tensors[index];
    check_length(name);
    if (name.empty() || !is_printable_name(name) || text::valid_utf8_prefix(name) != name.size()) {
      source_.refuse(tensor.at, "tensor {}: the name is empty, not UTF-8 or holds a control character",
                     in_quotes(name));
    }
    if (!tensor.is_set) source_.refuse(tensor.at, "tensor {} was made and never given its data", in_quotes(name));
    if (!tensor.type->dtype) {
      source_.refuse_as(ErrorCode::kUnsupported, tensor.at,
                        fmt::format("tensor {}: dtype {}, expected one that safetensors has too", in_quotes(name),
                                    tensor.type->name));
    }
    found_.items.push_back({name, index});
  }

  const FileRange& source_;
  const PickleObjects& objects_;
  StateDict found_;
  size_t left_out_ = 0, name_bytes_ = 0, visits_ = 0;
  std::string first_left_out_;
};

/// The dict that a training checkpoint keeps its weights in, with its key; nothing when `dict` is no such checkpoint.
std::optional<std::pair<std::string_view, PickleValue>> wrapped(const FileRange& source, const PickleObjects& objects,
                                                                const PickleValue& dict) {
  std::optional<std::pair<std::string_view, PickleValue>> found;
  const auto items = objects.items(dict);
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i + 1].kind == PickleKind::kTensor) return std::nullopt;
    if (items[i].kind != PickleKind::kText || items[i + 1].kind != PickleKind::kDict) continue;
    const std::string_view key = objects.text(items[i]);
    if (std::ranges::find(kWrappers, key) == std::end(kWrappers)) continue;
    if (found) {
      source.refuse(0, "a training checkpoint with {} and {}, expected one state dict", in_quotes(found->first),
                    in_quotes(key));
    }
    found.emplace(key, items[i + 1]);
  }
  return found;
}

}  // namespace

StateDict read_state_dict(const FileRange& source, const PickleObjects& objects, const PickleValue& root) {
  if (root.kind != PickleKind::kDict) {
    source.refuse(0, "the pickle is {}, expected a dict from names to tensors", kind_name(root.kind));
  }
  const auto inner = wrapped(source, objects, root);
  Walk walk(source, objects);
  walk.add(inner ? inner->second : root, "", 0);
  StateDict found = walk.finish();
  if (const size_t others = objects.items(root).size() / 2 - 1; inner && others > 0) {
    found.warnings.push_back(fmt::format("a training checkpoint: the weights are its {}, {} other values were left out",
                                         in_quotes(inner->first), others));
  }
  return found;
}

}  // namespace gamut
