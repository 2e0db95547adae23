/* SPDX-License-Identifier: MIT
 * Envelope to report, and the check that they agree. */
#include "codec/message.h"

#include <inttypes.h>

/* Adds the place of the blob's word that was compared. */
static enum cds_status at_field(struct cds_error *err, const struct cds_report *report, int field) {
  if (err) {
    err->has_offset = true;
    err->offset = report->blob.offset + (size_t)field * CDS_WORD;
  }
  return CDS_E_DECODE;
}

static enum cds_status check_feed(const struct cds_report *report, const struct cds_envelope *envelope,
                                  struct cds_error *err) {
  if (cds_feed_id_compare(&report->feed_id, &envelope->feed_id) == 0) return CDS_OK;
  char named[CDS_FEED_ID_TEXT + 1], found[CDS_FEED_ID_TEXT + 1];
  cds_feed_id_format(named, &envelope->feed_id);
  cds_feed_id_format(found, &report->feed_id);
  cds_error_set(err, CDS_E_DECODE, "the envelope's feed is %s, the report blob's is %s", named, found);
  return at_field(err, report, 0);
}

/* One time of the blob, and what the envelope says of it. */
struct told {
  const char *what;
  int field;
  uint64_t time; /* in the feed's unit */
  bool has_seconds, has_ms;
  int64_t seconds;
  uint64_t ms;
};

static bool is_in_ms(const struct cds_report *report) {
  return report->resolution == CDS_RESOLUTION_MILLISECONDS;
}

/* The envelope's two units are compared with the blob's one in the coarser of each pair. */
static enum cds_status check_time(const struct cds_report *report, const struct told *told, struct cds_error *err) {
  bool in_ms = is_in_ms(report);
  const char *unit = in_ms ? " ms" : "";
  if (told->has_seconds && (uint64_t)told->seconds != (in_ms ? told->time / 1000 : told->time)) {
    cds_error_set(err, CDS_E_DECODE, "the envelope's %s is %" PRId64 ", the report blob's is %" PRIu64 "%s", told->what,
                  told->seconds, told->time, unit);
    return at_field(err, report, told->field);
  }
  if (told->has_ms && (in_ms ? told->ms : told->ms / 1000) != told->time) {
    cds_error_set(err, CDS_E_DECODE, "the envelope's %s is %" PRIu64 " ms, the report blob's is %" PRIu64 "%s",
                  told->what, told->ms, told->time, unit);
    return at_field(err, report, told->field);
  }
  return CDS_OK;
}

static enum cds_status check_times(const struct cds_report *report, const struct cds_envelope *envelope,
                                   struct cds_error *err) {
  const struct told observed = {"observations timestamp",      report->schema->observations_timestamp,
                                report->observations_time,     envelope->has_observations_timestamp,
                                envelope->has_observations_ms, envelope->observations_timestamp,
                                envelope->observations_ms};
  const struct told valid_from = {"valid-from timestamp",      report->schema->valid_from_timestamp,
                                  report->valid_from_time,     envelope->has_valid_from_timestamp,
                                  envelope->has_valid_from_ms, envelope->valid_from_timestamp,
                                  envelope->valid_from_ms};
  enum cds_status status = CDS_OK;
  if (report->has_observations_timestamp) status = check_time(report, &observed, err);
  if (status == CDS_OK && report->has_valid_from_timestamp) status = check_time(report, &valid_from, err);
  return status;
}

/* The finer of what the envelope has, in the feed's unit. */
static bool take_time(uint64_t *out, const struct cds_report *report, bool has_seconds, int64_t seconds, bool has_ms,
                      uint64_t ms) {
  if (has_ms) *out = is_in_ms(report) ? ms : ms / 1000;
  else *out = (uint64_t)seconds * (is_in_ms(report) ? 1000 : 1);
  return has_seconds || has_ms;
}

static void take_times(struct cds_report *report, const struct cds_envelope *envelope) {
  uint64_t time;
  if (take_time(&time, report, envelope->has_observations_timestamp, envelope->observations_timestamp,
                envelope->has_observations_ms, envelope->observations_ms))
    cds_report_set_observations(report, time);
  if (take_time(&time, report, envelope->has_valid_from_timestamp, envelope->valid_from_timestamp,
                envelope->has_valid_from_ms, envelope->valid_from_ms))
    cds_report_set_valid_from(report, time);
}

enum cds_status cds_envelope_report(struct cds_report **out, const struct cds_envelope *envelope,
                                    struct cds_error *err) {
  enum cds_status status = cds_report_from_hex(out, envelope->full_report, envelope->full_report_length, err);
  if (status != CDS_OK) return status;
  status = check_feed(*out, envelope, err);
  if (status == CDS_OK && !(*out)->schema) {
    take_times(*out, envelope);
  } else if (status == CDS_OK) {
    status = check_times(*out, envelope, err);
  }
  if (status != CDS_OK) {
    cds_report_unref(*out);
    *out = NULL;
  }
  return status;
}
