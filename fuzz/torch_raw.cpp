// A checkpoint of PyTorch as plain pickles with storages behind them: the input is a whole file.
#include "archive_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gamut;
  const std::string_view file = fuzz::as_text(data, size);
  if (!file.starts_with('\x80')) return 0;
  fuzz::works([&] { fuzz::check_checkpoint(file); });
  return 0;
}
