// Large blocks of memory on huge pages where the system has them: weights stream from them without a look-up per 4 KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace gamut {

/// At least `bytes` zeroed bytes, aligned to 2 MiB. Pages that are never touched cost nothing. Throws
/// Error{kResourceLimit} when the system refuses.
std::shared_ptr<void> allocate_huge(size_t bytes);

/// The memory under allocate_huge; `bytes` as it was asked for.
void* map_huge(size_t bytes);
void unmap_huge(void* address, size_t bytes) noexcept;

/// For the containers of large tables, which are looked up all over: huge pages from 2 MiB on.
template <typename T>
struct HugeAllocator {
  using value_type = T;
  HugeAllocator() = default;
  template <typename U>
  HugeAllocator(const HugeAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor): an allocator's way

  T* allocate(size_t count) {
    if (count > SIZE_MAX / sizeof(T)) throw std::bad_array_new_length();
    const size_t bytes = count * sizeof(T);
    return static_cast<T*>(bytes < kLarge ? ::operator new(bytes) : map_huge(bytes));
  }
  void deallocate(T* place, size_t count) noexcept {
    if (count * sizeof(T) < kLarge) return ::operator delete(place);
    unmap_huge(place, count * sizeof(T));
  }
  bool operator==(const HugeAllocator&) const = default;

 private:
  static constexpr size_t kLarge = size_t{2} << 20;
};
template <typename T>
using HugeVector = std::vector<T, HugeAllocator<T>>;

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
