// The safetensors header: the input is a whole file.
#include <cstring>
#include <vector>

#include "checkpoint/convert.h"
#include "checkpoint/safetensors.h"
#include "fuzz.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace gamut::fuzz {
namespace {

constexpr size_t kLengthBytes = 8;

void set_length(uint8_t* data, uint64_t length) {
  for (size_t i = 0; i < kLengthBytes; ++i) data[i] = static_cast<uint8_t>(length >> (8 * i));
}

/// A dtype's conversion reads as many bytes as the header promises.
void convert(const TensorEntry& entry, std::string_view file) {
  Tensor tensor = Tensor::allocate(entry.dtype, entry.dims);
  require(tensor.bytes() == entry.bytes, "a tensor's size is not that of its bytes");
  if (entry.bytes > 0) std::memcpy(tensor.mutable_data(), file.data() + entry.offset, entry.bytes);
  works([&] { to_f32(tensor); });
}

void check(std::string_view file) {
  const SafetensorsHeader header = parse_safetensors(file, "f");
  uint64_t end = header.entries.empty() ? file.size() : header.entries.front().offset;
  for (const TensorEntry& entry : header.entries) {
    require(entry.offset == end, "tensors that do not follow each other");
    end += entry.bytes;
    require(end <= file.size(), "a tensor behind the end of the file");
    convert(entry, file);
  }
  require(end == file.size(), "bytes that belong to no tensor");
}

}  // namespace
}  // namespace gamut::fuzz

/// Most mutations leave a length that fits the header, or nothing behind it would be reached.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  using gamut::fuzz::kLengthBytes;
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 == 0 || size <= kLengthBytes) return size;
  const size_t end = gamut::fuzz::as_text(data, size).rfind('}');
  if (end == std::string_view::npos || end < kLengthBytes) return size;
  gamut::fuzz::set_length(data, end + 1 - kLengthBytes);
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gamut::fuzz::works([&] { gamut::fuzz::check(gamut::fuzz::as_text(data, size)); });
  return 0;
}
