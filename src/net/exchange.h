/* SPDX-License-Identifier: MIT
 * What a REST request is made of, and what came of it. */
#ifndef CDS_EXCHANGE_H
#define CDS_EXCHANGE_H

#include "base/buf.h"
#include "net/http_header.h"
#include "net/service_clock.h"
#include "net/tls.h"
#include "net/url.h"

/* Everything is borrowed and must outlive the struct cds_rest. */
struct cds_rest_options {
  const struct cds_url *url;
  const char *api_key, *api_secret;
  double timeout, connect_timeout; /* seconds */
  const struct cds_header *headers;
  size_t header_count;
  struct cds_tls tls;
  const char *proxy;                     /* NULL: from the environment; "": none */
  const struct cds_service_clock *clock; /* that is signed by; NULL: this one */
};

/* Takes the body of an answer with status 200 as it comes, an answer that has no end and no timeout. False ends the
 * exchange as a failure. */
struct cds_listener {
  bool (*take)(void *context, const char *data, size_t length);
  void *context;
};

struct cds_exchange {
  const char *target; /* in: the exact request target, base path included; borrowed until done */
  bool head;          /* in: HEAD, without a body, rather than GET */
  bool anonymous;     /* in: not signed */
  const char *post;   /* in: NULL, or a body to POST, which is not signed; borrowed until done */
  size_t post_length;
  bool form;                           /* in: that body is a form, and not JSON */
  const char *bearer;                  /* in: NULL, or the token that an anonymous request shows; borrowed until done */
  const struct cds_url *url;           /* in: another endpoint than the options' (NULL); borrowed until done */
  void *owner;                         /* in: whatever the caller wants to find again */
  struct cds_journey *journey;         /* in: where to tell of the way; NULL: nowhere */
  const struct cds_listener *listener; /* in: NULL: the body is kept; borrowed until done */
  /* out: */
  enum cds_status status; /* CDS_OK: a whole answer came, whatever its HTTP status */
  struct cds_error err;
  int http_status;
  struct cds_buf headers;        /* raw lines of the final answer */
  struct cds_buf body;           /* decompressed */
  double elapsed;                /* seconds */
  uint64_t connections;          /* opened for this attempt; 0: one was reused */
  int64_t received_at_ms;        /* wall clock */
  struct cds_transfer *transfer; /* private */
};

const char *cds_exchange_method(const struct cds_exchange *exchange); /* "GET", "HEAD" or "POST" */
void cds_exchange_clear(struct cds_exchange *exchange);               /* frees what came in; not while busy */

#define CDS_REST_ORIGIN_TEXT (CDS_HOST_PORT_TEXT + 8)

/* The endpoint as "https://host:port", for messages and events. */
void cds_rest_origin(char out[CDS_REST_ORIGIN_TEXT], const struct cds_url *url);

#endif
