#include "text/template/budget.h"

#include <algorithm>
#include <ctime>

#include "base/error.h"

namespace gamut::jinja {
namespace {

constexpr size_t kStepsPerLookAtTheClock = 1 << 16;

/// Of the thread: what others do on the machine does not count.
int64_t cpu_time_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

Budget::Budget(const Limits& limits, size_t input_bytes) : limits_(limits), started_ms_(cpu_time_ms()) {
  limits_.steps += limits.steps_per_input_byte * input_bytes;
  limits_.value_bytes += limits.value_bytes_per_input_byte * input_bytes;
  limits_.output_bytes += limits.output_bytes_per_input_byte * input_bytes;
  next_check_ = std::min(limits_.steps, kStepsPerLookAtTheClock);
}

void Budget::check_steps() {
  if (steps_ >= limits_.steps) {
    fail(ErrorCode::kResourceLimit, "chat template: more than {} steps, which no template for a chat needs",
         limits_.steps);
  }
  if (cpu_time_ms() - started_ms_ > limits_.cpu_ms) {
    fail(ErrorCode::kResourceLimit, "chat template: not done after {} ms", limits_.cpu_ms);
  }
  next_check_ = std::min(limits_.steps, steps_ + kStepsPerLookAtTheClock);
}

void Budget::refuse_memory(size_t bytes) {
  free(bytes);
  fail(ErrorCode::kResourceLimit, "chat template: its values need more than {} bytes", limits_.value_bytes);
}

void Budget::refuse_output() const {
  fail(ErrorCode::kResourceLimit, "chat template: more than {} bytes of output", limits_.output_bytes);
}

void Budget::refuse_depth() const {
  fail(ErrorCode::kResourceLimit, "chat template: values or expressions nested deeper than {} levels", limits_.depth);
}

void Budget::refuse_call_depth() const {
  fail(ErrorCode::kResourceLimit, "chat template: macros or loops call each other deeper than {} levels",
       limits_.call_depth);
}

}  // namespace gamut::jinja
