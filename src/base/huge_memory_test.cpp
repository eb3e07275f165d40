#include "base/huge_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace gamut {
namespace {

TEST(HugeArena, PiecesAreAlignedZeroedAndApart) {
  HugeArena arena;
  std::vector<HugeArena::Piece> pieces;
  const size_t sizes[] = {1, 63, 64, 65, 1000, 3u << 20, 40u << 20, 7};
  for (size_t bytes : sizes) {
    pieces.push_back(arena.allocate(bytes));
    const char* data = static_cast<const char*>(pieces.back().data);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 64, 0u);
    EXPECT_EQ(data[0] | data[bytes - 1], 0);
    std::memset(pieces.back().data, static_cast<int>(pieces.size()), bytes);
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    const char* data = static_cast<const char*>(pieces[i].data);
    EXPECT_EQ(data[0], static_cast<char>(i + 1));
    EXPECT_EQ(data[sizes[i] - 1], static_cast<char>(i + 1));
  }
}

TEST(HugeArena, APieceOutlivesItsArena) {
  HugeArena::Piece piece = HugeArena().allocate(100);
  std::memset(piece.data, 1, 100);
  EXPECT_EQ(static_cast<char*>(piece.data)[99], 1);
}

TEST(AllocateHuge, ReportsWhatTheSystemRefuses) {
  EXPECT_THROW(allocate_huge(SIZE_MAX - 5), Error);
  EXPECT_THROW(allocate_huge(size_t{1} << 62), Error);
}

}  // namespace
}  // namespace gamut
