/* SPDX-License-Identifier: MIT
 * What one request met on its way, for a diagnosis: how far it came, when, and whose certificate it was shown. */
#ifndef CDS_JOURNEY_H
#define CDS_JOURNEY_H

#include "net/curl.h"

enum cds_stage { CDS_STAGE_NAME, CDS_STAGE_TCP, CDS_STAGE_TLS, CDS_STAGE_ANSWER, CDS_STAGE_DONE };

struct cds_journey {
  enum cds_stage stage;                         /* where it ended */
  double name_s, tcp_s, tls_s, sent_s, total_s; /* seconds from its start until then; 0: not reached, or at once */
  char address[64];                             /* of the peer, which may be a proxy; "" when there was none */
  bool has_certificate;                         /* the peer's own, not those of its authorities: */
  char subject[256], issuer[256], names[512];
  int64_t valid_from, valid_until; /* Unix seconds; -1: not known */
};

const char *cds_stage_name(enum cds_stage stage); /* "name", "tcp", … "done" */

/* Before a request runs: non-zero when libcurl cannot tell. */
int cds_journey_prepare(const struct cds_curl *curl, CURL *easy);

/* After it, with how it ended. */
void cds_journey_read(struct cds_journey *out, const struct cds_curl *curl, CURL *easy, CURLcode code);

#endif
