/* SPDX-License-Identifier: MIT
 * A client's life: what it takes, what closing leaves, its list of streams, the end of the process. */
#include "client/client.h"

#include <sys/wait.h>
#include <unistd.h>

#include "peek.h"
#include "rest_fixture.h"

static void test_config_moves(void) {
  struct fixture fixture;
  struct cds_error err = {0};
  begin(&fixture, &no_step, 0);
  start_client(&fixture);
  ok(fixture.config.api_secret == NULL && fixture.config.ws_count == 0, "the options move into the client");
  end(&fixture);
  begin(&fixture, &no_step, 0);
  fixture.config.ws_count = 0;
  fixture.client = (struct cds_client *)&fixture;
  is_number(cds_client_new(&fixture.client, &fixture.config, &err), CDS_E_CONFIG, "options that are wrong");
  ok(fixture.client == NULL && fixture.config.api_secret == NULL, "leave nothing either");
  end(&fixture);
}

static void test_secret(void) {
  struct fixture fixture;
  char secret[65];
  memset(secret, 'S', 64);
  secret[64] = 0;
  begin(&fixture, &no_step, 0);
  cds_free(fixture.config.api_secret);
  fixture.config.api_secret = cds_strdup(secret);
  start_client(&fixture);
  uintptr_t at = (uintptr_t)fixture.client->config.api_secret;
  long before = peek_count(at, 64, 'S');
  cds_client_close(fixture.client);
  if (before < 0) skip("a closed client's secret is wiped", "the memory cannot be looked at");
  else ok(before == 64 && peek_count(at, 64, 'S') < 8, "a closed client's secret is wiped");
  ok(fixture.client->config.api_secret == NULL, "and forgotten");
  cds_client_close(fixture.client);
  ok(cds_client_is_closed(fixture.client), "closing twice is closing once");
  end(&fixture);
}

static void test_closed(void) {
  struct fixture fixture;
  struct cds_client_stats stats;
  struct cds_error err = {0};
  struct cds_feed_id feed = test_feed(1);
  struct cds_call_args args = {CDS_GET_LATEST_REPORT, &feed, 1, 0, 0};
  struct cds_call *call = NULL;
  struct cds_stream_hook hook = {0};
  begin(&fixture, &no_step, 0);
  start_client(&fixture);
  ok(!cds_client_is_closed(fixture.client) && !cds_client_is_foreign(fixture.client), "open, and of this process");
  is_number(cds_client_check(fixture.client, &err), CDS_OK, "as a check says");
  cds_client_stats(&stats, fixture.client);
  ok(stats.requests + stats.retries + stats.failures + stats.connections == 0, "nothing was counted");
  is_string(stats.circuit, "closed", "the circuit");
  cds_client_close(fixture.client);
  is_number(cds_call_start(&call, fixture.client, &args, &err), CDS_E_CLOSED, "no call begins after a close");
  is_string(err.message, "the client is closed", "which is said");
  is_number(cds_client_add_stream(fixture.client, &hook, NULL, &err), CDS_E_CLOSED, "nor a stream");
  ok(fixture.client->streams == NULL && hook.next == NULL, "which is in no list");
  end(&fixture);
}

/* Streams in the list as letters, the newest first. */
static const char *list_of(const struct cds_client *client, const struct cds_stream_hook *hooks) {
  static char text[8];
  size_t length = 0;
  const struct cds_stream_hook *before = NULL;
  for (const struct cds_stream_hook *at = client->streams; at != NULL && length < 7; before = at, at = at->next)
    text[length++] = at->previous == before ? (char)('a' + (at - hooks)) : '!';
  text[length] = 0;
  return text;
}

static void test_list(void) {
  struct fixture fixture;
  struct cds_stream_hook hooks[4] = {{0}};
  bool good = true;
  begin(&fixture, &no_step, 0);
  start_client(&fixture);
  for (size_t i = 0; i < 4; i++)
    good = good && cds_client_add_stream(fixture.client, &hooks[i], (struct cds_stream *)&hooks[i], NULL) == CDS_OK;
  ok(good, "four streams");
  is_string(list_of(fixture.client, hooks), "dcba", "are in the list");
  cds_client_remove_stream(fixture.client, &hooks[1]);
  is_string(list_of(fixture.client, hooks), "dca", "one from within is taken out");
  cds_client_remove_stream(fixture.client, &hooks[1]);
  is_string(list_of(fixture.client, hooks), "dca", "once");
  cds_client_remove_stream(fixture.client, &hooks[3]);
  is_string(list_of(fixture.client, hooks), "ca", "the first");
  cds_client_remove_stream(fixture.client, &hooks[0]);
  is_string(list_of(fixture.client, hooks), "c", "the last");
  cds_client_remove_stream(fixture.client, &hooks[2]);
  is_string(list_of(fixture.client, hooks), "", "and the only one");
  ok(hooks[2].stream == NULL && hooks[2].next == NULL && hooks[2].previous == NULL, "which knows of nothing then");
  end(&fixture);
}

/* Makes three clients and closes some, in the order of the letters. */
static void open_three(const char *closed) {
  static struct fixture fixtures[3];
  for (size_t i = 0; i < 3; i++) {
    begin(&fixtures[i], &no_step, 0);
    start_client(&fixtures[i]);
  }
  for (; *closed != 0; closed++) end(&fixtures[*closed - 'a']);
}

/* In a process of its own, which ends by itself: what is left open is closed on the way out. */
static void test_exit(const char *closed) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    alarm(60); /* for a hang */
    open_three(closed);
    exit(0);
  }
  int status = -1;
  ok(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a process ends in order, closed before: '%s'",
     closed);
}

/* In children of the process that made it, and theirs, a client is not theirs; one that they make is. */
static int look_from(const struct fixture *fixture, unsigned generations) {
  if (generations == 0) return 0;
  pid_t child = fork();
  if (child == 0) {
    struct fixture own;
    alarm(60);
    if (!cds_client_is_foreign(fixture->client)) _exit(1);
    begin(&own, &no_step, 0);
    start_client(&own);
    bool is_own = !cds_client_is_foreign(own.client);
    int below = look_from(&own, generations - 1);
    end(&own);
    _exit(is_own ? below : 2);
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

static void test_fork(void) {
  struct fixture fixture;
  fflush(stdout);
  begin(&fixture, &no_step, 0);
  start_client(&fixture);
  is_number(look_from(&fixture, 2), 0, "a client is foreign to a child and a grandchild, each of which makes its own");
  ok(!cds_client_is_foreign(fixture.client), "and still this process's");
  end(&fixture);
}

int main(void) {
  static const char *const orders[] = {"", "a", "b", "c", "ab", "ba", "ac", "ca", "bc", "cb", "abc", "bac", "cba"};
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) test_exit(orders[i]);
  test_fork();
  test_config_moves();
  test_secret();
  test_closed();
  test_list();
  return done();
}
