#include "checkpoint/strided.h"

#include <numeric>

#include "base/file.h"
#include "checkpoint/test_files.h"

namespace gamut {
namespace {

/// The element of `from` that is at `index` (row-major) of a tensor of these dims and strides.
template <typename T>
T element(const std::vector<T>& from, const TensorEntry& entry, int64_t index) {
  int64_t at = static_cast<int64_t>(entry.offset / sizeof(T));
  for (size_t i = entry.dims.size(); i-- > 0;) {
    at += index % entry.dims[i] * entry.strides[i];
    index /= entry.dims[i];
  }
  return from.at(static_cast<size_t>(at));
}

template <typename T>
void check(DType dtype, size_t count, uint64_t first, const Dims& dims, const Dims& strides) {
  SCOPED_TRACE(to_string(dims) + " " + to_string(strides));
  std::vector<T> values(count);
  std::iota(values.begin(), values.end(), T{1});
  const auto path = test::fresh_folder() / "f";
  test::write_bytes(path, std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
  TensorEntry entry{.name = "t", .dtype = dtype, .dims = dims, .offset = first * sizeof(T), .strides = strides};
  const Tensor found = gather(entry, *MappedFile::open(path));
  ASSERT_EQ(found.dims(), dims);
  const T* data = static_cast<const T*>(found.data());
  for (int64_t i = 0; i < found.count(); ++i) ASSERT_EQ(data[i], element(values, entry, i)) << i;
}

TEST(Strided, MakesRowsOfEveryOrder) {
  check<int32_t>(DType::kI32, 24, 0, {4, 6}, {1, 4});
  check<int32_t>(DType::kI32, 24, 3, {2, 3}, {8, 2});
  check<int32_t>(DType::kI32, 24, 1, {2, 3, 2, 1}, {0, 2, 8, 5});
  check<int32_t>(DType::kI32, 24, 23, {1, 1}, {7, 3});
  check<int32_t>(DType::kI32, 24, 23, {}, {});
  check<int32_t>(DType::kI32, 24, 5, {4, 4}, {1, 1});
  check<uint8_t>(DType::kU8, 60, 0, {5, 3, 4}, {1, 20, 5});
  check<int16_t>(DType::kI16, 60, 0, {5, 3, 4}, {1, 20, 5});
  check<int64_t>(DType::kI64, 60, 0, {5, 3, 4}, {1, 20, 5});
}

TEST(Strided, ReadsFarElementsOneByOneAndLargeOnesByRows) {
  check<int32_t>(DType::kI32, 100'000, 7, {4, 3}, {30'000, 4'000});
  check<int32_t>(DType::kI32, 100'000, 7, {3, 2, 4}, {1, 50'000, 10'000});
  check<int32_t>(DType::kI32, 3'000'000, 0, {1000, 3000}, {1, 1000});
  check<int32_t>(DType::kI32, 3'000'000, 0, {1'500'000}, {2});
}

TEST(Strided, AShorterFileIsAnError) {
  const auto path = test::fresh_folder() / "f";
  test::write_bytes(path, std::string(100, 'x'));
  const auto file = MappedFile::open(path);
  std::filesystem::resize_file(path, 50);
  const TensorEntry entry{.name = "t", .dtype = DType::kU8, .dims = {10, 10}, .strides = {1, 10}};
  EXPECT_NE(test::message_of([&] { gather(entry, *file); }, ErrorCode::kIo).find("became shorter"), std::string::npos);
}

}  // namespace
}  // namespace gamut
