// Few bytes at a time as numbers: what hashing and comparing tokens needs, without a call for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gamut::text {

template <typename T>
T load_bytes(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

/// Up to 8 bytes as a number; different for different bytes of one length.
inline uint64_t few_bytes(const char* p, size_t size) {
  if (size >= 8) return load_bytes<uint64_t>(p);
  if (size >= 4) return uint64_t{load_bytes<uint32_t>(p + size - 4)} << 32 | load_bytes<uint32_t>(p);
  if (size == 0) return 0;
  const auto byte = [&](size_t i) { return uint64_t{static_cast<uint8_t>(p[i])}; };
  return byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16;
}

/// a == b, quick for short ones.
inline bool same_bytes(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size < 8) return few_bytes(a.data(), size) == few_bytes(b.data(), size);
  if (size > 16) return std::memcmp(a.data(), b.data(), size) == 0;
  return load_bytes<uint64_t>(a.data()) == load_bytes<uint64_t>(b.data()) &&
         load_bytes<uint64_t>(a.data() + size - 8) == load_bytes<uint64_t>(b.data() + size - 8);
}

}  // namespace gamut::text
