#include "checkpoint/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/checked.h"
#include "base/error.h"
#include "base/excerpt.h"
#include "base/file.h"
#include "base/json.h"
#include "checkpoint/safetensors_name.h"

namespace gamut {
namespace {

constexpr size_t kLengthBytes = 8;

/// Steps over the header's characters and leaves in `*at` how far the JSON lexer has read, so that every refusal can
/// say where it stands.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Cursor(const char* p, const char** at) : p_(p), at_(at) {}
  reference operator*() const { return *p_; }
  Cursor& operator++() {
    *at_ = p_++;
    return *this;
  }
  Cursor operator++(int) {
    Cursor before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Cursor& other) const { return p_ == other.p_; }
  bool operator!=(const Cursor& other) const { return p_ != other.p_; }

 private:
  const char* p_;
  const char** at_;
};

/// Takes the header's JSON events and accepts nothing but {name: {dtype, shape, data_offsets}} and `__metadata__`.
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  /// `begin` is the first byte of the file, whose `data_bytes` bytes of data begin at `data_start`.
  HeaderReader(const char* begin, uint64_t data_start, uint64_t data_bytes, const std::string& source,
               const SafetensorsLimits& limits)
      : begin_(begin), data_start_(data_start), data_bytes_(data_bytes), source_(source), limits_(limits), at_(begin) {}

  SafetensorsHeader read(std::string_view json) {
    Json::sax_parse(Cursor(json.data(), &at_), Cursor(json.data() + json.size(), &at_), this);
    return std::move(header_);
  }
  /// Positions of the entries' names, for messages after the parse.
  const std::vector<size_t>& name_offsets() const { return name_offsets_; }

  bool null() override { unexpected("null"); }
  bool boolean(bool value) override { unexpected(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { unexpected(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { unexpected(text.substr(0, 40)); }
  bool binary(binary_t&) override { unexpected("binary"); }
  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::kShape) {
      if (dims_.size() == limits_.max_rank) {
        fail(ErrorCode::kResourceLimit, "{}: byte {}: tensor {} has more than {} dimensions", source_, position(),
             shown_name(entry_.name), limits_.max_rank);
      }
      if (value > static_cast<uint64_t>(INT64_MAX)) unexpected(std::to_string(value));
      dims_.push_back(static_cast<int64_t>(value));
    } else if (place_ == Place::kOffsets && offset_count_ < 2) {
      offsets_[offset_count_++] = value;
    } else {
      unexpected(std::to_string(value));
    }
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::kMetadata) {
      header_.metadata[metadata_key_] = std::move(value);
    } else if (place_ == Place::kEntry && field_ == kDtype) {
      if (!parse_dtype(value, &entry_.dtype)) {
        refuse("tensor {}: dtype {}, expected one of BOOL, U8 … U64, F4 … F64, C64", shown_name(entry_.name),
               shown_name(value));
      }
    } else {
      unexpected(shown_name(value));
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::kStart) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTop) {
      place_ = in_metadata_ ? Place::kMetadata : Place::kEntry;
      fields_ = 0;
      field_ = 0;
    } else {
      unexpected("an object");
    }
    return true;
  }
  bool end_object() override {
    if (place_ == Place::kEntry) finish_entry();
    place_ = Place::kTop;
    return true;
  }
  bool start_array(std::size_t) override {
    if (place_ != Place::kEntry || (field_ != kShape && field_ != kOffsets)) unexpected("an array");
    place_ = field_ == kShape ? Place::kShape : Place::kOffsets;
    dims_.resize(field_ == kShape ? 0 : dims_.size());
    if (field_ == kOffsets) offset_count_ = 0;
    return true;
  }
  bool end_array() override {
    if (place_ == Place::kOffsets && offset_count_ != 2) {
      refuse("tensor {}: data_offsets has {} numbers, expected 2", shown_name(entry_.name), offset_count_);
    }
    place_ = Place::kEntry;
    return true;
  }

  bool key(string_t& name) override {
    if (place_ == Place::kMetadata) {
      if (header_.metadata.size() == limits_.max_metadata) {
        fail(ErrorCode::kResourceLimit, "{}: byte {}: more than {} keys in __metadata__", source_, position(),
             limits_.max_metadata);
      }
      if (!header_.metadata.try_emplace(name).second) refuse("duplicate key {} in __metadata__", shown_name(name));
      metadata_key_ = std::move(name);
    } else if (place_ == Place::kEntry) {
      field_ = name == "dtype" ? +kDtype : name == "shape" ? +kShape : name == "data_offsets" ? +kOffsets : 0u;
      if (field_ == 0) {
        refuse("tensor {}: unknown key {}, expected dtype, shape, data_offsets", shown_name(entry_.name),
               shown_name(name));
      }
      if (fields_ & field_) refuse("tensor {}: duplicate key {}", shown_name(entry_.name), shown_name(name));
      fields_ |= field_;
    } else {
      start_entry(name);
    }
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    refuse("found byte 0x{:02x}, expected valid JSON in UTF-8", static_cast<unsigned char>(*at_));
  }

 private:
  enum class Place { kStart, kTop, kMetadata, kEntry, kShape, kOffsets };
  enum Field : unsigned { kDtype = 1, kShape = 2, kOffsets = 4, kAllFields = 7 };

  size_t position() const { return static_cast<size_t>(at_ - begin_); }

  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> message, Args&&... args) const {
    fail(ErrorCode::kInvalidFile, "{}: byte {}: {}", source_, position(),
         fmt::format(message, std::forward<Args>(args)...));
  }

  [[noreturn]] void unexpected(const std::string& found) const {
    switch (place_) {
      case Place::kMetadata: refuse("__metadata__ {}: found {}, expected a string", shown_name(metadata_key_), found);
      case Place::kShape:
        refuse("tensor {}: shape holds {}, expected integers from 0 to 2^63-1", shown_name(entry_.name), found);
      case Place::kOffsets:
        refuse("tensor {}: data_offsets holds {}, expected two non-negative integers", shown_name(entry_.name), found);
      case Place::kEntry:
        refuse("tensor {}: {} is {}, expected {}", shown_name(entry_.name),
               field_ == kDtype   ? "dtype"
               : field_ == kShape ? "shape"
                                  : "data_offsets",
               found, field_ == kDtype ? "a string" : "an array of integers");
      case Place::kStart:
      case Place::kTop: break;
    }
    refuse("{} is {}, expected an object", in_metadata_ ? "__metadata__" : shown_name(entry_.name), found);
  }

  void start_entry(std::string& name) {
    in_metadata_ = name == "__metadata__";
    if (in_metadata_) {
      if (has_metadata_) refuse("duplicate key \"__metadata__\"");
      has_metadata_ = true;
      return;
    }
    if (header_.entries.size() == limits_.max_tensors) {
      fail(ErrorCode::kResourceLimit, "{}: byte {}: more than {} tensors", source_, position(), limits_.max_tensors);
    }
    if (!is_printable_name(name)) {
      refuse("tensor {}: the name holds a control character, expected printable text", shown_name(name));
    }
    entry_ = TensorEntry{};
    entry_.name = std::move(name);
    name_offsets_.push_back(position());
  }

  void finish_entry() {
    const std::string name = shown_name(entry_.name);
    if (fields_ != kAllFields) {
      refuse("tensor {}: no {}", name, !(fields_ & kDtype) ? "dtype" : !(fields_ & kShape) ? "shape" : "data_offsets");
    }
    if (offsets_[0] > offsets_[1] || offsets_[1] > data_bytes_) {
      refuse(
          "tensor {}: data_offsets [{},{}], expected begin <= end <= {}, the bytes after the header (truncated file?)",
          name, offsets_[0], offsets_[1], data_bytes_);
    }
    entry_.dims.assign(dims_.begin(), dims_.end());
    Checked bits(dtype_bits(entry_.dtype));
    for (int64_t dim : entry_.dims) bits = bits * dim;
    if (!bits.valid()) refuse("tensor {}: shape {} overflows 64 bits", name, to_string(entry_.dims));
    if (*bits.value() % 8 != 0) {
      refuse("tensor {}: {} {} is {} bits, expected whole bytes", name, dtype_name(entry_.dtype),
             to_string(entry_.dims), *bits.value());
    }
    entry_.bytes = offsets_[1] - offsets_[0];
    if (entry_.bytes != static_cast<uint64_t>(*bits.value() / 8)) {
      refuse("tensor {}: data_offsets [{},{}] hold {} bytes, expected {} for {} {}", name, offsets_[0], offsets_[1],
             entry_.bytes, *bits.value() / 8, dtype_name(entry_.dtype), to_string(entry_.dims));
    }
    entry_.offset = data_start_ + offsets_[0];
    header_.entries.push_back(std::move(entry_));
    entry_ = TensorEntry{};
  }

  const char* begin_;
  uint64_t data_start_;
  uint64_t data_bytes_;
  const std::string& source_;
  const SafetensorsLimits& limits_;
  const char* at_;  ///< the last character read

  SafetensorsHeader header_;
  std::vector<size_t> name_offsets_;
  Place place_ = Place::kStart;
  bool in_metadata_ = false;
  bool has_metadata_ = false;
  std::string metadata_key_;
  TensorEntry entry_;
  unsigned fields_ = 0;
  unsigned field_ = 0;
  Dims dims_;
  uint64_t offsets_[2] = {0, 0};
  size_t offset_count_ = 0;
};

/// The header's JSON without its padding, and where the data begins.
struct Frame {
  std::string_view json;
  size_t data_start;
};

/// The length that the file states for its header, which fits the file.
uint64_t read_length(std::string_view head, uint64_t file_bytes, const std::string& source,
                     const SafetensorsLimits& limits) {
  if (file_bytes < kLengthBytes) {
    fail(ErrorCode::kInvalidFile, "{}: byte 0: file of {} bytes, expected 8 bytes of header length", source,
         file_bytes);
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= uint64_t{static_cast<unsigned char>(head[i])} << (8 * i);
  if (length > limits.max_header_bytes) {
    fail(ErrorCode::kInvalidFile, "{}: byte 0: header length {}, at most {} expected", source, length,
         limits.max_header_bytes);
  }
  if (length > file_bytes - kLengthBytes) {
    fail(ErrorCode::kInvalidFile,
         "{}: byte 0: header length {}, expected at most {}, the bytes that follow (truncated file?)", source, length,
         file_bytes - kLengthBytes);
  }
  return length;
}

/// Checks the length word and both ends of the header.
Frame read_frame(std::string_view head, uint64_t file_bytes, const std::string& source,
                 const SafetensorsLimits& limits) {
  const uint64_t length = read_length(head, file_bytes, source, limits);
  std::string_view text = head.substr(kLengthBytes, length);
  auto refuse_byte = [&](size_t at, const char* expected) {
    fail(ErrorCode::kInvalidFile, "{}: byte {}: found byte 0x{:02x}, expected {}", source, kLengthBytes + at,
         static_cast<unsigned char>(text[at]), expected);
  };
  if (text.empty()) fail(ErrorCode::kInvalidFile, "{}: byte 0: header length 0, expected a JSON object", source);
  if (text.front() != '{') refuse_byte(0, "'{' at the start of the header");
  // The JSON lexer takes a zero byte for the end of its input.
  if (size_t zero = text.find('\0'); zero != text.npos) refuse_byte(zero, "JSON text");
  const size_t last = text.find_last_not_of(' ');
  if (text[last] != '}') refuse_byte(last, "'}' and then only spaces at the end of the header");
  return {text.substr(0, last + 1), kLengthBytes + text.size()};
}

/// Refuses two tensors of one name.
void check_names(const SafetensorsHeader& header, const std::vector<size_t>& name_offsets, const std::string& source) {
  std::vector<uint32_t> order(header.entries.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return header.entries[a].name < header.entries[b].name; });
  for (size_t i = 1; i < order.size(); ++i) {
    const std::string& name = header.entries[order[i]].name;
    if (header.entries[order[i - 1]].name != name) continue;
    fail(ErrorCode::kInvalidFile, "{}: byte {}: duplicate tensor {}, first at byte {}", source, name_offsets[order[i]],
         shown_name(name), name_offsets[order[i - 1]]);
  }
}

/// Sorts the entries by their bytes and refuses holes, overlaps and bytes after the last tensor.
void check_layout(SafetensorsHeader* header, uint64_t data_start, uint64_t file_size, const std::string& source) {
  auto& entries = header->entries;
  std::sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    if (a.offset != b.offset) return a.offset < b.offset;
    return a.bytes != b.bytes ? a.bytes < b.bytes : a.name < b.name;
  });
  uint64_t expected = data_start;
  for (const TensorEntry& entry : entries) {
    if (entry.offset != expected) {
      fail(ErrorCode::kInvalidFile, "{}: byte {}: tensor {} begins here, expected byte {} ({})", source, entry.offset,
           shown_name(entry.name), expected, entry.offset > expected ? "a hole" : "it overlaps the one before");
    }
    expected += entry.bytes;
  }
  if (expected != file_size) {
    fail(ErrorCode::kInvalidFile, "{}: byte {}: the last tensor ends here, expected it to end with the file at byte {}",
         source, expected, file_size);
  }
}

}  // namespace

bool is_printable_name(std::string_view name) {
  return std::none_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string shown_name(std::string_view name) {
  constexpr size_t kMaxShown = 200;
  std::string out = "\"";
  for (unsigned char c : excerpt(name, kMaxShown)) {
    if (c < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", c);
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + "\"";
}

SafetensorsHeader parse_safetensors(std::string_view file, const std::string& source, const SafetensorsLimits& limits) {
  return parse_safetensors_head(file, file.size(), source, limits);
}

SafetensorsHeader parse_safetensors_head(std::string_view head, uint64_t file_bytes, const std::string& source,
                                         const SafetensorsLimits& limits) {
  const Frame frame = read_frame(head, file_bytes, source, limits);
  HeaderReader reader(head.data(), frame.data_start, file_bytes - frame.data_start, source, limits);
  SafetensorsHeader header = reader.read(frame.json);
  check_names(header, reader.name_offsets(), source);
  check_layout(&header, frame.data_start, file_bytes, source);
  return header;
}

SafetensorsHeader read_safetensors_header(const MappedFile& file) {
  const std::string source = file.path().string();
  std::string head(std::min(file.size(), kLengthBytes), '\0');
  file.read(0, head.size(), head.data());
  const uint64_t length = read_length(head, file.size(), source, {});
  head.resize(kLengthBytes + length);
  file.read(kLengthBytes, length, head.data() + kLengthBytes);
  return parse_safetensors_head(head, file.size(), source);
}

Tensor map_tensor(const TensorEntry& entry, const std::shared_ptr<const MappedFile>& file) {
  const uint8_t* data = file->data() + entry.offset;
  const uintptr_t element = static_cast<uintptr_t>(std::max(1, dtype_bits(entry.dtype) / 8));
  if (reinterpret_cast<uintptr_t>(data) % element == 0) return Tensor(entry.dtype, entry.dims, data, file);
  Tensor copy = Tensor::allocate(entry.dtype, entry.dims);
  std::memcpy(copy.mutable_data(), data, entry.bytes);
  return copy;
}

NamedTensors read_safetensors(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  NamedTensors tensors;
  for (TensorEntry& entry : read_safetensors_header(*file).entries) {
    Tensor tensor = Tensor::allocate(entry.dtype, entry.dims);
    file->read(entry.offset, entry.bytes, tensor.mutable_data());
    tensors.emplace(std::move(entry.name), std::move(tensor));
  }
  return tensors;
}

}  // namespace gamut
