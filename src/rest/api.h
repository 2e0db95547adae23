/* SPDX-License-Identifier: MIT
 * The REST operations: what is asked, and what an answer means. No sockets here. */
#ifndef CDS_API_H
#define CDS_API_H

#include "codec/report.h"
#include "net/exchange.h"
#include "net/origins.h"
#include "rest/operation.h"

#define CDS_OPERATION_COUNT (CDS_GET_TRADES + 1)

/* "/api/v1/reports/latest": the endpoint, without base path and query. CDS_POST_JSON has none: its base path, which
 * may hold an access key, is shown nowhere, and "/" stands for it. */
const char *cds_api_path(enum cds_operation operation);
const char *cds_api_method(enum cds_operation operation); /* "GET", "HEAD" or "POST" */

/* Is the body of a good answer handed out as it is? */
bool cds_api_is_read_by_script(enum cds_operation operation);

/* CDS_E_CONFIG when the arguments do not fit the operation. */
CDS_MUST_CHECK enum cds_status cds_api_check(const struct cds_call_args *args, struct cds_error *err);

/* The request target, exactly as signed and sent: base, path, query with bare commas. The caller frees *out. */
CDS_MUST_CHECK enum cds_status cds_api_target(char **out, const char *base, const struct cds_call_args *args,
                                              struct cds_error *err);

/* What a good answer holds. */
struct cds_answer {
  int http_status;
  struct cds_report **reports; /* owned; taken ones are NULL */
  size_t count, taken;
  bool has_next_page;
  int64_t next_page_timestamp;
  struct cds_buf body;        /* of those that a script reads itself, see cds_api_is_read_by_script */
  double keep_seconds;        /* CDS_GET_DISCOVERY only: for how long it may be kept */
  struct cds_origins origins; /* CDS_HEAD_ORIGINS only */
};

/* What was asked for, to be compared with the answer; feeds in ascending order. */
struct cds_question {
  enum cds_operation operation;
  struct cds_feed_id *feeds;
  size_t feed_count;
};

/* Judges a whole HTTP answer: the reports, or the error its status or its body amounts to. *out is empty after a
 * failure. May move exchange->body to *out. */
CDS_MUST_CHECK enum cds_status cds_api_answer(struct cds_answer *out, const struct cds_question *question,
                                              struct cds_exchange *exchange, struct cds_error *err);
void cds_answer_clear(struct cds_answer *answer);

#endif
