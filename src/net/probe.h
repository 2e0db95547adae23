/* SPDX-License-Identifier: MIT
 * One request by itself, to find out what the way to an endpoint is like. */
#ifndef CDS_PROBE_H
#define CDS_PROBE_H

#include "net/exchange.h"
#include "net/journey.h"
#include "net/origins.h"

struct cds_probe {
  struct cds_error err; /* CDS_OK: an answer came, of whatever status */
  struct cds_journey journey;
  int http_status;
  bool has_date; /* of the answer: the service's time in seconds, while this clock told sent_ms to received_ms */
  double date;
  int64_t sent_ms, received_ms;
  bool has_origins; /* the answer names them */
  struct cds_origins origins;
};

/* Sends HEAD with this target over a connection of its own, and waits for the answer or a failure, for as long as the
 * options allow. is_signed: with the credentials. What goes wrong is in out->err. */
void cds_probe(struct cds_probe *out, const struct cds_rest_options *options, const char *target, bool is_signed);

#endif
