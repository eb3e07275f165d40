// Opens the weights of a model folder and reads every byte of every tensor:
//   bench_read_checkpoint FOLDER map|pieces      prints {"open_ms", "ms", "tensors", "xor"}; ms is for both
// map: where they lie in the file's map, pages released after each tensor; pieces: copied around the map, as the cpu
// backend packs (docs/decisions/shrinking-files.md).
#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "gamut/error.h"

namespace {

/// In the core's cache between reading and use; the size that the cpu backend packs by.
constexpr size_t kPiece = 256u << 10;

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

uint64_t xor_of(const uint64_t* words, size_t count) {
  uint64_t result = 0;
  for (size_t i = 0; i < count; ++i) result ^= words[i];
  return result;
}

/// All 8-byte words of the tensor, bytes that are left over apart.
uint64_t xor_of(const gamut::StoredTensor& tensor, std::vector<uint64_t>* piece) {
  uint64_t result = 0;
  for (uint64_t done = 0; done + 8 <= tensor.bytes(); done += kPiece) {
    const size_t bytes = std::min<uint64_t>(kPiece, tensor.bytes() - done) / 8 * 8;
    if (!tensor.try_read(done, bytes, piece->data())) tensor.refuse(done, bytes);
    result ^= xor_of(piece->data(), bytes / 8);
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc == 3 ? argv[2] : "";
  if (how != "map" && how != "pieces") {
    std::fprintf(stderr, "usage: bench_read_checkpoint FOLDER map|pieces\n");
    return 2;
  }
  try {
    const auto start = std::chrono::steady_clock::now();
    const gamut::Checkpoint checkpoint = gamut::Checkpoint::open(argv[1]);
    const double open_ms = milliseconds_since(start);
    std::vector<uint64_t> piece(kPiece / 8);
    uint64_t result = 0;
    for (const gamut::TensorEntry& entry : checkpoint.entries()) {
      if (how == "pieces") {
        result ^= xor_of(checkpoint.stored(entry.name), &piece);
        continue;
      }
      const gamut::Tensor tensor = checkpoint.tensor(entry);
      result ^= xor_of(static_cast<const uint64_t*>(tensor.data()), tensor.bytes() / 8);
      checkpoint.release(entry.name);
    }
    std::printf("{\"open_ms\": %.3f, \"ms\": %.3f, \"tensors\": %zu, \"xor\": %llu}\n", open_ms,
                milliseconds_since(start), checkpoint.entries().size(), static_cast<unsigned long long>(result));
  } catch (const gamut::Error& error) {
    std::fprintf(stderr, "%s\n", error.message().c_str());
    return 1;
  }
  return 0;
}
