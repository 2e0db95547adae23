/* SPDX-License-Identifier: MIT
 * Schemas added at run time: what is taken and refused, decoding by them, threads that decode meanwhile. */
#include <pthread.h>

#include "base/alloc.h"
#include "codec/registry.h"
#include "codec/report.h"
#include "sample.h"
#include "tap.h"

#define FEED_ID                                                                                                        \
  { .name = "feed_id", .type = "bytes32" }

static struct cds_error err;

static enum cds_status add(uint16_t version, const struct cds_field_definition *fields, size_t count,
                           const char *price) {
  struct cds_schema_definition definition = {version, "Test", price, fields, count};
  cds_error_clear(&err);
  return cds_schema_register(&definition, &err);
}

#define ADD(version, price, ...)                                                                                       \
  add(version, (const struct cds_field_definition[]){__VA_ARGS__},                                                     \
      sizeof(struct cds_field_definition[]){__VA_ARGS__} / sizeof(struct cds_field_definition), price)

static void refused(enum cds_status status, const char *text, const char *what) {
  if (!ok(status == CDS_E_CONFIG && strstr(err.message, text), "refused: %s", what)) printf("# %s\n", err.message);
}

static void test_refusals(void) {
  refused(ADD(0, NULL, FEED_ID), "1 to 4095", "version 0");
  refused(ADD(4096, NULL, FEED_ID), "1 to 4095", "a version that no feed id has room for");
  refused(ADD(3, NULL, FEED_ID), "already", "a built-in version");
  refused(add(200, NULL, 0, NULL), "1 to 256 fields", "no field");
  refused(ADD(200, NULL, {.name = "x", .type = "bytes32"}), "first field", "another first field");
  refused(ADD(200, NULL, {.name = "feed_id", .type = "uint256"}), "first field", "a feed id that is a number");
  refused(ADD(200, NULL, FEED_ID, FEED_ID), "twice", "a field twice");
  refused(ADD(200, "bid", FEED_ID), "price must be", "a price that is no field");
  refused(ADD(200, "feed_id", FEED_ID), "price must be", "a price that is no number");
  refused(ADD(200, NULL, FEED_ID, {.name = "observations_timestamp", .type = "uint64"}), "must be uint32",
          "wide times");
  refused(ADD(200, NULL, FEED_ID, {.name = "a", .type = "bool", .decimals = 1}), "decimals", "decimals of a bool");
  refused(ADD(200, NULL, FEED_ID, {.name = "a", .type = "int8", .decimals = 78}), "decimals", "78 decimals");
  refused(ADD(200, NULL, FEED_ID, {.name = "a", .type = "int8", .unit = "days"}), "no unit", "an unknown unit");
  refused(ADD(200, NULL, FEED_ID, {.name = "a", .type = "int8", .abi_name = "a b"}), "abi_name", "a wrong ABI name");
  const char *names[] = {"", "Bid", "1a", "a-b", "a b", "_a", "a\n", "é"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    refused(ADD(200, NULL, FEED_ID, {.name = names[i], .type = "int8"}), "field 2", "a wrong name");
  const char *types[] = {"",       "int",    "uint",   "int7",    "int0",   "uint264",
                         "int08",  "uint8 ", "Int8",   "bytes31", "uint-8", "int999",
                         "String", "strin",  "bytes0", "uint+8",  "uint8x", "int18446744073709551624"};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    refused(ADD(200, NULL, FEED_ID, {.name = "a", .type = types[i]}), "the type must be", types[i]);
  ok(!cds_schema_find(200), "nothing of all that is there");
}

static struct cds_field_definition every[66] = {
  FEED_ID, {.name = "yes", .type = "bool"}, {.name = "who", .type = "address"}};
static char every_name[63][16], every_type[63][16];

/* All widths, odd numbers of bytes too. */
static void test_types(void) {
  bool good = true;
  for (size_t i = 0; i < 63; i++) {
    unsigned bits = 8 * (unsigned)(i / 2 + 1);
    snprintf(every_name[i], sizeof every_name[i], "f_%zu", i);
    snprintf(every_type[i], sizeof every_type[i], "%sint%u", i % 2 ? "u" : "", bits);
    every[i + 3] = (struct cds_field_definition){.name = every_name[i], .type = every_type[i]};
  }
  is_number(add(201, every, 66, "f_0"), CDS_OK, "a schema of all types");
  const struct cds_schema *schema = cds_schema_find(201);
  for (size_t i = 0; schema && i < schema->field_count; i++) {
    char type[16];
    cds_field_type_name(type, &schema->fields[i]);
    good = good && strcmp(type, every[i].type) == 0 && schema->fields[i].name != every[i].name;
  }
  ok(schema && good && schema->price == 3 && schema->version == 201, "is found, with texts of its own");
  is_number(add(201, every, 66, "f_0"), CDS_OK, "the very same once more is no change");
  ok(cds_schema_find(201) == schema, "it stays where it was");
  refused(add(201, every, 66, "f_1"), "already", "another price");
  refused(add(201, every, 65, "f_0"), "already", "a field less");
  every[5].decimals = 1;
  refused(add(201, every, 66, "f_0"), "already", "other decimals");
  every[5].decimals = 0;
}

static enum cds_status decode(struct sample *sample) {
  struct cds_report *report;
  enum cds_status status = cds_report_from_bytes(&report, sample->bytes, sample->length, &err);
  cds_report_unref(report);
  return status;
}

static void make(struct sample *sample, uint8_t *blob, uint16_t version, size_t words) {
  memset(blob, 0, 32 * words);
  blob[0] = (uint8_t)(version >> 8);
  blob[1] = (uint8_t)version;
  sample_report(sample, blob, 32 * words, 1);
}

static void test_decoding(void) {
  static struct sample sample;
  static uint8_t blob[SAMPLE_MAX];
  size_t start = 8 * 32, wrong = 0; /* where the blob's words are */
  make(&sample, blob, 201, 66);
  is_number(decode(&sample), CDS_OK, "a report of the schema decodes");
  for (size_t i = 1; i < 66; i++) {
    const struct cds_field *field = &cds_schema_find(201)->fields[i];
    size_t unused = 32 - field->bits / 8;
    if (unused == 0) continue;
    sample.bytes[start + 32 * i + unused - 1] = 1; /* just beyond the width */
    wrong += decode(&sample) != CDS_E_DECODE || !strstr(err.message, field->name);
    sample.bytes[start + 32 * i + unused - 1] = 0;
  }
  ok(wrong == 0, "a word beyond its width is refused, for every width");
  sample.bytes[start + 63] = 1;
  is_number(decode(&sample), CDS_OK, "a bool of 1");
  sample.bytes[start + 63] = 2;
  is_number(decode(&sample), CDS_E_DECODE, "not of 2");
  make(&sample, blob, 201, 65);
  is_number(decode(&sample), CDS_E_DECODE, "nor a blob of a word less");
}

static void test_names(void) {
  ok(ADD(202, "bid_volume2", FEED_ID, {.name = "observations_timestamp", .type = "uint32", .unit = "seconds"},
         {.name = "bid_volume2", .type = "int24", .decimals = 2, .meaning = "a volume"},
         {.name = "a__b_", .type = "uint8"}, {.name = "x", .type = "uint8", .abi_name = "Other_Name"}) == CDS_OK,
     "a schema with names of all kinds");
  const struct cds_schema *schema = cds_schema_find(202);
  is_string(schema->fields[1].abi_name, "observationsTimestamp", "the ABI name is made from the name");
  is_string(schema->fields[2].abi_name, "bidVolume2", "with its digits");
  is_string(schema->fields[3].abi_name, "a_B_", "whatever its underscores");
  is_string(schema->fields[4].abi_name, "Other_Name", "or given");
  is_string(schema->fields[2].meaning, "a volume", "the meaning");
  ok(schema->fields[2].decimals == 2 && schema->fields[1].unit == CDS_UNIT_SECONDS, "decimals and unit");
  ok(schema->price == 2 && schema->observations_timestamp == 1 && schema->valid_from_timestamp == -1 &&
       schema->expires_at == -1 && schema->market_status == -1,
     "the roles go by name");
}

/* A role whose type is another one is a field like any other. */
static void test_no_role(void) {
  ok(ADD(204, NULL, FEED_ID, {.name = "expires_at", .type = "int192"}) == CDS_OK, "expires_at may be of any type");
  is_number(cds_schema_find(204)->expires_at, -1, "but only a uint32 is that time");
}

static bool stop; /* atomic */

static void *decode_on(void *unused) {
  static struct sample sample;
  static uint8_t blob[SAMPLE_MAX];
  struct cds_report *report;
  size_t wrong = 0;
  (void)unused;
  make(&sample, blob, 300, 3);
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    if (cds_report_from_bytes(&report, sample.bytes, sample.length, NULL) != CDS_OK) wrong++;
    else if (report->schema) wrong += strcmp(report->schema->fields[2].name, "b") != 0;
    cds_report_unref(report);
  }
  return wrong ? &stop : NULL;
}

static void test_threads(void) {
  pthread_t thread;
  void *wrong = NULL;
  if (pthread_create(&thread, NULL, decode_on, NULL) != 0) abort();
  unsigned count = 0;
  for (; count < 100; count++)
    if (ADD((uint16_t)(300 + count), NULL, FEED_ID, {.name = "a", .type = "bool"}, {.name = "b", .type = "int96"}))
      break;
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  pthread_join(thread, &wrong);
  ok(!wrong, "a thread that decodes sees a schema whole or not at all");
  tap_kept_blocks = 64;
  ok(count == 61 && strstr(err.message, "at most 64"), "64 schemas can be added");
  ok(cds_schema_find(300) && cds_schema_find(201) && !cds_schema_find(361), "all of them are found");
}

static void test_memory(void) {
  cds_alloc_fail_after(0);
  enum cds_status status = ADD(203, NULL, FEED_ID);
  cds_alloc_fail_after(-1);
  ok(status == CDS_E_MEMORY && !cds_schema_find(203), "no memory, no schema");
}

int main(void) {
  test_refusals();
  test_types();
  test_decoding();
  test_names();
  test_no_role();
  test_memory();
  test_threads();
  return done();
}
