// States in host memory: pages of keys and values that sequences share, and a block of numbers for recurrences.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "backend/state.h"

namespace gamut {

/// Tokens of one page.
constexpr int64_t kPageTokens = 64;

/// Where a kv state lies in the pages of its group: keys [heads, kPageTokens, key_dim] from `keys` on and values
/// [heads, kPageTokens, value_dim] from `values` on, in floats.
struct PagedKv {
  size_t group = 0;
  int64_t keys = 0, values = 0;
  StateSpec spec;
};

/// States with one window share a table of pages per sequence, so that pages which the window has left can go. A page
/// that several sequences have is copied before one writes to it.
class PagedState : public State {
 public:
  PagedState(const std::vector<StateSpec>& specs, size_t budget);

  int64_t add() override;
  int64_t fork(int64_t sequence) override;
  void truncate(int64_t sequence, int64_t length) override;
  void drop(int64_t sequence) override;
  int64_t length(int64_t sequence) const override;
  void reserve(int64_t sequence, int64_t tokens) override;
  void advance(int64_t sequence, int64_t tokens) override;
  StateUse use() const override { return {*used_, budget_}; }

  /// Throws Error{kInternal} when there is none of that name.
  const PagedKv& kv(const std::string& name) const;
  /// Keys [count, heads, key_dim] and values [count, heads, value_dim] of the places from `first` on.
  struct Fresh {
    int64_t first, count;
    const float *keys, *values;
  };
  /// Puts them at their places, for which reserve has made room.
  void write(const PagedKv& kv, int64_t sequence, const Fresh& fresh) const;
  /// `count` places from `first` on, copied to lines of `stride` places per head.
  struct Copy {
    int64_t first, count, stride;
  };
  /// Copies keys that no window has let go to [heads, stride, key_dim].
  void read_keys(const PagedKv& kv, int64_t sequence, const Copy& copy, float* to) const;
  /// The same of values, to [heads, stride, value_dim].
  void read_values(const PagedKv& kv, int64_t sequence, const Copy& copy, float* to) const;
  /// The pages of a sequence by number, each kPageTokens tokens; null where a window has let go.
  float* const* pages(const PagedKv& kv, int64_t sequence) const;
  /// The numbers of a recurrent state, zeros in a new sequence, for one run to read and change: `reserve` makes them
  /// those of the sequence's tokens, and `advance` keeps what the run has left.
  float* recurrent(const std::string& name, int64_t sequence) const;

 private:
  using Block = std::shared_ptr<float[]>;
  struct Group {
    int64_t window = 0;
    int64_t page_floats = 0;
  };
  struct Sequence {
    int64_t length = 0, reserved = 0;
    std::vector<std::vector<Block>> pages;      // by group
    std::vector<std::vector<float*>> pointers;  // the same, as kernels read them
    Block recurrent;                            // of its tokens
    Block running;                              // of the run that is next, which may fail
  };

  Block allocate(int64_t floats);
  Sequence& at(int64_t sequence);
  const Sequence& at(int64_t sequence) const;
  void grow(Sequence* sequence, size_t group, int64_t tokens);
  void release_left(Sequence* sequence) const;

  std::map<std::string, PagedKv> kvs_;
  std::map<std::string, int64_t> recurrents_;  // where each begins
  std::vector<Group> groups_;
  int64_t recurrent_floats_ = 0;
  std::map<int64_t, Sequence> sequences_;
  int64_t next_ = 0;
  size_t budget_;
  std::shared_ptr<size_t> used_;  // outlives the blocks, which count themselves out
};

}  // namespace gamut
