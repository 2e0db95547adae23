/* SPDX-License-Identifier: MIT
 * POSTs of JSON: what is sent, what comes back, retries, and what is never shown. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strcasestr */
#endif

#include "rest_fixture.h"

static const char question[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[]}";
static const char good[] = HEAD("200 OK", "Content-Length: 14\r\n\r\n{\"result\":\"1\"}");

static struct outcome post(struct fixture *fixture, const char *body, size_t length) {
  struct cds_call *call;
  struct cds_error err;
  if (fixture->client == NULL) start_client(fixture);
  if (cds_call_post(&call, fixture->client, body, length, &err) != CDS_OK) {
    printf("# %s\n", err.message);
    exit(2);
  }
  struct outcome outcome = finish_call(call);
  http_request_count(fixture->server); /* takes the server's lock: what it received may be read now */
  return outcome;
}

static void test_request(void) {
  struct fixture fixture;
  const struct http_step step = answer(good);
  char url[64];
  begin(&fixture, &step, 1);
  fixture.config.want_responses = true;
  struct outcome outcome = post(&fixture, question, strlen(question));
  const char *text = fixture.server->requests[0].text;
  is_number(outcome.status, CDS_OK, "a POST succeeds");
  is_string(outcome.body, "{\"result\":\"1\"}", "its answer's body");
  ok(strncmp(text, "POST /base HTTP/1.1\r\n", 21) == 0, "to the endpoint itself");
  ok(strstr(text, "\r\nContent-Type: application/json\r\n") != NULL, "as JSON");
  ok(strcasestr(text, "authorization") == NULL && strstr(text, TEST_KEY) == NULL, "without a signature");
  ok(strstr(text, "\r\n\r\n") != NULL && strcmp(strstr(text, "\r\n\r\n") + 4, question) == 0, "the body");
  snprintf(url, sizeof url, "POST http://127.0.0.1:%d/", fixture.server->port);
  is_string(outcome.response_url, url, "the path, perhaps an access key, is not shown");
  end(&fixture);
}

static void test_retry(void) {
  struct fixture fixture;
  const struct http_step steps[] = {answer(HEAD("503 Service Unavailable", "Content-Length: 0\r\n\r\n")), answer(good)};
  begin(&fixture, steps, 2);
  struct outcome outcome = post(&fixture, question, strlen(question));
  is_number(outcome.status, CDS_OK, "it is sent again after a failure");
  ok(strstr(outcome.last_warning, "POST / answered 503") != NULL, "which is told: %s", outcome.last_warning);
  ok(strstr(fixture.server->requests[1].text, question) != NULL, "with its body");
  end(&fixture);
}

static void test_failures(void) {
  struct fixture fixture;
  const struct http_step steps[] = {answer(HEAD("400 Bad Request", "Content-Length: 12\r\n\r\n{\"error\":{}}")),
                                    answer(HEAD("200 OK", "Content-Length: 6\r\n\r\n<html>"))};
  begin(&fixture, steps, 2);
  struct outcome outcome = post(&fixture, question, strlen(question));
  is_number(outcome.status, CDS_E_API, "a refusal");
  is_string(outcome.err.body, "{\"error\":{}}", "with its body");
  ok(strstr(outcome.err.message, "base") == NULL, "and without the path: %s", outcome.err.message);
  outcome = post(&fixture, question, strlen(question));
  is_number(outcome.status, CDS_E_DECODE, "an answer that is not JSON");
  end(&fixture);
}

/* More than a socket takes at once, and than libcurl sends without asking first. */
static void test_large_body(void) {
  enum { LENGTH = 4 * 1024 * 1024 };
  struct fixture fixture;
  const struct http_step step = answer_and_close(good);
  char *body = malloc(LENGTH);
  memset(body, ' ', LENGTH);
  begin(&fixture, &step, 1);
  fixture.config.max_retries = 0;
  (void)post(&fixture, body, LENGTH); /* the server hangs up after the headers */
  ok(strcasestr(fixture.server->requests[0].text, "\r\nContent-Length: 4194304\r\n") != NULL, "a large body");
  ok(strcasestr(fixture.server->requests[0].text, "\r\nExpect:") == NULL, "does not wait for leave");
  end(&fixture);
  free(body);
}

int main(void) {
  test_request();
  test_retry();
  test_failures();
  test_large_body();
  return done();
}
