/* SPDX-License-Identifier: MIT
 * The local Data Streams service. It has an encoder and signer of its own and shares only hex, hashes and base
 * with the library. */
#ifndef CDS_SIMULATOR_H
#define CDS_SIMULATOR_H

#include "base/error.h"

/* One API key; feeds NULL: all feeds are permitted. */
struct cds_sim_key {
  const char *key, *secret;
  const char *const *feeds; /* feed ids as text */
  size_t feed_count;
};

struct cds_sim_options {
  const char *host;            /* address to listen on, "127.0.0.1" */
  int port;                    /* 0: any free one */
  bool plain;                  /* no TLS */
  const char *certificate_dir; /* where ca.pem is written at start; NULL: a new directory, removed at the end */
  const char *certificate;     /* "good", "wrong_host", "expired", "not_yet_valid", "self_signed" */
  const char *const *origins;  /* names for X-Cll-Available-Origins */
  size_t origin_count;
  const struct cds_sim_key *keys;
  size_t key_count;
  uint64_t seed;
  const char *const *feeds; /* feed ids as text; NULL: the default set, feed_count of them */
  size_t feed_count;
  int rate;          /* reports a second per feed, 1 to 1000 */
  size_t fast_count; /* so many of the first feeds have fast_rate instead */
  int fast_rate;
  size_t ms_count;            /* so many of the first feeds of the default set are in milliseconds */
  const char *const *outages; /* "FROM:TO", Unix seconds in which no report was made */
  size_t outage_count;
  size_t irregular;           /* so many of the last feeds have no report in about a third of the seconds */
  unsigned presign;           /* seconds of reports to sign before listening, for load runs; 0: none */
  int oracles, signers;       /* keys of the oracle network, and how many of them sign (f + 1) */
  double rate_limit;          /* requests a second per key and endpoint, 0: none */
  double clock_offset;        /* seconds added to the simulator's clock */
  const char *const *replays; /* files of recorded full reports, NULL: generate */
  size_t replay_count;
  double replay_speed;       /* they come so many times as fast as they were; 0: all are there, and sent at `rate` */
  bool replay_loops;         /* they come again and again */
  const char *const *faults; /* see fault.h for the language */
  size_t fault_count;
};

/* What a user needs to know once the service listens. Texts belong to the simulator. */
struct cds_sim_ready {
  int port;
  const char *rest_url, *ws_url, *ca_file; /* ca_file NULL when plain */
  const char *oracles;                     /* who signs: JSON, as GET /control/oracles gives it */
};

/* Serves until *stop becomes true (a signal handler may set it, and nothing else); on_ready is called once, on the
 * same thread. */
CDS_MUST_CHECK enum cds_status cds_sim_run(const struct cds_sim_options *options, volatile bool *stop,
                                           void (*on_ready)(const struct cds_sim_ready *ready, void *context),
                                           void *context, struct cds_error *err);

#endif
