#include "base/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "base/cpu_info.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace gamut {
namespace {

void pause_cpu() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Spins until `done()` or until `limit` has passed; returns what `done()` said last. The clock is read only now and
/// then.
template <typename Done>
bool spin(std::chrono::nanoseconds limit, Done done) noexcept {
  if (done()) return true;
  if (limit.count() == 0) return false;
  const auto end = std::chrono::steady_clock::now() + limit;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
      pause_cpu();
    }
  } while (std::chrono::steady_clock::now() < end);
  return done();
}

// The state of the current loop in one word: how many workers are inside it, whether more may join, and the loop's
// number.
constexpr uint32_t kActiveMask = 0xfff;
constexpr uint32_t kOpen = 0x1000;
constexpr uint32_t kLoopStep = 0x2000;

// Long enough to bridge the serial parts between two operators of a model, short enough not to be seen as load.
constexpr std::chrono::microseconds kIdleSpin{60};
constexpr std::chrono::microseconds kJoinSpin{60};
constexpr std::chrono::microseconds kOversubscribedSpin{2};

}  // namespace

namespace {

/// Whether this thread is inside a loop that has more than one task. Without it a loop that runs alone, because another
/// caller had the pool, would see its nested loops in parallel once that caller is done.
thread_local bool is_inside = false;

struct Inside {
  const bool before = std::exchange(is_inside, true);
  Inside() = default;
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { is_inside = before; }
};

}  // namespace

struct ThreadPool::Shared {
  // Written by the caller that holds `taken`, while no worker is inside the loop.
  const FunctionRef<void(int64_t, int)>* fn = nullptr;
  int64_t tasks = 0;
  std::chrono::nanoseconds idle_spin{0};
  std::chrono::nanoseconds join_spin{0};
  alignas(64) std::atomic<int64_t> next{0};
  // A worker reads `fn` and `tasks` only after it has entered `state` while kOpen was set, and the caller changes them
  // only after it has cleared kOpen and seen nobody inside. A worker that sleeps through a loop is therefore never
  // waited for.
  alignas(64) std::atomic<uint32_t> state{0};
  alignas(64) std::atomic<uint32_t> wake{0};  // counts loops; workers sleep on it
  alignas(64) std::atomic<bool> taken{false};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;

  void work(int worker) noexcept {
    for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) (*fn)(task, worker);
  }

  /// Enters the loop `state` speaks of, unless it is closed or already done by this worker.
  bool enter(uint32_t* last_loop) noexcept {
    uint32_t now = state.load(std::memory_order_acquire);
    while ((now & kOpen) != 0 && (now & ~(kActiveMask | kOpen)) != *last_loop) {
      if (state.compare_exchange_weak(now, now + 1, std::memory_order_acquire, std::memory_order_acquire)) {
        *last_loop = now & ~(kActiveMask | kOpen);
        return true;
      }
    }
    return false;
  }

  void worker_main(int worker) noexcept {
    is_inside = true;  // a worker is nowhere else
    uint32_t last_loop = 0;
    for (;;) {
      // First `wake`, then what it announces: in the other order an end or a loop between the two is slept through.
      const uint32_t seen = wake.load(std::memory_order_acquire);
      if (stop.load(std::memory_order_acquire)) return;
      if (enter(&last_loop)) {
        work(worker);
        // The last one out of a closed loop wakes the caller, should it sleep.
        if (state.fetch_sub(1, std::memory_order_acq_rel) - 1 == last_loop) state.notify_all();
        continue;
      }
      const bool woken = spin(idle_spin, [&] { return wake.load(std::memory_order_relaxed) != seen; });
      if (!woken) wake.wait(seen, std::memory_order_acquire);
    }
  }
};

ThreadPool::ThreadPool(int threads) : shared_(std::make_unique<Shared>()) {
  const int cores = cpu_info().cores;
  const int wanted = std::min(threads < 1 ? cores : threads, kMaxThreads);
  shared_->idle_spin = wanted > cores ? kOversubscribedSpin : kIdleSpin;
  shared_->join_spin = wanted > cores ? kOversubscribedSpin : kJoinSpin;
  shared_->threads.reserve(static_cast<size_t>(wanted - 1));
  try {
    for (int worker = 1; worker < wanted; ++worker) {
      shared_->threads.emplace_back([shared = shared_.get(), worker] { shared->worker_main(worker); });
    }
  } catch (const std::exception&) {
    // The system's limit on threads, or no memory for one: fewer are slower, not wrong. Nothing may leave from here,
    // since threads that run already would end the program.
  }
  size_ = 1 + static_cast<int>(shared_->threads.size());
}

ThreadPool::~ThreadPool() {
  shared_->stop.store(true, std::memory_order_release);
  shared_->wake.fetch_add(1, std::memory_order_release);
  shared_->wake.notify_all();
  for (std::thread& thread : shared_->threads) thread.join();
}

void ThreadPool::run(int64_t tasks, FunctionRef<void(int64_t, int)> fn) noexcept {
  Shared& s = *shared_;
  if (size_ == 1 || tasks <= 1) {
    for (int64_t task = 0; task < tasks; ++task) fn(task, 0);
    return;
  }
  const bool runs_alone = is_inside || s.taken.exchange(true, std::memory_order_acquire);
  const Inside inside;
  if (runs_alone) {
    for (int64_t task = 0; task < tasks; ++task) fn(task, 0);
    return;
  }
  s.fn = &fn;
  s.tasks = tasks;
  s.next.store(0, std::memory_order_relaxed);
  const uint32_t loop = (s.state.load(std::memory_order_relaxed) & ~(kActiveMask | kOpen)) + kLoopStep;
  s.state.store(loop | kOpen, std::memory_order_release);
  s.wake.fetch_add(1, std::memory_order_release);
  if (tasks >= size_) {
    s.wake.notify_all();
  } else {
    for (int64_t i = 1; i < tasks; ++i) s.wake.notify_one();
  }

  s.work(0);

  s.state.fetch_and(~kOpen, std::memory_order_acq_rel);
  const auto empty = [&] { return (s.state.load(std::memory_order_acquire) & kActiveMask) == 0; };
  if (!spin(s.join_spin, empty)) {
    for (uint32_t now; ((now = s.state.load(std::memory_order_acquire)) & kActiveMask) != 0;) {
      s.state.wait(now, std::memory_order_acquire);
    }
  }
  s.taken.store(false, std::memory_order_release);
}

void ThreadPool::run_ranges(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t)> fn) noexcept {
  if (count <= 0) return;
  constexpr int64_t kRangesPerThread = 4;
  grain = std::max<int64_t>(grain, 1);
  const int64_t most = size_ == 1 ? 1 : size_ * kRangesPerThread;
  const int64_t ranges = std::clamp<int64_t>(count / grain, 1, most);
  const int64_t base = count / ranges, extra = count % ranges;
  run(ranges, [&](int64_t range, int) {
    const int64_t begin = range * base + std::min(range, extra);
    fn(begin, begin + base + (range < extra ? 1 : 0));
  });
}

}  // namespace gamut
