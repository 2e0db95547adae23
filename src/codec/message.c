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

static enum cds_status check_timestamp(const struct cds_report *report, int field, const char *what, int64_t envelope,
                                       uint32_t blob, struct cds_error *err) {
  if (envelope == blob) return CDS_OK;
  cds_error_set(err, CDS_E_DECODE, "the envelope's %s is %" PRId64 ", the report blob's is %" PRIu32, what, envelope,
                blob);
  return at_field(err, report, field);
}

static enum cds_status check_timestamps(const struct cds_report *report, const struct cds_envelope *envelope,
                                        struct cds_error *err) {
  enum cds_status status = CDS_OK;
  if (envelope->has_observations_timestamp && report->has_observations_timestamp)
    status = check_timestamp(report, report->schema->observations_timestamp, "observations timestamp",
                             envelope->observations_timestamp, report->observations_timestamp, err);
  if (status == CDS_OK && envelope->has_valid_from_timestamp && report->has_valid_from_timestamp)
    status = check_timestamp(report, report->schema->valid_from_timestamp, "valid-from timestamp",
                             envelope->valid_from_timestamp, report->valid_from_timestamp, err);
  return status;
}

static void take_timestamps(struct cds_report *report, const struct cds_envelope *envelope) {
  report->has_observations_timestamp = envelope->has_observations_timestamp;
  report->observations_timestamp = (uint32_t)envelope->observations_timestamp;
  report->has_valid_from_timestamp = envelope->has_valid_from_timestamp;
  report->valid_from_timestamp = (uint32_t)envelope->valid_from_timestamp;
}

enum cds_status cds_envelope_report(struct cds_report **out, const struct cds_envelope *envelope,
                                    struct cds_error *err) {
  enum cds_status status = cds_report_from_hex(out, envelope->full_report, envelope->full_report_length, err);
  if (status != CDS_OK) return status;
  status = check_feed(*out, envelope, err);
  if (status == CDS_OK && !(*out)->schema) {
    take_timestamps(*out, envelope);
  } else if (status == CDS_OK) {
    status = check_timestamps(*out, envelope, err);
  }
  if (status != CDS_OK) {
    cds_report_unref(*out);
    *out = NULL;
  }
  return status;
}
