/* SPDX-License-Identifier: MIT
 * Full reports: every schema, the rules of Solidity's abi.decode against a second, literal implementation of them,
 * truncations, wild words, and the real reports where they are at hand. */
#include "codec/report.h"

#include "base/alloc.h"
#include "codec/decimal.h"
#include "codec/hex.h"
#include "oracle.h"
#include "sample.h"
#include "tap.h"

static enum cds_status decode(struct cds_report **out, const uint8_t *bytes, size_t length, struct cds_error *err) {
  uint8_t *copy = sample_exact(bytes, length);
  enum cds_status status = cds_report_from_bytes(out, copy, length, err);
  free(copy);
  return status;
}

/* Decodes and forgets. */
static bool accepts(const uint8_t *bytes, size_t length, struct cds_error *err) {
  struct cds_report *report;
  bool good = decode(&report, bytes, length, err) == CDS_OK;
  cds_report_unref(report);
  return good;
}

static bool ms; /* are reports made of millisecond feeds? */

static size_t make_blob(uint8_t blob[SAMPLE_MAX], const struct cds_schema *schema) {
  return ms ? sample_blob_ms(blob, schema) : sample_blob(blob, schema);
}

static void make(struct sample *out, uint16_t version, size_t signatures) {
  uint8_t blob[SAMPLE_MAX];
  sample_report(out, blob, make_blob(blob, cds_schema_find(version)), signatures);
}

/* A time of the head against the report's two forms of it. */
static bool has_time(uint64_t time, uint32_t seconds, const uint8_t *word) {
  uint64_t whole = ms ? cds_abi_u64(word) / 1000 : cds_abi_u64(word);
  return time == cds_abi_u64(word) && seconds == (whole < UINT32_MAX ? whole : UINT32_MAX);
}

static void test_schema(const struct cds_schema *schema) {
  uint8_t blob[SAMPLE_MAX];
  struct sample sample;
  struct cds_report *report;
  struct cds_error err = {0};
  size_t length = make_blob(blob, schema);
  sample_report(&sample, blob, length, 6);
  if (!ok(decode(&report, sample.bytes, sample.length, &err) == CDS_OK, "a v%d report%s", (int)schema->version,
          ms ? " in milliseconds" : "")) {
    printf("#   %s\n", err.message);
    return;
  }
  ok(report->schema == schema && report->version == schema->version && report->refs == 1, "its schema");
  ok(report->resolution == (ms ? CDS_RESOLUTION_MILLISECONDS : CDS_RESOLUTION_SECONDS), "its resolution");
  ok(memcmp(report->feed_id.bytes, blob, 32) == 0, "its feed id");
  bool words = report->blob.length == length;
  for (size_t i = 0; i < schema->field_count; i++)
    words = words && memcmp(cds_report_word(report, i), blob + 32 * i, 32) == 0;
  ok(words, "its words");
  ok(report->rs.length == 6 && report->ss.length == 6 && report->rs.offset == 224 + 32 + length + 32 &&
       report->ss.offset == report->rs.offset + 6 * 32 + 32,
     "its signatures");
  ok(report->length == sample.length && memcmp(report->bytes, sample.bytes, sample.length) == 0, "its bytes");
  const uint8_t *observed = blob + 32 * (schema->version == 1 ? 1 : 2);
  ok(report->has_observations_timestamp &&
       has_time(report->observations_time, report->observations_timestamp, observed),
     "its observations timestamp");
  ok(schema->version == 1
       ? !report->has_valid_from_timestamp
       : report->has_valid_from_timestamp && has_time(report->valid_from_time, report->valid_from_timestamp, blob + 32),
     "its valid-from timestamp");
  is_number(cds_report_observed_ms(report), report->observations_time * (ms ? 1 : 1000), "in milliseconds");
  ok(report->received_at_ms == 0 && !report->backfilled && report->origin[0] == 0, "it did not come from the network");
  cds_report_unref(report);
}

/* Every value just outside a field's type is refused at its offset, by its name. */
static void test_widths(const struct cds_schema *schema) {
  bool good = true;
  for (size_t i = 0; i < schema->field_count; i++) {
    const struct cds_field *field = &schema->fields[i];
    if (field->type == CDS_TYPE_BYTES32) continue;
    struct sample sample;
    struct cds_error err = {0};
    make(&sample, schema->version, 2);
    uint8_t *word = sample.bytes + 256 + 32 * i;
    for (unsigned bit = ms && cds_schema_is_time(schema, i) ? 64 : field->bits; bit < 256; bit++) {
      word[31 - bit / 8] ^= (uint8_t)(1 << bit % 8);
      good = good && !accepts(sample.bytes, sample.length, &err) && err.offset == 256 + 32 * i && err.has_offset &&
             strncmp(err.message, field->name, strlen(field->name)) == 0;
      word[31 - bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    good = good && accepts(sample.bytes, sample.length, &err);
  }
  ok(good, "v%d%s: each bit beyond a field's width is refused, with offset and name", (int)schema->version,
     ms ? " in milliseconds" : "");
}

static void test_truncation(uint16_t version) {
  struct sample sample;
  struct cds_error err;
  make(&sample, version, 2);
  bool good = true;
  for (size_t length = 0; length < sample.length; length++) {
    err = (struct cds_error){0};
    good = good && !accepts(sample.bytes, length, &err) && err.status == CDS_E_DECODE && err.has_offset &&
           err.offset <= length;
  }
  ok(good, "v%d: none of %zu truncations is accepted", (int)version, sample.length);
}

static void test_lenience(void) {
  struct sample sample;
  struct cds_error err;
  uint8_t blob[SAMPLE_MAX] = {0};
  size_t length = sample_blob(blob, cds_schema_find(3));
  sample_report(&sample, blob, length + 100, 2);
  ok(accepts(sample.bytes, sample.length, &err), "a blob longer than its schema");
  sample_report(&sample, blob, length - 1, 2);
  ok(!accepts(sample.bytes, sample.length, &err), "but not one that is one byte shorter");
  is_string(err.message, "a v3 report blob of 287 bytes at byte 256: expected 288 bytes or more", "its message");
  make(&sample, 3, 2);
  ok(accepts(sample.bytes, sample.length + 77, &err), "bytes behind the last part");
  sample_put(sample.bytes + 128, 0);
  sample_put(sample.bytes, 1);
  ok(accepts(sample.bytes, sample.length, &err), "rs in the head");
  sample_random_bytes(sample.bytes + 192, 32);
  ok(accepts(sample.bytes, sample.length, &err), "any rawVs");
  make(&sample, 3, 2);
  memcpy(sample.bytes + 160, sample.bytes + 128, 32);
  ok(accepts(sample.bytes, sample.length, &err), "rs and ss in one place");
  make(&sample, 3, 2);
  sample_put(sample.bytes + sample.length - 96, 1);
  ok(accepts(sample.bytes, sample.length, &err), "different numbers of rs and ss");
  make(&sample, 3, 0);
  ok(accepts(sample.bytes, sample.length, &err), "no signatures");
  make(&sample, 3, 40);
  ok(accepts(sample.bytes, sample.length, &err), "forty signatures");
}

/* The parts in another order, unaligned, and the blob last and unpadded. */
static void test_order(void) {
  uint8_t blob[SAMPLE_MAX];
  struct sample sample = {.length = 0};
  struct cds_report *report;
  struct cds_error err = {0};
  size_t length = sample_blob(blob, cds_schema_find(5));
  sample_put(sample.bytes + 160, 225);
  sample_put(sample.bytes + 128, 225 + 64);
  sample_put(sample.bytes + 96, 225 + 128);
  sample_put(sample.bytes + 225, 1);
  sample_put(sample.bytes + 225 + 64, 1);
  sample_put(sample.bytes + 225 + 128, length + 5);
  memcpy(sample.bytes + 225 + 160, blob, length);
  sample.length = 225 + 160 + length + 5;
  ok(decode(&report, sample.bytes, sample.length, &err) == CDS_OK && report->ss.offset == 257 &&
       report->rs.offset == 321 && report->blob.offset == 385 && report->blob.length == length + 5,
     "parts in another order, unaligned, the blob last and unpadded");
  cds_report_unref(report);
  ok(!accepts(sample.bytes, sample.length - 1, &err), "one byte less is too little");
}

static void test_unknown_version(void) {
  uint8_t blob[40];
  struct sample sample;
  struct cds_report *report;
  struct cds_error err = {0};
  memset(blob, 0xee, sizeof blob);
  sample_report(&sample, blob, sizeof blob, 3);
  ok(decode(&report, sample.bytes, sample.length, &err) == CDS_OK, "a report of an unknown version");
  ok(report && !report->schema && report->version == 0xeee && memcmp(report->feed_id.bytes, blob, 32) == 0,
     "has a feed id");
  ok(report && report->blob.length == 40 && report->rs.length == 3, "blob and signatures");
  ok(report && !report->has_observations_timestamp && !report->has_valid_from_timestamp, "and no timestamps");
  cds_report_unref(report);
  sample_report(&sample, blob, 32, 1);
  ok(accepts(sample.bytes, sample.length, &err), "a feed id alone is enough");
  sample_report(&sample, blob, 31, 1);
  ok(!accepts(sample.bytes, sample.length, &err), "31 bytes are not");
  is_string(err.message, "a report blob of 31 bytes at byte 256: expected a feed id of 32 bytes", "the message");
}

/* ---- mutated reports, judged by the oracle ---- */

/* A value that is likely to be at some limit of this report. */
static uint64_t wild_value(size_t length) {
  static const uint64_t bases[] = {0,
                                   32,
                                   64,
                                   96,
                                   224,
                                   256,
                                   UINT64_C(1) << 32,
                                   UINT64_C(1) << 58,
                                   UINT64_C(1) << 59,
                                   UINT64_C(1) << 60,
                                   UINT64_C(1) << 63,
                                   0};
  uint64_t choice = sample_random() >> 33;
  if (choice % 3 == 0) return length - 64 + (sample_random() >> 57) % 70;
  if (choice % 3 == 1) return (sample_random() >> 50) % (length + 40);
  return bases[choice / 3 % (sizeof bases / sizeof bases[0])] + (choice >> 20) % 5 - 2;
}

static void mutate(struct sample *sample) {
  size_t blob = 256;
  size_t word = sample_random() >> 60; /* head words, length words, blob words */
  uint64_t kind = sample_random() >> 61;
  uint8_t *at = sample->bytes + (word < 6 ? 32 * (word % 3 + 3) : word < 9 ? 224 : blob + 32 * (word - 9));
  if (kind < 5) {
    sample_put(at, wild_value(sample->length));
  } else if (kind == 5) {
    at[sample_random() >> 59] ^= (uint8_t)(1 << (sample_random() >> 61));
  } else if (kind == 6) {
    memset(at, 0xff, (size_t)(sample_random() >> 59) + 1);
  } else {
    sample->length -= (size_t)(sample_random() >> 57) % sample->length;
  }
}

static void test_against_oracle(void) {
  size_t good = 0, accepted = 0, total = 300000;
  for (size_t i = 0; i < total; i++) {
    struct sample sample;
    struct cds_error err = {0};
    ms = i % 3 == 0;
    make(&sample, (uint16_t)(1 + i % 14), i % 4);
    for (uint64_t mutations = sample_random() >> 62; mutations-- > 0;) mutate(&sample);
    bool expected = oracle(sample.bytes, sample.length);
    accepted += expected;
    good += accepts(sample.bytes, sample.length, &err) == expected && (expected || err.offset <= sample.length);
  }
  ms = false;
  is_number(good, total, "mutated reports are judged by Solidity's rules");
  ok(accepted > total / 10 && accepted < total - total / 10, "of which %zu are good", accepted);
}

static void test_hex(void) {
  struct sample sample;
  struct cds_report *report;
  struct cds_error err;
  char text[2 * SAMPLE_MAX];
  make(&sample, 3, 2);
  size_t length = 2 * sample.length;
  cds_hex_encode(text, sample.bytes, sample.length);
  char *hex = sample_exact(text, length);
  ok(cds_report_from_hex(&report, hex, length, &err) == CDS_OK, "from hex");
  ok(report && report->length == sample.length && memcmp(report->bytes, sample.bytes, sample.length) == 0,
     "the same bytes");
  cds_report_unref(report);
  hex[701] = 'x';
  is_number(cds_report_from_hex(&report, hex, length, &err), CDS_E_DECODE, "a bad digit");
  ok(!report && err.has_offset && err.offset == 701, "is found");
  is_string(err.message, "the full report's hex text at byte 701: expected a hex digit", "its message");
  is_number(cds_report_from_hex(&report, hex, 701, &err), CDS_E_DECODE, "an odd length");
  is_string(err.expected, "an even number of hex digits", "is refused");
  is_number(cds_report_from_hex(&report, "", 0, &err), CDS_E_DECODE, "nothing");
  is_string(err.message, "the full report ends at byte 0: expected at least 224 bytes", "is refused");
  free(hex);
}

/* Its version has a schema, but who knows how wide its times are? */
static void test_unknown_resolution(void) {
  for (unsigned resolution = 2; resolution < 16; resolution++) {
    struct sample sample;
    struct cds_report *report;
    struct cds_error err;
    make(&sample, 3, 1);
    sample.bytes[256] = (uint8_t)(resolution << 4);
    bool good = decode(&report, sample.bytes, sample.length, &err) == CDS_OK;
    ok(good && report->version == 3 && report->resolution == CDS_RESOLUTION_UNKNOWN && !report->schema &&
         !report->has_observations_timestamp,
       "resolution %u is readable as an unknown version is", resolution);
    cds_report_unref(report);
  }
}

static void test_ownership(void) {
  struct sample sample;
  struct cds_report *report;
  struct cds_error err;
  make(&sample, 3, 2);
  cds_alloc_fail_after(-1);
  ok(decode(&report, sample.bytes, sample.length, &err) == CDS_OK, "a report");
  is_number(cds_alloc_fail_after(-1), 1, "is one allocation");
  ok(cds_report_ref(report) == report && report->refs == 2, "a second reference");
  cds_report_unref(report);
  is_number(report->refs, 1, "is given back");
  cds_report_unref(report);
  cds_report_unref(NULL);
  cds_alloc_fail_after(0);
  enum cds_status status = decode(&report, sample.bytes, sample.length, &err);
  cds_alloc_fail_after(-1);
  ok(status == CDS_E_MEMORY && err.status == CDS_E_MEMORY && !report, "no memory is told");
  static uint8_t big[CDS_MAX_REPORT_BYTES + 1];
  memcpy(big, sample.bytes, sample.length);
  ok(accepts(big, sizeof big - 1, &err), "a report of the largest size");
  ok(!accepts(big, sizeof big, &err) && err.status == CDS_E_DECODE, "one byte more is refused");
}

/* ---- The real reports, whose fields an independent implementation computed ---- */

static bool field_agrees(const struct cds_report *report, size_t i, const char *object, const char *end) {
  const struct cds_field *field = &report->schema->fields[i];
  char key[64], value[CDS_DECIMAL_TEXT] = "0x";
  const uint8_t *word = cds_report_word(report, i);
  snprintf(key, sizeof key, "\"%s\": \"", field->abi_name);
  if (field->type == CDS_TYPE_BYTES32) {
    cds_hex_encode(value + 2, word, 32);
    value[66] = 0;
  } else {
    cds_decimal_format(value, word, field->type == CDS_TYPE_INT, 0);
  }
  const char *found = strstr(object, key);
  if (!found || found > end) return false;
  found += strlen(key);
  return strncmp(found, value, strlen(value)) == 0 && found[strlen(value)] == '"';
}

static void test_real_report(const char *hex, const char *end) {
  struct cds_report *report;
  struct cds_error err = {0};
  const char *quote = strchr(hex, '"');
  if (!ok(cds_report_from_hex(&report, hex, (size_t)(quote - hex), &err) == CDS_OK, "a real report decodes")) {
    printf("#   %s\n", err.message);
    return;
  }
  bool good = report->schema != NULL;
  for (size_t i = 0; good && i < report->schema->field_count; i++) good = field_agrees(report, i, quote, end);
  ok(good, "and its v%d fields are right", (int)report->version);
  cds_report_unref(report);
}

static void test_real_reports(void) {
  static char text[200000];
  FILE *file = fopen("../shared/vectors/real-reports.json", "r");
  if (!file) {
    skip("real reports", "../shared/vectors/real-reports.json is not here");
    return;
  }
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  static const char key[] = "\"fullReport\": \"0x";
  size_t count = 0;
  for (const char *at = strstr(text, key), *next; at; at = next, count++) {
    at += strlen(key);
    next = strstr(at, key);
    test_real_report(at, next ? next : text + strlen(text));
  }
  ok(count > 0, "%zu real reports were found", count);
}

/* What lies beside head, blob and signatures, whatever their lengths: nothing in a report as the oracles write it. */
static void test_excess(void) {
  bool good = true;
  for (size_t length = 32; length <= 97; length++) {
    for (size_t signatures = 0; signatures <= 31; signatures += signatures < 2 ? 1 : 29) {
      uint8_t blob[SAMPLE_MAX] = {0xff, 0xff};
      struct sample sample;
      struct cds_report *report;
      sample_report(&sample, blob, length, signatures);
      for (size_t more = 0; more < 34; more++) {
        good = good && decode(&report, sample.bytes, sample.length + more, NULL) == CDS_OK &&
               cds_report_excess(report) == more;
        cds_report_unref(report);
      }
    }
  }
  ok(good, "every byte that is not signed and belongs nowhere is counted");
}

/* Both lists of a signature's halves may be the same one: such a report is shorter than its parts together. */
static void test_shared_list(void) {
  uint8_t blob[32] = {0xff, 0xff};
  struct sample sample;
  struct cds_report *report;
  sample_report(&sample, blob, sizeof blob, 2);
  memcpy(sample.bytes + 5 * 32, sample.bytes + 4 * 32, 32);
  sample.length -= 3 * 32;
  is_number(decode(&report, sample.bytes, sample.length, NULL), CDS_OK, "a report whose lists are one");
  is_number((long long)cds_report_excess(report), 0, "has nothing too much");
  cds_report_unref(report);
}

int main(void) {
  test_excess();
  test_shared_list();
  size_t count;
  const struct cds_schema *schemas = cds_schema_list(&count);
  for (size_t i = 0; i < count; i++) {
    for (int round = 0; round < 2; round++) {
      ms = round == 1;
      test_schema(&schemas[i]);
      test_widths(&schemas[i]);
    }
    ms = false;
    test_truncation(schemas[i].version);
  }
  test_lenience();
  test_order();
  test_unknown_version();
  test_unknown_resolution();
  test_against_oracle();
  test_hex();
  test_ownership();
  test_real_reports();
  return done();
}
