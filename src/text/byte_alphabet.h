// The alphabet of byte-level tokenizers: one printable character for each byte.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace gamut::text {

/// The character that stands for each byte: printable ones of Latin-1 for themselves, the others from U+0100 on.
constexpr std::array<char32_t, 256> make_byte_characters() {
  std::array<char32_t, 256> characters{};
  char32_t next = 256;
  for (char32_t b = 0; b < 256; ++b) {
    const bool itself = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    characters[b] = itself ? b : next++;
  }
  return characters;
}
inline constexpr std::array<char32_t, 256> kByteCharacters = make_byte_characters();

/// The byte that a character stands for, or -1.
constexpr std::array<int16_t, 324> make_character_bytes() {
  std::array<int16_t, 324> bytes{};
  for (auto& byte : bytes) byte = -1;
  for (int b = 0; b < 256; ++b) bytes[kByteCharacters[static_cast<size_t>(b)]] = static_cast<int16_t>(b);
  return bytes;
}
inline constexpr std::array<int16_t, 324> kCharacterBytes = make_character_bytes();
constexpr int byte_of(char32_t c) { return c < kCharacterBytes.size() ? kCharacterBytes[c] : -1; }

/// Appends the bytes that valid UTF-8 `text` spells in the alphabet; false, with nothing appended, when it has another
/// character.
bool append_bytes(std::string_view text, std::string& bytes);

}  // namespace gamut::text
