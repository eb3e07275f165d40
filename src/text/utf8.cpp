#include "text/utf8.h"

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

}  // namespace

size_t count_characters(std::string_view text) {
  size_t tails = 0;
  for (char c : text) tails += is_utf8_tail(c);
  return text.size() - tails;
}

size_t valid_utf8_prefix(std::string_view text) {
  const auto* data = reinterpret_cast<const uint8_t*>(text.data());
  size_t i = 0;
  while (i < text.size()) {
    uint64_t word;
    if (i + sizeof(word) <= text.size()) {
      std::memcpy(&word, data + i, sizeof(word));
      if ((word & 0x8080808080808080u) == 0) {
        i += sizeof(word);
        continue;
      }
    }
    // The most frequent characters besides ASCII: two bytes, and three that are no special cases.
    if (text.size() - i >= 3 && is_utf8_tail(text[i + 1])) {
      if (data[i] >= 0xC2 && data[i] < 0xE0) {
        i += 2;
        continue;
      }
      if (data[i] > 0xE0 && data[i] < 0xED && is_utf8_tail(text[i + 2])) {
        i += 3;
        continue;
      }
    }
    const int length = measure(data + i, text.size() - i);
    if (length < 0) break;
    i += static_cast<size_t>(length);
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
