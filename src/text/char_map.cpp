#include "text/char_map.h"

#include <cstring>

#include "base/error.h"
#include "text/category.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

bool is_hangul_pair(GraphemeClass a, GraphemeClass b) {
  using enum GraphemeClass;
  if (a == kLead) return b == kLead || b == kVowel || b == kLv || b == kLvt;
  if (a == kLv || a == kVowel) return b == kVowel || b == kTrail;
  return (a == kLvt || a == kTrail) && b == kTrail;
}

/// What matters of the characters of a cluster for its next one.
struct ClusterState {
  GraphemeClass last;
  bool pictographic;    ///< a pictographic character, then only extending ones
  size_t regional = 0;  ///< regional indicators in a row
};

bool continues(const ClusterState& state, GraphemeClass next) {
  using enum GraphemeClass;
  if (state.last == kCr) return next == kLf;
  if (state.last == kControl || state.last == kLf) return false;
  if (next == kControl || next == kCr || next == kLf) return false;
  if (next == kExtend || next == kZwj || next == kSpacing || state.last == kPrepend) return true;
  if (is_hangul_pair(state.last, next)) return true;
  if (state.last == kZwj && state.pictographic && next == kPictographic) return true;
  return next == kRegional && state.regional % 2 == 1;
}

}  // namespace

CharMap::CharMap(std::string_view bytes, const std::string& where) {
  uint32_t size = 0;
  if (bytes.size() >= sizeof(size)) std::memcpy(&size, bytes.data(), sizeof(size));
  if (bytes.size() < sizeof(size) || size % 4 != 0 || size == 0 || size > bytes.size() - sizeof(size)) {
    fail(ErrorCode::kInvalidFile, "{}: {} bytes with a trie of {}, expected a trie that fits", where, bytes.size(),
         size);
  }
  units_.resize(size / 4);
  std::memcpy(units_.data(), bytes.data() + sizeof(size), size);
  replacements_ = bytes.substr(sizeof(size) + size);
  if (valid_utf8_prefix(replacements_) != replacements_.size()) {
    fail(ErrorCode::kInvalidFile, "{}: replacements that are not UTF-8", where);
  }
}

std::optional<std::string_view> CharMap::find(std::string_view text) const {
  auto offset = [](uint32_t unit) { return static_cast<size_t>(unit >> 10) << ((unit & 512) >> 6); };
  size_t at = offset(units_[0]);
  for (char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    at ^= byte;
    if (byte == 0 || at >= units_.size()) return std::nullopt;
    const uint32_t unit = units_[at];
    if ((unit & 0x800000FFu) != byte) return std::nullopt;
    at ^= offset(unit);
    if (at >= units_.size()) return std::nullopt;
    if (!(unit >> 8 & 1)) continue;
    const size_t place = units_[at] & 0x7FFFFFFFu;
    if (place > replacements_.size() || (place < replacements_.size() && is_utf8_tail(replacements_[place]))) {
      return std::nullopt;
    }
    const std::string_view rest = std::string_view(replacements_).substr(place);
    return rest.substr(0, rest.find('\0'));
  }
  return std::nullopt;
}

size_t grapheme_end(std::string_view text, size_t begin) {
  const char* p = text.data() + begin;
  const char* const end = text.data() + text.size();
  const GraphemeClass first = grapheme_class(decode_utf8(p));
  ClusterState state{first, first == GraphemeClass::kPictographic, first == GraphemeClass::kRegional};
  while (p < end) {
    const char* after = p;
    const GraphemeClass next = grapheme_class(decode_utf8(after));
    if (!continues(state, next)) break;
    if (next != GraphemeClass::kExtend && next != GraphemeClass::kZwj) {
      state.pictographic = next == GraphemeClass::kPictographic;
    }
    state.regional = next == GraphemeClass::kRegional ? state.regional + 1 : 0;
    state.last = next;
    p = after;
  }
  return static_cast<size_t>(p - text.data());
}

std::optional<std::string> decode_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') value = static_cast<uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z') value = static_cast<uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9') value = static_cast<uint32_t>(c - '0' + 52);
    else if (const size_t at = kDigits.find(c, 62); at != std::string_view::npos) value = static_cast<uint32_t>(at);
    else return std::nullopt;
    bits = bits << 6 | value;
    if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8));
  }
  return out;
}

}  // namespace gamut::text
