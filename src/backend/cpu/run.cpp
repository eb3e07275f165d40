#include "backend/cpu/run.h"

#include <new>

#include "base/error.h"
#include "base/huge_memory.h"

namespace gamut::cpu {
namespace {
constexpr std::align_val_t kAlignment{64};
}

void Workspace::Free::operator()(void* p) const { ::operator delete(p, kAlignment); }

void Workspace::reserve(size_t bytes) {
  if (bytes <= arena_bytes) return;
  arena.reset();
  arena_bytes = 0;
  arena = allocate_huge(bytes);
  arena_bytes = bytes;
}

int64_t Run::lines(int value) const {
  const Dims& all = dims(value);
  int64_t count = 1;
  for (size_t axis = 0; axis + 1 < all.size(); ++axis) count *= all[axis];
  return count;
}

const std::vector<int64_t>& Run::segments(int rows_value, int64_t tokens) const {
  std::vector<int64_t>& boundaries = workspace.segments;
  boundaries.assign(1, 0);
  const int64_t* table = i64(rows_value);
  for (int64_t n = 0, count = dims(rows_value)[0]; n < count; ++n) {
    const int64_t start = table[2 * n], length = table[2 * n + 1];
    if (start < boundaries.back() || length < 0 || start > tokens || length > tokens - start) {
      fail(ErrorCode::kInvalidArgument, "rows: row {} [{}, {}+{}) overlaps the row before or leaves {} tokens", n,
           start, start, length, tokens);
    }
    if (start > boundaries.back()) boundaries.push_back(start);
    boundaries.push_back(start + length);
  }
  if (boundaries.back() < tokens) boundaries.push_back(tokens);
  return boundaries;
}

const std::vector<int64_t>& Run::sequence_segments(int rows_value, int64_t tokens) const {
  const std::vector<int64_t>& boundaries = segments(rows_value, tokens);
  const auto rows = static_cast<size_t>(dims(rows_value)[0]);
  if (boundaries.size() != rows + 1 || sequences.size() != rows) {
    fail(ErrorCode::kInternal, "a run with states has {} sequences, {} rows and {} segments", sequences.size(), rows,
         boundaries.size() - 1);
  }
  return boundaries;
}

const std::vector<RecurrentRow>& Run::recurrent_rows(int rows_value, int64_t tokens,
                                                     const std::string& state_name) const {
  const bool has_state = state != nullptr && !state_name.empty();
  if (has_state) {
    sequence_segments(rows_value, tokens);
  } else {
    segments(rows_value, tokens);
  }
  std::vector<RecurrentRow>& rows = workspace.rows;
  rows.clear();
  const int64_t* table = i64(rows_value);
  for (int64_t n = 0, count = dims(rows_value)[0]; n < count; ++n) {
    float* numbers = has_state ? state->recurrent(state_name, sequences[static_cast<size_t>(n)]) : nullptr;
    rows.push_back({table[2 * n], table[2 * n + 1], numbers});
  }
  return rows;
}

}  // namespace gamut::cpu
