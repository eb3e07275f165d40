#include "base/edge.h"

#include <filesystem>
#include <new>
#include <stdexcept>
#include <system_error>

#include "base/error.h"

namespace gamut {

void rethrow_as_error() {
  try {
    try {
      throw;
    } catch (const Error&) {
      throw;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::length_error& error) {
      throw Error(ErrorCode::kResourceLimit, fmt::format("a size beyond any memory: {}", error.what()));
    } catch (const std::system_error& error) {  // that of filesystems too
      if (error.code() == std::errc::not_enough_memory) throw std::bad_alloc();
      throw Error(ErrorCode::kIo, error.what());
    } catch (const std::exception& error) {
      fail_with_hint(ErrorCode::kInternal, error.what(), "This is a defect in gamut; please report it.");
    }
  } catch (const std::bad_alloc&) {
    // Short enough to need no memory of its own.
    throw Error(ErrorCode::kResourceLimit, "out of memory");
  }
}

}  // namespace gamut
