// System calls of gamut, which the linker sends here (--wrap), and pthread_create, which every library finds here
// first.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "faults/faults.h"

using gamut::faults::fails_now;
using gamut::faults::Kind;

// The names are the linker's.
// NOLINTBEGIN
extern "C" {

int __real_open(const char* path, int flags, ...);
int __real_fstat(int fd, struct stat* info);
void* __real_mmap(void* at, size_t length, int protection, int flags, int fd, off_t offset);
ssize_t __real_read(int fd, void* to, size_t count);
ssize_t __real_pread(int fd, void* to, size_t count, off_t offset);
ssize_t __real_write(int fd, const void* from, size_t count);
int __real_fsync(int fd);
int __real_rename(const char* from, const char* to);

int __wrap_open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const unsigned mode = (flags & O_CREAT) != 0 ? va_arg(rest, unsigned) : 0;
  va_end(rest);
  if (fails_now((flags & O_CREAT) != 0 ? Kind::kWrites : Kind::kReads)) return errno = EMFILE, -1;
  return __real_open(path, flags, mode);
}

int __wrap_fstat(int fd, struct stat* info) {
  if (fails_now(Kind::kReads)) return errno = EIO, -1;
  return __real_fstat(fd, info);
}

void* __wrap_mmap(void* at, size_t length, int protection, int flags, int fd, off_t offset) {
  if (fails_now(Kind::kReads)) return errno = ENOMEM, MAP_FAILED;
  return __real_mmap(at, length, protection, flags, fd, offset);
}

ssize_t __wrap_read(int fd, void* to, size_t count) {
  if (fails_now(Kind::kReads)) return errno = EIO, -1;
  return __real_read(fd, to, count);
}

ssize_t __wrap_pread(int fd, void* to, size_t count, off_t offset) {
  gamut::faults::interrupt_read();
  if (fails_now(Kind::kReads)) return errno = EIO, -1;
  return __real_pread(fd, to, count, offset);
}

ssize_t __wrap_write(int fd, const void* from, size_t count) {
  if (fails_now(Kind::kWrites)) return errno = ENOSPC, -1;
  // Short writes are legal.
  return __real_write(fd, from, count > 1 ? count / 2 : count);
}

int __wrap_fsync(int fd) {
  if (fails_now(Kind::kWrites)) return errno = EIO, -1;
  return __real_fsync(fd);
}

int __wrap_rename(const char* from, const char* to) {
  if (fails_now(Kind::kWrites)) return errno = EDQUOT, -1;
  return __real_rename(from, to);
}

__attribute__((visibility("default"))) int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                                          void* (*start)(void*), void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const Create create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  if (fails_now(Kind::kThreads)) return EAGAIN;
  return create(thread, attributes, start, argument);
}
}
// NOLINTEND
