#include "checkpoint/pytorch/pickle_machine.h"

#include <algorithm>

#include "checkpoint/pytorch/rebuilder.h"

namespace gamut {
namespace {

constexpr size_t kFirstPiece = 4096;
constexpr size_t kMaxLine = 256;

/// The names that pickletools gives to the opcodes that a checkpoint may not hold, for messages.
std::string_view forbidden_name(unsigned char opcode) {
  switch (opcode) {
    case 'i': return "INST";
    case 'o': return "OBJ";
    case 'P': return "PERSID";
    case '0': return "POP";
    case '1': return "POP_MARK";
    case '2': return "DUP";
    case 'F': return "FLOAT";
    case 'I': return "INT";
    case 'L': return "LONG";
    case 'S': return "STRING";
    case 'T': return "BINSTRING";
    case 'V': return "UNICODE";
    case 'd': return "DICT";
    case 'l': return "LIST";
    case 'g': return "GET";
    case 'p': return "PUT";
    case 'B': return "BINBYTES";
    case 'C': return "SHORT_BINBYTES";
    case 0x82: return "EXT1";
    case 0x83: return "EXT2";
    case 0x84: return "EXT4";
    case 0x8b: return "LONG4";
    case 0x8c: return "SHORT_BINUNICODE";
    case 0x8d: return "BINUNICODE8";
    case 0x8e: return "BINBYTES8";
    case 0x90: return "ADDITEMS";
    case 0x91: return "FROZENSET";
    case 0x92: return "NEWOBJ_EX";
    case 0x93: return "STACK_GLOBAL";
    case 0x94: return "MEMOIZE";
    case 0x95: return "FRAME";
    case 0x96: return "BYTEARRAY8";
    case 0x97: return "NEXT_BUFFER";
    case 0x98: return "READONLY_BUFFER";
    default: return "unknown";
  }
}

}  // namespace

std::string_view kind_name(PickleKind kind) {
  switch (kind) {
    case PickleKind::kNone: return "None";
    case PickleKind::kBool: return "a truth value";
    case PickleKind::kInt: return "an integer";
    case PickleKind::kLong: return "an integer of more than 64 bits";
    case PickleKind::kFloat: return "a float";
    case PickleKind::kText: return "a text";
    case PickleKind::kBytes: return "bytes";
    case PickleKind::kTuple: return "a tuple";
    case PickleKind::kList: return "a list";
    case PickleKind::kDict: return "a dict";
    case PickleKind::kGlobal: return "a function or class";
    case PickleKind::kStorage: return "a storage";
    case PickleKind::kTensor: return "a tensor";
    case PickleKind::kOpaque: return "another object";
  }
  return "";
}

PickleMachine::PickleMachine(const FileRange& source, uint64_t begin, Persistent persistent, const PickleLimits& limits)
    : source_(source), begin_(begin), persistent_(std::move(persistent)), limits_(limits) {
  check_internal(begin <= source.size(), "a pickle that begins behind its file");
}

PickleValue PickleMachine::run() {
  for (;;) {
    opcode_ = next_;
    const unsigned char opcode = static_cast<unsigned char>(take_number(1));
    if (opcode == '.') break;
    step(opcode);
  }
  if (!marks_.empty()) refuse("STOP with {} marks open, expected none", marks_.size());
  const PickleValue value = pop();
  if (!stack_.empty()) refuse("STOP with {} more values on the stack, expected none", stack_.size());
  objects_.bytes.resize(next_);
  return value;
}

void PickleMachine::step(unsigned char opcode) {
  if (step_value(opcode) || step_container(opcode) || step_memo(opcode)) return;
  Rebuilder rebuilder(*this);
  switch (opcode) {
    case 0x80:  // PROTO
      if (const uint64_t protocol = take_number(1); protocol > 5) refuse("pickle protocol {}, expected 2", protocol);
      return;
    case 'c': return step_global();
    case 'Q': {  // BINPERSID
      if (!persistent_) refuse("a persistent id, expected plain values");
      const PickleValue id = pop();
      return push(persistent_(*this, id));
    }
    case 'R': {  // REDUCE
      const PickleValue arguments = pop(), function = pop();
      return push(rebuilder.call(function, arguments));
    }
    case 0x81: {  // NEWOBJ
      const PickleValue arguments = pop(), type = pop();
      return push(rebuilder.make(type, arguments));
    }
    case 'b': {  // BUILD
      const PickleValue state = pop();
      return rebuilder.set_state(top("BUILD"), state);
    }
    default:
      refuse_as(
          ErrorCode::kUnsupported,
          fmt::format("opcode {} (0x{:02x}), which no state dict of torch.save holds", forbidden_name(opcode), opcode),
          "Load the file with PyTorch if you trust it, and save its state dict again.");
  }
}

/// Opcodes that push a plain value.
bool PickleMachine::step_value(unsigned char opcode) {
  auto integer = [&](int64_t value) { push({PickleKind::kInt, 0, static_cast<uint64_t>(value)}); };
  switch (opcode) {
    case 'N': push({PickleKind::kNone}); return true;
    case 0x88: push({PickleKind::kBool, 0, 1}); return true;
    case 0x89: push({PickleKind::kBool, 0, 0}); return true;
    case 'J': integer(static_cast<int32_t>(take_number(4))); return true;
    case 'K': integer(static_cast<int64_t>(take_number(1))); return true;
    case 'M': integer(static_cast<int64_t>(take_number(2))); return true;
    case 0x8a: push(take_long()); return true;
    case 'G':
      take(8);
      push({PickleKind::kFloat});
      return true;
    case 'X': push(take_text(PickleKind::kText, take_number(4))); return true;
    case 'U': push(take_text(PickleKind::kText, take_number(1))); return true;
    case ')': push({PickleKind::kTuple, 0, objects_.tuples.size()}); return true;
    case ']':
      push(make_dict(false));
      stack_.back().kind = PickleKind::kList;
      return true;
    case '}': push(make_dict(false)); return true;
    case 0x8f: push({PickleKind::kOpaque}); return true;  // a set, which holds no tensors
    default: return false;
  }
}

/// Opcodes that put values into others.
bool PickleMachine::step_container(unsigned char opcode) {
  auto last = [&](size_t count) {
    const size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() - floor < count) refuse("{} values on the stack, expected {}", stack_.size() - floor, count);
    return stack_.size() - count;
  };
  switch (opcode) {
    case '(':
      if (marks_.size() == limits_.max_marks) {
        refuse_as(ErrorCode::kResourceLimit, fmt::format("more than {} values inside each other", limits_.max_marks));
      }
      marks_.push_back(stack_.size());
      return true;
    case 't': make_tuple(pop_mark()); return true;
    case 0x85: make_tuple(last(1)); return true;
    case 0x86: make_tuple(last(2)); return true;
    case 0x87: make_tuple(last(3)); return true;
    case 'a': append(last(1), PickleKind::kList); return true;
    case 'e': append(pop_mark(), PickleKind::kList); return true;
    case 's': append(last(2), PickleKind::kDict); return true;
    case 'u': append(pop_mark(), PickleKind::kDict); return true;
    default: return false;
  }
}

bool PickleMachine::step_memo(unsigned char opcode) {
  switch (opcode) {
    case 'h':
    case 'j': {
      const uint64_t index = take_number(opcode == 'h' ? 1 : 4);
      if (index >= memo_.size() || !memo_[index]) refuse("memo {}, which holds nothing", index);
      push(*memo_[index]);
      return true;
    }
    case 'q':
    case 'r': {
      const uint64_t index = take_number(opcode == 'q' ? 1 : 4);
      // Every value that was memoised before took two bytes, so that no memo is larger than its pickle.
      if (index > opcode_ / 2) refuse("memo {}, more than the {} bytes before it can have filled", index, opcode_);
      if (index >= limits_.max_memo) {
        refuse_as(ErrorCode::kResourceLimit, fmt::format("memo {}, at most {} expected", index, limits_.max_memo));
      }
      const PickleValue value = top("a memo");
      if (index >= memo_.size()) memo_.resize(index + 1);
      memo_[index] = value;
      return true;
    }
    default: return false;
  }
}

void PickleMachine::step_global() {
  const std::string module(take_line()), name(take_line());
  const std::optional<Global> global = find_global(module, name);
  const std::string shown = in_quotes(module + "." + name);
  if (!global) {
    refuse_as(ErrorCode::kUnsupported, fmt::format("global {} is not one that a state dict needs", shown),
              "A pickle can name any code, and gamut runs none of it. Load the file with PyTorch if you trust it, and "
              "save its state dict again.");
  }
  if (global->kind == GlobalKind::kRefused) {
    refuse_as(ErrorCode::kUnsupported,
              fmt::format("{}: sparse, quantised and wrapped tensors are not read, expected dense ones", shown));
  }
  objects_.globals.push_back(*global);
  count_values(1);
  push({PickleKind::kGlobal, 0, objects_.globals.size() - 1});
}

size_t PickleMachine::take(size_t count) {
  std::string& bytes = objects_.bytes;
  if (bytes.size() - next_ < count) {
    const uint64_t left = source_.size() - begin_ - next_;
    if (left < count) {
      source_.refuse(source_.size(), "the pickle ends here, expected {} more bytes for byte {} (truncated file?)",
                     count - left, at());
    }
    if (next_ + count > limits_.max_bytes) {
      refuse_as(ErrorCode::kResourceLimit, fmt::format("a pickle of more than {} bytes", limits_.max_bytes));
    }
    const size_t had = bytes.size();
    const uint64_t wanted = std::max<uint64_t>({next_ + count, 2 * had, kFirstPiece});
    bytes.resize(static_cast<size_t>(std::min({wanted, source_.size() - begin_, limits_.max_bytes})));
    source_.read(begin_ + had, bytes.size() - had, bytes.data() + had);
  }
  next_ += count;
  return next_ - count;
}

uint64_t PickleMachine::take_number(size_t bytes) {
  const size_t first = take(bytes);
  return little_endian(objects_.bytes.data() + first, bytes);
}

PickleValue PickleMachine::take_text(PickleKind kind, size_t size) {
  return {kind, static_cast<uint32_t>(size), take(size)};
}

/// LONG1: a little-endian two's complement number.
PickleValue PickleMachine::take_long() {
  const size_t size = take_number(1);
  const PickleValue bytes = take_text(PickleKind::kLong, size);
  if (size > 8) return bytes;
  uint64_t value = little_endian(objects_.text(bytes).data(), size);
  if (size > 0 && size < 8 && (value >> (8 * size - 1) & 1)) value |= ~uint64_t{0} << (8 * size);
  return {PickleKind::kInt, 0, value};
}

std::string_view PickleMachine::take_line() {
  const size_t first = next_;
  while (objects_.bytes[take(1)] != '\n') {
    if (next_ - first > kMaxLine) refuse("a name of more than {} bytes", kMaxLine);
  }
  return std::string_view(objects_.bytes).substr(first, next_ - 1 - first);
}

void PickleMachine::push(PickleValue value) {
  if (stack_.size() == limits_.max_stack) {
    refuse_as(ErrorCode::kResourceLimit, fmt::format("more than {} values on the stack", limits_.max_stack));
  }
  stack_.push_back(value);
}

PickleValue& PickleMachine::top(const char* what) {
  const size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() == floor) refuse("nothing on the stack, expected a value for {}", what);
  return stack_.back();
}

PickleValue PickleMachine::pop() {
  const PickleValue value = top("it");
  stack_.pop_back();
  return value;
}

/// Forgets the last mark; the first value above it.
size_t PickleMachine::pop_mark() {
  if (marks_.empty()) refuse("no mark on the stack, expected one");
  const size_t first = marks_.back();
  marks_.pop_back();
  return first;
}

void PickleMachine::count_values(size_t count) {
  values_ += count;
  if (values_ > limits_.max_values) {
    refuse_as(ErrorCode::kResourceLimit, fmt::format("more than {} values", limits_.max_values));
  }
}

/// A tuple of what is on the stack from `first` on.
void PickleMachine::make_tuple(size_t first) {
  const size_t count = stack_.size() - first;
  count_values(count);
  const PickleValue tuple{PickleKind::kTuple, static_cast<uint32_t>(count), objects_.tuples.size()};
  objects_.tuples.insert(objects_.tuples.end(), stack_.begin() + static_cast<std::ptrdiff_t>(first), stack_.end());
  stack_.resize(first);
  push(tuple);
}

/// Moves what is on the stack from `first` on into the list or dict below it.
void PickleMachine::append(size_t first, PickleKind kind) {
  const size_t floor = marks_.empty() ? 0 : marks_.back();
  if (first <= floor) refuse("nothing below the values, expected {}", kind_name(kind));
  const PickleValue target = stack_[first - 1];
  if (target.kind != kind) refuse("{} below the values, expected {}", kind_name(target.kind), kind_name(kind));
  const size_t count = stack_.size() - first;
  if (kind == PickleKind::kDict && count % 2 != 0) refuse("{} keys and values, expected pairs", count);
  count_values(count);
  auto& items = objects_.containers[target.payload];
  items.insert(items.end(), stack_.begin() + static_cast<std::ptrdiff_t>(first), stack_.end());
  stack_.resize(first);
}

PickleValue PickleMachine::make_dict(bool is_ordered) {
  count_values(2);
  objects_.containers.emplace_back();
  return {PickleKind::kDict, is_ordered, objects_.containers.size() - 1};
}

void PickleMachine::fill(const PickleValue& dict, std::vector<PickleValue> pairs) {
  count_values(pairs.size());
  objects_.containers[dict.payload] = std::move(pairs);
}

PickleValue PickleMachine::make_tensor(PickledTensor tensor) {
  if (objects_.tensors.size() == limits_.max_tensors) {
    refuse_as(ErrorCode::kResourceLimit, fmt::format("more than {} tensors", limits_.max_tensors));
  }
  tensor.at = at();
  objects_.tensors.push_back(std::move(tensor));
  return {PickleKind::kTensor, 0, objects_.tensors.size() - 1};
}

PickleValue PickleMachine::make_storage(PickledStorage storage) {
  storage.at = at();
  const auto [found, is_new] = storages_.try_emplace(storage.key, static_cast<uint32_t>(objects_.storages.size()));
  if (is_new) objects_.storages.push_back(storage);
  const PickledStorage& known = objects_.storages[found->second];
  if (known.type != storage.type || known.count != storage.count) {
    refuse("storage {} of {} {}, but at byte {} of {} {}", in_quotes(storage.key), storage.count, storage.type->name,
           known.at, known.count, known.type->name);
  }
  return make_view({found->second, known.type, 0, known.bytes()});
}

PickleValue PickleMachine::make_view(const StorageView& view) {
  if (objects_.views.size() == 2 * limits_.max_tensors) {
    refuse_as(ErrorCode::kResourceLimit, fmt::format("more than {} views of storages", objects_.views.size()));
  }
  objects_.views.push_back(view);
  return {PickleKind::kStorage, 0, objects_.views.size() - 1};
}

}  // namespace gamut
