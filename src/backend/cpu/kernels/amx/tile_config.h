// The shapes of AMX tiles, as the processor takes them.
#pragma once

#include "backend/cpu/kernels/functions.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

// A tile is 16 rows of 64 bytes.
constexpr int64_t kTileEdge = 16;
constexpr int64_t kTileBytes = 1024;

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// The compiler's intrinsics do not say that they read and write memory.
GAMUT_INLINE void memory_barrier() { __asm__ volatile("" ::: "memory"); }

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
