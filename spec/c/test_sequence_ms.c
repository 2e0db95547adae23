/* SPDX-License-Identifier: MIT
 * Feeds in milliseconds: their order, their gaps, and pages of REST, which knows whole seconds. */
#include "order/bulk.h"
#include "order_fixture.h"

#define SECOND INT64_C(1700000000)
#define AT(ms) (SECOND * 1000 + (ms))

static void begin(const struct cds_sequence_limits *limits) {
  set_up(limits);
  cds_sequence_set_unit(&seq, 0, 1000);
}

/* Each 20 ms a report, which is valid from the one before: blobs 1, 2, … */
static void take_chain(unsigned link, unsigned first, unsigned last) {
  for (unsigned blob = first; blob <= last; blob++) take(link, AT(20 * (blob - 1) + 1), AT(20 * blob), blob);
}

static void test_order(void) {
  begin(NULL);
  take_chain(A, 1, 6);
  is_number(take(A, AT(121), AT(120), 20), CDS_VERDICT_ACCEPT,
            "a different report of the same millisecond is delivered");
  is_number(take(A, AT(121), AT(120), 20), CDS_VERDICT_DUPLICATE, "once");
  is_number(take(A, AT(121), AT(121), 21), CDS_VERDICT_ACCEPT, "the next millisecond is a later time");
  is_number(take(A, AT(119), AT(119), 22), CDS_VERDICT_OUT_OF_ORDER, "one of two milliseconds ago is late");
  is_delivered("1 2 3 4 5 6 20 21", "each once, in order");
  ok(lost_count == 1 && lost.from == AT(119) && lost.to == AT(119) && lost.reason == CDS_LOST_LATE,
     "the late one is told with its millisecond");
  is_number(seq.counts.lost.ms, 1, "which is what is counted");
  cds_sequence_clear(&seq);
}

/* Another origin, up to a second behind. */
static void test_copies(void) {
  begin(NULL);
  take_chain(A, 1, 200);
  ok(peek(B, 150), "the text of a report of a second ago is known");
  is_number(take(B, AT(149 * 20 + 1), AT(150 * 20), 150), CDS_VERDICT_DUPLICATE, "and so is its blob");
  ok(!peek(B, 1), "what is much older is forgotten");
  cds_sequence_clear(&seq);
}

static void test_proof(void) {
  struct cds_fill fill;
  begin(NULL);
  take_chain(A, 1, 6);
  reconnect(A);
  is_number(take(A, AT(121), AT(140), 7), CDS_VERDICT_ACCEPT, "what is valid from the millisecond after needs no REST");
  reconnect(A);
  is_number(take(A, AT(142), AT(160), 8), CDS_VERDICT_HELD, "from another one later, something is missing");
  ok(next_fill(&fill) && fill.start == SECOND && fill.first == AT(0) && fill.last == AT(999),
     "REST is asked from the whole second");
  cds_sequence_clear(&seq);
}

/* A page that ends in the middle of a second, and of a millisecond. */
static void test_pages(void) {
  struct cds_fill fill;
  begin(NULL);
  take_chain(A, 1, 3);
  reconnect(A);
  take(A, AT(1201), AT(1220), 11);
  is_number(seq.counts.gaps, 1, "a gap is counted");
  ok(next_fill(&fill) && fill.start == SECOND, "it is asked for from the newest report's second on");
  for (unsigned blob = 1; blob <= 3; blob++)
    is_number(page(&fill, AT(20 * blob), blob), CDS_VERDICT_DUPLICATE, "what was delivered of that second is known");
  is_number(page(&fill, AT(500), 4), CDS_VERDICT_ACCEPT, "what was not comes");
  page_of(&fill, 4);
  ok(next_fill(&fill) && fill.start == SECOND, "the next page is of the same second, as the page ended in it");
  page(&fill, AT(500), 4);
  is_number(page(&fill, AT(500), 5), CDS_VERDICT_ACCEPT, "another one of the millisecond that the page ended in");
  is_number(page(&fill, AT(1100), 6), CDS_VERDICT_ACCEPT, "one of the next second");
  page_of(&fill, 5);
  ok(next_fill(&fill) && fill.start == SECOND + 1, "the next page is of the next second");
  is_number(page(&fill, AT(999), 7), CDS_VERDICT_OUT_OF_ORDER, "what lies before it was not asked for");
  page(&fill, AT(1100), 6);
  page(&fill, AT(1220), 11);
  page_of(&fill, 3);
  is_delivered("1 2 3 4b 5b 6b 11", "all once, in order");
  is_number(lost_count, 0, "and nothing is lost");
  ok(!next_fill(&fill), "REST is asked no more");
  cds_sequence_clear(&seq);
}

static void test_patience(void) {
  begin(NULL);
  take_chain(A, 1, 6);
  take(B, AT(200), AT(220), 11);
  is_number(cds_fill_due_ms(&seq, 0), now_ms + seq.limits.patience_ms, "one that keeps up may bring what is missing");
  cds_sequence_clear(&seq);
  begin(NULL);
  take_chain(B, 1, 6);
  take_chain(A, 6, 65); /* A joins, and goes on alone */
  reconnect(A);
  take(A, AT(1340), AT(1360), 2000);
  is_number(cds_fill_due_ms(&seq, 0), now_ms + seq.limits.delay_ms,
            "one that is over a second behind does not keep up");
  cds_sequence_clear(&seq);
}

static void test_long_gap(void) {
  struct cds_fill fill;
  begin(NULL);
  take_chain(A, 1, 6);
  reconnect(A);
  take(A, AT(7200001), AT(7200020), 50);
  ok(lost_count == 1 && lost.reason == CDS_LOST_TOO_LONG && lost.from == AT(121) && lost.to == AT(3600000),
     "of a gap of two hours the older part is lost");
  ok(next_fill(&fill) && fill.start == SECOND + 3600, "and the newest hour asked for");
  is_number(page(&fill, AT(3600000), 40), CDS_VERDICT_OUT_OF_ORDER, "what was told as lost does not come");
  is_number(page(&fill, AT(3600001), 41), CDS_VERDICT_ACCEPT, "what was not, does");
  cds_sequence_clear(&seq);
}

static void test_start(void) {
  struct cds_fill fill;
  begin(NULL);
  cds_sequence_start(&seq, 0, SECOND, now_ms);
  ok(next_fill(&fill) && fill.start == SECOND, "a start is a whole second");
  is_number(page(&fill, AT(0), 1), CDS_VERDICT_ACCEPT, "its first millisecond is in it");
  cds_sequence_clear(&seq);
}

/* Reports each millisecond from `from` on, as far as the page and the second go. */
static void answer(const struct cds_fill *fill, size_t most) {
  size_t count = 0;
  for (int64_t time = fill->first; time <= fill->last && count < most; time++, count++)
    page(fill, time, (unsigned)(time - AT(0)) + 1);
  page_of(fill, count);
}

/* 1000 reports a second: one was delivered, and one is held three seconds later. */
static void begin_dense(struct cds_fill *fill) {
  begin(NULL);
  for (unsigned blob = 1; blob <= 10; blob++) take(A, AT(blob - 1), AT(blob - 1), blob);
  reconnect(A);
  take(A, AT(3000), AT(3000), 3001);
  ok(next_fill(fill) && fill->limit == 500, "a page is asked for 500 reports");
}

static bool is_last_delivered(unsigned blob) {
  char end[16];
  snprintf(end, sizeof end, " %ub", blob);
  size_t length = strlen(delivered), tail = strlen(end);
  bool is_it = length >= tail && strcmp(delivered + length - tail, end) == 0;
  delivered[0] = 0;
  return is_it;
}

static void answer_in_parts(struct cds_fill *fill, size_t most) {
  struct cds_fill asked = *fill;
  delivered[0] = 0;
  answer(&asked, most);
  delivered[0] = 0;
}

static void test_full_pages(void) {
  struct cds_fill fill;
  begin_dense(&fill);
  answer_in_parts(&fill, 500);
  ok(next_fill(&fill) && fill.limit == 1000 && fill.start == SECOND,
     "one that its second fills is followed by a larger");
  answer_in_parts(&fill, 1000);
  ok(next_fill(&fill) && fill.limit == 2000 && fill.start == SECOND, "again, as the second may have more than 1000");
  for (unsigned blob = 1; blob <= 2000; blob++) page(&fill, AT(blob - 1), blob);
  page_of(&fill, 2000);
  ok(is_last_delivered(2000), "which goes on into the next second");
  ok(next_fill(&fill) && fill.limit == 2000 && fill.start == SECOND + 1, "the size stays");
  for (unsigned blob = 1001; blob <= 3001; blob++) page(&fill, AT(blob - 1), blob);
  page_of(&fill, 2000);
  is_number(lost_count, 0, "and nothing is lost");
  is_number(seq.index.count, 0, "or held");
  cds_sequence_clear(&seq);
}

/* The service gives whole seconds, of 600 reports. */
static void test_whole_seconds(void) {
  struct cds_fill fill;
  begin_dense(&fill);
  answer_in_parts(&fill, 600);
  ok(next_fill(&fill) && fill.limit == 1000, "one that its second fills is followed by a larger");
  answer_in_parts(&fill, 600);
  ok(next_fill(&fill) && fill.limit == 2000, "and, as two seconds are more than that, by a larger one again");
  page(&fill, AT(1000), 1001);
  page_of(&fill, 1200);
  ok(next_fill(&fill) && fill.start == SECOND + 1, "which goes on");
  is_number(lost_count, 0, "and nothing is lost");
  cds_sequence_clear(&seq);
}

/* What a page cannot pass even so. */
static void test_too_many(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  struct cds_fill fill;
  limits.max_page_limit = limits.page_limit;
  begin_dense(&fill);
  seq.limits = limits;
  answer_in_parts(&fill, 500);
  ok(lost_count == 1 && lost.reason == CDS_LOST_TOO_MANY,
     "of a second with more reports than REST gives the rest is lost");
  ok(lost.from == AT(500) && lost.to == AT(999), "from the last one that came to the end of the second");
  ok(next_fill(&fill) && fill.start == SECOND + 1, "and the next second asked for");
  answer_in_parts(&fill, 500);
  ok(next_fill(&fill) && fill.start == SECOND + 2, "then the one after");
  for (unsigned blob = 2001; blob <= 2499; blob++) page(&fill, AT(blob - 1), blob);
  delivered[0] = 0;
  page(&fill, AT(3000), 3001);
  page_of(&fill, 500);
  is_delivered("3001", "a page that is full but shows a later second leaves nothing out");
  is_number(lost_count, 2, "nothing more is lost");
  is_number(seq.counts.lost.ms, 1000, "twice half a second");
  cds_sequence_clear(&seq);
}

/* The service gives 500, whatever it is asked for. */
static void test_clamped(void) {
  struct cds_fill fill;
  begin_dense(&fill);
  take(A, AT(3001), AT(3001), 3002);
  answer_in_parts(&fill, 500);
  unsigned asked = 0;
  for (size_t limit = 1000; limit <= 2000; limit *= 2) {
    ok(next_fill(&fill) && fill.limit == limit, "more is asked for");
    answer_in_parts(&fill, 500);
  }
  for (; lost_count == 0 && asked < 20; asked++) {
    ok(next_fill(&fill) && fill.limit == 4000, "as much as ever");
    answer_in_parts(&fill, 500);
  }
  is_number(asked, seq.limits.max_empty + 1, "as often as of a REST that lags");
  ok(lost.reason == CDS_LOST_TOO_MANY && lost.from == AT(500) && lost.to == AT(999),
     "then the rest of the second is lost");
  ok(next_fill(&fill) && fill.start == SECOND + 1, "the next one is asked for");
  answer_in_parts(&fill, 500);
  is_number(lost_count, 2, "and its rest lost at once, as it is known what REST gives");
  cds_sequence_clear(&seq);
}

/* The service refuses to be asked for more. */
static void test_refused(void) {
  struct cds_fill fill;
  begin_dense(&fill);
  answer_in_parts(&fill, 500);
  ok(next_fill(&fill) && fill.limit == 1000, "more is asked for");
  page_failed(&fill, false);
  is_number(lost_count, 0, "a refusal may be due to that");
  ok(next_fill(&fill) && fill.limit == 500 && fill.start == SECOND, "and the usual page is asked for again");
  answer_in_parts(&fill, 500);
  ok(lost_count == 1 && lost.reason == CDS_LOST_TOO_MANY, "what it cannot have is lost");
  ok(next_fill(&fill) && fill.limit == 500 && fill.start == SECOND + 1, "and the next second asked for");
  page_failed(&fill, false);
  ok(lost_count == 2 && lost.reason == CDS_LOST_REFUSED, "a refusal of the usual page is one");
  cds_sequence_clear(&seq);
}

/* One report of a second and feed, within 300 ms of its beginning, but for slot 0, which has two. */
static void begin_bulk(void) {
  begin(NULL);
  ok(cds_sequence_grow(&seq, 8), "eight feeds");
  for (size_t slot = 0; slot < 8; slot++) {
    cds_sequence_set_unit(&seq, slot, 1000);
    int64_t last = AT(-1000);
    for (int64_t at = 0; at <= 6000; at += slot == 0 ? 500 : 1000) {
      int64_t time = AT(at + (int64_t)slot * 40 % 300);
      take_of(slot, A, last + 1, time, (unsigned)(10000 * slot + (size_t)at + 1));
      last = time;
    }
  }
  reconnect(A);
  for (size_t slot = 0; slot < 8; slot++) take_of(slot, A, AT(9000), AT(9300), (unsigned)(10000 * slot + 9001));
  delivered[0] = 0;
}

static void test_bulk(void) {
  struct cds_bulk bulk;
  struct cds_fill fill;
  begin_bulk();
  now_ms += seq.limits.delay_ms;
  ok(cds_bulk_plan(&seq, now_ms, &bulk), "what many feeds miss is asked for at once");
  is_number((long long)bulk.count, 7, "but of the feed that may have two reports a second");
  is_number(bulk.second, SECOND + 6, "from the second in which they may have had another report");
  cds_bulk_begin(&seq, &bulk, now_ms);
  ok(next_fill(&fill) && fill.slot == 0, "which is asked for by a page");
  ok(cds_bulk_move_on(&seq, &bulk) && bulk.second == SECOND + 7, "then the next second");
  for (size_t slot = 1; slot < 8; slot++) {
    struct cds_sequence_out out = {0};
    int64_t time = AT(7000 + (int64_t)slot * 40 % 300);
    struct cds_candidate report = candidate(AT(6000 + (int64_t)slot * 40 % 300 + 1), time, (unsigned)slot);
    report.node->slot = slot;
    enum cds_verdict verdict = cds_bulk_report(&seq, &bulk, &report, now_ms, &out);
    is_number(verdict, CDS_VERDICT_HELD, "a report of that second is taken, whatever its millisecond");
    heed(&out);
  }
  is_delivered("1b 2b 3b 4b 5b 6b 7b", "and delivered, as it follows on the one before");
  cds_sequence_clear(&seq);
}

int main(void) {
  test_order();
  test_copies();
  test_proof();
  test_pages();
  test_patience();
  test_long_gap();
  test_start();
  test_full_pages();
  test_whole_seconds();
  test_too_many();
  test_clamped();
  test_refused();
  test_bulk();
  return done();
}
