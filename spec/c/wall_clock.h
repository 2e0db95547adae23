/* SPDX-License-Identifier: MIT
 * The wall clock of this whole program, which a test sets ahead or back: whatever asks for the time of day, the engine,
 * libcurl, libwebsockets or OpenSSL, asks here. The monotonic clock is the system's. The program's definitions come
 * before the C library's. */
#ifndef WALL_CLOCK_H
#define WALL_CLOCK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_llong wall_clock_offset; /* seconds */

__attribute__((unused)) static void wall_clock_set(int64_t offset) {
  atomic_store(&wall_clock_offset, offset);
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *out) {
  int result = (int)syscall(SYS_clock_gettime, id, out);
  if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
    out->tv_sec += (time_t)atomic_load(&wall_clock_offset);
  return result;
}

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  struct timespec now;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

__attribute__((visibility("default"))) time_t time(time_t *out) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return (time_t)-1;
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}

/* The right time. */
__attribute__((unused)) static time_t wall_clock_true(void) {
  return time(NULL) - (time_t)atomic_load(&wall_clock_offset);
}

#endif
