/* SPDX-License-Identifier: MIT
 * A multi handle of libcurl, and the exchanges that it has: each step that can fail, with what is left then. Tables of
 * the test's own take the places of libcurl, and of the requests on their way. */
#include "net/rest.h"

#include <poll.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "net/transfer.h"
#include "system_faults.h"
#include "tap.h"

/* ---- libcurl ---- */

static char multi_handle, easy_handle;
static bool no_curl, no_multi;
static CURLMcode of_wakeup, of_add, of_poll, of_perform;
static int multis, wakes, added, performed, polled_ms, pauses, paused_ms;
static CURLMsg messages[2];
static int next_message = 2;

static CURLM *multi_init(void) {
  if (no_multi) return NULL;
  multis++;
  return &multi_handle;
}

static CURLMcode multi_cleanup(CURLM *multi) {
  ok(multi == &multi_handle, "a multi handle is freed that was made");
  multis--;
  return CURLM_OK;
}

static CURLMcode multi_wakeup(CURLM *multi) {
  ok(multi == &multi_handle, "there is one to be woken");
  wakes++;
  return of_wakeup;
}

static CURLMcode multi_add_handle(CURLM *multi, CURL *easy) {
  if (multi != &multi_handle || easy != &easy_handle) return CURLM_BAD_HANDLE;
  added += of_add == CURLM_OK;
  return of_add;
}

static CURLMcode multi_remove_handle(CURLM *multi, CURL *easy) {
  if (multi != &multi_handle || easy != &easy_handle) return CURLM_BAD_HANDLE;
  added--;
  return CURLM_OK;
}

static CURLMcode multi_poll(CURLM *multi, struct curl_waitfd more[], unsigned count, int timeout_ms, int *ready) {
  ok(multi == &multi_handle && more == NULL && count == 0 && ready == NULL, "its own sockets are waited for");
  polled_ms = timeout_ms;
  return of_poll;
}

static CURLMcode multi_perform(CURLM *multi, int *running) {
  ok(multi == &multi_handle, "its handles go on");
  *running = 0;
  performed++;
  return of_perform;
}

static CURLMsg *multi_info_read(CURLM *multi, int *left) {
  ok(multi == &multi_handle, "it is asked what is done");
  *left = 0;
  return next_message < 2 ? &messages[next_message++] : NULL;
}

static const struct cds_curl curl = {.multi_init = multi_init,
                                     .multi_cleanup = multi_cleanup,
                                     .multi_wakeup = multi_wakeup,
                                     .multi_add_handle = multi_add_handle,
                                     .multi_remove_handle = multi_remove_handle,
                                     .multi_poll = multi_poll,
                                     .multi_perform = multi_perform,
                                     .multi_info_read = multi_info_read};

enum cds_status cds_curl_load(const struct cds_curl **out, struct cds_error *err) {
  *out = no_curl ? NULL : &curl;
  return no_curl ? cds_error_set(err, CDS_E_CONFIG, "no libcurl") : CDS_OK;
}

SYSTEM_CALL int poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
  ok(fds == NULL && count == 0, "nothing is waited for but time");
  pauses++;
  paused_ms = timeout_ms;
  return 0;
}

/* ---- requests ---- */

struct cds_transfer {
  struct cds_exchange *exchange;
};

static struct cds_transfer transfer;
static bool cannot_begin;
static int transfers;

bool cds_transfer_begin(struct cds_exchange *exchange, const struct cds_curl *of,
                        const struct cds_rest_options *options) {
  ok(of == &curl && options->timeout == 7, "a request is made with the options");
  if (cannot_begin) return false;
  transfer.exchange = exchange;
  exchange->transfer = &transfer;
  transfers++;
  return true;
}

CURL *cds_transfer_easy(const struct cds_transfer *of) {
  return of == &transfer ? &easy_handle : NULL;
}

struct cds_exchange *cds_transfer_of(const struct cds_curl *of, CURL *easy) {
  return of == &curl && easy == &easy_handle ? transfer.exchange : NULL;
}

void cds_transfer_finish(struct cds_exchange *exchange, CURLcode code) {
  exchange->http_status = (int)code;
}

void cds_transfer_free(struct cds_transfer *of) {
  ok(of == &transfer, "a request is freed that was made");
  transfers--;
}

/* ---- tests ---- */

static struct cds_rest *rest;
static struct cds_error err;

static void begin(void) {
  const struct cds_rest_options options = {.timeout = 7};
  is_number(cds_rest_new(&rest, &options, &err), CDS_OK, "there is one");
  is_number(multis, 1, "with a handle of libcurl");
}

static void end(void) {
  cds_rest_free(rest);
  is_number(multis, 0, "which goes with it");
}

static void is_none(enum cds_status status, const char *words) {
  const struct cds_rest_options options = {.timeout = 7};
  rest = (struct cds_rest *)&transfer;
  is_number(cds_rest_new(&rest, &options, &err), status, words);
  ok(rest == NULL && err.status == status && strstr(err.message, words) != NULL, "as it is told: %s", err.message);
  is_number(multis, 0, "nothing is left");
}

static void test_none(void) {
  no_curl = true;
  is_none(CDS_E_CONFIG, "no libcurl");
  no_curl = false;
  cds_alloc_fail_after(0);
  is_none(CDS_E_MEMORY, "out of memory");
  cds_alloc_fail_after(-1);
  no_multi = true;
  is_none(CDS_E_MEMORY, "libcurl could not start");
  no_multi = false;
  of_wakeup = CURLM_WAKEUP_FAILURE;
  is_none(CDS_E_MEMORY, "libcurl could not start");
  of_wakeup = CURLM_OK;
  cds_rest_free(NULL);
}

static void test_start(void) {
  struct cds_exchange exchange = {.http_status = 5, .elapsed = 1};
  begin();
  is_number(cds_rest_start(rest, &exchange, &err), CDS_OK, "a request starts");
  ok(exchange.http_status == 0 && exchange.elapsed == 0, "nothing is left of the one before");
  ok(exchange.headers.limit == CDS_MAX_HEADER_BYTES && exchange.body.limit == CDS_MAX_ANSWER_BYTES,
     "it may bring so much");
  ok(transfers == 1 && added == 1, "libcurl has it");
  cds_rest_cancel(rest, &exchange);
  ok(transfers == 0 && added == 0 && exchange.transfer == NULL, "until it is cancelled");
  cds_rest_cancel(rest, &exchange);
  is_number(added, 0, "once");
  cannot_begin = true;
  exchange.transfer = &transfer; /* whatever was there */
  is_number(cds_rest_start(rest, &exchange, &err), CDS_E_MEMORY, "one that cannot be made");
  ok(exchange.transfer == NULL && transfers == 0 && added == 0, "is none");
  cannot_begin = false;
  of_add = CURLM_OUT_OF_MEMORY;
  is_number(cds_rest_start(rest, &exchange, &err), CDS_E_MEMORY, "nor is one that libcurl does not take");
  is_string(err.message, "the request could not be made: out of memory", "as it is told");
  ok(exchange.transfer == NULL && transfers == 0, "and nothing is left of it");
  of_add = CURLM_OK;
  end();
}

static void test_wait(void) {
  begin();
  wakes = performed = pauses = 0;
  cds_rest_wait(rest, 70);
  ok(polled_ms == 70 && performed == 1 && pauses == 0, "it waits so long, and goes on");
  of_perform = CURLM_OUT_OF_MEMORY;
  cds_rest_wait(rest, 70);
  ok(performed == 2 && pauses == 1 && paused_ms > 0 && paused_ms < 100, "when that fails there is a pause");
  of_perform = CURLM_OK;
  of_poll = CURLM_OUT_OF_MEMORY;
  cds_rest_wait(rest, 70);
  ok(performed == 2 && pauses == 2, "likewise when it cannot wait");
  of_poll = CURLM_OK;
  is_number(wakes, 0, "all that wakes nobody");
  cds_rest_wake(rest);
  is_number(wakes, 1, "but what is to wake does");
  end();
}

static void test_done(void) {
  struct cds_exchange exchange = {0};
  begin();
  ok(cds_rest_take_done(rest) == NULL, "nothing is done");
  is_number(cds_rest_start(rest, &exchange, &err), CDS_OK, "a request");
  messages[0] = (CURLMsg){.msg = CURLMSG_NONE};
  messages[1] = (CURLMsg){.msg = CURLMSG_DONE, .easy_handle = &easy_handle, .data.result = CURLE_RECV_ERROR};
  next_message = 0;
  ok(cds_rest_take_done(rest) == &exchange, "is done, when libcurl has told other things");
  is_number(exchange.http_status, CURLE_RECV_ERROR, "with libcurl's code");
  ok(exchange.transfer == NULL && transfers == 0 && added == 0, "libcurl has it no more");
  ok(cds_rest_take_done(rest) == NULL, "and once");
  next_message = 2;
  end();
}

int main(void) {
  test_none();
  test_start();
  test_wait();
  test_done();
  return done();
}
