#include "checkpoint/strided.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/file.h"

namespace gamut {
namespace {

/// Elements that lie apart by more than this are read one at a time.
constexpr uint64_t kPage = 4096;
/// A piece that is read at once, as long as it has more than one row.
constexpr uint64_t kPiece = 4u << 20;

struct Axis {
  uint64_t count;
  uint64_t from;  ///< bytes between two elements in the file
  uint64_t to;    ///< and in the tensor
};

template <size_t kBytes>
void copy_line(const Axis& axis, const char* from, char* to) {
  for (uint64_t i = 0; i < axis.count; ++i) std::memcpy(to + i * axis.to, from + i * axis.from, kBytes);
}

class Gather {
 public:
  Gather(const TensorEntry& entry, const MappedFile& file)
      : file_(file), element_(static_cast<uint64_t>(dtype_bits(entry.dtype)) / 8) {
    uint64_t to = element_;
    for (size_t i = entry.dims.size(); i-- > 0;) {
      const auto count = static_cast<uint64_t>(entry.dims[i]);
      if (count != 1) axes_.push_back({count, static_cast<uint64_t>(entry.strides[i]) * element_, to});
      to *= count;
    }
    std::ranges::stable_sort(axes_, std::ranges::greater(), &Axis::from);
    if (axes_.empty()) axes_.push_back({1, element_, element_});
  }

  void copy(size_t axis, uint64_t offset, char* to) {
    uint64_t extent = element_, bytes = element_;
    for (size_t i = axis; i < axes_.size(); ++i) {
      extent += (axes_[i].count - 1) * axes_[i].from;
      bytes *= axes_[i].count;
    }
    const bool is_dense = extent <= kPage + 4 * bytes, is_small = extent <= kPiece || axis + 1 >= axes_.size();
    if (is_dense && is_small) {
      piece_.resize(extent);
      file_.read(offset, extent, piece_.data());
      return axis == axes_.size() ? void(std::memcpy(to, piece_.data(), element_)) : spread(axis, piece_.data(), to);
    }
    for (uint64_t i = 0; i < axes_[axis].count; ++i)
      copy(axis + 1, offset + i * axes_[axis].from, to + i * axes_[axis].to);
  }

 private:
  /// From memory to the tensor.
  void spread(size_t axis, const char* from, char* to) const {
    const Axis& line = axes_[axis];
    if (axis + 1 < axes_.size()) {
      for (uint64_t i = 0; i < line.count; ++i) spread(axis + 1, from + i * line.from, to + i * line.to);
      return;
    }
    switch (element_) {
      case 1: return copy_line<1>(line, from, to);
      case 2: return copy_line<2>(line, from, to);
      case 4: return copy_line<4>(line, from, to);
      default: return copy_line<8>(line, from, to);
    }
  }

  const MappedFile& file_;
  const uint64_t element_;
  std::vector<Axis> axes_;  ///< the widest steps through the file first
  std::vector<char> piece_;
};

}  // namespace

Tensor gather(const TensorEntry& entry, const MappedFile& file) {
  Tensor tensor = Tensor::allocate(entry.dtype, entry.dims);
  Gather(entry, file).copy(0, entry.offset, static_cast<char*>(tensor.mutable_data()));
  return tensor;
}

}  // namespace gamut
