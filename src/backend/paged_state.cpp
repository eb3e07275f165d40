#include "backend/paged_state.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/error.h"

namespace gamut {
namespace {

constexpr std::align_val_t kAlignment{64};

int64_t count_of(const Dims& dims) {
  int64_t count = 1;
  for (int64_t dim : dims) count *= dim;
  return count;
}

int64_t pages_of(int64_t tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }

}  // namespace

PagedState::PagedState(const std::vector<StateSpec>& specs, size_t budget)
    : budget_(budget), used_(std::make_shared<size_t>(0)) {
  for (const StateSpec& spec : specs) {
    if (spec.kind == StateKind::kRecurrent) {
      recurrents_[spec.name] = recurrent_floats_;
      recurrent_floats_ += count_of(spec.dims);
      continue;
    }
    auto group = std::ranges::find(groups_, spec.window, &Group::window);
    if (group == groups_.end()) group = groups_.insert(groups_.end(), Group{.window = spec.window});
    PagedKv kv{.group = static_cast<size_t>(group - groups_.begin()), .spec = spec};
    kv.keys = group->page_floats;
    kv.values = kv.keys + spec.heads * spec.key_dim * kPageTokens;
    group->page_floats = kv.values + spec.heads * spec.value_dim * kPageTokens;
    kvs_[spec.name] = kv;
  }
}

PagedState::Block PagedState::allocate(int64_t floats) {
  const size_t bytes = static_cast<size_t>(floats) * sizeof(float);
  if (bytes > budget_ - *used_) {
    fail_with_hint(ErrorCode::kResourceLimit,
                   fmt::format("the states of all sequences may take {} bytes, {} are taken and {} more are needed",
                               budget_, *used_, bytes),
                   "Fewer or shorter sequences at a time need less; or allow more memory for states.");
  }
  auto* data = static_cast<float*>(::operator new(bytes, kAlignment));
  *used_ += bytes;
  return Block(data, [used = used_, bytes](float* p) {
    *used -= bytes;
    ::operator delete(p, kAlignment);
  });
}

PagedState::Sequence& PagedState::at(int64_t sequence) {
  auto found = sequences_.find(sequence);
  if (found == sequences_.end()) fail(ErrorCode::kNotFound, "there is no sequence {}", sequence);
  return found->second;
}

const PagedState::Sequence& PagedState::at(int64_t sequence) const {
  return const_cast<PagedState*>(this)->at(sequence);
}

int64_t PagedState::add() {
  Sequence fresh;
  fresh.pages.resize(groups_.size());
  fresh.pointers.resize(groups_.size());
  if (recurrent_floats_ > 0) {
    fresh.recurrent = allocate(recurrent_floats_);
    fresh.running = allocate(recurrent_floats_);
    std::fill_n(fresh.recurrent.get(), recurrent_floats_, 0.0f);
  }
  sequences_.emplace(next_, std::move(fresh));
  return next_++;
}

int64_t PagedState::fork(int64_t sequence) {
  Sequence copy = at(sequence);
  copy.reserved = copy.length;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const auto count = static_cast<size_t>(pages_of(copy.length));
    copy.pages[g].resize(std::min(copy.pages[g].size(), count));
    copy.pointers[g].resize(copy.pages[g].size());
  }
  if (recurrent_floats_ > 0) {
    const Block own = allocate(recurrent_floats_);
    std::copy_n(copy.recurrent.get(), recurrent_floats_, own.get());
    copy.recurrent = own;
    copy.running = allocate(recurrent_floats_);
  }
  sequences_.emplace(next_, std::move(copy));
  return next_++;
}

void PagedState::truncate(int64_t sequence, int64_t length) {
  Sequence& s = at(sequence);
  if (length < 0 || length > s.length) {
    fail(ErrorCode::kInvalidArgument, "sequence {} of {} tokens cannot be cut to {}", sequence, s.length, length);
  }
  if (recurrent_floats_ > 0 && length > 0 && length < s.length) {
    fail(ErrorCode::kUnsupported, "sequence {} of {} tokens cannot be cut to {}: it has recurrent states", sequence,
         s.length, length);
  }
  for (size_t g = 0; g < groups_.size() && length > 0; ++g) {
    if (groups_[g].window == 0) continue;
    const int64_t oldest = std::max<int64_t>(0, length - groups_[g].window + 1) / kPageTokens;
    if (oldest < pages_of(s.length) && s.pages[g][static_cast<size_t>(oldest)] == nullptr) {
      fail(ErrorCode::kUnsupported, "sequence {} of {} tokens cannot be cut to {}: a window of {} tokens has moved on",
           sequence, s.length, length, groups_[g].window);
    }
  }
  for (size_t g = 0; g < groups_.size(); ++g) {
    const auto count = static_cast<size_t>(pages_of(length));
    s.pages[g].resize(std::min(s.pages[g].size(), count));
    s.pointers[g].resize(s.pages[g].size());
  }
  if (length == 0 && recurrent_floats_ > 0) std::fill_n(s.recurrent.get(), recurrent_floats_, 0.0f);
  s.length = s.reserved = length;
}

void PagedState::drop(int64_t sequence) {
  at(sequence);
  sequences_.erase(sequence);
}

int64_t PagedState::length(int64_t sequence) const { return at(sequence).length; }

/// Gives the sequence pages of its own for the tokens behind its length.
void PagedState::grow(Sequence* sequence, size_t group, int64_t tokens) {
  std::vector<Block>& pages = sequence->pages[group];
  std::vector<float*>& pointers = sequence->pointers[group];
  const auto first = static_cast<size_t>(sequence->length / kPageTokens);
  const auto count = static_cast<size_t>(pages_of(sequence->length + tokens));
  pages.reserve(count), pointers.reserve(count);
  if (first < pages.size() && pages[first].use_count() > 1) {
    Block own = allocate(groups_[group].page_floats);
    std::copy_n(pages[first].get(), groups_[group].page_floats, own.get());
    pages[first] = std::move(own);
    pointers[first] = pages[first].get();
  }
  while (pages.size() < count) {
    pages.push_back(allocate(groups_[group].page_floats));
    pointers.push_back(pages.back().get());
  }
}

void PagedState::reserve(int64_t sequence, int64_t tokens) {
  Sequence& s = at(sequence);
  if (tokens < 0) fail(ErrorCode::kInvalidArgument, "{} tokens cannot be reserved", tokens);
  const auto before = static_cast<size_t>(pages_of(s.reserved));
  try {
    for (size_t g = 0; g < groups_.size(); ++g) grow(&s, g, tokens);
  } catch (...) {
    for (size_t g = 0; g < groups_.size(); ++g) {
      s.pages[g].resize(std::min(s.pages[g].size(), before));
      s.pointers[g].resize(s.pages[g].size());
    }
    throw;
  }
  s.reserved = std::max(s.reserved, s.length + tokens);
  std::copy_n(s.recurrent.get(), recurrent_floats_, s.running.get());
}

/// Frees the pages that no later query sees.
void PagedState::release_left(Sequence* sequence) const {
  for (size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].window == 0) continue;
    const int64_t seen = std::max<int64_t>(0, sequence->length - groups_[g].window + 1) / kPageTokens;
    for (int64_t p = std::min<int64_t>(seen, static_cast<int64_t>(sequence->pages[g].size())); p-- > 0;) {
      const auto index = static_cast<size_t>(p);
      if (sequence->pages[g][index] == nullptr) break;
      sequence->pages[g][index].reset();
      sequence->pointers[g][index] = nullptr;
    }
  }
}

void PagedState::advance(int64_t sequence, int64_t tokens) {
  Sequence& s = at(sequence);
  if (s.length + tokens > s.reserved) {
    fail(ErrorCode::kInternal, "sequence {}: {} tokens written, room for {}", sequence, tokens, s.reserved - s.length);
  }
  s.length += tokens;
  std::swap(s.recurrent, s.running);
  release_left(&s);
}

const PagedKv& PagedState::kv(const std::string& name) const {
  auto found = kvs_.find(name);
  if (found == kvs_.end()) fail(ErrorCode::kInternal, "there is no kv state {}", name);
  return found->second;
}

void PagedState::write(const PagedKv& kv, int64_t sequence, const Fresh& fresh) const {
  float* const* own = pages(kv, sequence);
  const int64_t heads = kv.spec.heads, dk = kv.spec.key_dim, dv = kv.spec.value_dim;
  for (int64_t i = 0; i < fresh.count; ++i) {
    float* page = own[(fresh.first + i) / kPageTokens];
    const int64_t slot = (fresh.first + i) % kPageTokens;
    for (int64_t h = 0; h < heads; ++h) {
      std::copy_n(fresh.keys + (i * heads + h) * dk, dk, page + kv.keys + (h * kPageTokens + slot) * dk);
      std::copy_n(fresh.values + (i * heads + h) * dv, dv, page + kv.values + (h * kPageTokens + slot) * dv);
    }
  }
}

namespace {

/// Where keys, or values, lie in each page: `heads` times kPageTokens lines of `width` floats.
struct PageLines {
  int64_t offset, heads, width;
};

void read_lines(float* const* pages, const PageLines& lines, const PagedState::Copy& copy, float* to) {
  const int64_t width = lines.width;
  for (int64_t done = 0; done < copy.count;) {
    const int64_t slot = (copy.first + done) % kPageTokens, part = std::min(copy.count - done, kPageTokens - slot);
    const float* from = pages[(copy.first + done) / kPageTokens] + lines.offset + slot * width;
    for (int64_t h = 0; h < lines.heads; ++h) {
      std::copy_n(from + h * kPageTokens * width, part * width, to + (h * copy.stride + done) * width);
    }
    done += part;
  }
}

}  // namespace

void PagedState::read_keys(const PagedKv& kv, int64_t sequence, const Copy& copy, float* to) const {
  read_lines(pages(kv, sequence), {kv.keys, kv.spec.heads, kv.spec.key_dim}, copy, to);
}

void PagedState::read_values(const PagedKv& kv, int64_t sequence, const Copy& copy, float* to) const {
  read_lines(pages(kv, sequence), {kv.values, kv.spec.heads, kv.spec.value_dim}, copy, to);
}

float* const* PagedState::pages(const PagedKv& kv, int64_t sequence) const {
  return at(sequence).pointers[kv.group].data();
}

float* PagedState::recurrent(const std::string& name, int64_t sequence) const {
  auto found = recurrents_.find(name);
  if (found == recurrents_.end()) fail(ErrorCode::kInternal, "there is no recurrent state {}", name);
  return at(sequence).running.get() + found->second;
}

}  // namespace gamut
