/* SPDX-License-Identifier: MIT
 * Endpoints: https://host[:port][/base] or wss://…, and the exact request target that is signed. */
#ifndef CDS_URL_H
#define CDS_URL_H

#include "base/error.h"

struct cds_url {
  bool tls;
  char *host; /* owned; without the brackets of an IPv6 address */
  uint16_t port;
  char *base; /* owned; path before /api/v1, "" when none, never ends in '/' */
};

/* Accepts http, https, ws and wss; user info, query, fragment, control characters and spaces are refused.
 * CDS_E_CONFIG with the reason; option names the option in the message. */
CDS_MUST_CHECK enum cds_status cds_url_parse(struct cds_url *out, const char *text, const char *option,
                                             struct cds_error *err);
void cds_url_clear(struct cds_url *url);

#define CDS_HOST_PORT_TEXT 272 /* a DNS name or bracketed address of up to 253 characters, ':', the port, a final 0 */

/* Writes "host:port", an IPv6 address in brackets. */
void cds_url_host_port(char out[CDS_HOST_PORT_TEXT], const struct cds_url *url);

#endif
