#include "text/byte_alphabet.h"

#include "text/utf8.h"

namespace gamut::text {

bool append_bytes(std::string_view text, std::string& bytes) {
  const size_t before = bytes.size();
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p < end;) {
    const int byte = byte_of(decode_utf8(p));
    if (byte < 0) {
      bytes.resize(before);
      return false;
    }
    bytes += static_cast<char>(byte);
  }
  return true;
}

}  // namespace gamut::text
