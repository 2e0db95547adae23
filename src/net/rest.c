/* SPDX-License-Identifier: MIT
 * One signed request after another over a libcurl multi handle, which keeps the connections. */
#include "net/rest.h"

#include <poll.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "net/transfer.h"

struct cds_rest {
  const struct cds_curl *curl;
  CURLM *multi;
  struct cds_rest_options options;
};

enum cds_status cds_rest_new(struct cds_rest **out, const struct cds_rest_options *options, struct cds_error *err) {
  *out = NULL;
  const struct cds_curl *curl;
  enum cds_status status = cds_curl_load(&curl, err);
  if (status != CDS_OK) return status;
  struct cds_rest *rest = cds_calloc(1, sizeof *rest);
  if (rest == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  rest->curl = curl;
  rest->options = *options;
  rest->multi = rest->curl->multi_init();
  if (rest->multi == NULL ||
      rest->curl->multi_wakeup(rest->multi) != CURLM_OK) { /* one that nothing wakes would hang */
    cds_rest_free(rest);
    return cds_error_set(err, CDS_E_MEMORY, "libcurl could not start: memory or descriptors ran out");
  }
  *out = rest;
  return CDS_OK;
}

void cds_rest_free(struct cds_rest *rest) {
  if (rest == NULL) return;
  if (rest->multi != NULL) rest->curl->multi_cleanup(rest->multi);
  cds_free(rest);
}

enum cds_status cds_rest_start(struct cds_rest *rest, struct cds_exchange *exchange, struct cds_error *err) {
  cds_exchange_clear(exchange);
  cds_buf_init(&exchange->headers, CDS_MAX_HEADER_BYTES);
  cds_buf_init(&exchange->body, CDS_MAX_ANSWER_BYTES);
  bool begun = cds_transfer_begin(exchange, rest->curl, &rest->options);
  if (begun && rest->curl->multi_add_handle(rest->multi, cds_transfer_easy(exchange->transfer)) == CURLM_OK)
    return CDS_OK;
  if (begun) cds_transfer_free(exchange->transfer);
  exchange->transfer = NULL;
  return cds_error_set(err, CDS_E_MEMORY, "the request could not be made: out of memory");
}

void cds_rest_wait(struct cds_rest *rest, int timeout_ms) {
  int running;
  /* a handle just added makes the poll return at once */
  CURLMcode code = rest->curl->multi_poll(rest->multi, NULL, 0, timeout_ms, NULL);
  if (code == CURLM_OK) code = rest->curl->multi_perform(rest->multi, &running);
  if (code != CURLM_OK) /* memory or descriptors ran out: do not spin until that passes */
    poll(NULL, 0, 10);
}

void cds_rest_wake(struct cds_rest *rest) {
  rest->curl->multi_wakeup(rest->multi);
}

struct cds_exchange *cds_rest_take_done(struct cds_rest *rest) {
  CURLMsg *message;
  int left;
  do {
    message = rest->curl->multi_info_read(rest->multi, &left);
    if (message == NULL) return NULL;
  } while (message->msg != CURLMSG_DONE);
  struct cds_exchange *exchange = cds_transfer_of(rest->curl, message->easy_handle);
  cds_transfer_finish(exchange, message->data.result);
  cds_rest_cancel(rest, exchange); /* the handle is done with */
  return exchange;
}

void cds_rest_cancel(struct cds_rest *rest, struct cds_exchange *exchange) {
  if (exchange->transfer == NULL) return;
  rest->curl->multi_remove_handle(rest->multi, cds_transfer_easy(exchange->transfer));
  cds_transfer_free(exchange->transfer);
  exchange->transfer = NULL;
}
