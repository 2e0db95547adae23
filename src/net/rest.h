/* SPDX-License-Identifier: MIT
 * HTTP requests over libcurl's multi interface: one exchange is one attempt. All functions but cds_rest_new and
 * cds_rest_wake belong to one thread. */
#ifndef CDS_REST_H
#define CDS_REST_H

#include "base/buf.h"
#include "net/http_header.h"
#include "net/tls.h"
#include "net/url.h"

struct cds_rest;

/* Everything is borrowed and must outlive the struct cds_rest. */
struct cds_rest_options {
  const struct cds_url *url;
  const char *api_key, *api_secret;
  double timeout, connect_timeout; /* seconds */
  const struct cds_header *headers;
  size_t header_count;
  struct cds_tls tls;
  const char *proxy; /* NULL: from the environment; "": none */
};

struct cds_exchange {
  const char *target; /* in: the exact request target, base path included; borrowed until done */
  bool head;          /* in: HEAD, without a body, rather than GET */
  bool anonymous;     /* in: not signed */
  const char *post;   /* in: NULL, or a JSON body to POST, which is not signed; borrowed until done */
  size_t post_length;
  const struct cds_url *url; /* in: another endpoint than the options' (NULL); borrowed until done */
  void *owner;               /* in: whatever the caller wants to find again */
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

CDS_MUST_CHECK enum cds_status cds_rest_new(struct cds_rest **out, const struct cds_rest_options *options,
                                            struct cds_error *err);

const char *cds_exchange_method(const struct cds_exchange *exchange); /* "GET", "HEAD" or "POST" */

/* Sends a request, signed unless it is a POST or anonymous. The exchange is busy until it is taken or cancelled; its out members are reset first. */
CDS_MUST_CHECK enum cds_status cds_rest_start(struct cds_rest *rest, struct cds_exchange *exchange,
                                              struct cds_error *err);

/* Works on the exchanges until something happened, at most timeout_ms. */
void cds_rest_wait(struct cds_rest *rest, int timeout_ms);

struct cds_exchange *cds_rest_take_done(struct cds_rest *rest); /* NULL when none */
void cds_rest_cancel(struct cds_rest *rest, struct cds_exchange *exchange);

/* Makes the current or next cds_rest_wait return at once; from any thread. */
void cds_rest_wake(struct cds_rest *rest);

void cds_exchange_clear(struct cds_exchange *exchange); /* frees what came in; not while busy */
void cds_rest_free(struct cds_rest *rest);              /* no exchange may be busy; closes the connections */

#define CDS_REST_ORIGIN_TEXT (CDS_HOST_PORT_TEXT + 8)

/* The endpoint as "https://host:port", for messages and events. */
void cds_rest_origin(char out[CDS_REST_ORIGIN_TEXT], const struct cds_url *url);

#endif
