#include "interrupt.h"

#include <csignal>

namespace gamut::cli {
namespace {

volatile std::sig_atomic_t raised = 0;

extern "C" void remember_interrupt(int) {
  if (raised != 0) {
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);
  }
  raised = 1;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  raised = 0;
  struct sigaction action = {};
  action.sa_handler = remember_interrupt;  // without SA_RESTART: a waiting read ends
  ::sigaction(SIGINT, &action, nullptr);
}

InterruptGuard::~InterruptGuard() { std::signal(SIGINT, SIG_DFL); }

bool InterruptGuard::is_raised() { return raised != 0; }

void InterruptGuard::clear() { raised = 0; }

}  // namespace gamut::cli
