/* SPDX-License-Identifier: MIT
 * Requests of the catalogue of feeds: what is sent, signed and not, and how long the answer may be kept. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strcasestr */
#endif

#include "rest_fixture.h"

#define BODY "Content-Length: 12\r\n\r\n{\"feeds\":[]}"

static const char good[] = HEAD("200 OK", "Cache-Control: public, max-age=300\r\n" BODY);

static struct outcome discover(struct fixture *fixture, const char *query, bool anonymous) {
  struct cds_call *call;
  struct cds_error err;
  if (fixture->client == NULL) start_client(fixture);
  if (cds_call_discover(&call, fixture->client, query, anonymous, &err) != CDS_OK)
    return (struct outcome){.status = err.status, .err = err};
  struct outcome outcome = finish_call(call);
  http_request_count(fixture->server); /* takes the server's lock: what it received may be read now */
  return outcome;
}

static void test_requests(void) {
  struct fixture fixture;
  const struct http_step steps[] = {
    answer(good), answer(HEAD("200 OK", BODY)),
    answer(HEAD("200 OK", "Cache-Control: max-age=9\r\nContent-Length: 5\r\n\r\n<a/> "))};
  begin(&fixture, steps, 3);
  struct outcome outcome = discover(&fixture, "base_asset=BTC%2CETH&hidden=true", false);
  const char *text = fixture.server->requests[0].text;
  is_number(outcome.status, CDS_OK, "the catalogue");
  is_string(outcome.body, "{\"feeds\":[]}", "as its body");
  ok(outcome.keep_seconds == 300, "may be kept for 300 s: %g", outcome.keep_seconds);
  ok(strncmp(text, "GET /base/api/v1/discovery?base_asset=BTC%2CETH&hidden=true HTTP/1.1\r\n", 70) == 0, "by a query");
  ok(strcasestr(text, "x-authorization-signature-sha256: ") != NULL && strstr(text, TEST_KEY) != NULL, "signed");
  outcome = discover(&fixture, "", true);
  text = fixture.server->requests[1].text;
  is_number(outcome.status, CDS_OK, "the catalogue again");
  ok(outcome.keep_seconds == 0, "is not to be kept: %g", outcome.keep_seconds);
  ok(strncmp(text, "GET /base/api/v1/discovery HTTP/1.1\r\n", 37) == 0, "all of it");
  ok(strcasestr(text, "authorization") == NULL && strstr(text, TEST_KEY) == NULL, "not signed");
  outcome = discover(&fixture, "", true);
  is_number(outcome.status, CDS_E_DECODE, "an answer that is not JSON");
  ok(outcome.keep_seconds == 0, "is not kept");
  end(&fixture);
}

static void test_refused(void) {
  struct fixture fixture;
  static char longest[CDS_MAX_QUERY_BYTES + 2];
  const struct http_step step = answer(good);
  begin(&fixture, &step, 1);
  static const char *const wrong[] = {" ab", "a=\r\nX: y", "a#b", "a=\xc3\xa4", "a=\x7f"};
  static const char *const words[] = {"byte 0", "byte 2", "byte 1", "byte 2", "byte 2"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    struct outcome refused = discover(&fixture, wrong[i], true);
    is_number(refused.status, CDS_E_CONFIG, "a query that is not encoded");
    ok(strstr(refused.err.message, words[i]) != NULL, "from %s on: %s", words[i], refused.err.message);
  }
  memset(longest, 'a', sizeof longest - 1);
  struct outcome outcome = discover(&fixture, longest, true);
  is_number(outcome.status, CDS_E_CONFIG, "a query that is too long");
  is_string(outcome.err.message, "the filters are 4097 bytes long, expected at most 4096", "says so");
  is_number(http_request_count(fixture.server), 0, "and nothing was sent");
  longest[CDS_MAX_QUERY_BYTES] = 0;
  longest[0] = '!', longest[1] = '~'; /* the first and the last letter that may be sent */
  is_number(discover(&fixture, longest, true).status, CDS_OK, "the longest is sent");
  end(&fixture);
}

int main(void) {
  test_requests();
  test_refused();
  return done();
}
