/* SPDX-License-Identifier: MIT
 * HTTP/1.1 requests. The target is kept exactly as received, since that is what its signature covers. */
#ifndef CDS_SIM_HTTP_H
#define CDS_SIM_HTTP_H

#include "base/cds.h"

#define CDS_SIM_MAX_HEAD (256u * 1024)
#define CDS_SIM_MAX_BODY (64u * 1024)
#define CDS_SIM_MAX_HEADERS 64

struct cds_sim_header {
  const char *name, *value;
};

struct cds_sim_request {
  char *text;                  /* owned copy of the request, which the other texts point into */
  const char *method, *target; /* target: path and query as received */
  char *path;                  /* owned copy without the query */
  const char *query;           /* "" when there is none */
  struct cds_sim_header headers[CDS_SIM_MAX_HEADERS];
  size_t header_count;
  const char *body;
  size_t body_length;
  bool keep_alive;
};

/* Finds the end of the request that data starts with. 0: *total bytes; -1: more bytes are needed; otherwise the status
 * of the refusal. data[length] is a 0 byte. */
CDS_MUST_CHECK int cds_sim_request_length(const char *data, size_t length, size_t *total);

/* Reads one whole request. 0, or the status of the refusal; to be cleared only after 0. */
CDS_MUST_CHECK int cds_sim_request_parse(struct cds_sim_request *out, const char *data, size_t length);
void cds_sim_request_clear(struct cds_sim_request *request);

/* A header's value, NULL when it was not sent. */
const char *cds_sim_request_header(const struct cds_sim_request *request, const char *name);

/* A query argument, percent-decoded, to be freed; NULL with *status 0 when absent, 400 when malformed, 500 without
 * memory. */
CDS_MUST_CHECK char *cds_sim_request_query(const struct cds_sim_request *request, const char *name, int *status);

#endif
