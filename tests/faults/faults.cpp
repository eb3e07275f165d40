#include "faults/faults.h"

#include <atomic>
#include <utility>

namespace gamut::faults {
namespace {

std::atomic<Kind> kind_now{Kind::kNothing};
std::atomic<int64_t> counted{0};
std::atomic<int64_t> target{0};
std::atomic<bool> goes_on{false};
std::atomic<bool> failed{false};

std::function<void()> interruption;
std::atomic<int64_t> reads_until{0};  // counts down to the interruption
std::atomic<bool> interrupted{false};

}  // namespace

Faults::Faults(Kind kind, int64_t nth, Mode mode) {
  counted = 0, target = nth, goes_on = mode == Mode::kFromOn, failed = false;
  kind_now = kind;
}

Faults::~Faults() { kind_now = Kind::kNothing; }

int64_t Faults::calls() { return counted; }

bool Faults::happened() { return failed; }

bool fails_now(Kind kind) noexcept {
  if (kind_now.load(std::memory_order_relaxed) != kind) return false;
  const int64_t number = ++counted;
  if (goes_on ? number < target : number != target) return false;
  failed = true;
  return true;
}

Interruption::Interruption(int64_t nth, std::function<void()> action) {
  interruption = std::move(action), interrupted = false, reads_until = nth;
}

Interruption::~Interruption() { reads_until = 0; }

bool Interruption::happened() { return interrupted; }

void interrupt_read() {
  if (reads_until.load() <= 0 || --reads_until != 0) return;
  interruption();
  interrupted = true;
}

}  // namespace gamut::faults
