// Opens the weights of a model folder and reads every byte of every tensor, as packing does, one piece after the other:
//   bench_read_checkpoint FOLDER      prints {"open_ms", "ms", "tensors", "xor"}; ms is for both
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "gamut/error.h"

namespace {

/// In the core's cache between reading and use; the size that the cpu backend packs by.
constexpr size_t kPiece = 256u << 10;

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// All 8-byte words of the tensor, bytes that are left over apart.
uint64_t xor_of(const gamut::StoredTensor& tensor, std::vector<uint64_t>* piece) {
  uint64_t result = 0;
  for (uint64_t done = 0; done + 8 <= tensor.bytes(); done += kPiece) {
    const size_t bytes = std::min<uint64_t>(kPiece, tensor.bytes() - done) / 8 * 8;
    if (!tensor.try_read(done, bytes, piece->data())) tensor.refuse(done, bytes);
    for (size_t i = 0; i < bytes / 8; ++i) result ^= (*piece)[i];
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_read_checkpoint FOLDER\n");
    return 2;
  }
  try {
    const auto start = std::chrono::steady_clock::now();
    const gamut::Checkpoint checkpoint = gamut::Checkpoint::open(argv[1]);
    const double open_ms = milliseconds_since(start);
    std::vector<uint64_t> piece(kPiece / 8);
    uint64_t result = 0;
    for (const gamut::TensorEntry& entry : checkpoint.entries())
      result ^= xor_of(checkpoint.stored(entry.name), &piece);
    std::printf("{\"open_ms\": %.3f, \"ms\": %.3f, \"tensors\": %zu, \"xor\": %llu}\n", open_ms,
                milliseconds_since(start), checkpoint.entries().size(), static_cast<unsigned long long>(result));
  } catch (const gamut::Error& error) {
    std::fprintf(stderr, "%s\n", error.message().c_str());
    return 1;
  }
  return 0;
}
