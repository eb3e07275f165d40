#include "generate/weighted_place.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace gamut {
namespace {

constexpr size_t kBins = 1024, kFew = 64;

/// Evenly spaced bins between the least and the greatest key; these two are in the first and the last.
struct Bins {
  double low, scale;

  Bins(float least, float greatest)
      : low(least), scale(static_cast<double>(kBins) / (static_cast<double>(greatest) - least)) {}
  size_t of(float key) const { return std::min(static_cast<size_t>((key - low) * scale), kBins - 1); }
};

/// The place among few keys, or many equal ones, by sorting them.
size_t sorted_place(std::span<const float> keys, std::span<const float> weights, std::vector<uint32_t> places,
                    double room) {
  const auto key = [&](uint32_t place) { return keys[place]; };
  if (!std::ranges::is_sorted(places, {}, key)) std::ranges::stable_sort(places, {}, key);
  for (const uint32_t place : places) {
    room -= weights[place];
    if (room < 0) return place;
  }
  return keys.size();
}

}  // namespace

size_t weighted_place(std::span<const float> keys, std::span<const float> weights, double limit) {
  if (keys.empty()) return 0;
  std::vector<uint32_t> places;  // those that are left; at first all, which need no list
  double room = limit;           // what may still be added before the sum passes the limit
  bool is_first = true;
  auto each = [&](auto visit) {
    if (is_first) {
      for (uint32_t place = 0; place < keys.size(); ++place) visit(place);
    } else {
      for (const uint32_t place : places) visit(place);
    }
  };
  while (is_first || places.size() > kFew) {
    float least = std::numeric_limits<float>::infinity(), greatest = -least;
    each([&](uint32_t place) { least = std::min(least, keys[place]), greatest = std::max(greatest, keys[place]); });
    if (least == greatest) break;
    const Bins bins(least, greatest);
    std::array<double, kBins> sums{};
    each([&](uint32_t place) { sums[bins.of(keys[place])] += weights[place]; });
    size_t bin = 0;
    while (bin < kBins && sums[bin] <= room) room -= sums[bin++];
    if (bin == kBins) return keys.size();
    std::vector<uint32_t> inside;
    each([&](uint32_t place) {
      if (bins.of(keys[place]) == bin) inside.push_back(place);
    });
    places = std::move(inside);
    is_first = false;
  }
  if (is_first) {
    places.resize(keys.size());
    std::iota(places.begin(), places.end(), 0u);
  }
  return sorted_place(keys, weights, std::move(places), room);
}

}  // namespace gamut
