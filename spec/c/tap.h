/* SPDX-License-Identifier: MIT
 * The few checks a C test needs, printing TAP. A test's main() ends with `return done();`. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failures;

__attribute__((format(printf, 4, 5), unused)) static bool tap_ok(bool good, const char *file, int line,
                                                                 const char *format, ...) {
  va_list args;
  va_start(args, format);
  printf("%sok %d - ", good ? "" : "not ", ++tap_count);
  vprintf(format, args);
  va_end(args);
  printf("\n");
  if (!good) {
    tap_failures++;
    printf("#   failed at %s:%d\n", file, line);
  }
  return good;
}

__attribute__((unused)) static bool tap_is_string(const char *got, const char *expected, const char *file, int line,
                                                  const char *name) {
  bool good = strcmp(got, expected) == 0;
  tap_ok(good, file, line, "%s", name);
  if (!good) printf("#   got:      %s\n#   expected: %s\n", got, expected);
  return good;
}

__attribute__((unused)) static bool tap_is_number(long long got, long long expected, const char *file, int line,
                                                  const char *name) {
  bool good = got == expected;
  tap_ok(good, file, line, "%s", name);
  if (!good) printf("#   got:      %lld\n#   expected: %lld\n", got, expected);
  return good;
}

#define ok(good, ...) tap_ok((good), __FILE__, __LINE__, __VA_ARGS__)
#define is_string(got, expected, name) tap_is_string((got), (expected), __FILE__, __LINE__, (name))
#define is_number(got, expected, name)                                                                                 \
  tap_is_number((long long)(got), (long long)(expected), __FILE__, __LINE__, (name))

/* A test that cannot run here; the reason is printed. */
__attribute__((unused)) static void skip(const char *name, const char *reason) {
  printf("ok %d - %s # SKIP %s\n", ++tap_count, name, reason);
}

/* What stays until the process ends, and is counted by blocks.c; a program without that has no memory of ours. */
__attribute__((unused)) static long tap_kept_blocks;
__attribute__((weak)) long blocks_alive(void);

/* The library's: a thread that a busy machine kept from ending while its stream was closed gives its memory later. */
__attribute__((weak)) void cds_threads_wait(int64_t limit_ms);

__attribute__((unused)) static int done(void) {
  if (cds_threads_wait != NULL) cds_threads_wait(60000);
  if (blocks_alive != NULL) is_number(blocks_alive(), tap_kept_blocks, "all other memory is given back");
  printf("1..%d\n", tap_count);
  return tap_failures == 0 ? 0 : 1;
}

#endif
