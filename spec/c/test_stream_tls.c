/* SPDX-License-Identifier: MIT
 * Streams over TLS, against the simulator in a process of its own: good certificates are accepted, every fault of a bad
 * one is refused and named. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "simulator/simulator.h"
#include "stream_fixture.h"

struct simulator {
  pid_t pid;
  int port;
  char ca_file[256];
};

static const char *const feed_text = "0x0003000000000000000000000000000000000000000000000000000000000001";

static void on_ready(const struct cds_sim_ready *ready, void *context) {
  struct simulator told = {.port = ready->port};
  snprintf(told.ca_file, sizeof told.ca_file, "%s", ready->ca_file != NULL ? ready->ca_file : "");
  if (write(*(int *)context, &told, sizeof told) != (ssize_t)sizeof told) _exit(2);
}

static void run_simulator(int fd, const char *host, const char *certificate) {
  static volatile bool stop;
  static const char *const origins[] = {"one", "two"};
  const struct cds_sim_key key = {.key = KEY, .secret = SECRET};
  const struct cds_sim_options options = {.host = host,
                                          .certificate = certificate,
                                          .origins = origins,
                                          .origin_count = 2,
                                          .keys = &key,
                                          .key_count = 1,
                                          .feeds = &feed_text,
                                          .feed_count = 1,
                                          .rate = 10,
                                          .oracles = 4,
                                          .signers = 2};
  struct cds_error err = {0};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (cds_sim_run(&options, &stop, on_ready, &fd, &err) != CDS_OK) printf("# %s\n", err.message);
  _exit(1);
}

/* Port 0: it did not start. */
static struct simulator start(const char *host, const char *certificate) {
  struct simulator simulator = {0};
  int ends[2];
  if (pipe(ends) != 0) abort();
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) run_simulator(ends[1], host, certificate);
  close(ends[1]);
  if (read(ends[0], &simulator, sizeof simulator) != (ssize_t)sizeof simulator) simulator.port = 0;
  close(ends[0]);
  simulator.pid = pid;
  return simulator;
}

static void stop(struct simulator *simulator) {
  kill(simulator->pid, SIGKILL);
  waitpid(simulator->pid, NULL, 0);
  unlink(simulator->ca_file);
  *strrchr(simulator->ca_file, '/') = 0;
  rmdir(simulator->ca_file);
}

static void open_tls(struct fixture *fixture, const struct simulator *simulator, const char *host) {
  begin(fixture, NULL, NULL);
  add_origin(fixture, host, (uint16_t)simulator->port, "");
  fixture->config.ws[0].tls = true;
  fixture->config.stream.max_reconnects = 0;
  fixture->config.ca_file = cds_strdup(simulator->ca_file);
}

static void test_accepted(const struct simulator *simulator, const char *host) {
  struct fixture fixture;
  struct cds_error err = {0};
  open_tls(&fixture, simulator, host);
  open_stream(&fixture, 1);
  struct cds_report *report = next_report(&fixture, NULL, &err);
  ok(report != NULL, "a report arrives from %s%s", host, err.message);
  cds_report_unref(report);
  finish(&fixture);
}

static void expect_refused(struct fixture *fixture, const char *name, const char *reason) {
  open_stream(fixture, 1);
  struct cds_error err = wait_end(fixture, NULL);
  ok(err.status == CDS_E_NETWORK && strstr(err.message, reason) != NULL, "%s is refused: %s", name, err.message);
  finish(fixture);
}

static void test_bad_certificate(const char *kind, const char *reason) {
  struct simulator simulator = start("127.0.0.1", kind);
  struct fixture fixture;
  open_tls(&fixture, &simulator, "localhost");
  expect_refused(&fixture, kind, reason);
  open_tls(&fixture, &simulator, "localhost");
  fixture.config.insecure_skip_verify = true;
  open_stream(&fixture, 1);
  struct cds_error err = {0};
  struct cds_report *report = next_report(&fixture, NULL, &err);
  ok(report != NULL, "with insecure_skip_verify it is not%s", err.message);
  cds_report_unref(report);
  finish(&fixture);
  stop(&simulator);
}

static void test_good(void) {
  struct simulator simulator = start("127.0.0.1", "good");
  struct fixture fixture;
  test_accepted(&simulator, "localhost");
  test_accepted(&simulator, "127.0.0.1");
  open_tls(&fixture, &simulator, "localhost");
  cds_free(fixture.config.ca_file);
  fixture.config.ca_file = NULL;
  expect_refused(&fixture, "an authority the system does not know", "certificate");
  stop(&simulator);
}

static void test_told_once(void) {
  struct simulator simulator = start("127.0.0.1", "expired");
  struct fixture fixture;
  struct seen_events seen = {0};
  open_tls(&fixture, &simulator, "localhost");
  fixture.config.stream.max_reconnects = INFINITY;
  fixture.config.stream.reconnect_delay = 1e-6;
  fixture.config.stream.reconnect_max_delay = 0.01;
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_RECONNECTING] >= 3);
  is_number(seen.errors, 1, "a certificate that is not trusted is an error event, once");
  ok(strstr(seen.last_error, "expired") != NULL, "with its reason: %s", seen.last_error);
  ok(seen.last_delay == 0.01, "the longest delay follows");
  finish(&fixture);
  stop(&simulator);
}

static void test_ipv6(void) {
  struct simulator simulator = start("::1", "good");
  if (simulator.port == 0) {
    skip("IPv6", "no IPv6 on the loopback interface");
    return;
  }
  test_accepted(&simulator, "::1");
  stop(&simulator);
  simulator = start("::1", "wrong_host");
  struct fixture fixture;
  open_tls(&fixture, &simulator, "::1");
  expect_refused(&fixture, "an IPv6 address the certificate does not name", "mismatch");
  stop(&simulator);
}

static void serve_plain(struct ws_server *server, int number, int fd) {
  (void)server, (void)number;
  ws_wait_readable(fd);
  ws_send_text_raw(fd, "HTTP/1.1 400 This is not TLS\r\n\r\n");
  ws_wait_end(fd);
}

static void serve_cut(struct ws_server *server, int number, int fd) {
  (void)server, (void)number;
  ws_wait_readable(fd);
}

static void test_not_tls(ws_serve *serve, const char *name, const char *reason) {
  struct fixture fixture;
  begin(&fixture, serve, NULL);
  fixture.config.ws[0].tls = true;
  fixture.config.stream.max_reconnects = 0;
  expect_refused(&fixture, name, reason);
}

int main(void) {
  test_good();
  test_bad_certificate("wrong_host", "hostname mismatch");
  test_bad_certificate("expired", "certificate has expired");
  test_bad_certificate("not_yet_valid", "certificate is not yet valid");
  test_bad_certificate("self_signed", "self-signed certificate");
  test_told_once();
  test_ipv6();
  test_not_tls(serve_plain, "a server without TLS", "wrong version number");
  test_not_tls(serve_cut, "a TLS handshake cut short", "");
  return done();
}
