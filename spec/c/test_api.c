/* SPDX-License-Identifier: MIT
 * Request targets, and what answers amount to: without a socket. */
#include "tap.h"

#include "base/alloc.h"
#include "envelope.h"
#include "rest/api.h"

static struct cds_feed_id feed(int number) {
  struct cds_feed_id id = {{0, 3}};
  id.bytes[31] = (uint8_t)number;
  return id;
}

/* ---- arguments ---- */

static void takes(enum cds_operation operation, size_t feeds, uint32_t limit, const char *refusal) {
  static struct cds_feed_id ids[CDS_MAX_FEEDS + 1];
  const struct cds_call_args args = {.operation = operation, .feeds = ids, .feed_count = feeds, .limit = limit};
  struct cds_error err;
  cds_error_clear(&err);
  enum cds_status status = cds_api_check(&args, &err);
  is_number(status, refusal == NULL ? CDS_OK : CDS_E_CONFIG, refusal == NULL ? "taken" : "refused");
  is_string(err.message, refusal == NULL ? "" : refusal, "in words");
}

static void test_arguments(void) {
  takes(CDS_GET_FEEDS, 0, 0, NULL);
  takes(CDS_GET_FEEDS, 1, 0, "/api/v1/feeds takes no feed");
  takes(CDS_GET_DISCOVERY, 0, 0, NULL);
  takes(CDS_GET_DISCOVERY, 1, 0, "/api/v1/discovery takes no feed");
  takes(CDS_HEAD_ORIGINS, 0, 0, NULL);
  takes(CDS_HEAD_ORIGINS, 1, 0, "/ takes no feed");
  takes(CDS_POST_JSON, 1, 0, "/ takes no feed");
  takes(CDS_POST_AUTHORIZE, 1, 0, "/api/v1/authorize takes no feed");
  takes(CDS_GET_CANDLES, 1, 0, "/api/v1/history/rows takes no feed");
  takes(CDS_GET_TRADES, 1, 0, "/api/v1/streaming takes no feed");
  takes(CDS_GET_LATEST_REPORT, 0, 0, "/api/v1/reports/latest takes one feed");
  takes(CDS_GET_LATEST_REPORT, 1, 0, NULL);
  takes(CDS_GET_LATEST_REPORT, 2, 0, "/api/v1/reports/latest takes one feed");
  takes(CDS_GET_REPORT, 1, 0, NULL);
  takes(CDS_GET_REPORT, 2, 0, "/api/v1/reports takes one feed");
  takes(CDS_GET_REPORTS, 0, 0, "/api/v1/reports/bulk takes 1 to 1000 feeds, not 0");
  takes(CDS_GET_REPORTS, 1, 0, NULL);
  takes(CDS_GET_REPORTS, 1000, 0, NULL);
  takes(CDS_GET_REPORTS, 1001, 0, "/api/v1/reports/bulk takes 1 to 1000 feeds, not 1001");
  takes(CDS_GET_REPORT_PAGE, 2, 0, "/api/v1/reports/page takes one feed");
  takes(CDS_GET_REPORT_PAGE, 1, 10000, NULL);
  takes(CDS_GET_REPORT_PAGE, 1, 10001, "limit: expected at most 10000");
}

/* ---- targets ---- */

#define ID(n) "0x000300000000000000000000000000000000000000000000000000000000000" n

static void target_is(const char *base, struct cds_call_args args, const char *expected) {
  const struct cds_feed_id ids[] = {feed(1), feed(2), feed(3)};
  char *target;
  struct cds_error err;
  args.feeds = ids;
  cds_alloc_fail_after(0);
  ok(cds_api_target(&target, base, &args, &err) == CDS_E_MEMORY && target == NULL, "no memory, no target");
  cds_alloc_fail_after(-1);
  ok(cds_api_target(&target, base, &args, &err) == CDS_OK, "a target");
  is_string(target, expected, "as it is sent");
  cds_free(target);
}

static void test_targets(void) {
  const uint32_t last = UINT32_MAX;
  target_is("", (struct cds_call_args){.operation = CDS_GET_FEEDS}, "/api/v1/feeds");
  target_is("/b", (struct cds_call_args){.operation = CDS_GET_DISCOVERY}, "/b/api/v1/discovery");
  target_is("/b", (struct cds_call_args){.operation = CDS_POST_AUTHORIZE}, "/b/api/v1/authorize");
  target_is("", (struct cds_call_args){.operation = CDS_GET_GROUPS}, "/api/v1/groups");
  target_is("", (struct cds_call_args){.operation = CDS_GET_SYMBOLS}, "/api/v1/symbol_info");
  target_is("", (struct cds_call_args){.operation = CDS_GET_CANDLES}, "/api/v1/history/rows");
  target_is("", (struct cds_call_args){.operation = CDS_GET_TRADES}, "/api/v1/streaming");
  target_is("/b", (struct cds_call_args){.operation = CDS_HEAD_ORIGINS}, "/b/");
  target_is("", (struct cds_call_args){.operation = CDS_HEAD_ORIGINS}, "/");
  target_is("/v2/key", (struct cds_call_args){.operation = CDS_POST_JSON}, "/v2/key");
  target_is("", (struct cds_call_args){.operation = CDS_POST_JSON}, "/");
  target_is("", (struct cds_call_args){CDS_GET_LATEST_REPORT, NULL, 1, 5, 0}, "/api/v1/reports/latest?feedID=" ID("1"));
  target_is("", (struct cds_call_args){CDS_GET_REPORT, NULL, 1, last, 0},
            "/api/v1/reports?feedID=" ID("1") "&timestamp=4294967295");
  target_is("/b", (struct cds_call_args){CDS_GET_REPORTS, NULL, 3, 5, 0},
            "/b/api/v1/reports/bulk?feedIDs=" ID("1") "," ID("2") "," ID("3") "&timestamp=5");
  target_is("", (struct cds_call_args){CDS_GET_REPORT_PAGE, NULL, 1, last, last},
            "/api/v1/reports/page?feedID=" ID("1") "&startTimestamp=4294967295&limit=4294967295");
  target_is("", (struct cds_call_args){CDS_GET_REPORT_PAGE, NULL, 1, 5, 0},
            "/api/v1/reports/page?feedID=" ID("1") "&startTimestamp=5");
}

/* ---- answers ---- */

/* Appends a report; version 255 has no schema, and so no time. */
static void add_report(char *out, size_t size, int number, int version, uint32_t time) {
  struct cds_feed_id id = feed(number);
  uint8_t blob[SAMPLE_MAX];
  struct sample sample;
  static char hex[2 * SAMPLE_MAX + 1], name[65];
  size_t length = sample_blob(blob, cds_schema_find(3)), at = strlen(out);
  id.bytes[1] = (uint8_t)version;
  memcpy(blob, id.bytes, 32);
  sample_put(blob + 32, time);
  sample_put(blob + 64, time);
  sample_report(&sample, blob, length, 2);
  envelope_hex(hex, sample.bytes, sample.length);
  envelope_hex(name, id.bytes, 32);
  snprintf(out + at, size - at, "%s{\"feedID\":\"0x%s\",\"fullReport\":\"0x%s\"}", out[at - 1] == '[' ? "" : ",", name,
           hex);
}

static long fails = -1; /* this allocation of an answer */

struct got {
  enum cds_status status;
  struct cds_error err;
  struct cds_answer answer;
};

/* What the answer amounts to; the question is for the feeds 1 and 2 of version 3, and 1 of version 255. */
static struct got judge(enum cds_operation operation, int http_status, const char *headers, const char *body) {
  static struct cds_feed_id ids[3];
  const struct cds_question question = {operation, ids, 3};
  struct cds_exchange exchange = {.http_status = http_status, .received_at_ms = 1234};
  struct got got = {0};
  ids[0] = feed(1);
  ids[1] = feed(2);
  ids[2] = feed(1);
  ids[2].bytes[1] = 255;
  cds_buf_init(&exchange.headers, 100000);
  cds_buf_init(&exchange.body, 100000);
  if (cds_buf_append(&exchange.headers, headers, strlen(headers)) != CDS_OK ||
      (body != NULL && cds_buf_append(&exchange.body, body, strlen(body)) != CDS_OK))
    abort();
  cds_alloc_fail_one(fails);
  got.status = cds_api_answer(&got.answer, &question, &exchange, &got.err);
  cds_alloc_fail_after(-1);
  cds_exchange_clear(&exchange);
  return got;
}

static bool is_empty(const struct cds_answer *answer) {
  return answer->reports == NULL && answer->count == 0 && answer->body.data == NULL && !answer->has_next_page;
}

static void test_statuses(void) {
  static const struct {
    enum cds_operation operation;
    int http_status;
    bool is_good;
  } cases[] = {
    {CDS_GET_FEEDS, 200, true},      {CDS_GET_FEEDS, 206, false},       {CDS_GET_FEEDS, 201, false},
    {CDS_HEAD_ORIGINS, 200, true},   {CDS_HEAD_ORIGINS, 299, true},     {CDS_HEAD_ORIGINS, 300, false},
    {CDS_HEAD_ORIGINS, 199, false},  {CDS_GET_REPORTS, 206, true},      {CDS_GET_REPORTS, 205, false},
    {CDS_GET_REPORTS, 207, false},   {CDS_GET_REPORT_PAGE, 206, false}, {CDS_GET_REPORT_PAGE, 200, true},
    {CDS_GET_DISCOVERY, 204, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct got got = judge(cases[i].operation, cases[i].http_status, "", "{\"reports\":[]}");
    is_number(got.status, cases[i].is_good ? CDS_OK : CDS_E_API, cds_api_path(cases[i].operation));
    is_number(cases[i].is_good ? got.answer.http_status : got.err.http_status, cases[i].http_status, "its status");
    cds_answer_clear(&got.answer);
    ok(is_empty(&got.answer) && got.answer.http_status == 0, "nothing is left");
  }
}

static void is_no_json(const char *body, const char *words) {
  struct got got = judge(CDS_GET_FEEDS, 200, "", body);
  is_number(got.status, CDS_E_DECODE, "no JSON");
  is_string(got.err.message, words, "in words");
  ok(got.err.http_status == 200 && is_empty(&got.answer), "its status, and nothing else");
}

static void test_bodies(void) {
  is_no_json(NULL, "GET /api/v1/feeds answered 200 with nothing at byte 0: expected JSON");
  is_no_json("  ", "GET /api/v1/feeds answered 200 with text at byte 2: expected JSON");
  is_no_json("\r\n\t <html>", "GET /api/v1/feeds answered 200 with markup at byte 4: expected JSON");
  is_no_json(" [1]", "GET /api/v1/feeds answered 200 with text at byte 1: expected JSON");
  struct got got = judge(CDS_GET_FEEDS, 200, "Cache-Control: max-age=9\r\n", " \t\r\n{}");
  is_number(got.status, CDS_OK, "JSON behind blanks");
  is_string(got.answer.body.data, " \t\r\n{}", "is handed over");
  ok(got.answer.keep_seconds == 0, "what is no catalogue is not kept");
  cds_answer_clear(&got.answer);
  got = judge(CDS_GET_DISCOVERY, 200, "Cache-Control: max-age=9\r\n", "{}");
  ok(got.status == CDS_OK && got.answer.keep_seconds == 9, "a catalogue may be");
  is_string(got.answer.body.data, "{}", "and is handed over");
  cds_answer_clear(&got.answer);
  got = judge(CDS_POST_JSON, 200, "", "{\"a\":1}");
  is_string(got.answer.body.data, "{\"a\":1}", "so is what came of a POST");
  cds_answer_clear(&got.answer);
  for (int i = CDS_POST_AUTHORIZE; i <= CDS_GET_CANDLES; i++) {
    got = judge((enum cds_operation)i, 200, "", "{\"s\":\"ok\"}");
    is_string(got.answer.body.data, "{\"s\":\"ok\"}", cds_api_path((enum cds_operation)i));
    cds_answer_clear(&got.answer);
  }
}

static void test_origins(void) {
  struct got got = judge(CDS_HEAD_ORIGINS, 200, "X-Cll-Available-Origins: {one, two}\r\n", NULL);
  ok(got.status == CDS_OK && got.answer.origins.count == 2, "two origins");
  got = judge(CDS_HEAD_ORIGINS, 200, "", NULL);
  ok(got.status == CDS_OK && got.answer.origins.count == 0, "none are told");
}

static struct got judge_list(enum cds_operation operation, const int (*reports)[2], size_t count) {
  static char body[40000];
  strcpy(body, "{\"reports\":[");
  for (size_t i = 0; i < count; i++) add_report(body, sizeof body, 1, reports[i][0], (uint32_t)reports[i][1]);
  strcat(body, "],\"nextPageTimestamp\":77}");
  return judge(operation, 200, "", body);
}

static void times_are(const struct got *got, const int *expected, size_t count, const char *name) {
  is_number(got->status, CDS_OK, name);
  is_number(got->answer.count, count, "as many reports");
  for (size_t i = 0; i < got->answer.count && i < count; i++) {
    const struct cds_report *report = got->answer.reports[i];
    is_number(report->has_observations_timestamp ? report->observations_time : 0, expected[i], name);
    is_number(report->received_at_ms, 1234, "when it came");
  }
}

/* Equal times keep their order, which the first bytes of the reports, random ones, tell. */
static void test_order(void) {
  static const int mixed[][2] = {{3, 40}, {255, 0}, {3, 20}, {3, 10}, {255, 0}, {3, 30}, {3, 15}};
  static const int as_sent[] = {40, 0, 20, 10, 0, 30, 15}, sorted[] = {40, 0, 10, 20, 0, 15, 30};
  static const int same[][2] = {{3, 5}, {3, 5}, {3, 4}};
  struct got got = judge_list(CDS_GET_REPORTS, mixed, 7);
  times_are(&got, as_sent, 7, "of many feeds they stay as they came");
  cds_answer_clear(&got.answer);
  got = judge_list(CDS_GET_REPORT_PAGE, mixed, 7);
  times_are(&got, sorted, 7, "a page ascends, between those without a time");
  ok(got.answer.has_next_page && got.answer.next_page_timestamp == 77, "the next page's time");
  cds_answer_clear(&got.answer);
  sample_state = 1;
  got = judge_list(CDS_GET_REPORTS, same, 2); /* as they came */
  uint8_t first[32];
  memcpy(first, got.answer.reports[0]->bytes, sizeof first);
  cds_answer_clear(&got.answer);
  sample_state = 1;
  got = judge_list(CDS_GET_REPORT_PAGE, same, 3);
  times_are(&got, (const int[]){4, 5, 5}, 3, "the first comes last");
  ok(memcmp(got.answer.reports[1]->bytes, first, sizeof first) == 0, "and equal times keep their order");
  cds_answer_clear(&got.answer);
}

static void test_foreign(void) {
  static const int good_and_foreign[][2] = {{3, 5}, {4, 6}};
  struct got got = judge_list(CDS_GET_REPORTS, good_and_foreign, 2);
  is_number(got.status, CDS_E_DECODE, "a feed that was not asked for");
  ok(strstr(got.err.message, "report of feed 0x0004") != NULL, "is named: %s", got.err.message);
  ok(is_empty(&got.answer) && got.err.http_status == 200, "and nothing is kept");
  got = judge(CDS_GET_REPORTS, 200, "", "{\"reports\":1}");
  is_number(got.status, CDS_E_DECODE, "what is no list");
  got = judge_list(CDS_GET_REPORTS, good_and_foreign, 0);
  ok(got.status == CDS_OK && got.answer.count == 0, "a list of none");
  cds_answer_clear(&got.answer);
}

static void test_one(void) {
  static const int one[][2] = {{3, 5}};
  struct got got = judge(CDS_GET_LATEST_REPORT, 200, "", "{\"report\":1}");
  is_number(got.status, CDS_E_DECODE, "what is no report");
  got = judge_list(CDS_GET_LATEST_REPORT, one, 1);
  is_number(got.status, CDS_E_DECODE, "a list in place of one");
}

static void test_memory(void) {
  static const int two[][2] = {{3, 5}, {3, 6}};
  enum cds_status status = CDS_E_MEMORY;
  for (fails = 0; status == CDS_E_MEMORY; fails++) {
    struct got got = judge_list(CDS_GET_REPORT_PAGE, two, 2);
    status = got.status;
    ok(status == CDS_OK || (status == CDS_E_MEMORY && is_empty(&got.answer)), "without one allocation nothing is kept");
    cds_answer_clear(&got.answer);
  }
  ok(status == CDS_OK && fails > 3, "all of %ld are needed", fails - 1);
  fails = -1;
}

int main(void) {
  test_arguments();
  test_targets();
  test_statuses();
  test_bodies();
  test_origins();
  test_order();
  test_foreign();
  test_one();
  test_memory();
  return done();
}
