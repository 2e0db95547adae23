/* SPDX-License-Identifier: MIT
 * Request targets and answers of the REST operations. */
#include "rest/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/message.h"
#include "rest/api_error.h"

#define PART_TEXT 96 /* the longest part of a target between feed ids */

static const struct endpoint {
  const char *path;
  bool wants_feeds, many_feeds;
} endpoints[CDS_OPERATION_COUNT] = {
  [CDS_GET_FEEDS] = {"/api/v1/feeds", false, false},
  [CDS_GET_LATEST_REPORT] = {"/api/v1/reports/latest", true, false},
  [CDS_GET_REPORT] = {"/api/v1/reports", true, false},
  [CDS_GET_REPORTS] = {"/api/v1/reports/bulk", true, true},
  [CDS_GET_REPORT_PAGE] = {"/api/v1/reports/page", true, false},
  [CDS_GET_DISCOVERY] = {"/api/v1/discovery", false, false},
  [CDS_HEAD_ORIGINS] = {"/", false, false},
  [CDS_POST_JSON] = {"/", false, false},
  [CDS_POST_AUTHORIZE] = {"/api/v1/authorize", false, false},
  [CDS_GET_GROUPS] = {"/api/v1/groups", false, false},
  [CDS_GET_SYMBOLS] = {"/api/v1/symbol_info", false, false},
  [CDS_GET_CANDLES] = {"/api/v1/history/rows", false, false},
  [CDS_GET_TRADES] = {"/api/v1/streaming", false, false},
};

const char *cds_api_path(enum cds_operation operation) {
  return endpoints[operation].path;
}

const char *cds_api_method(enum cds_operation operation) {
  bool is_post = operation == CDS_POST_JSON || operation == CDS_POST_AUTHORIZE;
  return operation == CDS_HEAD_ORIGINS ? "HEAD" : is_post ? "POST" : "GET";
}

bool cds_api_is_read_by_script(enum cds_operation operation) {
  switch (operation) {
  case CDS_GET_FEEDS:
  case CDS_GET_DISCOVERY:
  case CDS_POST_JSON:
  case CDS_POST_AUTHORIZE:
  case CDS_GET_GROUPS:
  case CDS_GET_SYMBOLS:
  case CDS_GET_CANDLES: return true;
  default: return false;
  }
}

/* ---- the question ---- */

enum cds_status cds_api_check(const struct cds_call_args *args, struct cds_error *err) {
  const struct endpoint *endpoint = &endpoints[args->operation];
  if (!endpoint->wants_feeds && args->feed_count != 0)
    return cds_error_set(err, CDS_E_CONFIG, "%s takes no feed", endpoint->path);
  if (endpoint->wants_feeds && !endpoint->many_feeds && args->feed_count != 1)
    return cds_error_set(err, CDS_E_CONFIG, "%s takes one feed", endpoint->path);
  if (endpoint->many_feeds && (args->feed_count == 0 || args->feed_count > CDS_MAX_FEEDS))
    return cds_error_set(err, CDS_E_CONFIG, "%s takes 1 to %d feeds, not %zu", endpoint->path, CDS_MAX_FEEDS,
                         args->feed_count);
  if (args->limit > CDS_MAX_PAGE_LIMIT)
    return cds_error_set(err, CDS_E_CONFIG, "limit: expected at most %d", CDS_MAX_PAGE_LIMIT);
  return CDS_OK;
}

static size_t write_feeds(char *out, const struct cds_call_args *args) {
  char *at = out;
  for (size_t i = 0; i < args->feed_count; i++) {
    if (i > 0) *at++ = ',';
    cds_feed_id_format(at, &args->feeds[i]);
    at += CDS_FEED_ID_TEXT;
  }
  return (size_t)(at - out);
}

static void write_tail(char *out, const struct cds_call_args *args) {
  *out = 0;
  switch (args->operation) {
  case CDS_GET_FEEDS:
  case CDS_GET_DISCOVERY:
  case CDS_HEAD_ORIGINS:
  case CDS_POST_JSON:
  case CDS_POST_AUTHORIZE:
  case CDS_GET_GROUPS:
  case CDS_GET_SYMBOLS:
  case CDS_GET_CANDLES:
  case CDS_GET_TRADES:
  case CDS_GET_LATEST_REPORT: break;
  case CDS_GET_REPORT:
  case CDS_GET_REPORTS: snprintf(out, PART_TEXT, "&timestamp=%u", (unsigned)args->timestamp); break;
  case CDS_GET_REPORT_PAGE:
    if (args->limit == 0) snprintf(out, PART_TEXT, "&startTimestamp=%u", (unsigned)args->timestamp);
    else snprintf(out, PART_TEXT, "&startTimestamp=%u&limit=%u", (unsigned)args->timestamp, (unsigned)args->limit);
  }
}

enum cds_status cds_api_target(char **out, const char *base, const struct cds_call_args *args, struct cds_error *err) {
  const struct endpoint *endpoint = &endpoints[args->operation];
  size_t head = strlen(base) + strlen(endpoint->path);
  char *text = cds_malloc(head + 2 * PART_TEXT + args->feed_count * (CDS_FEED_ID_TEXT + 1));
  *out = text;
  if (text == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  const char *path = args->operation == CDS_POST_JSON && *base != 0 ? "" : endpoint->path;
  snprintf(text, head + PART_TEXT, "%s%s%s", base, path,
           !endpoint->wants_feeds ? ""
           : endpoint->many_feeds ? "?feedIDs="
                                  : "?feedID=");
  text += strlen(text);
  text += write_feeds(text, args);
  write_tail(text, args);
  return CDS_OK;
}

/* ---- the answer ---- */

static int compare_feeds(const void *a, const void *b) {
  return cds_feed_id_compare(a, b);
}

static enum cds_status check_asked(const struct cds_question *question, const struct cds_feed_id *feed,
                                   struct cds_error *err) {
  char text[CDS_FEED_ID_TEXT + 1];
  if (bsearch(feed, question->feeds, question->feed_count, sizeof *feed, compare_feeds) != NULL) return CDS_OK;
  cds_feed_id_format(text, feed);
  return cds_error_set(err, CDS_E_DECODE, "the answer has a report of feed %s, which was not asked for", text);
}

static enum cds_status add_report(struct cds_answer *answer, const struct cds_question *question,
                                  const struct cds_envelope *envelope, int64_t received_at_ms, struct cds_error *err) {
  enum cds_status status = check_asked(question, &envelope->feed_id, err);
  if (status != CDS_OK) return status;
  struct cds_report *report = NULL;
  status = cds_envelope_report(&report, envelope, err);
  if (status != CDS_OK) return status;
  report->received_at_ms = received_at_ms;
  answer->reports[answer->count++] = report;
  return CDS_OK;
}

static enum cds_status make_room(struct cds_answer *answer, size_t count, struct cds_error *err) {
  if (count == 0) return CDS_OK;
  answer->reports = cds_calloc(count, sizeof(struct cds_report *));
  return answer->reports == NULL ? cds_error_set(err, CDS_E_MEMORY, "out of memory") : CDS_OK;
}

static enum cds_status read_one(struct cds_answer *answer, const struct cds_question *question,
                                const struct cds_exchange *exchange, struct cds_error *err) {
  struct cds_envelope envelope;
  enum cds_status status = cds_envelope_parse(&envelope, exchange->body.data, exchange->body.length, err);
  if (status == CDS_OK) status = make_room(answer, 1, err);
  if (status == CDS_OK) status = add_report(answer, question, &envelope, exchange->received_at_ms, err);
  return status;
}

/* A page is meant to ascend. Whoever reads one in order would lose what comes after a later second. */
static void sort_by_time(struct cds_answer *answer) {
  for (size_t i = 1; i < answer->count; i++) {
    struct cds_report *report = answer->reports[i];
    size_t at = i;
    if (!report->has_observations_timestamp) continue;
    for (; at > 0 && answer->reports[at - 1]->observations_time > report->observations_time; at--)
      answer->reports[at] = answer->reports[at - 1];
    answer->reports[at] = report;
  }
}

static enum cds_status read_many(struct cds_answer *answer, const struct cds_question *question,
                                 const struct cds_exchange *exchange, struct cds_error *err) {
  struct cds_envelope_list list;
  enum cds_status status = cds_envelope_list_parse(&list, exchange->body.data, exchange->body.length, err);
  if (status != CDS_OK) return status;
  answer->has_next_page = list.has_next_page_timestamp;
  answer->next_page_timestamp = list.next_page_timestamp;
  status = make_room(answer, list.count, err);
  for (size_t i = 0; status == CDS_OK && i < list.count; i++)
    status = add_report(answer, question, &list.items[i], exchange->received_at_ms, err);
  cds_envelope_list_clear(&list);
  if (status == CDS_OK && question->operation == CDS_GET_REPORT_PAGE) sort_by_time(answer);
  return status;
}

/* An HTML page with status 200 deserves a clearer word than a parser has for it. */
static enum cds_status check_json(const struct cds_exchange *exchange, enum cds_operation operation,
                                  struct cds_error *err) {
  const char *body = exchange->body.data;
  size_t start = body == NULL ? 0 : strspn(body, " \t\r\n");
  if (body != NULL && body[start] == '{') return CDS_OK;
  const char *got = exchange->body.length == 0 ? "nothing" : body[start] == '<' ? "markup" : "text";
  return cds_error_decode(err, start, "JSON", "%s %s answered %d with %s", cds_api_method(operation),
                          cds_api_path(operation), exchange->http_status, got);
}

static bool is_success(enum cds_operation operation, int http_status) {
  if (http_status == 200) return true;
  return operation == CDS_HEAD_ORIGINS ? http_status / 100 == 2 : operation == CDS_GET_REPORTS && http_status == 206;
}

static enum cds_status read_origins(struct cds_answer *answer, const struct cds_exchange *exchange) {
  const char *value;
  size_t length;
  if (cds_http_header(&value, &length, exchange->headers.data, CDS_HEADER_ORIGINS))
    (void)cds_origins_parse(&answer->origins, value, length);
  return CDS_OK;
}

enum cds_status cds_api_answer(struct cds_answer *out, const struct cds_question *question,
                               struct cds_exchange *exchange, struct cds_error *err) {
  const char *path = cds_api_path(question->operation);
  *out = (struct cds_answer){.http_status = exchange->http_status};
  if (!is_success(question->operation, exchange->http_status)) return cds_api_http_error(err, path, exchange);
  if (question->operation == CDS_HEAD_ORIGINS) return read_origins(out, exchange);
  if (question->operation == CDS_GET_TRADES) return CDS_OK; /* read as they came */
  enum cds_status status = check_json(exchange, question->operation, err);
  if (status == CDS_OK && cds_api_is_read_by_script(question->operation)) {
    if (question->operation == CDS_GET_DISCOVERY) out->keep_seconds = cds_http_keep_seconds(exchange->headers.data);
    out->body = exchange->body;
    cds_buf_init(&exchange->body, 0);
    return CDS_OK;
  }
  bool is_list = question->operation == CDS_GET_REPORTS || question->operation == CDS_GET_REPORT_PAGE;
  if (status == CDS_OK)
    status = is_list ? read_many(out, question, exchange, err) : read_one(out, question, exchange, err);
  if (status != CDS_OK) {
    cds_answer_clear(out);
    err->http_status = exchange->http_status;
  }
  return status;
}

void cds_answer_clear(struct cds_answer *answer) {
  for (size_t i = answer->taken; i < answer->count; i++) cds_report_unref(answer->reports[i]);
  cds_free(answer->reports);
  cds_buf_clear(&answer->body);
  *answer = (struct cds_answer){0};
}
