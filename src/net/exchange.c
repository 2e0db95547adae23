/* SPDX-License-Identifier: MIT
 * Small things about an exchange. */
#include "net/exchange.h"

#include <stdio.h>

const char *cds_exchange_method(const struct cds_exchange *exchange) {
  return exchange->post != NULL ? "POST" : exchange->head ? "HEAD" : "GET";
}

void cds_exchange_clear(struct cds_exchange *exchange) {
  cds_buf_clear(&exchange->headers);
  cds_buf_clear(&exchange->body);
  exchange->status = CDS_OK;
  exchange->http_status = 0;
  exchange->elapsed = 0;
  exchange->connections = 0;
  exchange->received_at_ms = 0;
  cds_error_clear(&exchange->err);
}

void cds_rest_origin(char out[CDS_REST_ORIGIN_TEXT], const struct cds_url *url) {
  char host[CDS_HOST_PORT_TEXT];
  cds_url_host_port(host, url);
  snprintf(out, CDS_REST_ORIGIN_TEXT, "%s%s", url->tls ? "https://" : "http://", host);
}
