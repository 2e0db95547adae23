/* SPDX-License-Identifier: MIT
 * The envelope scanner: what it accepts, and where and why it refuses the rest. */
#include "codec/json.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "sample.h"
#include "tap.h"

#define ID "0x000359843a543ee2fe414dc14c7e7920ef10f4372990b79d6361cdc0dd1ba782"
#define FEED "\"feedID\":\"" ID "\""
#define FULL "\"fullReport\":\"0x00ab\""
#define BOTH FEED "," FULL
#define ONE "{" BOTH "}"
#define REPORT(members) "{\"report\":{" members "}}"

static enum cds_status parse(struct cds_envelope *out, const char *text, size_t length, struct cds_error *err) {
  char *copy = sample_exact(text, length);
  enum cds_status status = cds_envelope_parse(out, copy, length, err);
  free(copy);
  return status;
}

static enum cds_status parse_list(struct cds_envelope_list *out, const char *text, struct cds_error *err) {
  char *copy = sample_exact(text, strlen(text));
  enum cds_status status = cds_envelope_list_parse(out, copy, strlen(text), err);
  free(copy);
  return status;
}

static void accepted(const char *text, const char *name) {
  struct cds_envelope envelope;
  struct cds_error err = {0};
  bool good = parse(&envelope, text, strlen(text), &err) == CDS_OK;
  ok(good && envelope.full_report_length == 4 && envelope.feed_id.bytes[31] == 0x82, "%s", name);
  if (!good) printf("#   %s\n", err.message);
}

static void refused_of(const char *text, size_t length, size_t offset, const char *expected, const char *name) {
  struct cds_envelope envelope;
  struct cds_error err = {0};
  enum cds_status status = parse(&envelope, text, length, &err);
  bool good =
    ok(status == CDS_E_DECODE && err.status == CDS_E_DECODE && err.has_offset && err.offset == offset, "%s", name);
  if (!good) printf("#   offset %zu: %s\n", err.offset, err.message);
  is_string(err.expected, expected, "what was expected");
}

static void refused(const char *text, size_t offset, const char *expected, const char *name) {
  refused_of(text, strlen(text), offset, expected, name);
}

static void test_accepted(void) {
  accepted(REPORT(BOTH), "without timestamps");
  accepted(REPORT(FULL "," FEED), "in another order");
  accepted(" \t\r\n{ \"report\" : { " FEED " , \"fullReport\" : \"0x00ab\" } } \n", "with whitespace");
  accepted("{\"a\":1,\"report\":" ONE ",\"b\":[{},[],{\"c\":[true,false,null]}]}", "with unknown members");
  accepted(REPORT(BOTH ",\"x\":{\"feedID\":1,\"feedID\":2}"), "with known names deeper down");
  accepted(REPORT(BOTH ",\"report\":1,\"reports\":2,\"reports\":3"), "with names that are known elsewhere");
  accepted(REPORT(BOTH ",\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\""), "with every escape");
  accepted(REPORT(BOTH ",\"n\":[0,-0,1,-12,0.5,1.25e10,1E+2,1e-7,123456789012345678901234567890]"),
           "with every kind of number");
  accepted(REPORT(BOTH ",\"validFromTimestamp\":null,\"observationsTimestamp\":null"), "with null timestamps");
  accepted(REPORT(BOTH ",\"\":\"\",\"\":\"\""), "with empty unknown names");
  accepted(REPORT("\"feedID\":\"" ID "\",\"fullReport\":\"0xAbCd\""), "in capitals");
}

static void test_values(void) {
  struct cds_envelope envelope;
  struct cds_error err;
  static const char text[] = REPORT(BOTH ",\"validFromTimestamp\":0,\"observationsTimestamp\":4294967295");
  is_number(cds_envelope_parse(&envelope, text, strlen(text), &err), CDS_OK, "the largest and smallest timestamp");
  ok(envelope.has_valid_from_timestamp && envelope.valid_from_timestamp == 0, "0");
  ok(envelope.has_observations_timestamp && envelope.observations_timestamp == 4294967295, "4294967295");
  ok(envelope.full_report == strstr(text, "00ab") && envelope.full_report_length == 4,
     "the full report is a slice of the text");
  char id[CDS_FEED_ID_TEXT + 1];
  cds_feed_id_format(id, &envelope.feed_id);
  is_string(id, ID, "the feed id");
  static const char ms[] = REPORT(BOTH ",\"validFromTimestampMs\":1700000000123,"
                                       "\"observationsTimestampMs\":18446744073709551615");
  is_number(cds_envelope_parse(&envelope, ms, strlen(ms), &err), CDS_OK, "times in milliseconds");
  ok(envelope.has_valid_from_ms && envelope.valid_from_ms == 1700000000123u, "1700000000123");
  ok(envelope.has_observations_ms && envelope.observations_ms == UINT64_MAX, "18446744073709551615");
  ok(!envelope.has_valid_from_timestamp && !envelope.has_observations_timestamp, "and none in seconds");
  static const char bare[] = REPORT(BOTH);
  is_number(cds_envelope_parse(&envelope, bare, strlen(bare), NULL), CDS_OK, "err may be NULL");
  ok(!envelope.has_valid_from_timestamp && !envelope.has_observations_timestamp, "absent timestamps are told");
  ok(cds_envelope_parse(&envelope, "{", 1, NULL) == CDS_E_DECODE, "err may be NULL in a failure");
}

static void test_structure(void) {
  refused("", 0, "an object", "nothing");
  refused("  ", 2, "an object", "whitespace alone");
  refused("[]", 0, "an object", "an array");
  refused("<html>", 0, "an object", "HTML");
  refused("\xef\xbb\xbf{}", 0, "an object", "a byte order mark");
  refused("{}", 1, "report", "an empty object");
  refused("{\"report\":null}", 10, "a report object", "a null report");
  refused("{\"report\":[]}", 10, "a report object", "an array as report");
  refused("{\"report\":{}}", 11, "feedID", "no feed id");
  refused(REPORT(FEED), 88, "fullReport", "no full report");
  refused("{\"report\":" ONE ",\"report\":" ONE "}", 113, "no member twice", "two reports");
  refused(REPORT(BOTH "," FEED), 112, "no member twice", "two feed ids");
  refused(REPORT(BOTH "," FULL), 112, "no member twice", "two full reports");
  refused(REPORT(BOTH ",\"validFromTimestamp\":null,\"validFromTimestamp\":1"), 138, "no member twice",
          "a null timestamp and another");
  refused(REPORT(BOTH) "x", 112, "nothing after the object", "a character after the end");
  refused(REPORT(BOTH) "{}", 112, "nothing after the object", "a second object");
  refused("{\"a\":1,}", 7, "a member's name", "a comma before the end");
  refused("{,\"a\":1}", 1, "a member's name", "a comma at the start");
  refused("{\"a\" 1}", 5, "':'", "no colon");
  refused("{\"a\":1 \"b\":2}", 7, "',' or '}'", "no comma");
  refused("{a:1}", 1, "a member's name", "a name without quotes");
  refused("{\"a\":[1 2]}", 8, "',' or ']'", "no comma in an array");
  refused("{\"a\":[1,]}", 8, "a value", "a comma before the end of an array");
  refused("{\"a\":}", 5, "a value", "no value");
  refused_of(REPORT(BOTH) "\0", 113, 112, "nothing after the object", "a 0 byte after the end");
  refused_of("{\0}", 3, 1, "a member's name", "a 0 byte inside");
  refused_of("{\"a\":\0}", 7, 5, "a value", "a 0 byte as value");
  refused_of("{\"a\":\"\\\0\"}", 10, 7, "an escape sequence", "a 0 byte as escape");
}

static void test_tokens(void) {
  refused("{\"a\":tru}", 5, "a value", "half a word");
  refused("{\"a\":nullx}", 9, "',' or '}'", "a word and more");
  refused("{\"a\":01}", 6, "',' or '}'", "a leading zero");
  refused("{\"a\":-}", 6, "a digit", "a minus alone");
  refused("{\"a\":+1}", 5, "a value", "a plus");
  refused("{\"a\":.5}", 5, "a value", "a point at the start");
  refused("{\"a\":1.}", 7, "a digit", "a point at the end");
  refused("{\"a\":1e}", 7, "a digit", "an exponent without digits");
  refused("{\"a\":1e+}", 8, "a digit", "an exponent with a sign alone");
  refused("{\"a\":0x10}", 6, "',' or '}'", "a hex number");
  refused("{\"a\":NaN}", 5, "a value", "NaN");
  refused("{\"a\":'b'}", 5, "a value", "single quotes");
  refused("{\"a\":\"b\n\"}", 7, "no control character in a string", "a newline in a string");
  refused("{\"a\":\"\\x41\"}", 7, "an escape sequence", "an unknown escape");
  refused("{\"a\":\"\\u12g4\"}", 10, "four hex digits after \\u", "a bad \\u");
  refused("{\"a\":\"b}", 8, "the end of a string", "a string without end");
}

static void test_hex(void) {
  static const char id[] = "a feed id of 0x and 64 hex digits", full[] = "0x and an even number of hex digits";
  refused(REPORT("\"feedID\":1"), 20, id, "a number as feed id");
  refused(REPORT("\"feedID\":null"), 20, id, "a null feed id");
  refused(REPORT("\"feedID\":\"0X0003\""), 20, id, "a capital X");
  refused(REPORT("\"feedID\":\"0x0003\""), 23, id, "a short feed id");
  refused(REPORT("\"feedID\":\"" ID "0\""), 23, id, "a long feed id");
  refused(REPORT("\"feedID\":\"0x000359843a543ee2fe414dc14c7e7920ef10f4372990b79d6361cdc0dd1ba78g\""), 86, id,
          "a bad digit in a feed id");
  refused(REPORT("\"feedID\":\"0x\\u0030"
                 "0359843a543ee2fe414dc14c7e7920ef10f4372990b79d6361cdc0dd1b\""),
          23, id, "an escape in a feed id");
  refused(REPORT("\"fullReport\":\"\""), 24, full, "an empty full report");
  refused(REPORT("\"fullReport\":\"0x\""), 27, full, "one without digits");
  refused(REPORT("\"fullReport\":\"0xabc\""), 30, full, "one of an odd length");
  refused(REPORT("\"fullReport\":\"abcd\""), 24, full, "one without 0x");
  refused(REPORT("\"fullReport\":[]"), 24, full, "an array as full report");
  refused(REPORT("\"fullReport\":\"0xabc\\\"}}"), 30, "a hex digit", "an escaped quote in it");
  refused("{\"report\":{\"fullReport\":\"0xab", 29, "the end of a string", "a full report without end");
}

static void test_timestamps(void) {
  static const char *const bad[] = {"-1",  "-0",    "1.0",  "1.", "1e3", "1E3",        "01",
                                    "00",  "\"1\"", "true", "[]", "{}",  "4294967296", "99999999999999999999999999",
                                    "nul", ""};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char text[300], name[60];
    snprintf(text, sizeof text, "{\"report\":{\"validFromTimestamp\":%s}}", bad[i]);
    snprintf(name, sizeof name, "the timestamp '%s'", bad[i]);
    refused(text, 32, "an integer from 0 to 4294967295", name);
    if (i == 12) continue;
    snprintf(text, sizeof text, "{\"report\":{\"validFromTimestampMs\":%s}}", bad[i]);
    refused(text, 34, "an integer from 0 to 18446744073709551615", name);
  }
  refused("{\"report\":{\"validFromTimestampMs\":18446744073709551616}}", 34,
          "an integer from 0 to 18446744073709551615", "2^64 milliseconds");
}

/* Where an unknown member may stand, what is written around it, and how deep it stands there. */
static const struct {
  const char *before, *after;
  unsigned depth;
  bool list;
} places[] = {
  {"{\"report\":" ONE ",\"x\":", "}", 1, false},
  {"{\"report\":{" BOTH ",\"x\":", "}}", 2, false},
  {"{\"reports\":[],\"x\":", "}", 1, true},
  {"{\"reports\":[{" BOTH ",\"x\":", "}]}", 3, true},
};

/* Parses a text with `levels` of arrays or objects at that place. */
static enum cds_status parse_nested(size_t place, bool object, unsigned levels, struct cds_error *err) {
  static char text[1000000];
  char *at = text + sprintf(text, "%s", places[place].before);
  for (unsigned i = 0; i < levels; i++) at += sprintf(at, object ? "{\"y\":" : "[");
  at += sprintf(at, "0");
  for (unsigned i = 0; i < levels; i++) *at++ = object ? '}' : ']';
  sprintf(at, "%s", places[place].after);
  struct cds_envelope envelope;
  if (!places[place].list) return parse(&envelope, text, strlen(text), err);
  struct cds_envelope_list list;
  enum cds_status status = parse_list(&list, text, err);
  cds_envelope_list_clear(&list);
  return status;
}

static bool too_deep(size_t place, bool object, unsigned levels) {
  struct cds_error err = {0};
  return parse_nested(place, object, levels, &err) == CDS_E_DECODE && strcmp(err.expected, "less nesting") == 0;
}

static void test_depth(void) {
  for (size_t place = 0; place < sizeof places / sizeof places[0]; place++) {
    for (int object = 0; object < 2; object++) {
      struct cds_error err;
      unsigned allowed = 16 - places[place].depth;
      ok(parse_nested(place, object, allowed, &err) == CDS_OK, "16 levels of nesting, place %zu", place);
      ok(too_deep(place, object, allowed + 1), "17 are refused");
      ok(too_deep(place, object, 100000), "so are 100,000");
    }
  }
}

/* No beginning of a message is a message. */
static void test_truncation(const char *text, bool list) {
  bool good = true;
  for (size_t length = 0; length < strlen(text); length++) {
    struct cds_envelope envelope;
    struct cds_envelope_list several;
    struct cds_error err = {0};
    char *copy = sample_exact(text, length);
    enum cds_status status =
      list ? cds_envelope_list_parse(&several, copy, length, &err) : cds_envelope_parse(&envelope, copy, length, &err);
    good = good && status == CDS_E_DECODE && err.has_offset && err.offset <= length;
    free(copy);
  }
  ok(good, "none of %zu truncations is accepted", strlen(text));
}

static void list_refused(const char *text, size_t offset, const char *expected, const char *name) {
  struct cds_envelope_list list;
  struct cds_error err = {0};
  enum cds_status status = parse_list(&list, text, &err);
  bool good = ok(status == CDS_E_DECODE && err.offset == offset && !list.items && list.count == 0, "list: %s", name);
  if (!good) printf("#   offset %zu: %s\n", err.offset, err.message);
  is_string(err.expected, expected, "what was expected");
}

static void test_list(void) {
  struct cds_envelope_list list;
  struct cds_error err;
  is_number(parse_list(&list, "{\"reports\":[]}", &err), CDS_OK, "an empty list");
  ok(list.count == 0 && !list.has_next_page_timestamp, "has no reports and no next page");
  cds_envelope_list_clear(&list);
  is_number(parse_list(&list, "{\"nextPageTimestamp\":17,\"x\":[1],\"reports\":[" ONE " , " ONE "]}", &err), CDS_OK,
            "two reports and a next page");
  ok(list.count == 2 && list.has_next_page_timestamp && list.next_page_timestamp == 17, "are all read");
  ok(list.items[1].full_report_length == 4 && list.items[1].feed_id.bytes[31] == 0x82, "the last one whole");
  cds_envelope_list_clear(&list);
  cds_envelope_list_clear(&list);
  is_number(parse_list(&list, "{\"reports\":[],\"nextPageTimestamp\":null}", &err), CDS_OK, "a null next page");
  ok(!list.has_next_page_timestamp, "is none");
  list_refused("{\"nextPageTimestamp\":17}", 23, "reports", "no reports");
  list_refused("{\"reports\":{}}", 11, "an array of reports", "an object as reports");
  list_refused("{\"reports\":null}", 11, "an array of reports", "null reports");
  list_refused("{\"reports\":[1]}", 12, "a report object", "a number as report");
  list_refused("{\"reports\":[" ONE ",]}", 114, "a report object", "a comma before the end");
  list_refused("{\"reports\":[" ONE ",{}]}", 115, "feedID", "an empty report behind a good one");
  list_refused("{\"reports\":[],\"reports\":[]}", 15, "no member twice", "two lists");
  list_refused("{\"reports\":[" ONE "]}}", 115, "nothing after the object", "a brace too many");
  list_refused("{\"reports\":[],\"nextPageTimestamp\":-1}", 34, "an integer from 0 to 4294967295",
               "a negative next page");
  list_refused("", 0, "an object", "nothing");
  is_number(cds_envelope_list_parse(&list, NULL, 0, &err), CDS_E_DECODE, "an empty buffer may be NULL");
}

static void test_list_memory(void) {
  static char text[100000];
  char *at = text + sprintf(text, "{\"reports\":[");
  for (int i = 0; i < 500; i++) at += sprintf(at, "%s" ONE, i > 0 ? "," : "");
  sprintf(at, "]}");
  struct cds_envelope_list list;
  struct cds_error err;
  is_number(parse_list(&list, text, &err), CDS_OK, "500 reports");
  is_number(list.count, 500, "are all there");
  cds_envelope_list_clear(&list);
  bool good = true;
  for (long after = 0; after < 7; after++) {
    cds_alloc_fail_after(after);
    enum cds_status status = parse_list(&list, text, &err);
    cds_alloc_fail_after(-1);
    good = good && status == CDS_E_MEMORY && err.status == CDS_E_MEMORY && !list.items && list.count == 0;
  }
  ok(good, "each allocation's failure is told and leaves nothing");
}

int main(void) {
  test_accepted();
  test_values();
  test_structure();
  test_tokens();
  test_hex();
  test_timestamps();
  test_depth();
  test_truncation(REPORT(BOTH ",\"validFromTimestamp\":12,\"x\":[1.5e3,\"\\u1234\",true,{\"y\":null}]"), false);
  test_truncation("{\"reports\":[" ONE "," ONE "],\"nextPageTimestamp\":17}", true);
  test_list();
  test_list_memory();
  return done();
}
