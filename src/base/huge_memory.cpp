#include "base/huge_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

#include "base/error.h"

namespace gamut {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
/// Blocks of an arena: large enough that their unused ends, which stay untouched, are few.
constexpr size_t kBlock = size_t{32} << 20;

size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

void* map_huge(size_t bytes) {
  const size_t size = round_up(std::max<size_t>(bytes, 1), kHugePage);
  // The kernel aligns to small pages only: map one huge page more and give back what sticks out.
  const size_t mapped = size + kHugePage;
  void* address = bytes > SIZE_MAX / 2 ? MAP_FAILED
                                       : ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) fail(ErrorCode::kResourceLimit, "cannot allocate {} bytes", bytes);
  char* begin = static_cast<char*>(address);
  char* aligned = reinterpret_cast<char*>(round_up(reinterpret_cast<uintptr_t>(begin), kHugePage));
  if (aligned > begin) ::munmap(begin, static_cast<size_t>(aligned - begin));
  ::munmap(aligned + size, static_cast<size_t>(begin + mapped - (aligned + size)));
  ::madvise(aligned, size, MADV_HUGEPAGE);  // a wish: without it everything works, slower
  return aligned;
}

void unmap_huge(void* address, size_t bytes) noexcept {
  ::munmap(address, round_up(std::max<size_t>(bytes, 1), kHugePage));
}

std::shared_ptr<void> allocate_huge(size_t bytes) {
  return {map_huge(bytes), [bytes](void* p) { unmap_huge(p, bytes); }};
}

HugeArena::Piece HugeArena::allocate(size_t bytes) {
  const size_t wanted = round_up(std::max<size_t>(bytes, 1), 64);
  if (wanted > size_ - used_) {
    size_ = std::max(round_up(wanted, kHugePage), kBlock);
    used_ = 0;
    block_ = allocate_huge(size_);
  }
  Piece piece{static_cast<char*>(block_.get()) + used_, block_};
  used_ += wanted;
  return piece;
}

}  // namespace gamut
