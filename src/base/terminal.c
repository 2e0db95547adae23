/* SPDX-License-Identifier: MIT
 * The terminal's echo is off for as long as the line is read. */
#include "base/terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Unlike read, poll comes back after every signal. */
static bool wait_for_input(int fd) {
  struct pollfd entry = {.fd = fd, .events = POLLIN};
  return poll(&entry, 1, -1) > 0;
}

/* The terminal gives a line at a time. */
static enum cds_status read_line(char *out, size_t size, int fd, struct cds_error *err) {
  if (!wait_for_input(fd)) return cds_error_set(err, CDS_E_CONFIG, "interrupted");
  ssize_t got = read(fd, out, size);
  if (got < 0) return cds_error_set(err, CDS_E_CONFIG, "the terminal cannot be read: %s", strerror(errno));
  if (got == 0) return cds_error_set(err, CDS_E_CONFIG, "the terminal has ended");
  if (out[got - 1] != '\n') return cds_error_set(err, CDS_E_CONFIG, "the line is longer than %zu bytes", size - 1);
  out[got - 1] = 0;
  return CDS_OK;
}

enum cds_status cds_terminal_read_secret(char *out, size_t size, int fd, const char *question, struct cds_error *err) {
  struct termios before, silent;
  if (tcgetattr(fd, &before) != 0) return cds_error_set(err, CDS_E_CONFIG, "this is no terminal");
  silent = before;
  silent.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK | ECHONL);
  silent.c_lflag |= ICANON | ISIG;
  if (tcsetattr(fd, TCSAFLUSH, &silent) != 0)
    return cds_error_set(err, CDS_E_CONFIG, "the terminal's echo cannot be switched off: %s", strerror(errno));
  fputs(question, stderr); /* only now may be typed */
  enum cds_status status = read_line(out, size, fd, err);
  fputs("\n", stderr); /* the one that was typed did not show */
  (void)tcsetattr(fd, TCSAFLUSH, &before);
  return status;
}
