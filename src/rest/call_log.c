/* SPDX-License-Identifier: MIT
 * Log lines of a call, and its answers for on_response. */
#include "rest/call_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"

void cds_call_log(struct cds_call *call, enum cds_log_level level, const char *format, ...) {
  char line[384];
  va_list arguments;
  bool is_wanted = cds_call_wants_log(call, level);
  if (!is_wanted && !cds_trace_is_on()) return;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (cds_trace_is_on()) cds_trace("< %s", line);
  if (is_wanted) cds_call_emit(call, cds_event_log(level, "%s", line));
}

/* The target as it may be shown: an endpoint for POSTs can have an access key in its path. */
static const char *shown_target(const struct cds_call *call) {
  return call->question.operation == CDS_POST_JSON ? cds_api_path(CDS_POST_JSON) : call->target;
}

/* By the credentials, and so of a time. */
static bool is_signed(const struct cds_call *call) {
  return call->exchange.post == NULL && !call->exchange.anonymous;
}

void cds_call_trace_sent(const struct cds_call *call) {
  char origin[CDS_REST_ORIGIN_TEXT];
  if (!cds_trace_is_on()) return;
  cds_rest_origin(origin, call->url);
  cds_trace("> %s %s%.400s, attempt %u%s", cds_api_method(call->question.operation), origin, shown_target(call),
            call->attempts, is_signed(call) ? ", signed (key and signature are not shown)" : "");
}

void cds_call_tell_response(struct cds_call *call) {
  const struct cds_exchange *exchange = &call->exchange;
  if (!call->client->config.want_responses || exchange->http_status == 0) return;
  struct cds_event *event = cds_event_new(CDS_EVENT_RESPONSE);
  if (event == NULL) return;
  char origin[CDS_REST_ORIGIN_TEXT];
  cds_rest_origin(origin, call->url);
  size_t size = strlen(origin) + strlen(shown_target(call)) + 1;
  event->method = cds_strdup(cds_api_method(call->question.operation));
  event->url = cds_malloc(size);
  event->headers = cds_strdup(exchange->headers.data == NULL ? "" : exchange->headers.data);
  event->http_status = exchange->http_status;
  event->elapsed = exchange->elapsed;
  if (event->method == NULL || event->url == NULL || event->headers == NULL) {
    cds_event_free(event);
    return;
  }
  snprintf(event->url, size, "%s%s", origin, shown_target(call));
  cds_call_emit(call, event);
}

void cds_call_log_attempt(struct cds_call *call) {
  const struct cds_exchange *exchange = &call->exchange;
  const char *method = cds_api_method(call->question.operation);
  if (exchange->status == CDS_OK)
    cds_call_log(call, CDS_LOG_DEBUG, "%s %.200s: %d in %.3f s", method, shown_target(call), exchange->http_status,
                 exchange->elapsed);
  else cds_call_log(call, CDS_LOG_DEBUG, "%s %.200s: failed in %.3f s", method, shown_target(call), exchange->elapsed);
}

void cds_call_note_clock(struct cds_call *call) {
  const struct cds_exchange *exchange = &call->exchange;
  struct cds_service_clock *clock = &call->client->clock;
  char words[CDS_SERVICE_CLOCK_TEXT];
  double date;
  if (!is_signed(call) || !cds_http_date(&date, exchange->headers.data)) return;
  int64_t least_ms = (int64_t)(date * 1000) - exchange->received_at_ms;
  int64_t most_ms = least_ms + 1000 + (int64_t)(exchange->elapsed * 1000);
  if (!cds_service_clock_note(clock, least_ms, most_ms)) return;
  cds_service_clock_describe(words, clock);
  cds_call_log(call, CDS_LOG_WARN, "%s", words);
}
