/* SPDX-License-Identifier: MIT
 * Calls of the engine's own: hooks in place of a descriptor, HEAD, another endpoint, cancelling, timers. */
#include "rest/rest_thread.h"

#include <sys/resource.h>

#include "base/trace.h"
#include "caught.h"
#include "rest_fixture.h"

struct notes {
  pthread_mutex_t mu;
  pthread_cond_t changed;
  size_t done, events, rings;
  struct cds_error err;
  struct cds_origins origins;
  char url[512];
};

static struct notes notes = {.mu = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void on_done(void *context, const struct cds_error *err, struct cds_answer *got) {
  struct notes *to = context;
  pthread_mutex_lock(&to->mu);
  to->done++;
  to->err = err != NULL ? *err : (struct cds_error){0};
  if (err == NULL) to->origins = got->origins;
  pthread_cond_broadcast(&to->changed);
  pthread_mutex_unlock(&to->mu);
}

static void on_event(void *context, struct cds_event *event) {
  struct notes *to = context;
  pthread_mutex_lock(&to->mu);
  to->events++;
  if (event->kind == CDS_EVENT_RESPONSE) snprintf(to->url, sizeof to->url, "%s %s", event->method, event->url);
  pthread_mutex_unlock(&to->mu);
  cds_event_free(event);
}

static void on_ring(void *context) {
  struct notes *to = context;
  pthread_mutex_lock(&to->mu);
  to->rings++;
  pthread_cond_broadcast(&to->changed);
  pthread_mutex_unlock(&to->mu);
}

static void await_count(const size_t *count, size_t expected) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += WAIT_MS / 1000;
  pthread_mutex_lock(&notes.mu);
  while (*count < expected && pthread_cond_timedwait(&notes.changed, &notes.mu, &until) == 0) {}
  is_number((long long)*count, (long long)expected, "in time");
  pthread_mutex_unlock(&notes.mu);
}

static struct cds_call *ask(struct fixture *fixture) {
  static const struct cds_call_args args = {.operation = CDS_HEAD_ORIGINS};
  const struct cds_call_hooks hooks = {&notes, on_done, on_event};
  struct cds_call *call = NULL;
  struct cds_error err = {0};
  notes.done = notes.events = 0;
  if (fixture->client == NULL) start_client(fixture);
  ok(cds_call_prepare(&call, fixture->client, &args, &fixture->client->config.ws[0], &hooks, &err) == CDS_OK &&
       cds_rest_thread_submit(call->client->rest, call, &err) == CDS_OK,
     "the call begins");
  return call;
}

/* The REST endpoint is another port than this one, where nothing listens. */
static void begin_ws(struct fixture *fixture, const struct http_step *steps, size_t count) {
  begin(fixture, steps, count);
  if (fixture->server != NULL) fixture->config.ws[0].port = (uint16_t)fixture->server->port;
  fixture->config.rest.port = 1;
  fixture->config.want_responses = true;
}

static void test_head(void) {
  static const char found[] = "HTTP/1.1 200 OK\r\nX-Cll-Available-Origins: {one, two}\r\nContent-Length: 5000\r\n\r\n";
  struct fixture fixture;
  const struct http_step step = answer(found);
  char expected[64];
  begin_ws(&fixture, &step, 1);
  struct cds_call *call = ask(&fixture);
  await_count(&notes.done, 1);
  is_number(notes.err.status, CDS_OK, "HEAD succeeds, without the body it announces");
  ok(notes.origins.count == 2 && cds_origins_has(&notes.origins, "two"), "the origins");
  ok(strncmp(fixture.server->requests[0].text, "HEAD / HTTP/1.1\r\n", 17) == 0, "the request line");
  snprintf(expected, sizeof expected, "HEAD http://127.0.0.1:%d/", fixture.server->port);
  is_string(notes.url, expected, "the response event's method and URL");
  ok(call->exchange.headers.data == NULL && call->exchange.body.data == NULL, "what came is not kept");
  cds_call_unref(call);
  end(&fixture);
}

/* Reports that the hook does not take are given back: the end of the program counts them. */
static void test_untaken(void) {
  struct fixture fixture;
  char *text = report_answer(1);
  const struct http_step step = answer(text);
  const struct cds_feed_id feed = test_feed(1);
  const struct cds_call_args args = {.operation = CDS_GET_LATEST_REPORT, .feeds = &feed, .feed_count = 1};
  const struct cds_call_hooks hooks = {&notes, on_done, on_event};
  struct cds_call *call = NULL;
  struct cds_error err = {0};
  begin(&fixture, &step, 1);
  start_client(&fixture);
  notes.done = 0;
  ok(cds_call_prepare(&call, fixture.client, &args, &fixture.client->config.rest, &hooks, &err) == CDS_OK &&
       cds_rest_thread_submit(call->client->rest, call, &err) == CDS_OK,
     "the latest report is asked for");
  await_count(&notes.done, 1);
  is_number(notes.err.status, CDS_OK, "and comes");
  cds_call_unref(call);
  end(&fixture);
  free(text);
}

static void test_failures(void) {
  struct fixture fixture;
  const struct http_step step = answer("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  begin_ws(&fixture, &step, 1);
  struct cds_call *call = ask(&fixture);
  await_count(&notes.done, 1);
  is_number(notes.err.status, CDS_E_AUTH, "a refusal");
  ok(strstr(notes.err.message, "HEAD / answered 401") != NULL, "named: %s", notes.err.message);
  cds_call_unref(call);
  end(&fixture);
}

static void test_cancel(void) {
  struct fixture fixture;
  begin_ws(&fixture, &no_step, 1);
  struct cds_call *call = ask(&fixture);
  cds_rest_thread_cancel(call->client->rest, call);
  await_count(&notes.done, 1);
  is_number(notes.err.status, CDS_E_CLOSED, "cancelled");
  cds_call_unref(call);
  call = ask(&fixture);
  cds_client_close(fixture.client);
  is_number((long long)notes.done, 1, "closing the client ends it before it returns");
  struct cds_error err;
  is_number(cds_rest_thread_submit(call->client->rest, call, &err), CDS_E_CLOSED, "then nothing can be submitted");
  is_number((long long)notes.done, 1, "and nothing is called");
  cds_call_unref(call);
  end(&fixture);
}

static void test_timer(void) {
  struct fixture fixture;
  struct cds_timer timer = {.ring = on_ring, .context = &notes};
  struct cds_error err;
  bool added;
  begin_ws(&fixture, &no_step, 1);
  start_client(&fixture);
  struct cds_rest_thread *thread = fixture.client->rest;
  ok(cds_rest_thread_set_timer(thread, &timer, INT64_MAX, &added, &err) == CDS_OK && added, "a timer far away");
  ok(cds_rest_thread_set_timer(thread, &timer, 0, &added, &err) == CDS_OK && !added, "brought forward");
  await_count(&notes.rings, 1);
  ok(!cds_rest_thread_cancel_timer(thread, &timer), "it rang once");
  ok(cds_rest_thread_set_timer(thread, &timer, INT64_MAX, &added, &err) == CDS_OK && added, "set again");
  ok(cds_rest_thread_cancel_timer(thread, &timer), "and cancelled");
  cds_client_close(fixture.client);
  is_number(cds_rest_thread_set_timer(thread, &timer, 0, &added, &err), CDS_E_CLOSED, "not after the end");
  end(&fixture);
}

enum { ASK, POST, DISCOVER };

static enum cds_status start_any(struct cds_call **call, struct cds_client *client, int kind) {
  const struct cds_feed_id feed = test_feed(1);
  const struct cds_call_args args = {.operation = CDS_GET_LATEST_REPORT, .feeds = &feed, .feed_count = 1};
  struct cds_error err;
  if (kind == ASK) return cds_call_start(call, client, &args, &err);
  if (kind == POST) return cds_call_post(call, client, "{}", 2, &err);
  return cds_call_discover(call, client, "a=b", true, &err);
}

/* A call that cannot wait, as no descriptor is left, is none. */
static void test_not_started(int kind) {
  struct fixture fixture;
  struct rlimit before;
  struct cds_call *call;
  begin(&fixture, &no_step, 0);
  start_client(&fixture);
  const unsigned refs = atomic_load(&fixture.client->refs);
  getrlimit(RLIMIT_NOFILE, &before);
  const struct rlimit none = {0, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  enum cds_status status = start_any(&call, fixture.client, kind);
  setrlimit(RLIMIT_NOFILE, &before);
  ok(status != CDS_OK && call == NULL, "no call begins without a descriptor");
  is_number(atomic_load(&fixture.client->refs), refs, "or holds the client");
  end(&fixture);
}

/* Each allocation on the way to a call fails once. */
static void test_no_memory(int kind) {
  struct fixture fixture;
  struct cds_call *call;
  enum cds_status status = CDS_E_MEMORY;
  size_t failed = 0, left = 0;
  begin(&fixture, &no_step, 0);
  start_client(&fixture);
  const unsigned refs = atomic_load(&fixture.client->refs);
  for (long i = 0; status == CDS_E_MEMORY && i < 100; i++) {
    cds_alloc_fail_one(i);
    status = start_any(&call, fixture.client, kind);
    cds_alloc_fail_after(-1);
    if (status != CDS_E_MEMORY) break;
    failed++;
    left += call != NULL || atomic_load(&fixture.client->refs) != refs;
  }
  ok(status == CDS_OK && failed >= 3, "a call begins with its memory, after %zu that had not all", failed);
  is_number(left, 0, "of which nothing is left");
  cds_call_free(call);
  cds_client_close(fixture.client);
  is_number(start_any(&call, fixture.client, kind), CDS_E_CLOSED, "none begins of a closed client");
  ok(call == NULL, "or is left");
  end(&fixture);
}

/* Whoever asks for a trace sees a request, before it is sent, and its answer. */
static void test_traced(void) {
  struct fixture fixture;
  const struct http_step step = answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  char sent[128];
  begin_ws(&fixture, &step, 1);
  setenv("CHAINLINK_STREAMS_TRACE", "1", 1);
  cds_trace_begin();
  snprintf(sent, sizeof sent, "> HEAD http://127.0.0.1:%d/, attempt 1, signed", fixture.server->port);
  catch_begin();
  struct cds_call *call = ask(&fixture);
  await_count(&notes.done, 1);
  const char *text = catch_end();
  const char *first = strstr(text, sent), *second = strstr(text, "< HEAD /: 200 in ");
  ok(first != NULL && second != NULL && first < second, "a trace has both: %s", text);
  cds_call_unref(call);
  end(&fixture);
}

int main(void) {
  test_head();
  test_untaken();
  test_failures();
  test_cancel();
  test_timer();
  for (int kind = ASK; kind <= DISCOVER; kind++) {
    test_not_started(kind);
    test_no_memory(kind);
  }
  test_traced();
  return done();
}
