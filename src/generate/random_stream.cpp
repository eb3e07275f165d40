#include "generate/random_stream.h"

namespace gamut {
namespace {

constexpr uint32_t kMultipliers[] = {0xD2511F53, 0xCD9E8D57};
constexpr uint32_t kKeySteps[] = {0x9E3779B9, 0xBB67AE85};
constexpr int kRounds = 10;

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t a = static_cast<uint64_t>(kMultipliers[0]) * counter[0];
    const uint64_t b = static_cast<uint64_t>(kMultipliers[1]) * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key = {key[0] + kKeySteps[0], key[1] + kKeySteps[1]};
  }
  return counter;
}

double RandomStream::uniform(uint64_t step, uint32_t draw) const {
  const std::array<uint32_t, 4> bits =
      philox({static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32), draw, sequence_},
             {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
  const uint64_t number = (static_cast<uint64_t>(bits[0]) << 32 | bits[1]) >> 11;
  return (static_cast<double>(number) + 0.5) * 0x1p-53;
}

}  // namespace gamut
