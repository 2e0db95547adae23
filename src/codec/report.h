/* SPDX-License-Identifier: MIT
 * A full report: context, report blob, signatures. Accepted is what Solidity's abi.decode accepts. */
#ifndef CDS_REPORT_H
#define CDS_REPORT_H

#include "base/limits.h"
#include "codec/abi.h"
#include "codec/feed_id.h"
#include "codec/schema.h"

/* One heap block, the full report's bytes at its end. Immutable once shared between threads, except refs;
 * the receiver sets the last five members before that. */
struct cds_report {
  unsigned refs; /* atomic */
  uint16_t version;
  enum cds_resolution resolution;
  const struct cds_schema *schema; /* NULL: version or resolution is unknown and no field can be read */
  struct cds_feed_id feed_id;
  bool has_observations_timestamp; /* false only without a schema */
  bool has_valid_from_timestamp;   /* false without a schema and for v1 */
  uint32_t observations_timestamp; /* whole seconds; 2^32-1 where there are more */
  uint32_t valid_from_timestamp;
  uint64_t observations_time; /* in the feed's unit: milliseconds, or else seconds */
  uint64_t valid_from_time;
  struct cds_abi_part blob;   /* offsets into bytes; length in bytes */
  struct cds_abi_part rs, ss; /* length in words */
  size_t length;
  bool backfilled;
  int64_t received_at_ms; /* wall clock; 0: did not come from the network */
  double latency_ms;      /* from the observation to the arrival, by a clock that does not jump */
  char origin[CDS_MAX_ORIGIN_TEXT];
  uint8_t bytes[]; /* context is bytes 0..95, rawVs word 6 */
};

/* Both make a report with one reference. DecodeError offsets count bytes of the full report
 * (hex: the offset of a bad digit counts characters, the message says which). hex has no 0x.
 * More than CDS_MAX_REPORT_BYTES are a DecodeError. CDS_E_MEMORY when memory ran out; *out is NULL after a failure. */
CDS_MUST_CHECK enum cds_status cds_report_from_bytes(struct cds_report **out, const uint8_t *bytes, size_t length,
                                                     struct cds_error *err);
CDS_MUST_CHECK enum cds_status cds_report_from_hex(struct cds_report **out, const char *hex, size_t length,
                                                   struct cds_error *err);

/* The memory that a report of so many bytes takes; and the second of these where the caller has it: who then ends it. What
 * is there after a failure is no report. */
static inline size_t cds_report_size(size_t length) {
  return sizeof(struct cds_report) + length;
}
CDS_MUST_CHECK enum cds_status cds_report_read_hex(struct cds_report *report, const char *hex, size_t length,
                                                   struct cds_error *err);

struct cds_report *cds_report_ref(struct cds_report *report);
void cds_report_unref(struct cds_report *report);

/* How many bytes there are beyond head, blob and signatures: Solidity passes over them, and nobody signed them. */
size_t cds_report_excess(const struct cds_report *report);

/* Set a time that is there, in the feed's unit. Only before the report is shared. */
void cds_report_set_observations(struct cds_report *report, uint64_t time);
void cds_report_set_valid_from(struct cds_report *report, uint64_t time);

/* The observations' time in milliseconds, whatever the feed's unit. */
uint64_t cds_report_observed_ms(const struct cds_report *report);

/* The 32-byte word of field `index` of the schema; report->schema is not NULL. */
const uint8_t *cds_report_word(const struct cds_report *report, size_t index);

/* The bytes of field `index`, whose type is dynamic. */
const uint8_t *cds_report_part(size_t *length, const struct cds_report *report, size_t index);

#endif
