/* SPDX-License-Identifier: MIT
 * Header lines, Date and Retry-After. */
#include "tap.h"

#include "net/http_header.h"

static void header_is(const char *headers, const char *name, const char *expected) {
  const char *value;
  size_t length;
  char text[128] = "(none)";
  if (cds_http_header(&value, &length, headers, name)) snprintf(text, sizeof text, "%.*s", (int)length, value);
  is_string(text, expected, name);
}

/* expected < 0: unreadable */
static void retry_after_is(const char *headers, double expected) {
  double seconds = -1;
  bool found = cds_http_retry_after(&seconds, headers, 1700000000000);
  ok(found == (expected >= 0) && seconds == (found ? expected : -1), "%s gives %g",
     headers == NULL ? "nothing" : headers, expected);
}

static void keep_is(const char *headers, double expected) {
  double seconds = cds_http_keep_seconds(headers);
  ok(seconds == expected, "%s may be kept for %g s: %g", headers == NULL ? "nothing" : headers, expected, seconds);
}

/* A date is read from 63 characters at most, blanks within it included. */
static void test_long_date(void) {
  static const char start[] = "Date: Sun, 06 Nov 1994", end[] = "08:49:37 GMT";
  char headers[128];
  double seconds;
  for (int length = 63; length <= 64; length++) {
    int blanks = length - (int)(sizeof start - 1 - 6) - (int)(sizeof end - 1);
    snprintf(headers, sizeof headers, "%s%*s%s\r\n", start, blanks, "", end);
    ok(cds_http_date(&seconds, headers) == (length == 63), "a date of %d characters", length);
  }
  ok(cds_http_date(&seconds, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n") && seconds == 784111777, "which it tells");
}

static void test_keep(void) {
  keep_is(NULL, 0);
  keep_is("Date: x\r\n", 0);
  keep_is("Cache-Control: public, max-age=300\r\n", 300);
  keep_is("cache-control: MAX-AGE=300\r\n", 300);
  keep_is("Cache-Control:max-age=7 , private\r\nAge: 3\r\n", 4);
  keep_is("Cache-Control: max-age=7\r\nAge: 8\r\n", 0);
  keep_is("Cache-Control: max-age=7\r\nAge: old\r\n", 0);
  keep_is("Cache-Control: max-age=300, no-store\r\n", 0);
  keep_is("Cache-Control: No-Cache, max-age=300\r\n", 0);
  keep_is("Cache-Control: max-age=\r\n", 0);
  keep_is("Cache-Control: max-age=-1\r\n", 0);
  keep_is("Cache-Control: max-age=1e9\r\n", 0);
  keep_is("Cache-Control: s-maxage=300\r\n", 0);
  keep_is("Cache-Control: max-age=99999999999999999999999\r\n", 3600);
  keep_is("Cache-Control: ,,max-age=5,,\r\n", 5);
  keep_is("Cache-Control:\r\n", 0);
  keep_is("Cache-Control: max-age=5, abcdefgh\r\n", 5); /* as long as those that are looked for */
  keep_is("Cache-Control: max-age=5, no-store2\r\n", 5);
  keep_is("Cache-Control: max-age=5, max-age=\r\n", 0);
  keep_is("Cache-Control: max-age=5, s-maxage=300\r\n", 5);
  keep_is("Cache-Control: public,max-age=300\r\n", 300);
  keep_is("Cache-Control:, ,max-age=6, \r\n", 6);
}

/* The first and the last time that a date may tell; what one has left out another has not left behind. */
static void test_dates(void) {
  double seconds = -1;
  ok(cds_http_date(&seconds, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n") && seconds == 0, "the first second");
  ok(cds_http_date(&seconds, "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n") && seconds == 253402300799, "the last one");
  ok(!cds_http_date(&seconds, "Date: Sat, 01 Jan 10000 00:00:00 GMT\r\n"), "the one after it");
  ok(!cds_http_date(&seconds, "Date:\r\n"), "no date at all");
  ok(cds_http_date(&seconds, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n") && seconds == 784111777, "a date with a time");
  ok(cds_http_date(&seconds, "Date: Sun, 06 Nov 1994\r\n") && seconds == 784080000, "and one without");
}

int main(void) {
  test_keep();
  test_dates();
  test_long_date();
  double seconds;
  header_is("A: 1\r\nB:2\r\n", "a", "1");
  header_is("A: 1\r\nB:2\r\n", "b", "2");
  header_is("AB: 1\r\nB: \t 2 \t\r\n", "B", "2");
  header_is("A: 1\r\na: 2\r\n", "A", "1");
  header_is("A:", "A", "");
  header_is("A: \t \r\n", "A", "");
  header_is("A", "A", "(none)");
  header_is("X: A: 1\r\n", "A", "(none)");
  header_is("", "A", "(none)");
  header_is(NULL, "A", "(none)");
  ok(cds_http_date(&seconds, "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n") && seconds == 1700000000, "a date");
  ok(!cds_http_date(&seconds, "Date: yesterday\r\n"), "no date");
  ok(!cds_http_date(&seconds, "Date: Tue, 14 Nov 202233 22:13:20 GMT\r\n"), "a year of six digits is no date");
  ok(!cds_http_date(&seconds, "Date: Sun, 14 Nov 1869 22:13:20 GMT\r\n"), "a time before all clocks neither");
  ok(!cds_http_date(&seconds, "X: y\r\n"), "no header");
  retry_after_is("Retry-After: 0\r\n", 0);
  retry_after_is("retry-after: 120\r\n", 120);
  retry_after_is("Retry-After: Tue, 14 Nov 2023 22:13:50 GMT\r\n", 30);
  retry_after_is("Retry-After: Tue, 14 Nov 2023 22:13:50 GMT\r\nDate: Tue, 14 Nov 2023 22:13:49 GMT\r\n", 1);
  retry_after_is("Retry-After: Tue, 14 Nov 2000 22:13:50 GMT\r\n", 0);
  retry_after_is("Retry-After: -1\r\n", -1);
  retry_after_is("Retry-After: 1.5\r\n", -1);
  retry_after_is("Retry-After: 3600\r\n", 3600);
  retry_after_is("Retry-After: 3601\r\n", 3600);
  retry_after_is("Retry-After: 978307200\r\n", 3600); /* 31 years */
  retry_after_is("Retry-After: 99999999999999999999\r\n", 3600);
  retry_after_is("Retry-After: Tue, 14 Nov 2023 23:13:20 GMT\r\n", 3600);
  retry_after_is("Retry-After: Tue, 14 Nov 2023 23:13:21 GMT\r\n", 3600);
  retry_after_is("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", 3600);
  retry_after_is("Retry-After: 1x\r\n", -1);
  retry_after_is("Retry-After: soon\r\n", -1);
  retry_after_is("Retry-After:\r\n", -1);
  retry_after_is(NULL, -1);
  return done();
}
