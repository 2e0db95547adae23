/* SPDX-License-Identifier: MIT
 * Lines of a recording, read: each member, what may not be one, where that is told, and the texts of escapes. */
#include "record/parse.h"

#include <stdlib.h>

#include "record/line.h"
#include "sample.h"
#include "tap.h"

#define DIGITS "0003010000000000000000000000000000000000000000000000000000000000"
#define FEED "\"0x" DIGITS "\""
#define REPORT "{\"feedID\":" FEED ",\"fullReport\":\"0x00\""
#define EVENT "{\"event\":\"lost\""
#define HEAD CDS_RECORDING_START ",\"version\":1"
#define MOST "2305843009213693951" /* INT64_MAX / 4 */

static struct cds_error err;
static struct cds_record_line line;

static bool parse(const char *text) {
  size_t length = strlen(text);
  static char *exact; /* the slices point into it */
  free(exact);
  exact = sample_exact(text, length);
  memset(&line, 0x55, sizeof line);
  cds_error_clear(&err);
  enum cds_status status = cds_record_parse(&line, exact, length, &err);
  if (status != err.status) abort();
  return status == CDS_OK;
}

/* expected: what is told to be at `offset`. */
static void is_refused(const char *text, const char *expected, size_t offset) {
  ok(!parse(text) && err.status == CDS_E_DECODE && strcmp(err.expected, expected) == 0 && err.has_offset &&
       err.offset == offset,
     "refused at %zu, \"%s\" is expected: %s", err.offset, err.expected, text);
}

static bool is(const struct cds_slice *slice, const char *text) {
  return cds_slice_is(slice, text, strlen(text));
}

static void test_reports(void) {
  ok(parse(REPORT "}") && line.kind == CDS_RECORD_REPORT && line.received_at_ms == 0 && line.origin.length == 0 &&
       !line.backfilled,
     "a report of which nothing else is known");
  ok(parse(REPORT ",\"received_at\":1,\"origin\":\"a\\\"b\",\"backfilled\":true}") && line.received_at_ms == 1 &&
       is(&line.origin, "a\\\"b") && line.backfilled,
     "one with what is known of it");
  ok(parse(REPORT ", \"received_at\" : null , \"origin\" : \"\" , \"backfilled\" : false }") &&
       line.received_at_ms == 0 && line.origin.length == 0 && line.origin.text && !line.backfilled,
     "or of which it is said that it is not");
  ok(parse(REPORT ",\"received_at\":" MOST "}") && line.received_at_ms == INT64_MAX / 4, "a time may be far away");
  ok(parse(REPORT ",\"x\":{\"a\":[1,\"2\"]},\"backfilled\":true}") && line.backfilled, "other members are passed over");
  const size_t at = sizeof REPORT - 1;
  is_refused(REPORT ",\"received_at\":2305843009213693952}", "a time in milliseconds", at + 15);
  is_refused(REPORT ",\"received_at\":18446744073709551615}", "a time in milliseconds", at + 15);
  is_refused(REPORT ",\"backfilled\":1}", "true or false", at + 14);
  is_refused(REPORT ",\"backfilled\":null}", "true or false", at + 14);
  is_refused(REPORT ",\"backfilled\":\"true\"}", "true or false", at + 14);
  is_refused(REPORT ",\"origin\": 1}", "a string", at + 11);
  ok(!parse(REPORT ",\"received_at\":\"1\"}") && !parse(REPORT ",\"backfilled\":tru}") &&
       !parse(REPORT ",\"origin\":\"}"),
     "nor what is no value");
  ok(!parse(REPORT ",\"x\":[}") && !parse(REPORT "} x") && !parse(REPORT), "nor what is no object");
}

static void test_heads(void) {
  ok(parse(HEAD "}") && line.kind == CDS_RECORD_HEAD && !line.continues && line.feeds.length == 0, "a head");
  ok(parse(HEAD ",\"client\":\"1\",\"continues\":true,\"begun\":5,\"feeds\": [ " FEED " ] }") && line.continues &&
       is(&line.feeds, "[ " FEED " ]"),
     "one that goes on, of feeds");
  ok(parse(HEAD ",\"continues\":false}") && !line.continues, "one that does not");
  is_refused(CDS_RECORDING_START ",\"version\":2}", "version 1 of the format, the only one known here",
             sizeof CDS_RECORDING_START + 11);
  ok(!parse(CDS_RECORDING_START ",\"version\":null}") && !parse(CDS_RECORDING_START ",\"version\":0}"),
     "of no version");
  ok(!parse(CDS_RECORDING_START ",\"version\":\"1\"}") && !parse(CDS_RECORDING_START), "or of no number");
  is_refused(HEAD ",\"continues\":0}", "true or false", sizeof HEAD + 12);
  ok(!parse(HEAD ",\"feeds\":[}") && !parse(HEAD ",\"other\":[}") && !parse(HEAD "}x"), "or cut");
  ok(!parse("{\"format\":\"chainlink-streams-recordinG\",\"version\":1}") || line.kind != CDS_RECORD_HEAD,
     "another format is none");
}

static void test_events(void) {
  static const char *const names[] = {"gap", "backfilled", "lost", "unverified"};
  static const enum cds_event_kind kinds[] = {CDS_EVENT_GAP, CDS_EVENT_BACKFILLED, CDS_EVENT_LOST,
                                              CDS_EVENT_UNVERIFIED};
  char text[256];
  for (size_t i = 0; i < 4; i++) {
    snprintf(text, sizeof text, "{\"event\":\"%s\"}", names[i]);
    ok(parse(text) && line.kind == CDS_RECORD_EVENT && line.event == kinds[i] && !line.has_end && line.from_ms == 0 &&
         line.to_ms == 0 && line.time_ms == 0 && line.reason.length == 0,
       "an event: %s", names[i]);
  }
  ok(parse("{\"event\":\"gaps\"}") && line.kind == CDS_RECORD_OTHER, "another one");
  ok(parse("{\"event\":\"\",\"feed\":" FEED "}") && line.kind == CDS_RECORD_OTHER && line.feed.bytes[2] == 1,
     "or none");
  ok(parse(EVENT ",\"feed\":" FEED ",\"from_ms\":1,\"to_ms\":2,\"time\":3,\"reason\":\"why\",\"x\":0}") &&
       line.feed.bytes[1] == 3 && line.from_ms == 1 && line.has_end && line.to_ms == 2 && line.time_ms == 3 &&
       is(&line.reason, "why"),
     "with all that is known of it");
  const size_t at = sizeof EVENT - 1;
  is_refused("{\"event\":1}", "a string", 9);
  is_refused(EVENT ",\"feed\":\"0x12\"}", "a feed id of 0x and 64 hex digits", at + 9);
  is_refused(EVENT ",\"feed\":5}", "a string", at + 8);
  is_refused(EVENT ",\"from_ms\":2305843009213693952}", "a time in milliseconds", at + 11);
  is_refused(EVENT ",\"to_ms\":2305843009213693952}", "a time in milliseconds", at + 9);
  is_refused(EVENT ",\"time\":2305843009213693952}", "a time in milliseconds", at + 8);
  is_refused(EVENT ",\"reason\":[]}", "a string", at + 10);
  ok(parse(EVENT ",\"from_ms\":" MOST ",\"to_ms\":null,\"time\":0}") && line.from_ms == INT64_MAX / 4 && line.has_end &&
       line.to_ms == 0,
     "times at their ends");
  ok(!parse(EVENT ",\"from_ms\":-1}") && !parse(EVENT ",\"x\":}") && !parse(EVENT) && !parse(EVENT "}}"),
     "nothing else");
  ok(!parse("{\"event\":}") && !parse("{\"event\":\"lost}"), "is one");
}

/* What a line is shows by its first bytes, all of them. */
static void test_kinds(void) {
  ok(!parse("{\"event\":") && line.kind != CDS_RECORD_REPORT, "an event, though nothing follows");
  ok(!parse("{\"event\"") && line.kind == CDS_RECORD_REPORT, "no event yet");
  ok(!parse(CDS_RECORDING_START) && line.kind == CDS_RECORD_HEAD, "a head, though nothing follows");
  ok(!parse("{\"format\":\"chainlink-streams-recording") && line.kind == CDS_RECORD_REPORT, "no head yet");
  ok(!parse(" {\"event\":\"lost\"}") && line.kind == CDS_RECORD_REPORT, "and nothing comes before them");
}

static size_t feeds_of(const char *text, struct cds_feed_id *last) {
  const struct cds_slice feeds = {text, strlen(text)};
  size_t count = 0;
  while (cds_record_feed(last, &feeds, count)) count++;
  return count;
}

static void test_feeds(void) {
  struct cds_feed_id id = {{0}};
  is_number(feeds_of("[]", &id), 0, "no feeds");
  is_number(feeds_of("", &id), 0, "none at all");
  is_number(feeds_of("[" FEED "]", &id), 1, "one feed");
  ok(id.bytes[1] == 3 && id.bytes[2] == 1, "as it stands");
  is_number(feeds_of("[" FEED " , \"0x" DIGITS "\"," FEED "]", &id), 3, "three");
  is_number(feeds_of("[" FEED ",\"0x12\"," FEED "]", &id), 1, "up to what is none");
  is_number(feeds_of("[" FEED ",5," FEED "]", &id), 1, "or no text");
  is_number(feeds_of("[" FEED, &id), 1, "or cut");
  is_number(feeds_of("{" FEED "}", &id), 0, "of no array");
  const struct cds_slice others = {"[1,2," FEED "]", sizeof "[1,2," FEED "]" - 1}, cut = {"[[,", 3};
  ok(!cds_record_feed(&id, &others, 0) && cds_record_feed(&id, &others, 2), "by its number, whatever is before it");
  ok(!cds_record_feed(&id, &others, 3) && !cds_record_feed(&id, &cut, 1), "and none behind the last");
}

static void is_text(const char *escaped, size_t size, const char *expected) {
  char out[32];
  const struct cds_slice slice = {escaped, strlen(escaped)};
  memset(out, '#', sizeof out);
  cds_record_text(out, size, &slice);
  ok(strcmp(out, expected) == 0 && out[size] == '#', "%s with room for %zu", escaped, size);
}

static void test_texts(void) {
  is_text("", 1, "");
  is_text("abc", 1, "");
  is_text("abc", 3, "ab");
  is_text("abc", 4, "abc");
  is_text("\\b\\f\\n\\r\\t", 16, "\b\f\n\r\t");
  is_text("\\\"\\\\\\/", 16, "\"\\/");
  is_text("a\\u0041z", 16, "aAz");
  is_text("\\u00e9\\u00E9\\u20aC\\uFFFD", 16, "\xc3\xa9\xc3\xa9\xe2\x82\xac\xef\xbf\xbd");
  is_text("\\u0009\\u000a\\u001f\\u0020", 16, "\t\n\x1f ");
  is_text("\\u007f\\u0080\\u07ff\\u0800", 16, "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80");
  is_text("\\uabcd\\uef01", 16, "\xea\xaf\x8d\xee\xbc\x81");
  is_text("\\ud7ff\\ud800\\udbff\\udfff\\ue000", 24, "\xed\x9f\xbf\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xee\x80\x80");
  is_text("a\\u20ac", 4, "a");
  is_text("a\\u20ac", 5, "a\xe2\x82\xac");
  is_text("\\u00e9x", 2, "");
  is_text("\\u00e9x", 3, "\xc3\xa9");
}

int main(void) {
  test_reports();
  test_heads();
  test_events();
  test_kinds();
  test_feeds();
  test_texts();
  return done();
}
