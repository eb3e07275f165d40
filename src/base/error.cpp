#include "base/error.h"

namespace gamut {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kInvalidFile: return "invalid_file";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kResourceLimit: return "resource_limit";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kInternal: return "internal";
  }
  return "internal";
}

std::string shortened(std::string message) {
  constexpr size_t kHead = 1400, kTail = 500;
  if (message.size() <= kHead + kTail) return message;
  auto is_inside = [&](size_t at) { return (static_cast<unsigned char>(message[at]) & 0xC0) == 0x80; };
  size_t head = kHead, tail = message.size() - kTail;
  while (head > kHead - 4 && is_inside(head)) --head;
  while (tail < message.size() - kTail + 4 && is_inside(tail)) ++tail;
  return message.replace(head, tail - head, " … ");
}

void fail_with_hint(ErrorCode code, std::string message, std::string hint) {
  throw Error(code, shortened(std::move(message)), std::move(hint));
}

}  // namespace gamut
