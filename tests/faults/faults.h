// Faults on purpose: the nth allocation or system call of this program fails, once or from there on.
//
// The counters see the whole program, since allocations are replaced (allocations.cpp) and system calls wrapped by the
// linker (system_calls.cpp). Nothing fails unless a Faults object exists.
#pragma once

#include <cstdint>
#include <functional>

namespace gamut::faults {

enum class Mode {
  kOnce,    // the nth fails, those after it work
  kFromOn,  // the nth and all after it fail
};

/// Which calls are counted, and may fail.
enum class Kind { kNothing, kAllocations, kReads, kWrites, kThreads };

/// While it exists, call number `nth` (from 1) of `kind` fails.
class Faults {
 public:
  Faults(Kind kind, int64_t nth, Mode mode);
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  /// Calls counted so far.
  static int64_t calls();
  /// Whether one has failed.
  static bool happened();
};

/// Counts a call of `kind`; true when it has to fail.
bool fails_now(Kind kind) noexcept;

/// While it exists, `action` runs just before read number `nth` (from 1), once.
class Interruption {
 public:
  Interruption(int64_t nth, std::function<void()> action);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// Whether it has run.
  static bool happened();
};

/// Counts a read, and runs the action of an Interruption when it is its turn.
void interrupt_read();

}  // namespace gamut::faults
