/* SPDX-License-Identifier: MIT
 * Fields of dynamic type: their offsets and lengths judged as Solidity's abi.decode does, and their bytes. */
#include "codec/registry.h"
#include "codec/report.h"
#include "oracle.h"
#include "sample.h"
#include "tap.h"

#define VERSION 300
#define HEAD (5 * 32)

static const char text[] = "WTI, front month";
static const uint8_t data[] = {0, 1, 2, 0xff, 0x80};

static void add_schema(void) {
  static const struct cds_field_definition fields[] = {{.name = "feed_id", .type = "bytes32"},
                                                       {.name = "contract", .type = "string"},
                                                       {.name = "count", .type = "uint8"},
                                                       {.name = "payload", .type = "bytes"},
                                                       {.name = "rate", .type = "int192", .decimals = 18}};
  const struct cds_schema_definition definition = {.version = VERSION, .fields = fields, .field_count = 5};
  struct cds_error err = {0};
  ok(cds_schema_register(&definition, &err) == CDS_OK, "a schema with a string and bytes");
  const struct cds_field *field = &cds_schema_find(VERSION)->fields[1];
  char type[16];
  cds_field_type_name(type, field);
  ok(field->type == CDS_TYPE_STRING && cds_schema_is_dynamic(field) && strcmp(type, "string") == 0, "a string");
  cds_field_type_name(type, field + 2);
  ok(cds_schema_is_dynamic(field + 2) && strcmp(type, "bytes") == 0, "and bytes");
}

/* A part behind `at`; returns where it ends. */
static size_t put_part(uint8_t *blob, size_t index, size_t at, const void *bytes, size_t length) {
  sample_put(blob + 32 * index, at);
  sample_put(blob + at, length);
  memcpy(blob + at + 32, bytes, length);
  return at + 32 + (length + 31) / 32 * 32;
}

static size_t make_blob(uint8_t blob[SAMPLE_MAX]) {
  memset(blob, 0, SAMPLE_MAX);
  blob[0] = VERSION >> 8;
  blob[1] = VERSION & 0xff;
  sample_put(blob + 64, 7);
  sample_put(blob + 128, 1000000000000000000u);
  size_t end = put_part(blob, 1, HEAD, text, strlen(text));
  return put_part(blob, 3, end, data, sizeof data);
}

static enum cds_status decode(struct cds_report **out, const struct sample *sample, struct cds_error *err) {
  uint8_t *bytes = sample_exact(sample->bytes, sample->length);
  enum cds_status status = cds_report_from_bytes(out, bytes, sample->length, err);
  free(bytes);
  return status;
}

static void test_values(void) {
  uint8_t blob[SAMPLE_MAX];
  struct sample sample;
  struct cds_report *report;
  struct cds_error err = {0};
  size_t length, size = make_blob(blob);
  sample_report(&sample, blob, size, 1);
  if (!ok(decode(&report, &sample, &err) == CDS_OK, "is decoded")) return;
  const uint8_t *bytes = cds_report_part(&length, report, 1);
  ok(length == strlen(text) && memcmp(bytes, text, length) == 0, "its text");
  bytes = cds_report_part(&length, report, 3);
  ok(length == sizeof data && memcmp(bytes, data, length) == 0, "its bytes");
  cds_report_unref(report);
}

/* Each is put over one word of the blob. */
static void test_borders(void) {
  uint8_t blob[SAMPLE_MAX];
  struct sample sample;
  struct cds_report *report;
  size_t size = make_blob(blob), second = HEAD + 64;
  const struct {
    size_t word;
    uint64_t value;
    size_t offset; /* of the error within the blob; 0: accepted */
    const char *name;
  } cases[] = {
    {1, size - 32, 0, "an offset to the last word, whose value is no length too large"},
    {1, size - 31, 32, "an offset that leaves less than a word"},
    {1, size, 32, "an offset to the end"},
    {1, UINT64_MAX, 32, "an offset of 2^64-1"},
    {1, second, 0, "the offset of another field"},
    {1, 0, 1, "an offset to the feed id, which is too large a length"},
    {3, 64, 0, "an offset into the head"},
    {HEAD / 32, size - HEAD - 32, 0, "a length up to the end"},
    {HEAD / 32, size - HEAD - 31, HEAD, "a length one beyond it"},
    {HEAD / 32, UINT64_MAX, HEAD, "a length of 2^64-1"},
    {HEAD / 32, 0, 0, "a length of 0"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct cds_error err = {0};
    make_blob(blob);
    sample_put(blob + 32 * cases[i].word, cases[i].value);
    if (i == 0) memset(blob + size - 32, 0, 32);
    sample_report(&sample, blob, size, 1);
    enum cds_status status = decode(&report, &sample, &err);
    ok((status == CDS_OK) == (cases[i].offset == 0), "%s", cases[i].name);
    if (cases[i].offset > 1) is_number(err.offset, 256 + cases[i].offset, "is found where it is");
    ok((status == CDS_OK) == oracle(sample.bytes, sample.length), "as by Solidity's rules");
    cds_report_unref(report);
  }
}

static void mutate(uint8_t *blob, size_t *size) {
  static const uint64_t telling[] = {0, 1, 31, 32, 33, HEAD - 32, HEAD, HEAD + 32, HEAD + 64, UINT64_MAX, 1u << 31};
  switch (sample_random() % 5) {
  case 0: blob[sample_random() % *size] ^= (uint8_t)(1 << sample_random() % 8); break;
  case 1: sample_put(blob + 32 * (sample_random() % (*size / 32)), telling[sample_random() % 11]); break;
  case 2: sample_put(blob + 32 * (sample_random() % (*size / 32)), *size - sample_random() % 66); break;
  case 3: *size -= sample_random() % 40; break;
  default: *size += sample_random() % 40;
  }
}

static void test_against_oracle(void) {
  size_t good = 0, accepted = 0, total = 200000;
  for (size_t i = 0; i < total; i++) {
    uint8_t blob[SAMPLE_MAX];
    struct sample sample;
    struct cds_report *report;
    struct cds_error err = {0};
    size_t size = make_blob(blob);
    for (uint64_t mutations = 1 + sample_random() % 3; mutations-- > 0;) mutate(blob, &size);
    sample_report(&sample, blob, size, 1);
    bool expected = oracle(sample.bytes, sample.length);
    accepted += expected;
    good += (decode(&report, &sample, &err) == CDS_OK) == expected && (expected || err.offset <= sample.length);
    if (report && report->schema) {
      size_t length;
      const uint8_t *bytes = cds_report_part(&length, report, 3);
      good -= bytes < report->bytes || length > report->length || bytes + length > report->bytes + report->length;
    }
    cds_report_unref(report);
  }
  is_number(good, total, "mutated reports are judged by Solidity's rules, and no part is outside");
  ok(accepted > total / 10 && accepted < total - total / 10, "of which %zu are good", accepted);
}

int main(void) {
  add_schema();
  tap_kept_blocks = 1; /* the schema */
  test_values();
  test_borders();
  test_against_oracle();
  return done();
}
