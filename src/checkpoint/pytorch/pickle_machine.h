// Runs the pickle of a checkpoint: the opcodes that torch.save writes, and a fixed table of what they may make.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "checkpoint/pytorch/file_range.h"
#include "checkpoint/pytorch/pickle_objects.h"

namespace gamut {

/// Limits of one pickle, enforced before the work.
struct PickleLimits {
  uint64_t max_bytes = 64u << 20;
  size_t max_values = 1u << 21;  ///< in tuples, lists and dicts together
  size_t max_stack = 1u << 20;
  size_t max_marks = 1000;  ///< open at once: how deep values nest
  size_t max_memo = 1u << 21;
  size_t max_tensors = 1u << 18;
  size_t max_rank = 16;
};

/// A stack machine for the 34 opcodes that torch.load(weights_only=True) knows, as pickle's documentation (pickletools
/// of Python) describes them. It calls nothing: what a pickle names and applies are the rows of pickle_globals.h, done
/// by Rebuilder. Anything else throws Error{kInvalidFile}, Error{kUnsupported} or Error{kResourceLimit} with the byte
/// of the opcode, the value found and what was expected.
class PickleMachine {
 public:
  /// Turns the persistent id of a storage (or, in the tar form, a tensor) into a value.
  using Persistent = std::function<PickleValue(PickleMachine& machine, const PickleValue& id)>;

  /// A pickle that begins at byte `begin` of `source`. Without `persistent` such ids are refused.
  PickleMachine(const FileRange& source, uint64_t begin, Persistent persistent = nullptr,
                const PickleLimits& limits = {});

  /// Runs to STOP and returns what is left on the stack. Once.
  PickleValue run();

  /// The byte behind the STOP, counted as messages count: from the begin of `source`.
  uint64_t end() const { return begin_ + next_; }

  PickleObjects& objects() { return objects_; }
  const PickleObjects& objects() const { return objects_; }

  // For what makes values while the machine runs.

  /// Throws Error{kInvalidFile} at the opcode that runs.
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> message, Args&&... args) const {
    source_.refuse_as(ErrorCode::kInvalidFile, at(), fmt::format(message, std::forward<Args>(args)...));
  }
  [[noreturn]] void refuse_as(ErrorCode code, const std::string& message, const std::string& hint = "") const {
    source_.refuse_as(code, at(), message, hint);
  }
  /// The byte of the opcode that runs.
  uint64_t at() const { return begin_ + opcode_; }
  const PickleLimits& limits() const { return limits_; }

  PickleValue make_dict(bool is_ordered);
  /// Sets the keys and values of an empty dict.
  void fill(const PickleValue& dict, std::vector<PickleValue> pairs);
  PickleValue make_tensor(PickledTensor tensor);
  /// A view of the storage of that key, the same storage for the same key. Throws when type or count differ from what
  /// was said of it before.
  PickleValue make_storage(PickledStorage storage);
  PickleValue make_view(const StorageView& view);

 private:
  void step(unsigned char opcode);
  bool step_value(unsigned char opcode);
  bool step_container(unsigned char opcode);
  bool step_memo(unsigned char opcode);
  void step_global();

  /// The next `count` bytes of the pickle; where they begin in objects_.bytes.
  size_t take(size_t count);
  uint64_t take_number(size_t bytes);
  PickleValue take_text(PickleKind kind, size_t size);
  PickleValue take_long();
  std::string_view take_line();

  void push(PickleValue value);
  PickleValue pop();
  /// The topmost value, which stays.
  PickleValue& top(const char* what);
  size_t pop_mark();
  void count_values(size_t count);
  void make_tuple(size_t first);
  void append(size_t first, PickleKind kind);

  FileRange source_;
  uint64_t begin_;
  Persistent persistent_;
  PickleLimits limits_;
  PickleObjects objects_;
  size_t opcode_ = 0;  ///< position in the pickle of the opcode that runs
  size_t next_ = 0;    ///< of the next byte
  size_t values_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<size_t> marks_;
  std::vector<std::optional<PickleValue>> memo_;
  std::unordered_map<std::string, uint32_t> storages_;  ///< by key, positions in objects_.storages
};

}  // namespace gamut
