/* SPDX-License-Identifier: MIT
 * Verification on the thread that received the report. */
#include "stream/screen.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "crypto/verify.h"
#include "stream/core.h"
#include "stream/outlet.h"
#include "stream/parts.h"

#define TELL_INTERVAL_MS 1000 /* one who forges reports may send them by the thousand */

/* Counts; true when the script is to be told now. */
static bool count(struct cds_stream *stream) {
  int64_t now = cds_clock_mono_ms();
  cds_stream_lock(stream);
  stream->screen.unverified++;
  bool is_due = stream->screen.told_ms == 0 || now - stream->screen.told_ms >= TELL_INTERVAL_MS;
  if (is_due) stream->screen.told_ms = now;
  cds_stream_unlock(stream);
  return is_due;
}

/* What keeps a report from counting as signed whatever its signatures are: a time that is not read from the signed blob
 * could be made up by whoever sends it, and so could bytes that belong to no part. False: nothing. */
static bool is_unsigned(char *why, size_t size, const struct cds_report *report) {
  size_t excess = cds_report_excess(report);
  if (report->schema == NULL)
    snprintf(why, size, "UnknownSchema: version %u has no schema here, so that its signed times cannot be read",
             (unsigned)report->version);
  else if (excess > CDS_MAX_UNSIGNED_BYTES)
    snprintf(why, size, "UnsignedBytes: %zu bytes belong to no part of the report, more than %d", excess,
             CDS_MAX_UNSIGNED_BYTES);
  else return false;
  return true;
}

static bool fails_to_verify(char *why, size_t size, struct cds_signer_registry *signers,
                            const struct cds_report *report) {
  struct cds_verification verification = cds_verify_report(signers, report);
  struct cds_error err;
  if (verification.reason == CDS_VERIFIED) return false;
  cds_verification_error(&err, &verification);
  snprintf(why, size, "%s: %.300s", cds_reason_name(verification.reason), err.message);
  return true;
}

bool cds_screen_refuses(char *why, size_t size, struct cds_signer_registry *signers, const struct cds_report *report) {
  return is_unsigned(why, size, report) || fails_to_verify(why, size, signers, report);
}

struct cds_event *cds_screen_event(const struct cds_report *report, const char *host, const char *why) {
  struct cds_event *event = cds_event_new(CDS_EVENT_UNVERIFIED);
  if (event == NULL) return NULL;
  event->level = CDS_LOG_ERROR;
  event->feed_id = report->feed_id;
  event->has_end = true;
  event->from = event->to = report->observations_timestamp;
  event->from_ms = event->to_ms = (int64_t)cds_report_observed_ms(report);
  snprintf(event->host, sizeof event->host, "%s", host);
  snprintf(event->origin, sizeof event->origin, "%s", report->origin);
  snprintf(event->message, sizeof event->message, "%s", why);
  return event;
}

bool cds_stream_screen(struct cds_stream *stream, const struct cds_report *report, const char *host) {
  char why[sizeof((struct cds_event *)0)->message];
  struct cds_signer_registry *signers = cds_core_config(stream)->signers;
  if (signers == NULL) return true;
  if (!cds_screen_refuses(why, sizeof why, signers, report)) return true;
  if (count(stream)) cds_stream_emit(stream, cds_screen_event(report, host, why));
  return false;
}

void cds_screen_stats(struct cds_stream_stats *out, const struct cds_stream *stream) {
  out->unverified = stream->screen.unverified;
}
