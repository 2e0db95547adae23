/* SPDX-License-Identifier: MIT
 * Full reports: accepted is what the literal rules accept, from bytes and from hex alike, and every field reads. */
#include "codec/report.h"

#include <math.h>

#include "codec/decimal.h"
#include "codec/hex.h"
#include "fuzz.h"
#include "oracle.h"

/* bits: how wide the field is in this report */
static void read_field(const struct cds_field *field, unsigned bits, const uint8_t *word) {
  char text[CDS_DECIMAL_TEXT];
  int64_t value;
  bool is_signed = field->type == CDS_TYPE_INT;
  if (field->type == CDS_TYPE_BYTES32) return;
  MUST(cds_decimal_format(text, word, is_signed, field->decimals) == strlen(text));
  double number = cds_decimal_to_double(word, is_signed, field->decimals);
  MUST(isfinite(number) && number == strtod(text, NULL));
  MUST(is_signed || (text[0] != '-' && number >= 0));
  if (cds_decimal_to_int64(&value, word, is_signed)) MUST((double)value == cds_decimal_to_double(word, is_signed, 0));
  else MUST(bits >= 64);
}

static void check_parts(const struct cds_report *report) {
  MUST(report->blob.length >= 32 && report->blob.offset <= report->length &&
       report->blob.length <= report->length - report->blob.offset);
  MUST(report->rs.offset <= report->length && report->rs.length <= (report->length - report->rs.offset) / 32);
  MUST(report->ss.offset <= report->length && report->ss.length <= (report->length - report->ss.offset) / 32);
  MUST(memcmp(report->feed_id.bytes, report->bytes + report->blob.offset, 32) == 0);
  MUST(report->version == cds_feed_id_version(&report->feed_id) &&
       report->resolution == cds_feed_id_resolution(&report->feed_id));
  MUST(report->schema == (report->resolution == CDS_RESOLUTION_UNKNOWN ? NULL : cds_schema_find(report->version)));
  MUST(report->has_observations_timestamp == (report->schema != NULL));
}

static void read_all(const struct cds_report *report) {
  check_parts(report);
  for (size_t i = 0; report->schema != NULL && i < report->schema->field_count; i++) {
    const struct cds_field *field = &report->schema->fields[i];
    MUST(cds_schema_field(report->schema, field->name, strlen(field->name)) == (int)i);
    bool wide = report->resolution == CDS_RESOLUTION_MILLISECONDS && cds_schema_is_time(report->schema, i);
    read_field(field, wide ? 64 : field->bits, cds_report_word(report, i));
  }
}

static void check_hex(const struct cds_report *report, enum cds_status expected, const uint8_t *bytes, size_t size) {
  struct cds_report *again;
  struct cds_error err;
  char *hex = malloc(2 * size + 1);
  MUST(hex != NULL);
  cds_hex_encode(hex, bytes, size);
  MUST(cds_report_from_hex(&again, hex, 2 * size, &err) == expected);
  if (expected == CDS_OK)
    MUST(memcmp(again->bytes, report->bytes, size) == 0 && again->blob.offset == report->blob.offset);
  cds_report_unref(again);
  free(hex);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *bytes = fuzz_copy(data, size);
  struct cds_report *report;
  struct cds_error err;
  enum cds_status status = cds_report_from_bytes(&report, bytes, size, &err);
  MUST((status == CDS_OK) == oracle(bytes, size));
  if (status == CDS_OK) {
    MUST(report->length == size && memcmp(report->bytes, bytes, size) == 0);
    read_all(report);
  } else {
    fuzz_check_error(&err, status);
    MUST(report == NULL && status == CDS_E_DECODE && err.has_offset && err.offset <= size && err.expected[0] != 0);
  }
  check_hex(report, status, bytes, size);
  cds_report_unref(report);
  free(bytes);
  return 0;
}
