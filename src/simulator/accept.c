/* SPDX-License-Identifier: MIT
 * What goes wrong before HTTP: connections that are accepted and never served as they should be. They are taken from
 * the library before it starts TLS. */
#include "simulator/accept.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_HELD 64
#define LINGER_MS 500 /* the peer's hello is read that long, as closing before would reset the connection */
#define SILENT_MS 120000

static struct held {
  int fd;
  int64_t until;
} held[MAX_HELD];
static size_t held_count;

static void close_first(void) {
  close(held[0].fd);
  memmove(held, held + 1, --held_count * sizeof *held);
}

static void hold(int fd, int64_t ms) {
  if (held_count == MAX_HELD) close_first();
  held[held_count++] = (struct held){fd, cds_clock_mono_ms() + ms};
}

static void say(int fd, const void *text, size_t length) {
  ssize_t n = send(fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL); /* a new connection has room */
  (void)n;
  shutdown(fd, SHUT_WR);
}

bool cds_sim_accept(struct cds_sim *sim, int fd) {
  static const char garbage[] = "SSH-2.0-OpenSSH_9.2\r\n", hello[] = "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03";
  struct cds_sim_fault steps[CDS_SIM_MAX_STEPS];
  if (cds_sim_faults_take(steps, &sim->faults, CDS_SIM_ON_ACCEPT, "", "") == 0) return true;
  int own = dup(fd); /* the library closes the other */
  if (own < 0) return false;
  switch (steps[0].action) {
  case CDS_SIM_GARBAGE:
    say(own, garbage, sizeof garbage - 1);
    hold(own, LINGER_MS);
    break;
  case CDS_SIM_CUT:
    say(own, hello, sizeof hello - 1);
    hold(own, LINGER_MS);
    break;
  case CDS_SIM_SILENCE: hold(own, SILENT_MS); break;
  case CDS_SIM_RESET:
    setsockopt(own, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(own);
    break;
  default: close(own); break;
  }
  return false;
}

void cds_sim_accept_tick(int64_t mono_ms) {
  char sink[4096];
  for (size_t i = 0; i < held_count;) {
    ssize_t n = recv(held[i].fd, sink, sizeof sink, MSG_DONTWAIT);
    if (mono_ms < held[i].until && n != 0) {
      i++;
      continue;
    }
    close(held[i].fd);
    held[i] = held[--held_count];
  }
}
