/* SPDX-License-Identifier: MIT
 * Full report bytes to struct cds_report. */
#include "codec/report.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/hex.h"
#include "codec/registry.h"

/* Lua's copy of a report has a head of its own. As large as that, a block that is freed serves malloc at once for the next
 * copy, and need not be joined to its neighbours and cut again. A sanitizer is to see where the bytes end. */
#if defined(__has_feature)
#define IS_SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif
#define SPARE_BYTES (IS_SANITIZED ? 0 : 32)

#define HEAD_WORDS 7
#define BLOB_WORD 3 /* words 0 to 2 are the report context */
#define RS_WORD 4
#define SS_WORD 5

/* How wide a field is in this report: the head's times are wider where their unit is smaller. */
static unsigned width_of(const struct cds_report *report, size_t index) {
  if (report->resolution != CDS_RESOLUTION_SECONDS && cds_schema_is_time(report->schema, index)) return 64;
  return report->schema->fields[index].bits;
}

static bool field_fits(const struct cds_report *report, const struct cds_field *field, const uint8_t *word) {
  switch (field->type) {
  case CDS_TYPE_UINT: return cds_abi_is_uint(word, width_of(report, (size_t)(field - report->schema->fields)));
  case CDS_TYPE_INT: return cds_abi_is_int(word, field->bits);
  case CDS_TYPE_ADDRESS: return cds_abi_is_uint(word, field->bits);
  case CDS_TYPE_BOOL: return cds_abi_is_uint(word, 8) && word[CDS_WORD - 1] <= 1;
  default: return true;
  }
}

/* A dynamic field's value within the blob. */
static enum cds_status find_part(struct cds_abi_part *out, const struct cds_report *report, size_t index,
                                 struct cds_error *err) {
  const struct cds_abi abi = {report->bytes + report->blob.offset, report->blob.length, report->blob.offset};
  return cds_abi_bytes(out, &abi, index, report->schema->fields[index].name, err);
}

static enum cds_status too_few_words(const struct cds_report *report, struct cds_error *err) {
  char expected[64];
  snprintf(expected, sizeof expected, "%zu bytes or more", report->schema->field_count * CDS_WORD);
  return cds_error_decode(err, report->blob.offset, expected, "a v%u report blob of %zu bytes",
                          (unsigned)report->version, report->blob.length);
}

static enum cds_status misfit(const struct cds_report *report, size_t index, struct cds_error *err) {
  char type[16], expected[64];
  struct cds_field field = report->schema->fields[index];
  field.bits = width_of(report, index);
  cds_field_type_name(type, &field);
  snprintf(expected, sizeof expected, "a word within %s", type);
  return cds_error_decode(err, report->blob.offset + index * CDS_WORD, expected, "%s of a v%u report", field.name,
                          (unsigned)report->version);
}

static enum cds_status check_fields(const struct cds_report *report, struct cds_error *err) {
  const struct cds_field *fields = report->schema->fields;
  const size_t count = report->schema->field_count;
  const uint8_t *word = cds_report_word(report, 0);
  if (report->blob.length / CDS_WORD < count) return too_few_words(report, err);
  for (size_t i = 0; i < count; i++, word += CDS_WORD) {
    if (cds_schema_is_dynamic(&fields[i])) {
      struct cds_abi_part part;
      enum cds_status status = find_part(&part, report, i, err);
      if (status != CDS_OK) return status;
    } else if (!field_fits(report, &fields[i], word)) return misfit(report, i, err);
  }
  return CDS_OK;
}

static uint32_t whole_seconds(const struct cds_report *report, uint64_t time) {
  uint64_t seconds = report->resolution == CDS_RESOLUTION_MILLISECONDS ? time / 1000 : time;
  return seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
}

void cds_report_set_observations(struct cds_report *report, uint64_t time) {
  report->has_observations_timestamp = true;
  report->observations_time = time;
  report->observations_timestamp = whole_seconds(report, time);
}

void cds_report_set_valid_from(struct cds_report *report, uint64_t time) {
  report->has_valid_from_timestamp = true;
  report->valid_from_time = time;
  report->valid_from_timestamp = whole_seconds(report, time);
}

uint64_t cds_report_observed_ms(const struct cds_report *report) {
  return report->resolution == CDS_RESOLUTION_MILLISECONDS ? report->observations_time
                                                           : report->observations_time * 1000;
}

static void read_timestamps(struct cds_report *report) {
  const struct cds_schema *schema = report->schema;
  if (schema->observations_timestamp >= 0)
    cds_report_set_observations(report, cds_abi_u64(cds_report_word(report, (size_t)schema->observations_timestamp)));
  if (schema->valid_from_timestamp >= 0)
    cds_report_set_valid_from(report, cds_abi_u64(cds_report_word(report, (size_t)schema->valid_from_timestamp)));
}

static enum cds_status read_parts(struct cds_report *report, struct cds_error *err) {
  const struct cds_abi abi = {report->bytes, report->length, 0};
  enum cds_status status = cds_abi_head(&abi, HEAD_WORDS, "the full report", err);
  if (status == CDS_OK) status = cds_abi_bytes(&report->blob, &abi, BLOB_WORD, "the report blob", err);
  if (status == CDS_OK) status = cds_abi_words(&report->rs, &abi, RS_WORD, "rawRs", err);
  if (status == CDS_OK) status = cds_abi_words(&report->ss, &abi, SS_WORD, "rawSs", err);
  if (status == CDS_OK && report->blob.length < CDS_WORD) {
    status = cds_error_decode(err, report->blob.offset, "a feed id of 32 bytes", "a report blob of %zu bytes",
                              report->blob.length);
  }
  return status;
}

/* Reads report->bytes into the other members. */
static enum cds_status read_report(struct cds_report *report, struct cds_error *err) {
  enum cds_status status = read_parts(report, err);
  if (status != CDS_OK) return status;
  memcpy(report->feed_id.bytes, report->bytes + report->blob.offset, sizeof report->feed_id.bytes);
  report->version = cds_feed_id_version(&report->feed_id);
  report->resolution = cds_feed_id_resolution(&report->feed_id);
  if (report->resolution != CDS_RESOLUTION_UNKNOWN) report->schema = cds_schema_find(report->version);
  if (!report->schema) return CDS_OK;
  status = check_fields(report, err);
  if (status == CDS_OK) read_timestamps(report);
  return status;
}

static enum cds_status check_length(size_t length, struct cds_error *err) {
  if (length <= CDS_MAX_REPORT_BYTES) return CDS_OK;
  return cds_error_decode(err, CDS_MAX_REPORT_BYTES, "no more bytes than the limit", "a full report of %zu bytes",
                          length);
}

/* A report of `length` bytes, which are not there yet. */
static void begin(struct cds_report *report, size_t length) {
  memset(report, 0, sizeof *report);
  report->refs = 1;
  report->length = length;
}

static enum cds_status allocate(struct cds_report **out, size_t length, struct cds_error *err) {
  enum cds_status status = check_length(length, err);
  *out = NULL;
  if (status != CDS_OK) return status;
  *out = cds_malloc(cds_report_size(length) + SPARE_BYTES);
  if (!*out) return cds_error_set(err, CDS_E_MEMORY, "no memory for a report of %zu bytes", length);
  return CDS_OK;
}

/* Ends both makers: *out is the finished report, or NULL after a failure. */
static enum cds_status finish(struct cds_report **out, enum cds_status status) {
  if (status == CDS_OK) return CDS_OK;
  cds_free(*out);
  *out = NULL;
  return status;
}

enum cds_status cds_report_from_bytes(struct cds_report **out, const uint8_t *bytes, size_t length,
                                      struct cds_error *err) {
  enum cds_status status = allocate(out, length, err);
  if (status != CDS_OK) return status;
  begin(*out, length);
  if (length > 0) memcpy((*out)->bytes, bytes, length);
  return finish(out, read_report(*out, err));
}

enum cds_status cds_report_from_hex(struct cds_report **out, const char *hex, size_t length, struct cds_error *err) {
  enum cds_status status = allocate(out, length / 2, err);
  return status == CDS_OK ? finish(out, cds_report_read_hex(*out, hex, length, err)) : status;
}

enum cds_status cds_report_read_hex(struct cds_report *report, const char *hex, size_t length, struct cds_error *err) {
  enum cds_status status = check_length(length / 2, err);
  if (status != CDS_OK) return status;
  begin(report, length / 2);
  size_t good = cds_hex_decode(report->bytes, hex, length);
  if (good == length) return read_report(report, err);
  const char *expected = length % 2 != 0 && good == length - 1 ? "an even number of hex digits" : "a hex digit";
  return cds_error_decode(err, good, expected, "the full report's hex text");
}

struct cds_report *cds_report_ref(struct cds_report *report) {
  __atomic_fetch_add(&report->refs, 1, __ATOMIC_RELAXED);
  return report;
}

void cds_report_unref(struct cds_report *report) {
  if (report && __atomic_sub_fetch(&report->refs, 1, __ATOMIC_ACQ_REL) == 0) cds_free(report);
}

size_t cds_report_excess(const struct cds_report *report) {
  size_t blob_words = (report->blob.length + CDS_WORD - 1) / CDS_WORD;
  size_t words = HEAD_WORDS + 1 + blob_words + 1 + report->rs.length + 1 + report->ss.length;
  return report->length > words * CDS_WORD ? report->length - words * CDS_WORD : 0;
}

const uint8_t *cds_report_word(const struct cds_report *report, size_t index) {
  return report->bytes + report->blob.offset + index * CDS_WORD;
}

const uint8_t *cds_report_part(size_t *length, const struct cds_report *report, size_t index) {
  struct cds_abi_part part = {0};
  *length = 0;
  if (find_part(&part, report, index, NULL) != CDS_OK) return report->bytes; /* decoding has found it before */
  *length = part.length;
  return report->bytes + report->blob.offset + part.offset;
}
