/* SPDX-License-Identifier: MIT
 * REST calls that go well: requests as they must be sent, answers of every operation, connections, events, ends. */
#include "rest_fixture.h"

#include <sys/wait.h>

#include "crypto/hmac.h"

/* Copies a header's value; false when it is absent. */
static bool header_of(char *out, size_t size, const char *request, const char *name) {
  char start[128];
  snprintf(start, sizeof start, "\r\n%s: ", name);
  const char *at = strstr(request, start);
  if (at == NULL) return false;
  at += strlen(start);
  snprintf(out, size, "%.*s", (int)strcspn(at, "\r"), at);
  return true;
}

/* The signature must be that of the request line which was received. */
static void check_signed(const char *request, const char *target) {
  char line[4096], stamp[64] = "", signature[128] = "", expected[65], key[64] = "";
  snprintf(line, sizeof line, "GET %s HTTP/1.1\r\n", target);
  ok(strncmp(request, line, strlen(line)) == 0, "request line: %.*s", (int)strcspn(request, "\r"), request);
  ok(header_of(stamp, sizeof stamp, request, "X-Authorization-Timestamp"), "a timestamp: %s", stamp);
  ok(header_of(signature, sizeof signature, request, "X-Authorization-Signature-SHA256"), "a signature");
  ok(header_of(key, sizeof key, request, "Authorization"), "a key");
  is_string(key, TEST_KEY, "the key");
  long long now_ms = (long long)time(NULL) * 1000, stamp_ms = strtoll(stamp, NULL, 10);
  ok(stamp_ms > now_ms - 60000 && stamp_ms < now_ms + 60000, "the timestamp is of now");
  enum cds_status status =
    cds_sign_request(expected, "GET", target, "", 0, TEST_KEY, TEST_SECRET, strlen(TEST_SECRET), stamp_ms);
  ok(status == CDS_OK, "signed again");
  is_string(signature, expected, "signature");
}

#define ID1 "0x0003000000000000000000000000000000000000000000000000000000000001"
#define ID2 "0x0003000000000000000000000000000000000000000000000000000000000002"

static void test_requests(void) {
  char *feeds = with_body(HEAD("200 OK", ""), " {\"feeds\":[]}");
  struct http_step steps[] = {answer(feeds)};
  struct fixture f;
  char agent[64] = "", extra[64] = "";
  begin(&f, steps, 1);
  f.config.headers = cds_calloc(2, sizeof *f.config.headers);
  f.config.headers[0] = (struct cds_header){cds_strdup("X-Trace"), cds_strdup("abc")};
  f.config.headers[1] = (struct cds_header){cds_strdup("X-Empty"), cds_strdup("")};
  f.config.header_count = 2;
  run_call(&f, CDS_GET_FEEDS, 0);
  run_call(&f, CDS_GET_LATEST_REPORT, 1);
  run_call(&f, CDS_GET_REPORT, 1);
  run_call(&f, CDS_GET_REPORTS, 2);
  run_call(&f, CDS_GET_REPORT_PAGE, 1);
  check_signed(f.server->requests[0].text, "/base/api/v1/feeds");
  check_signed(f.server->requests[1].text, "/base/api/v1/reports/latest?feedID=" ID1);
  check_signed(f.server->requests[2].text, "/base/api/v1/reports?feedID=" ID1 "&timestamp=1700000000");
  check_signed(f.server->requests[3].text, "/base/api/v1/reports/bulk?feedIDs=" ID1 "," ID2 "&timestamp=1700000000");
  check_signed(f.server->requests[4].text,
               "/base/api/v1/reports/page?feedID=" ID1 "&startTimestamp=1700000000&limit=7");
  ok(header_of(agent, sizeof agent, f.server->requests[0].text, "User-Agent"), "a user agent");
  is_string(agent, "chainlink-streams-lua/" CDS_VERSION, "the user agent");
  ok(header_of(extra, sizeof extra, f.server->requests[0].text, "X-Trace"), "an extra header");
  is_string(extra, "abc", "its value");
  ok(strstr(f.server->requests[0].text, "\r\nX-Empty:") != NULL, "an extra header without a value");
  end(&f);
  free(feeds);
}

static void test_answers(void) {
  char *one = report_answer(1), report1[8192], report2[8192], list[20000];
  write_report(report1, sizeof report1, 1);
  write_report(report2, sizeof report2, 2);
  snprintf(list, sizeof list, "{\"reports\":[%s,%s],\"nextPageTimestamp\":1700000002}", report2, report1);
  char *some = with_body(HEAD("206 Partial Content", ""), list), *page;
  snprintf(list, sizeof list, "{\"reports\":[%s],\"nextPageTimestamp\":1700000002}", report1);
  page = with_body(HEAD("200 OK", ""), list);
  char *feeds = with_body(HEAD("200 OK", ""), "{\"feeds\":[{\"feedID\":\"x\"}]}");
  struct http_step steps[] = {answer(one), answer(some), answer(page), answer(feeds)};
  struct cds_feed_id expected = test_feed(1);
  struct fixture f;
  begin(&f, steps, 4);
  struct outcome got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  ok(got.status == CDS_OK && got.report_count == 1 && got.http_status == 200, "one report %s", got.err.message);
  ok(cds_feed_id_compare(&got.feed, &expected) == 0, "of the feed");
  got = run_call(&f, CDS_GET_REPORTS, 3);
  ok(got.status == CDS_OK && got.report_count == 2 && got.http_status == 206, "two of three reports, status 206");
  got = run_call(&f, CDS_GET_REPORT_PAGE, 1);
  ok(got.status == CDS_OK && got.report_count == 1 && got.has_next_page && got.next_page == 1700000002, "a page %s",
     got.err.message);
  ok(got.body[0] == 0, "reports leave no body");
  got = run_call(&f, CDS_GET_FEEDS, 0);
  is_string(got.body, "{\"feeds\":[{\"feedID\":\"x\"}]}", "the feeds' body");
  end(&f);
  free(one), free(some), free(page), free(feeds);
}

/* Reports that are taken by nobody go with the call. */
static void test_untaken(void) {
  char *one = report_answer(1);
  struct http_step steps[] = {answer(one)};
  struct fixture f;
  begin(&f, steps, 1);
  struct cds_call *call = start_call(&f, CDS_GET_LATEST_REPORT, 1);
  while (!cds_call_is_done(call)) {
    struct pollfd fd = {cds_call_fd(call), POLLIN, 0};
    http_check(poll(&fd, 1, WAIT_MS) == 1, "the call did not end");
    cds_event_free(cds_call_take_event(call));
  }
  cds_client_close(f.client);
  struct cds_error err;
  ok(cds_call_error(call, &err) == CDS_OK, "an answer survives the client");
  cds_call_free(call);
  end(&f);
  free(one);
}

static void test_connections(void) {
  char *one = report_answer(1);
  struct http_step steps[] = {answer(one), answer(one),           answer_and_close(one),
                              answer(one), {NULL, 0, HTTP_CLOSE}, answer(one)};
  struct cds_client_stats stats;
  struct fixture f;
  begin(&f, steps, 6);
  f.config.max_retries = 0;
  for (int i = 0; i < 3; i++) ok(run_call(&f, CDS_GET_LATEST_REPORT, 1).status == CDS_OK, "call %d", i);
  is_number(f.server->requests[2].connection, 0, "three requests on one connection");
  ok(run_call(&f, CDS_GET_LATEST_REPORT, 1).status == CDS_OK, "after the server closed the idle connection");
  ok(run_call(&f, CDS_GET_LATEST_REPORT, 1).status == CDS_OK, "and when it closes as the request comes in");
  is_number(f.server->requests[5].connection, 2, "on a fresh connection each");
  cds_client_stats(&stats, f.client);
  is_number(stats.requests, 5, "five requests");
  ok(stats.retries == 0 && stats.failures == 0, "none of ours retried or failed");
  is_number(stats.connections, 3, "three connections");
  is_string(stats.circuit, "closed", "circuit");
  end(&f);
  free(one);
}

static void test_events(void) {
  char *body = report_body(1), *one = with_body(HEAD("200 OK", "X-Thing: 1\r\n"), body);
  char *interim = malloc(strlen(one) + 100);
  sprintf(interim, "HTTP/1.1 103 Early Hints\r\nX-Interim: 1\r\n\r\n%s", one);
  struct http_step steps[] = {answer(interim)};
  struct fixture f;
  begin(&f, steps, 1);
  f.config.want_responses = true;
  struct outcome got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  ok(got.status == CDS_OK, "an interim answer is no answer %s", got.err.message);
  ok(got.responses == 1 && got.debugs == 1 && got.warnings == 0, "one response event, one debug line");
  ok(strstr(got.response_headers, "X-Thing: 1\r\n") != NULL && strstr(got.response_headers, "X-Interim") == NULL,
     "with the final answer's headers: %s", got.response_headers);
  ok(strncmp(got.response_url, "GET http://127.0.0.1:", 21) == 0 &&
       strstr(got.response_url, "/base/api/v1/reports/latest?feedID=0x"),
     "and the URL");
  end(&f);
  begin(&f, steps, 1);
  f.config.stream.log_level = CDS_LOG_INFO;
  got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  ok(got.responses == 0 && got.debugs == 0, "neither when nobody wants them");
  end(&f);
  free(body), free(one), free(interim);
}

static void test_proxy(void) {
  char *feeds = with_body(HEAD("200 OK", ""), "{\"feeds\":[]}"), proxy[64], credentials[64] = "";
  struct http_step steps[] = {answer(feeds)};
  struct fixture f;
  begin(&f, steps, 1);
  cds_url_clear(&f.config.rest);
  http_check(cds_url_parse(&f.config.rest, "http://service.invalid:81/x", "rest_url", NULL) == CDS_OK, "rest_url");
  snprintf(proxy, sizeof proxy, "http://user:pass@127.0.0.1:%d", f.server->port);
  cds_free(f.config.proxy);
  f.config.proxy = cds_strdup(proxy);
  struct outcome got = run_call(&f, CDS_GET_FEEDS, 0);
  ok(got.status == CDS_OK, "through a proxy %s", got.err.message);
  const char *request = f.server->requests[0].text;
  static const char line[] = "GET http://service.invalid:81/x/api/v1/feeds HTTP/1.1\r\n";
  ok(strncmp(request, line, sizeof line - 1) == 0, "%.*s", (int)strcspn(request, "\r"), request);
  ok(header_of(credentials, sizeof credentials, request, "Proxy-Authorization"), "with credentials for it");
  is_string(credentials, "Basic dXNlcjpwYXNz", "its own");
  end(&f);
  free(feeds);
}

static void test_arguments(void) {
  struct fixture f;
  struct cds_call *call;
  struct cds_error err;
  struct cds_feed_id feeds[2] = {test_feed(1), test_feed(2)};
  struct cds_call_args bad[] = {{CDS_GET_FEEDS, feeds, 1, 0, 0},         {CDS_GET_LATEST_REPORT, feeds, 0, 0, 0},
                                {CDS_GET_LATEST_REPORT, feeds, 2, 0, 0}, {CDS_GET_REPORTS, feeds, 0, 0, 0},
                                {CDS_GET_REPORTS, feeds, 1001, 0, 0},    {CDS_GET_REPORT_PAGE, feeds, 1, 0, 10001}};
  begin(&f, &no_step, 0);
  start_client(&f);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ok(cds_call_start(&call, f.client, &bad[i], &err) == CDS_E_CONFIG && call == NULL, "refused: %s", err.message);
  end(&f);
}

static void test_close(void) {
  struct http_step steps[] = {{NULL, 0, HTTP_KEEP}};
  struct fixture f;
  struct cds_error err;
  struct cds_call *again;
  begin(&f, steps, 1);
  struct cds_call *running = start_call(&f, CDS_GET_FEEDS, 0), *dropped = start_call(&f, CDS_GET_FEEDS, 0);
  while (http_request_count(f.server) < 2) poll(NULL, 0, 1);
  cds_call_free(dropped);
  cds_client_close(f.client);
  cds_client_close(f.client);
  ok(cds_call_is_done(running), "closing the client ends its calls");
  struct outcome got = finish_call(running);
  is_outcome(&got, CDS_E_CLOSED, false, "the client was closed");
  ok(cds_client_is_closed(f.client), "it is closed");
  ok(cds_call_start(&again, f.client, &(struct cds_call_args){0}, &err) == CDS_E_CLOSED, "and takes no call: %s",
     err.message);
  end(&f);
}

/* The child of a fork gets an error from everything, hangs nowhere, and harms nothing of the parent's. */
static int in_child(struct fixture *f, struct cds_call *call) {
  struct cds_error err;
  struct cds_call *another;
  struct cds_client_stats stats;
  int wrong = 0;
  wrong += !cds_call_is_done(call);
  wrong += cds_call_error(call, &err) != CDS_E_CLOSED || strstr(err.message, "before fork()") == NULL;
  wrong += cds_call_take_report(call) != NULL || cds_call_take_event(call) != NULL;
  cds_call_free(call);
  wrong += cds_call_start(&another, f->client, &(struct cds_call_args){0}, &err) != CDS_E_CLOSED;
  cds_client_stats(&stats, f->client);
  cds_client_close(f->client);
  cds_client_free(f->client);
  return wrong;
}

static void test_fork(void) {
  char *feeds = with_body(HEAD("200 OK", ""), "{\"feeds\":[]}");
  struct http_step steps[] = {{NULL, 0, HTTP_KEEP}, answer(feeds)};
  struct fixture f;
  int status = -1;
  begin(&f, steps, 2);
  struct cds_call *call = start_call(&f, CDS_GET_FEEDS, 0);
  while (http_request_count(f.server) < 1) poll(NULL, 0, 1);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) { /* exec: a leak checker need not look at what is leaked on purpose */
    const char *verdict = in_child(&f, call) == 0 ? "true" : "false";
    execlp(verdict, verdict, (char *)NULL);
    _exit(2);
  }
  ok(waitpid(child, &status, 0) == child && WIFEXITED(status), "the child ends");
  is_number(WEXITSTATUS(status), 0, "with every answer as promised");
  ok(run_call(&f, CDS_GET_FEEDS, 0).status == CDS_OK, "the parent goes on");
  cds_call_free(call);
  end(&f);
  free(feeds);
}

int main(void) {
  test_requests();
  test_answers();
  test_untaken();
  test_connections();
  test_events();
  test_proxy();
  test_arguments();
  test_close();
  test_fork();
  return done();
}
