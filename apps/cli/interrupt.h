// Ctrl-C that ends what is going on instead of the program.
#pragma once

namespace gamut::cli {

/// While one exists the first interrupt is only remembered; a second one that nobody has asked about ends the program
/// as usual. A read that waits is interrupted. At most one at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// Whether there was an interrupt since the last `clear`.
  static bool is_raised();
  static void clear();
};

}  // namespace gamut::cli
