// Large blocks of memory on huge pages where the system has them: weights stream from them without a look-up per 4 KiB.
#pragma once

#include <cstddef>
#include <memory>

namespace gamut {

/// At least `bytes` zeroed bytes, aligned to 2 MiB. Pages that are never touched cost nothing. Throws
/// Error{kResourceLimit} when the system refuses.
std::shared_ptr<void> allocate_huge(size_t bytes);

/// Hands out pieces of huge blocks, aligned to 64 bytes, that live as long as any of their owners.
class HugeArena {
 public:
  struct Piece {
    void* data = nullptr;
    std::shared_ptr<void> owner;
  };
  Piece allocate(size_t bytes);

 private:
  std::shared_ptr<void> block_;
  size_t used_ = 0;
  size_t size_ = 0;
};

}  // namespace gamut
