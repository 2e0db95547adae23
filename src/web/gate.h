/* SPDX-License-Identifier: MIT
 * Who may ask a relay for what: the signature of a request, by the rules of the service, and the feeds that there are. */
#ifndef CDS_WEB_GATE_H
#define CDS_WEB_GATE_H

#include "base/error.h"

struct cds_web_gate;

/* What a request says of its sender; "" when it does not, or at too great a length. */
struct cds_web_credentials {
  char key[256];
  char timestamp[24];
  char signature[72];
};

/* key and secret are copied; NULL: nobody has to sign. CDS_E_MEMORY. */
CDS_MUST_CHECK enum cds_status cds_web_gate_new(struct cds_web_gate **out, const char *key, const char *secret,
                                                struct cds_error *err);
void cds_web_gate_free(struct cds_web_gate *gate);

/* Adds a feed, which has the next number from 0. CDS_E_FEED_ID, CDS_E_MEMORY. */
CDS_MUST_CHECK enum cds_status cds_web_gate_add(struct cds_web_gate *gate, const char *feed_id, struct cds_error *err);

size_t cds_web_gate_count(const struct cds_web_gate *gate); /* of feeds */

/* 0, or the status of the refusal and its reason. target: as it was sent, but for its percent signs, which have been
 * decoded: a list's commas may have been signed either way. */
int cds_web_gate_check(const struct cds_web_gate *gate, const char *method, const char *target,
                       const struct cds_web_credentials *credentials, const char **reason);

/* The feeds of a query's feedIDs: 0 and an array that says of each feed whether it is wanted, which the caller frees with
 * cds_free; or the status of the refusal and its reason. */
int cds_web_gate_feeds(const struct cds_web_gate *gate, const char *query, bool **wanted, const char **reason);

#endif
