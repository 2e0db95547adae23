/* SPDX-License-Identifier: MIT
 * An answer's headers and what is made of them: Date, Retry-After, the list of origins, the error of a status, the
 * judgement of a body.
 * Input: two bytes of HTTP status, one of operation, then header lines, an empty line and the body. */
#define _GNU_SOURCE /* memmem */
#include <ctype.h>
#include <math.h>

#include "fuzz.h"
#include "net/origins.h"
#include "rest/api.h"

#define NOW_MS INT64_C(1700000000000)
#define FARTHEST 253402300799.0 /* seconds: the end of the year 9999 */

/* A second, plain reading: the value of the first line of that name. */
static bool naive_header(const char **value, size_t *length, const char *headers, const char *name) {
  for (const char *at = headers; *at != 0; at++) {
    size_t i = 0;
    if (at != headers && at[-1] != '\n') continue;
    while (name[i] != 0 && tolower((unsigned char)at[i]) == tolower((unsigned char)name[i])) i++;
    if (name[i] != 0 || at[i] != ':') continue;
    *value = at + i + 1;
    *length = strcspn(*value, "\n");
    while (*length > 0 && strchr(" \t\r", **value) != NULL) (*value)++, (*length)--;
    while (*length > 0 && strchr(" \t\r", (*value)[*length - 1]) != NULL) (*length)--;
    return true;
  }
  return false;
}

static void check_lookup(const char *headers, const char *name) {
  const char *value = NULL, *expected = NULL;
  size_t length = 0, expected_length = 0;
  bool found = cds_http_header(&value, &length, headers, name);
  MUST(found == naive_header(&expected, &expected_length, headers, name));
  MUST(length == expected_length && (length == 0 || value == expected));
}

static void check_times(const char *headers) {
  double seconds = 0;
  if (cds_http_date(&seconds, headers)) MUST(seconds >= 0 && seconds <= FARTHEST);
  if (cds_http_retry_after(&seconds, headers, NOW_MS)) MUST(seconds >= 0 && seconds <= CDS_MAX_RETRY_AFTER);
  MUST(!cds_http_date(&seconds, NULL) && !cds_http_retry_after(&seconds, NULL, NOW_MS));
}

/* Each name can be sent back in a header; what was left out was said to be. */
static void check_origins(const char *headers) {
  const char *text = "";
  size_t length = 0, names = 1;
  struct cds_origins origins;
  if (!cds_http_header(&text, &length, headers, CDS_HEADER_ORIGINS)) return;
  char *value = fuzz_copy(text, length);
  bool all = cds_origins_parse(&origins, value, length);
  MUST(origins.count <= CDS_MAX_ORIGINS);
  for (size_t i = 0; i < origins.count; i++) {
    size_t used = strnlen(origins.names[i], CDS_MAX_ORIGIN_TEXT);
    MUST(used > 0 && used < CDS_MAX_ORIGIN_TEXT && memmem(value, length, origins.names[i], used) != NULL);
    for (size_t k = 0; k < used; k++) MUST(origins.names[i][k] > ' ' && origins.names[i][k] <= '~');
    MUST(strpbrk(origins.names[i], ",{}\"\\;") == NULL && cds_origins_has(&origins, origins.names[i]));
    for (size_t k = 0; k < i; k++) MUST(strcmp(origins.names[i], origins.names[k]) != 0);
  }
  for (size_t i = 0; i < length; i++) names += value[i] == ',';
  if (!all) MUST(names > origins.count);
  free(value);
}

/* What was asked for: the feed of the corpus' first report among others. */
static struct cds_question ask(enum cds_operation operation, struct cds_feed_id feeds[2]) {
  feeds[0] = (struct cds_feed_id){{0, 3}};
  feeds[1] = (struct cds_feed_id){{0, 3, 1}};
  return (struct cds_question){operation, feeds, 2};
}

static void check_answer(const char *headers, const char *body, size_t body_length, int status, unsigned operation) {
  struct cds_feed_id feeds[2];
  struct cds_question question = ask((enum cds_operation)(operation % CDS_OPERATION_COUNT), feeds);
  struct cds_exchange exchange = {.http_status = status, .received_at_ms = NOW_MS};
  struct cds_answer answer;
  struct cds_error err = {0};
  cds_buf_init(&exchange.headers, CDS_MAX_HEADER_BYTES);
  cds_buf_init(&exchange.body, CDS_MAX_ANSWER_BYTES);
  MUST(cds_buf_append(&exchange.headers, headers, strlen(headers)) == CDS_OK);
  MUST(body_length == 0 || cds_buf_append(&exchange.body, body, body_length) == CDS_OK);
  enum cds_status result = cds_api_answer(&answer, &question, &exchange, &err);
  if (result == CDS_OK) {
    MUST(status / 100 == 2);
    for (size_t i = 0; i < answer.count; i++) MUST(answer.reports[i]->received_at_ms == NOW_MS);
  } else {
    fuzz_check_error(&err, result);
    MUST(err.http_status == status && answer.count == 0 && (!err.has_clock_skew || isfinite(err.clock_skew)));
    MUST(!err.has_retry_after || err.retry_after >= 0);
  }
  cds_answer_clear(&answer);
  cds_buf_clear(&exchange.headers);
  cds_buf_clear(&exchange.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3) return 0;
  int status = 100 + (data[0] << 8 | data[1]) % 500;
  const uint8_t *rest = data + 3, *blank = memmem(rest, size - 3, "\r\n\r\n", 4);
  size_t length = blank != NULL ? (size_t)(blank - rest) + 2 : size - 3;
  size_t body_at = blank != NULL ? length + 2 : length;
  char *headers = fuzz_text(rest, length), *body = fuzz_copy(rest + body_at, size - 3 - body_at);
  check_lookup(headers, "Date");
  check_lookup(headers, "Retry-After");
  check_lookup(headers, "X-Cll-Origin");
  check_times(headers);
  check_origins(headers);
  check_answer(headers, body, size - 3 - body_at, status, data[2]);
  free(headers);
  free(body);
  return 0;
}
