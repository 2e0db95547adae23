/* SPDX-License-Identifier: MIT
 * Verification on the thread that received the report. */
#include "stream/screen.h"

#include <stdio.h>

#include "base/clock.h"
#include "crypto/verify.h"

#define TELL_INTERVAL_MS 1000 /* one who forges reports may send them by the thousand */

/* Counts; true when the script is to be told now. */
static bool count(struct cds_stream *stream) {
  int64_t now = cds_clock_mono_ms();
  pthread_mutex_lock(&stream->mu);
  stream->counts.unverified++;
  bool is_due = stream->unverified_told_ms == 0 || now - stream->unverified_told_ms >= TELL_INTERVAL_MS;
  if (is_due) stream->unverified_told_ms = now;
  pthread_mutex_unlock(&stream->mu);
  return is_due;
}

static void tell(struct cds_stream *stream, const struct cds_report *report, const char *host,
                 const struct cds_verification *verification) {
  struct cds_error err;
  struct cds_event *event = cds_event_new(CDS_EVENT_UNVERIFIED);
  if (event == NULL) return;
  cds_verification_error(&err, verification);
  event->level = CDS_LOG_ERROR;
  event->feed_id = report->feed_id;
  event->from = event->to = report->observations_timestamp;
  snprintf(event->host, sizeof event->host, "%s", host);
  snprintf(event->origin, sizeof event->origin, "%s", report->origin);
  snprintf(event->message, sizeof event->message, "%s: %.300s", cds_reason_name(verification->reason), err.message);
  cds_stream_emit(stream, event);
}

bool cds_stream_screen(struct cds_stream *stream, const struct cds_report *report, const char *host) {
  if (stream->config.signers == NULL) return true;
  struct cds_verification verification = cds_verify_report(stream->config.signers, report);
  if (verification.reason == CDS_VERIFIED) return true;
  if (count(stream)) tell(stream, report, host, &verification);
  return false;
}
