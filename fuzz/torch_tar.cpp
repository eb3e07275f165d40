// A checkpoint of PyTorch as a tar archive: the input is a whole file.
#include <cstdio>
#include <cstring>

#include "archive_check.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

/// Most mutations leave headers with their checksums, or nothing behind them would be reached.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 == 0) return size;
  for (size_t at = 0; at + 512 <= size; at += 512) {
    if (std::memcmp(data + at + 257, "ustar", 5) != 0) continue;
    std::memset(data + at + 148, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < 512; ++i) sum += data[at + i];
    char digits[8];
    std::snprintf(digits, sizeof digits, "%06o", sum);
    std::memcpy(data + at + 148, digits, 7);
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gamut;
  const std::string_view file = fuzz::as_text(data, size);
  if (fuzz::works([&] { fuzz::check_members(read_tar(FileRange(file, "f")), file); })) {
    fuzz::works([&] { fuzz::check_checkpoint(file); });
  }
  return 0;
}
