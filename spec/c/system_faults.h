/* SPDX-License-Identifier: MIT
 * System calls that fail where a test says so, which no file or terminal here can be made to do. The test defines those
 * that it needs, which come before the C library's:
 *   static struct system_fault of_write;
 *   ssize_t write(int fd, const void *bytes, size_t length) {
 *     return system_fails(&of_write) ? -1 : syscall(SYS_write, fd, bytes, length);
 *   } */
#ifndef SYSTEM_FAULTS_H
#define SYSTEM_FAULTS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SYSTEM_CALL __attribute__((visibility("default")))

struct system_fault {
  int after;  /* so many calls succeed before */
  int times;  /* so many fail; 0: none */
  int reason; /* errno */
  int seen;   /* calls so far that looked here */
};

/* Does this call fail? errno says why. */
__attribute__((unused)) static bool system_fails(struct system_fault *fault) {
  fault->seen++;
  if (fault->times == 0 || fault->after-- > 0) return false;
  fault->after = 0;
  fault->times--;
  errno = fault->reason;
  return true;
}

/* How many descriptors this process has open. */
__attribute__((unused)) static size_t system_open_files(void) {
  size_t count = 0;
  for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

#endif
