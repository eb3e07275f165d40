#include "text/utf8.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace gamut::text {
namespace {

/// Length of the character at the start of `p`, or minus the length of the maximal invalid part there.
int measure(const uint8_t* p, size_t left) {
  const uint8_t lead = p[0];
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return -1;
  const int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range is narrower after these leads: no overlong forms, surrogates or values above U+10FFFF.
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (int i = 1; i < length; ++i) {
    if (static_cast<size_t>(i) >= left) return -i;
    const bool fits = i == 1 ? p[i] >= low && p[i] <= high : (p[i] & 0xC0) == 0x80;
    if (!fits) return -i;
  }
  return length;
}

constexpr uint64_t kOnes = 0x0101010101010101u;

/// Reads eight bytes of text at once. `due`: how many tails the characters before still need, in bits 0 and 8.
class EightBytes {
 public:
  explicit EightBytes(uint64_t word)
      : tails_(bit(word, 7) & ~bit(word, 6)),
        twos_(bit(word, 7) & bit(word, 6) & ~bit(word, 5)),
        threes_(bit(word, 7) & bit(word, 6) & bit(word, 5)) {
    const uint64_t low = bit(word, 0) | bit(word, 1), high = bit(word, 2) | bit(word, 3);
    const uint64_t overlong_two = twos_ & ~(bit(word, 1) | high | bit(word, 4));
    const uint64_t overlong_three = threes_ & ~(low | high);                                          // E0
    const uint64_t surrogate = threes_ & bit(word, 0) & ~bit(word, 1) & bit(word, 2) & bit(word, 3);  // ED
    special_ = overlong_two | overlong_three | surrogate | (threes_ & bit(word, 4));
  }

  /// Whether all is well by the few rules that nearly all texts keep to: characters of up to three bytes whose leads
  /// allow any tails. Moves `due` on.
  bool is_plain(uint64_t& due) const {
    const uint64_t leads = twos_ | threes_;
    if (special_ != 0 || tails_ != (leads << 8 | threes_ << 16 | due)) return false;
    due = leads >> 56 | threes_ >> 48;
    return true;
  }

 private:
  static uint64_t bit(uint64_t word, int i) { return word >> i & kOnes; }

  uint64_t tails_, twos_, threes_, special_;
};

/// Length of a beginning of `text` that is valid, in whole characters; the rest is for closer looks.
size_t plain_prefix(std::string_view text) {
  size_t i = 0;
  uint64_t due = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, sizeof(word));
    if (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    if ((word & kOnes << 7) == 0 && due == 0) continue;
    if (!EightBytes(word).is_plain(due)) break;
  }
  while (due != 0) {  // back to the beginning of the character that is not whole
    --i;
    if (!is_utf8_tail(text[i])) break;
  }
  return i;
}

}  // namespace

size_t count_characters(std::string_view text) {
  size_t tails = 0;
  for (char c : text) tails += is_utf8_tail(c);
  return text.size() - tails;
}

size_t valid_utf8_prefix(std::string_view text) {
  constexpr size_t kCloser = 64;  // bytes to look at one character at a time where the quick rules do not do
  const auto* data = reinterpret_cast<const uint8_t*>(text.data());
  size_t i = 0;
  while (i < text.size()) {
    i += plain_prefix(text.substr(i));
    for (const size_t end = std::min(text.size(), i + kCloser); i < end;) {
      const int length = measure(data + i, text.size() - i);
      if (length < 0) return i;
      i += static_cast<size_t>(length);
    }
  }
  return i;
}

std::string_view repair_utf8(std::string_view text, std::string* storage) {
  size_t valid = valid_utf8_prefix(text);
  if (valid == text.size()) return text;
  storage->clear();
  while (!text.empty()) {
    storage->append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) break;
    storage->append("\xEF\xBF\xBD");
    text.remove_prefix(static_cast<size_t>(-measure(reinterpret_cast<const uint8_t*>(text.data()), text.size())));
    valid = valid_utf8_prefix(text);
  }
  return *storage;
}

}  // namespace gamut::text
