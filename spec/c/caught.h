/* SPDX-License-Identifier: MIT
 * What is written to standard error, caught by the test: a few lines, as many as a pipe holds. */
#ifndef CAUGHT_H
#define CAUGHT_H

#include <stdlib.h>
#include <unistd.h>

static int caught_pipe, caught_before;

static void catch_begin(void) {
  int pipes[2];
  caught_before = dup(STDERR_FILENO);
  if (pipe(pipes) != 0 || dup2(pipes[1], STDERR_FILENO) < 0) exit(1);
  close(pipes[1]);
  caught_pipe = pipes[0];
}

/* What was written since then; valid until the next call. */
static const char *catch_end(void) {
  static char text[4096];
  dup2(caught_before, STDERR_FILENO);
  close(caught_before);
  ssize_t length = read(caught_pipe, text, sizeof text - 1);
  close(caught_pipe);
  text[length > 0 ? length : 0] = 0;
  return text;
}

#endif
