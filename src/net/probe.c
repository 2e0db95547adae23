/* SPDX-License-Identifier: MIT
 * The request, by the means of every other one. */
#include "net/probe.h"

#include "base/clock.h"
#include "net/rest.h"

#define STEP_MS 1000

static void read_answer(struct cds_probe *out, const struct cds_exchange *exchange) {
  const char *headers = exchange->headers.data, *value;
  size_t length;
  out->err = exchange->err;
  out->err.status = exchange->status;
  out->http_status = exchange->http_status;
  out->received_ms = exchange->received_at_ms;
  out->sent_ms = exchange->received_at_ms - (int64_t)((out->journey.total_s - out->journey.sent_s) * 1000);
  out->has_date = cds_http_date(&out->date, headers);
  out->has_origins = cds_http_header(&value, &length, headers, CDS_HEADER_ORIGINS);
  if (out->has_origins) (void)cds_origins_parse(&out->origins, value, length);
}

void cds_probe(struct cds_probe *out, const struct cds_rest_options *options, const char *target, bool is_signed) {
  struct cds_rest *rest;
  *out = (struct cds_probe){0};
  struct cds_exchange exchange = {
    .target = target, .head = true, .anonymous = !is_signed, .url = options->url, .journey = &out->journey};
  if (cds_rest_new(&rest, options, &out->err) != CDS_OK) return;
  if (cds_rest_start(rest, &exchange, &out->err) == CDS_OK) {
    while (cds_rest_take_done(rest) == NULL) cds_rest_wait(rest, STEP_MS);
    read_answer(out, &exchange);
  }
  cds_exchange_clear(&exchange);
  cds_rest_free(rest);
}
