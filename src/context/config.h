/* SPDX-License-Identifier: MIT
 * The options of a client, as an owned copy. Types and ranges are checked above (Lua); what only C can judge
 * (URLs, header text) is checked here. */
#ifndef CDS_CONFIG_H
#define CDS_CONFIG_H

#include "base/limits.h"
#include "context/event.h"
#include "net/http_header.h"
#include "net/rest.h"
#include "net/tls.h"
#include "net/url.h"
#include "order/queue.h"
#include "order/rules.h"

struct cds_signer_registry;

/* Which version of the service's WebSocket: auto is 1 for a connection whose feeds are all in seconds, else 2. */
enum cds_protocol { CDS_PROTOCOL_AUTO, CDS_PROTOCOL_V1, CDS_PROTOCOL_V2 };

/* The options a stream may override. Plain values: copied by assignment. */
struct cds_stream_config {
  int ping_interval, pong_timeout;             /* whole seconds, 1 to 3600 */
  double max_reconnects;                       /* consecutive failures; infinity allowed */
  double reconnect_delay, reconnect_max_delay; /* seconds */
  size_t queue_size;
  size_t queue_bytes; /* of what waits: three quarters for the queue, one for what is held until a gap is filled */
  enum cds_overflow overflow;
  enum cds_order order;
  enum cds_protocol protocol;
  enum cds_log_level log_level;
  bool ha;                     /* one connection per origin rather than one */
  size_t feeds_per_connection; /* more are spread evenly over several */
  bool backfill;               /* ask REST for what a gap lost */
  double stale_timeout;        /* seconds without a report after which a connection is given up; 0: never */
  bool has_start;              /* the stream begins with this second, over REST */
  uint32_t start;
  struct cds_signer_registry *signers; /* only reports that verify by it; NULL: all. A stream keeps a reference */
};

struct cds_config {
  char *api_key;
  char *api_secret; /* wiped when freed */
  struct cds_url rest;
  struct cds_url prices; /* the candlestick service's; host NULL: not set */
  struct cds_url ws[CDS_MAX_ORIGINS];
  size_t ws_count;
  double timeout, connect_timeout; /* seconds */
  int max_retries;
  double retry_delay, retry_max_delay; /* seconds */
  double rate_limit;                   /* requests per second per endpoint, 0: no limit */
  int breaker_failures;                /* 0: no circuit breaker */
  double breaker_cooldown;             /* seconds */
  struct cds_header *headers;
  size_t header_count;
  char *ca_file, *ca_path, *cert_file, *key_file; /* NULL: not set */
  bool insecure_skip_verify;
  char *proxy;         /* NULL: from the environment; "": none; http://[user:password@]host:port */
  bool follows_clock;  /* requests are signed by the service's time where the clocks differ */
  bool want_responses; /* record CDS_EVENT_RESPONSE for on_response */
  struct cds_stream_config stream;
};

/* Zeroes the struct and sets the defaults of docs/api.md for every number. Texts stay NULL. */
void cds_config_init(struct cds_config *config);

/* Checks what the caller filled in: credentials present and header-safe, URLs present, header names and values,
 * the reserved header names (Authorization, X-Authorization-*, X-Cll-Origin, Host …). CDS_E_CONFIG otherwise. */
CDS_MUST_CHECK enum cds_status cds_config_check(const struct cds_config *config, struct cds_error *err);

/* The TLS options as the net layer takes them; borrowed from config. */
struct cds_tls cds_config_tls(const struct cds_config *config);

/* The REST options as the net layer takes them; borrowed from config. */
struct cds_rest_options cds_config_rest(const struct cds_config *config);

void cds_config_clear(struct cds_config *config);

#endif
