/* SPDX-License-Identifier: MIT
 * A message's whole way: envelope, hex, report, and their agreement. */
#include "codec/message.h"

#include "base/alloc.h"
#include "envelope.h"
#include "tap.h"

struct message {
  char text[ENVELOPE_MAX];
  size_t length;
  uint8_t blob[SAMPLE_MAX];
  uint32_t valid_from, observations;
};

/* A random report of this version in its envelope; shifts are added to the envelope's timestamps. */
static void make(struct message *out, uint16_t version, uint32_t valid_from_shift, uint32_t observations_shift) {
  struct sample report;
  size_t length = sample_blob(out->blob, cds_schema_find(version));
  sample_report(&report, out->blob, length, 2);
  out->valid_from = version == 1 ? 5 : cds_abi_u32(out->blob + 32);
  out->observations = cds_abi_u32(out->blob + (version == 1 ? 32 : 64));
  out->length = envelope_message(out->text, &report, out->blob, out->valid_from + valid_from_shift,
                                 out->observations + observations_shift);
}

static enum cds_status read(struct cds_report **out, const char *text, size_t length, struct cds_error *err) {
  struct cds_envelope envelope;
  char *copy = sample_exact(text, length);
  *out = NULL;
  enum cds_status status = cds_envelope_parse(&envelope, copy, length, err);
  if (status == CDS_OK) status = cds_envelope_report(out, &envelope, err);
  free(copy);
  return status;
}

static void test_versions(void) {
  for (uint16_t version = 1; version <= 14; version++) {
    struct message message;
    struct cds_report *report;
    struct cds_error err = {0};
    make(&message, version, 0, 0);
    bool good = read(&report, message.text, message.length, &err) == CDS_OK;
    ok(good && report->version == version && memcmp(report->bytes + report->blob.offset, message.blob, 64) == 0,
       "a v%d message", (int)version);
    ok(good && report->observations_timestamp == message.observations &&
         report->has_valid_from_timestamp == (version > 1),
       "with its timestamps");
    cds_report_unref(report);
  }
}

static void test_truncation(void) {
  struct message message;
  struct cds_report *report;
  struct cds_error err;
  make(&message, 3, 0, 0);
  bool good = true;
  for (size_t length = 0; length < message.length; length++) {
    err = (struct cds_error){0};
    good = good && read(&report, message.text, length, &err) == CDS_E_DECODE && !report && err.has_offset;
  }
  ok(good, "none of %zu truncations is accepted", message.length);
}

/* Any byte replaced: refused, or the report is unchanged where it counts (signatures and context are not judged). */
static void test_corruption(void) {
  struct message message, corrupt;
  struct cds_report *report;
  struct cds_error err;
  make(&message, 3, 0, 0);
  corrupt = message;
  size_t refused = 0, accepted = 0;
  bool good = true;
  for (size_t at = 0; at < message.length; at++) {
    for (int i = 0; i < 8; i++) {
      corrupt.text[at] = (char)(sample_random() >> 56);
      enum cds_status status = read(&report, corrupt.text, corrupt.length, &err);
      good = good && (status == CDS_OK ? report && memcmp(report->feed_id.bytes, message.blob, 32) == 0 : !report);
      refused += status != CDS_OK;
      accepted += status == CDS_OK;
      cds_report_unref(report);
    }
    corrupt.text[at] = message.text[at];
  }
  ok(good, "a corrupt message is refused or keeps its feed");
  ok(refused > accepted, "%zu were refused, %zu not", refused, accepted);
}

static void disagrees(uint16_t version, uint32_t valid_from_shift, uint32_t observations_shift, size_t offset,
                      const char *start, const char *name) {
  struct message message;
  struct cds_report *report;
  struct cds_error err = {0};
  make(&message, version, valid_from_shift, observations_shift);
  ok(read(&report, message.text, message.length, &err) == CDS_E_DECODE && !report && err.offset == offset &&
       err.has_offset,
     "%s", name);
  ok(strncmp(err.message, start, strlen(start)) == 0, "its message starts with: %s", start);
}

static void test_agreement(void) {
  struct message message;
  struct cds_report *report;
  struct cds_error err = {0};
  disagrees(3, 1, 0, 256 + 32, "the envelope's valid-from timestamp is ", "another valid-from timestamp");
  disagrees(3, 0, 1, 256 + 64, "the envelope's observations timestamp is ", "another observations timestamp");
  disagrees(1, 0, 1, 256 + 32, "the envelope's observations timestamp is ", "another observations timestamp in v1");
  make(&message, 1, 77, 0);
  ok(read(&report, message.text, message.length, &err) == CDS_OK, "v1 has no valid-from timestamp to disagree with");
  cds_report_unref(report);
  make(&message, 3, 0, 0);
  char *digit = strstr(message.text, "feedID\":\"0x") + strlen("feedID\":\"0x") + 63;
  *digit = *digit == '0' ? '1' : '0';
  ok(read(&report, message.text, message.length, &err) == CDS_E_DECODE && !report && err.offset == 256,
     "another feed id");
  ok(strncmp(err.message, "the envelope's feed is 0x0003", 29) == 0 &&
       strstr(err.message, "the report blob's is 0x0003"),
     "its message names both");
}

static void test_without_timestamps(void) {
  struct message message;
  struct cds_report *report;
  struct cds_error err = {0};
  make(&message, 3, 0, 0);
  char *end = strstr(message.text, ",\"validFrom");
  strcpy(end, "}}");
  ok(read(&report, message.text, strlen(message.text), &err) == CDS_OK &&
       report->observations_timestamp == message.observations,
     "an envelope without timestamps");
  cds_report_unref(report);
}

static void test_unknown_version(void) {
  struct message message;
  struct sample sample;
  struct cds_report *report;
  struct cds_error err = {0};
  uint8_t blob[32];
  memset(blob, 0x77, sizeof blob);
  sample_report(&sample, blob, sizeof blob, 2);
  message.length = envelope_message(message.text, &sample, blob, 1000, 2000);
  bool good = read(&report, message.text, message.length, &err) == CDS_OK;
  ok(good && !report->schema, "a message of an unknown version");
  ok(good && report->has_valid_from_timestamp && report->valid_from_timestamp == 1000 &&
       report->has_observations_timestamp && report->observations_timestamp == 2000,
     "takes its timestamps from the envelope");
  cds_report_unref(report);
  strcpy(strstr(message.text, ",\"validFrom"), "}}");
  good = read(&report, message.text, strlen(message.text), &err) == CDS_OK;
  ok(good && !report->has_valid_from_timestamp && !report->has_observations_timestamp, "if they are there");
  cds_report_unref(report);
}

/* A report at 1700000000.123 s, valid from 1700000000.122 s on, and an envelope with these members. */
static enum cds_status read_with(struct cds_report **report, bool in_ms, const char *members, struct cds_error *err) {
  struct message message;
  struct sample sample;
  size_t length =
    in_ms ? sample_blob_ms(message.blob, cds_schema_find(3)) : sample_blob(message.blob, cds_schema_find(3));
  sample_put(message.blob + 32, in_ms ? 1700000000122 : 1700000000);
  sample_put(message.blob + 64, in_ms ? 1700000000123 : 1700000001);
  sample_report(&sample, message.blob, length, 2);
  envelope_message(message.text, &sample, message.blob, 0, 0);
  sprintf(strstr(message.text, ",\"validFrom"), "%s}}", members);
  return read(report, message.text, strlen(message.text), err);
}

static void test_milliseconds(void) {
  static const struct {
    bool in_ms;
    const char *members, *error; /* NULL: they agree */
  } cases[] = {
    {true, "", NULL},
    {true, ",\"validFromTimestampMs\":1700000000122,\"observationsTimestampMs\":1700000000123", NULL},
    {true, ",\"validFromTimestamp\":1700000000,\"observationsTimestamp\":1700000000", NULL},
    {true, ",\"observationsTimestampMs\":1700000000123,\"observationsTimestamp\":1700000000", NULL},
    {true, ",\"observationsTimestampMs\":null,\"validFromTimestamp\":1700000000", NULL},
    {true, ",\"observationsTimestampMs\":1700000000124",
     "the envelope's observations timestamp is 1700000000124 ms, the report blob's is 1700000000123 ms"},
    {true, ",\"validFromTimestampMs\":1700000000123",
     "the envelope's valid-from timestamp is 1700000000123 ms, the report blob's is 1700000000122 ms"},
    {true, ",\"observationsTimestampMs\":1700000000123,\"observationsTimestamp\":1700000001",
     "the envelope's observations timestamp is 1700000001, the report blob's is 1700000000123 ms"},
    {false, ",\"validFromTimestampMs\":1700000000000,\"observationsTimestampMs\":1700000001000", NULL},
    {false, ",\"observationsTimestampMs\":1700000001999,\"observationsTimestamp\":1700000001", NULL},
    {false, ",\"observationsTimestampMs\":1700000002000",
     "the envelope's observations timestamp is 1700000002000 ms, the report blob's is 1700000001"},
    {false, ",\"observationsTimestampMs\":1700000001",
     "the envelope's observations timestamp is 1700000001 ms, the report blob's is 1700000001"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct cds_report *report;
    struct cds_error err = {0};
    enum cds_status status = read_with(&report, cases[i].in_ms, cases[i].members, &err);
    const char *feed = cases[i].in_ms ? "a millisecond feed" : "a feed in seconds";
    if (cases[i].error) is_string(err.message, cases[i].error, feed);
    else ok(status == CDS_OK, "%s with%s", feed, cases[i].members);
    ok((report != NULL) == !cases[i].error, "is taken where it agrees");
    cds_report_unref(report);
  }
}

/* A report without a schema has what the envelope tells, in the feed's unit. */
static void test_times_of_the_unknown(void) {
  static const struct {
    uint8_t first;
    const char *members;
    uint64_t time;
    uint32_t seconds;
  } cases[] = {
    {0x0f, "\"observationsTimestamp\":1700000001", 1700000001, 1700000001},
    {0x0f, "\"observationsTimestampMs\":1700000001234", 1700000001, 1700000001},
    {0x1f, "\"observationsTimestamp\":1700000001", 1700000001000, 1700000001},
    {0x1f, "\"observationsTimestampMs\":1700000001234,\"observationsTimestamp\":1700000001", 1700000001234, 1700000001},
    {0x20, "\"observationsTimestampMs\":1700000001234", 1700000001, 1700000001},
    {0x1f, "\"observationsTimestampMs\":18446744073709551615", UINT64_MAX, UINT32_MAX},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct message message;
    struct sample sample;
    struct cds_report *report;
    struct cds_error err = {0};
    memset(message.blob, 0x77, 32);
    message.blob[0] = cases[i].first;
    sample_report(&sample, message.blob, 32, 2);
    envelope_message(message.text, &sample, message.blob, 0, 0);
    sprintf(strstr(message.text, ",\"validFrom"), ",%s}}", cases[i].members);
    bool good = read(&report, message.text, strlen(message.text), &err) == CDS_OK;
    ok(good && report->has_observations_timestamp && !report->has_valid_from_timestamp &&
         report->observations_time == cases[i].time && report->observations_timestamp == cases[i].seconds,
       "0x%02x… with %s", cases[i].first, cases[i].members);
    cds_report_unref(report);
  }
}

static void test_bad_report(void) {
  struct message message;
  struct cds_report *report;
  struct cds_error err = {0};
  make(&message, 3, 0, 0);
  char *digits = strstr(message.text, "fullReport\":\"0x") + strlen("fullReport\":\"0x");
  digits[500] = 'z';
  ok(read(&report, message.text, message.length, &err) == CDS_E_DECODE && !report && err.offset == 500, "a bad digit");
  make(&message, 3, 0, 0);
  digits[2 * 96] = 'f';
  ok(read(&report, message.text, message.length, &err) == CDS_E_DECODE && !report && err.offset == 96, "a wild offset");
  make(&message, 3, 0, 0);
  digits[3] = 0;
  ok(read(&report, message.text, message.length, &err) == CDS_E_DECODE && !report && err.offset == 3,
     "a 0 byte in the hex text");
  make(&message, 3, 0, 0);
  cds_alloc_fail_after(0);
  enum cds_status status = read(&report, message.text, message.length, &err);
  cds_alloc_fail_after(-1);
  ok(status == CDS_E_MEMORY && !report, "no memory is told");
}

int main(void) {
  test_versions();
  test_truncation();
  test_corruption();
  test_agreement();
  test_without_timestamps();
  test_unknown_version();
  test_milliseconds();
  test_times_of_the_unknown();
  test_bad_report();
  return done();
}
