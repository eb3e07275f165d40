// Text on its way through a tokenizer: bytes, and for each byte the character of the original text that it stands for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "text/utf8.h"

namespace gamut::text {

/// A half-open range of bytes.
struct ByteSpan {
  size_t begin = 0;
  size_t end = 0;
};

/// The origin of a character that was inserted before the first one: it covers the empty range at the start.
constexpr uint32_t kNoOrigin = UINT32_MAX;
constexpr uint32_t origin_begin(uint32_t origin) { return origin == kNoOrigin ? 0 : origin; }
constexpr uint32_t origin_end(uint32_t origin) { return origin == kNoOrigin ? 0 : origin + 1; }

/// Text to read. `origin` has one entry per byte; without it the i-th character stands for original character first +
/// i.
struct TextView {
  std::string_view text;
  const uint32_t* origin = nullptr;
  uint32_t first = 0;
};

/// A growing text with origins. Cleared and filled again without new memory.
class AlignedText {
 public:
  void clear() { size_ = 0; }
  size_t size() const { return size_; }
  /// Shortens it to `size` bytes.
  void truncate(size_t size) { size_ = size; }
  std::string_view text() const { return {bytes_.get(), size_}; }
  const uint32_t* origin() const { return origin_.get(); }
  TextView view(ByteSpan span) const {
    return {text().substr(span.begin, span.end - span.begin), origin_.get() + span.begin, 0};
  }

  /// Makes room for `more` bytes, which `push_byte` may then add.
  void reserve_more(size_t more) {
    if (size_ + more > capacity_) grow(size_ + more);
  }
  void push_byte(char byte, uint32_t origin) {
    bytes_[size_] = byte;
    origin_[size_++] = origin;
  }
  /// Adds a character, making room for it.
  void push(char32_t c, uint32_t origin) {
    reserve_more(4);
    const int length = encode_utf8(c, bytes_.get() + size_);
    for (int i = 0; i < length; ++i) origin_[size_++] = origin;
  }

  /// Adds bytes with their origins.
  void append(std::string_view bytes, const uint32_t* origin) {
    if (bytes.empty()) return;
    reserve_more(bytes.size());
    std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
    std::memcpy(origin_.get() + size_, origin, bytes.size() * sizeof(uint32_t));
    size_ += bytes.size();
  }
  /// Adds bytes that all have one origin.
  void append(std::string_view bytes, uint32_t origin) {
    reserve_more(bytes.size());
    for (char byte : bytes) push_byte(byte, origin);
  }

 private:
  void grow(size_t least) {
    const size_t capacity = std::max(least, capacity_ * 2);
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    auto origin = std::make_unique_for_overwrite<uint32_t[]>(capacity);
    if (size_ > 0) {
      std::memcpy(bytes.get(), bytes_.get(), size_);
      std::memcpy(origin.get(), origin_.get(), size_ * sizeof(uint32_t));
    }
    bytes_ = std::move(bytes);
    origin_ = std::move(origin);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::unique_ptr<uint32_t[]> origin_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace gamut::text
