// A checkpoint of PyTorch as a zip archive: the input is a whole file.
#include "archive_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gamut;
  const std::string_view file = fuzz::as_text(data, size);
  if (fuzz::works([&] { fuzz::check_members(read_zip(FileRange(file, "f")), file); })) {
    fuzz::works([&] { fuzz::check_checkpoint(file); });
  }
  return 0;
}
