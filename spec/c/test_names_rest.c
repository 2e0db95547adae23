/* SPDX-License-Identifier: MIT
 * REST of names: ones that do not resolve, or late, or to an address that does not answer, or to another than
 * before. And what a slow connect does to a signature. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strcasestr */
#endif

#include "rest_fixture.h"

#include "base/clock.h"
#include "net/auth.h"
#include "resolver.h"

static char *good_answer;

static void begin_at(struct fixture *fixture, const char *host) {
  const struct http_step steps[] = {answer_and_close(good_answer)};
  begin(fixture, steps, 1);
  cds_free(fixture->config.rest.host);
  fixture->config.rest.host = cds_strdup(host);
}

static void is_answered(const struct outcome *got, const char *name) {
  ok(got->status == CDS_OK && got->report_count == 1, "%s %s", name, got->err.message);
}

static void test_unknown(void) {
  struct fixture f;
  begin_at(&f, "unknown.test");
  resolver_set("unknown.test", EAI_NONAME, NULL, NULL);
  f.config.max_retries = 2;
  int before = resolver_asked("unknown.test");
  struct outcome got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_outcome(&got, CDS_E_NETWORK, true, "Could not resolve host: unknown.test");
  is_number(resolver_asked("unknown.test") - before, 3, "each attempt asks");
  resolver_set("unknown.test", 0, "127.0.0.1", NULL);
  got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_answered(&got, "once there is an address, the call is answered");
  end(&f);
}

static void test_first_refused(const char *refused) {
  struct fixture f;
  begin_at(&f, "two.test");
  resolver_set("two.test", 0, refused, "127.0.0.1");
  f.config.max_retries = 0;
  struct outcome got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_answered(&got, "the second address is tried within one attempt");
  end(&f);
}

static void test_moved(void) {
  struct fixture f;
  begin_at(&f, "moving.test");
  resolver_set("moving.test", 0, "127.0.0.1", NULL);
  f.config.max_retries = 0;
  struct outcome got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_answered(&got, "one address");
  resolver_set("moving.test", 0, "127.0.0.2", NULL);
  got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_outcome(&got, CDS_E_NETWORK, true, "onnect"); /* libcurl's words differ */
  resolver_set("moving.test", 0, "127.0.0.1", NULL);
  got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_answered(&got, "the next connection asks anew");
  end(&f);
}

static void test_slow(void) {
  struct fixture f;
  begin_at(&f, "slow.test");
  resolver_block("slow.test", true);
  f.config.connect_timeout = 0.2;
  f.config.max_retries = 1;
  struct outcome got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_outcome(&got, CDS_E_TIMEOUT, true, "0.2 s");
  ok(resolver_waiting("slow.test") > 0, "the call ends at connect_timeout, though the resolver goes on");
  end(&f);
  ok(resolver_waiting("slow.test") > 0, "and so does the client, when it is closed");
  resolver_release("slow.test");
}

/* Connecting may take as long as a signature is good for. */
static void test_signed_late(void) {
  static const char header[] = CDS_HEADER_TIMESTAMP ": ";
  struct fixture f;
  begin_at(&f, "slow.test");
  resolver_block("slow.test", true);
  struct cds_call *call = start_call(&f, CDS_GET_LATEST_REPORT, 1);
  while (resolver_waiting("slow.test") == 0) usleep(1000);
  int64_t asked_ms = cds_clock_wall_ms();
  while (cds_clock_wall_ms() < asked_ms + 20) usleep(1000);
  int64_t resolved_ms = cds_clock_wall_ms();
  resolver_release("slow.test");
  struct outcome got = finish_call(call);
  is_answered(&got, "after a slow connect the call is answered");
  is_number(http_request_count(f.server), 1, "at the first attempt");
  const char *line = strcasestr(f.server->requests[0].text, header);
  ok(line != NULL && atoll(line + sizeof header - 1) >= resolved_ms, "signed when the connection stood");
  end(&f);
}

static void test_close(void) {
  struct fixture f;
  begin_at(&f, "slow.test");
  resolver_block("slow.test", true);
  struct cds_call *call = start_call(&f, CDS_GET_LATEST_REPORT, 1);
  while (resolver_waiting("slow.test") == 0) usleep(1000);
  cds_client_close(f.client);
  is_number(resolver_waiting("slow.test"), 1, "a close does not wait for the resolver");
  struct outcome got = finish_call(call);
  is_string(cds_status_kind(got.status), cds_status_kind(CDS_E_CLOSED), "the call under way is told");
  end(&f);
  resolver_release("slow.test");
}

int main(void) {
  good_answer = report_answer(1);
  test_unknown();
  test_first_refused("::1");
  test_first_refused("127.0.0.2");
  test_moved();
  test_slow();
  test_signed_late();
  test_close();
  free(good_answer);
  return done();
}
