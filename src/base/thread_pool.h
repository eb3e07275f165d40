// A persistent thread pool with a fork/join of a few microseconds, for the loops of the kernels.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace gamut {

/// A borrowed callable: two words, no allocation. It must not outlive what it refers to.
template <typename Signature>
class FunctionRef;

template <typename R, typename... Args>
class FunctionRef<R(Args...)> {
 public:
  template <typename F, typename = std::enable_if_t<!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>>>
  FunctionRef(F&& f) noexcept  // NOLINT: converts on purpose
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(static_cast<Args>(args)...);
        }) {}

  R operator()(Args... args) const { return call_(object_, static_cast<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

/// Threads that wait for loops. Workers spin for a few tens of microseconds after a loop, then sleep: an idle pool uses
/// no CPU.
///
/// `run` may be called from any number of threads. One caller has the workers at a time; a caller that finds them taken
/// (also one inside a task of this pool) runs its whole loop alone, on its own thread, without waiting: with several
/// requests at once each keeps its own core, and nothing can deadlock. The results of gamut's kernels do not depend on
/// who runs which task.
class ThreadPool {
 public:
  static constexpr int kMaxThreads = 1024;

  /// `threads` counts the caller: 1 makes no thread, values below 1 mean `cpu_info().cores`, and more than
  /// kMaxThreads are not made. When the system refuses a
  /// thread, the pool works with those it got; see `size`.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// How many threads run a loop, the caller included; worker numbers are below this.
  int size() const noexcept { return size_; }

  /// Calls fn(task, worker) once for each task in [0, tasks), in any order and on any thread, and returns when all are
  /// done. Within one call no two threads have the same worker number at the same time (it may index scratch memory);
  /// the caller is worker 0. `fn` must not throw: an exception ends the program.
  void run(int64_t tasks, FunctionRef<void(int64_t task, int worker)> fn) noexcept;

  /// Splits [0, count) into ranges of at least `grain` items, a few per thread, and calls fn(begin, end) for each.
  /// Ranges depend on the pool's size, so `fn` must give the same result for any split.
  void run_ranges(int64_t count, int64_t grain, FunctionRef<void(int64_t begin, int64_t end)> fn) noexcept;

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
  int size_ = 1;
};

}  // namespace gamut
