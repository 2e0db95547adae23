/* SPDX-License-Identifier: MIT
 * A trace: who asks for it, and what its lines look like. */
#include "base/trace.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "system_faults.h"
#include "tap.h"

/* 2023-11-14T22:13:20.999Z */
SYSTEM_CALL int clock_gettime(clockid_t id, struct timespec *out) {
  if (id != CLOCK_REALTIME) return (int)syscall(SYS_clock_gettime, id, out);
  *out = (struct timespec){.tv_sec = 1700000000, .tv_nsec = 999000000};
  return 0;
}

#define START "# trace 22:13:20.999 "
#define LINE_BYTES 1024

/* The environment is looked at once a process. value: NULL for none */
static bool is_on_with(const char *value) {
  int status = 0;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    if (value) setenv("CHAINLINK_STREAMS_TRACE", value, 1);
    else unsetenv("CHAINLINK_STREAMS_TRACE");
    bool before = cds_trace_is_on();
    cds_trace_begin();
    _exit(before ? 2 : cds_trace_is_on());
  }
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) > 1) abort();
  return WEXITSTATUS(status) == 1;
}

static void test_switch(void) {
  ok(!is_on_with(NULL), "without the variable nothing is told");
  ok(!is_on_with(""), "nor where it is empty");
  ok(!is_on_with("0"), "or 0");
  ok(is_on_with("1") && is_on_with("00") && is_on_with("no"), "with anything else all is");
  ok(is_on_with("\x01") && is_on_with("/"), "with whatever");
  setenv("CHAINLINK_STREAMS_TRACE", "1", 1);
  ok(!cds_trace_is_on(), "before it is looked at nothing is");
  cds_trace_begin();
  setenv("CHAINLINK_STREAMS_TRACE", "0", 1);
  cds_trace_begin();
  ok(cds_trace_is_on(), "it is looked at once");
}

static int lines[2];

/* The line of a text, which one read gives as one write put it; its length. */
static size_t told(char out[4096], const char *text) {
  cds_trace("%s", text);
  ssize_t length = read(lines[0], out, 4095);
  if (length < 0) length = 0;
  out[length] = 0;
  return (size_t)length;
}

static void is_told(const char *text, const char *expected) {
  char line[4096], all[4096];
  snprintf(all, sizeof all, START "%s\n", expected);
  told(line, text);
  is_string(line, all, "a line with the time");
}

/* What has room is there whole, what has not is cut before a character. */
static void test_long(void) {
  char text[2 * LINE_BYTES], line[4096];
  bool good = true;
  const size_t most = LINE_BYTES - 5 - strlen(START); /* characters that may follow */
  for (size_t length = most - 8; length < LINE_BYTES + 2; length++) {
    memset(text, 'x', length);
    text[length] = 0;
    size_t expected = length < most ? length : most, got = told(line, text);
    good = good && got == strlen(START) + expected + 1 && line[got - 1] == '\n' && line[got - 2] == 'x';
  }
  ok(good, "a long line is cut, and ends");
  for (size_t before = most - 10; before <= most; before++) { /* an escape at each place near the end */
    memset(text, 'x', before);
    strcpy(text + before, "\x01yyyyyyyyyyyy");
    size_t got = told(line, text), escape = before < most ? 4 : 0,
           after = before + escape < most ? most - before - escape : 0;
    good = good && got == strlen(START) + before + escape + (after < 12 ? after : 12) + 1 && line[got - 1] == '\n';
  }
  ok(good, "an escape is there whole or not at all");
}

int main(void) {
  test_switch();
  if (pipe(lines) != 0 || dup2(lines[1], STDERR_FILENO) < 0) abort();
  is_told("> GET /api/v1/feeds", "> GET /api/v1/feeds");
  is_told("", "");
  is_told(" ~\x7f\x80\x1f\x01\r\n\t", " ~\\x7f\x80\\x1f\\x01\\x0d\\x0a\\x09");
  test_long();
  close(STDERR_FILENO);
  cds_trace("nobody reads this");
  ok(true, "where nobody listens it goes on");
  return done();
}
