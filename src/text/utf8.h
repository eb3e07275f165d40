// UTF-8: decoding and encoding one character, checking and repairing whole texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gamut::text {

/// Decodes the character at `p` of valid UTF-8 and moves `p` behind it.
inline char32_t decode_utf8(const char*& p) {
  auto byte = [&](int i) { return static_cast<uint8_t>(p[i]); };
  auto tail = [&](int i) { return static_cast<char32_t>(byte(i) & 0x3F); };
  const uint8_t lead = byte(0);
  char32_t c = lead;
  if (lead < 0x80) {
    p += 1;
  } else if (lead < 0xE0) {
    c = (lead & 0x1Fu) << 6 | tail(1);
    p += 2;
  } else if (lead < 0xF0) {
    c = (lead & 0x0Fu) << 12 | tail(1) << 6 | tail(2);
    p += 3;
  } else {
    c = (lead & 0x07u) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3);
    p += 4;
  }
  return c;
}

/// Writes `c` to `out`, which has room for 4 bytes, and returns how many it took.
inline int encode_utf8(char32_t c, char* out) {
  auto tail = [](char32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
  if (c < 0x80) {
    out[0] = static_cast<char>(c);
    return 1;
  }
  if (c < 0x800) {
    out[0] = static_cast<char>(0xC0 | c >> 6);
    out[1] = tail(c);
    return 2;
  }
  if (c < 0x10000) {
    out[0] = static_cast<char>(0xE0 | c >> 12);
    out[1] = tail(c >> 6);
    out[2] = tail(c);
    return 3;
  }
  out[0] = static_cast<char>(0xF0 | c >> 18);
  out[1] = tail(c >> 12);
  out[2] = tail(c >> 6);
  out[3] = tail(c);
  return 4;
}

/// Whether a byte continues a character rather than starts one.
inline bool is_utf8_tail(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

/// Count of characters in valid UTF-8.
size_t count_characters(std::string_view text);

/// Length of the valid UTF-8 that `text` starts with.
size_t valid_utf8_prefix(std::string_view text);

/// `text` itself when it is valid; else a repaired copy in `storage`, where each maximal invalid part (Unicode
/// standard, "substitution of maximal subparts", as Rust's String::from_utf8_lossy) is one U+FFFD.
std::string_view repair_utf8(std::string_view text, std::string* storage);

}  // namespace gamut::text
