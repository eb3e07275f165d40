// What one rendering may use: steps, memory of values, output, depth and time. Every limit is checked before the work.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gamut::jinja {

/// The limits of one rendering. The defaults end any template within 100 ms and 64 MiB on a machine of today; what
/// depends on the length of the input grows with it.
struct Limits {
  size_t steps = 1'500'000;               ///< nodes evaluated, items iterated, and one per 64 bytes of text touched
  size_t steps_per_input_byte = 4;        ///< more steps for a longer request
  size_t value_bytes = size_t{24} << 20;  ///< of strings, lists and so on, alive at a time
  size_t value_bytes_per_input_byte = 8;
  size_t output_bytes = size_t{4} << 20;
  size_t output_bytes_per_input_byte = 4;
  int depth = 1'500;      ///< of nested evaluations
  int call_depth = 256;   ///< of macros and recursive loops
  int64_t cpu_ms = 2000;  ///< the last resort; the steps end a rendering sooner
};

/// Counts what a rendering uses. Each function throws Error{kResourceLimit} that names the limit when it is reached.
class Budget {
 public:
  Budget(const Limits& limits, size_t input_bytes);

  void step(size_t count = 1) {
    if ((steps_ += count) >= next_check_) check_steps();
  }
  /// For work over `bytes` of text.
  void touch(size_t bytes) { step(1 + bytes / 64); }
  void allocate(size_t bytes) {
    if ((allocated_ += bytes) > limits_.value_bytes) refuse_memory(bytes);
  }
  void free(size_t bytes) noexcept { allocated_ -= bytes; }
  /// Before values of `bytes` are made, so that nothing is made in vain.
  void expect(size_t bytes) {
    allocate(bytes);
    free(bytes);
  }
  /// The output, or a part of it that is being captured, now has `bytes`.
  void check_output(size_t bytes) const {
    if (bytes > limits_.output_bytes) refuse_output();
  }
  void check_depth(int depth) const {
    if (depth > limits_.depth) refuse_depth();
  }
  void check_call_depth(int depth) const {
    if (depth > limits_.call_depth) refuse_call_depth();
  }

 private:
  void check_steps();
  [[noreturn]] void refuse_memory(size_t bytes);
  [[noreturn]] void refuse_output() const;
  [[noreturn]] void refuse_depth() const;
  [[noreturn]] void refuse_call_depth() const;

  Limits limits_;
  size_t steps_ = 0;
  size_t next_check_ = 0;
  size_t allocated_ = 0;
  int64_t started_ms_;
};

/// Counts one more level of something for as long as it lives.
class DepthGuard {
 public:
  explicit DepthGuard(int& depth) : depth_(depth) { ++depth_; }
  ~DepthGuard() { --depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;

 private:
  int& depth_;
};

}  // namespace gamut::jinja
