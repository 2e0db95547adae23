/* SPDX-License-Identifier: MIT
 * A line is one write, so that threads do not mix theirs. */
#include "base/trace.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 1024

static bool is_on; /* fixed by cds_trace_begin */

static void look(void) {
  const char *value = getenv("CHAINLINK_STREAMS_TRACE");
  is_on = value != NULL && *value != 0 && strcmp(value, "0") != 0;
}

void cds_trace_begin(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, look);
}

bool cds_trace_is_on(void) {
  return is_on;
}

/* Appends what fits of the text, which is whole in the common case. */
static size_t append(char *line, size_t used, const char *text) {
  for (; *text != 0 && used + 5 < LINE_BYTES; text++) {
    unsigned char c = (unsigned char)*text;
    if (c >= ' ' && c != 0x7f) line[used++] = *text;
    else used += (size_t)snprintf(line + used, 5, "\\x%02x", c);
  }
  return used;
}

void cds_trace(const char *format, ...) {
  char text[LINE_BYTES], line[LINE_BYTES];
  struct timespec now = {0};
  struct tm parts = {0};
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &parts);
  size_t used = strftime(line, sizeof line, "# trace %H:%M:%S", &parts);
  used += (size_t)snprintf(line + used, sizeof line - used, ".%03d ", (int)(now.tv_nsec / 1000000));
  used = append(line, used, text);
  line[used++] = '\n';
  if (write(STDERR_FILENO, line, used) < 0) return; /* nobody to tell */
}
