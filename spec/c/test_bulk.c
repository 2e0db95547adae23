/* SPDX-License-Identifier: MIT
 * Questions for a second of many feeds, without a service: which are worth asking, what an answer may bring, and how
 * one ends. */
#include "order/bulk.h"

#include "order_fixture.h"

#define FIRST 1001 /* each feed's reports are of the six times up to LAST, */
#define LAST 1006
#define FRONT 1010 /* and then of this one: three seconds are missing */
#define DUE_MS 1100
#define MANY 12 /* feeds: more than seconds are missing */

static struct cds_bulk bulk;

/* So many feeds that had a report a second, up to LAST. */
static void begin_with(size_t feeds, const struct cds_sequence_limits *limits) {
  set_up_feeds(feeds, limits);
  memset(&bulk, 0, sizeof bulk);
}

static void deliver(size_t slot, int64_t from, int64_t to) {
  for (int64_t time = from; time <= to; time++) take_of(slot, A, time, time, (unsigned)time);
}

static void miss(size_t slot, int64_t newest, int64_t front) {
  deliver(slot, newest - (LAST - FIRST), newest);
  take_of(slot, A, front, front, (unsigned)front);
}

static void begin(size_t feeds) {
  begin_with(feeds, NULL);
  for (size_t slot = 0; slot < feeds; slot++) miss(slot, LAST, FRONT);
  delivered[0] = 0;
}

static bool plans(void) {
  return cds_bulk_plan(&seq, now_ms, &bulk);
}

static bool plans_at(int64_t at_ms) {
  now_ms = at_ms;
  return plans();
}

/* Where the bulk has the feed, or the number of its feeds. */
static size_t place_of(size_t slot) {
  size_t at = 0;
  while (at < bulk.count && bulk.feeds[at].slot != slot) at++;
  return at;
}

static bool has(size_t slot) {
  return place_of(slot) < bulk.count;
}

static void ask(size_t feeds) {
  begin(feeds);
  ok(plans_at(DUE_MS), "%zu feeds", feeds);
  cds_bulk_begin(&seq, &bulk, now_ms);
}

static enum cds_verdict answer_of(const struct cds_candidate *report) {
  struct cds_sequence_out out = {0};
  enum cds_verdict verdict = cds_bulk_report(&seq, &bulk, report, now_ms, &out);
  heed(&out);
  return verdict;
}

static enum cds_verdict answer(size_t slot, int64_t time) {
  struct cds_candidate report = candidate(time, time, (unsigned)time);
  report.node->slot = slot;
  return answer_of(&report);
}

static void answer_all(int64_t time) {
  for (size_t i = 0; i < bulk.count; i++)
    if (cds_bulk_asks(&seq, &bulk, i)) answer(bulk.feeds[i].slot, time);
}

/* ---- what is worth a question ---- */

static void test_when(void) {
  begin(5);
  ok(!plans_at(DUE_MS - 1), "not before the first is due");
  ok(plans_at(DUE_MS), "then");
  is_number(bulk.count, 5, "for all five");
  is_number(bulk.second, LAST + 1, "from the first second that is missing");
  for (size_t slot = 0; slot < 5; slot++) ok(has(slot), "feed %zu", slot);
  cds_sequence_clear(&seq);
  begin(4);
  ok(!plans_at(DUE_MS), "four feeds are too few");
  cds_sequence_clear(&seq);
  begin_with(5, NULL);
  ok(!plans_at(DUE_MS), "nothing is missing");
  cds_sequence_clear(&seq);
}

static void test_worth(void) {
  for (int64_t missing = 1; missing <= 5; missing++) {
    begin_with(5, NULL);
    for (size_t slot = 0; slot < 5; slot++) miss(slot, LAST, LAST + 1 + missing);
    ok(plans_at(DUE_MS) == (missing < 5), "five feeds and %lld seconds", (long long)missing);
    cds_sequence_clear(&seq);
  }
  for (int64_t missing = 60; missing <= 61; missing++) {
    begin_with(70, NULL);
    for (size_t slot = 0; slot < 70; slot++) miss(slot, LAST, LAST + 1 + missing);
    ok(plans_at(DUE_MS) == (missing == 60), "no more than a minute: %lld", (long long)missing);
    cds_sequence_clear(&seq);
  }
}

static void test_most(void) {
  begin(CDS_BULK_FEEDS + 3);
  ok(plans_at(DUE_MS), "more feeds than a question can name");
  is_number(bulk.count, CDS_BULK_FEEDS, "it names as many as it can");
  cds_sequence_clear(&seq);
}

/* The one that is due first sets the seconds. */
static void test_first(void) {
  begin_with(MANY, NULL);
  miss(0, LAST - 2, FRONT + 2);
  now_ms++;
  for (size_t slot = 1; slot < MANY; slot++) miss(slot, LAST, FRONT);
  ok(plans_at(DUE_MS), "feeds that miss less than the first");
  ok(bulk.count == MANY && bulk.feeds[0].slot == 0, "are taken along");
  is_number(bulk.second, LAST - 1, "from its first second on");
  cds_sequence_clear(&seq);
}

static void test_slack(void) {
  static const struct {
    int64_t newest, front;
    bool is_taken;
  } others[] = {{LAST - 2, FRONT, true},  {LAST - 3, FRONT, false}, {LAST, FRONT + 2, true},
                {LAST, FRONT + 3, false}, {LAST + 1, FRONT, true},  {LAST, FRONT - 1, true}};
  begin_with(MANY, NULL);
  for (size_t slot = 0; slot < MANY - 6; slot++) miss(slot, LAST, FRONT);
  now_ms++;
  for (size_t i = 0; i < 6; i++) miss(MANY - 6 + i, others[i].newest, others[i].front);
  ok(plans_at(DUE_MS), "feeds that do not all miss the same");
  for (size_t i = 0; i < 6; i++)
    ok(has(MANY - 6 + i) == others[i].is_taken, "those of two seconds before and behind are taken along: %zu", i);
  is_number(bulk.count, MANY - 2, "the others wait");
  is_number(bulk.second, LAST - 1, "the first second of any");
  cds_sequence_clear(&seq);
}

static void test_due_soon(void) {
  begin_with(7, NULL);
  for (size_t slot = 0; slot < 5; slot++) miss(slot, LAST, FRONT);
  now_ms = DUE_MS;
  miss(5, LAST, FRONT);
  now_ms = DUE_MS + 1;
  miss(6, LAST, FRONT);
  ok(plans_at(DUE_MS), "feeds whose gap has just shown");
  ok(has(5), "one that is due within the usual delay is taken along");
  ok(!has(6), "not a later one");
  cds_sequence_clear(&seq);
}

/* ---- feeds that it is not for ---- */

static void take_front(size_t slot, int64_t valid_from, int64_t time) {
  deliver(slot, FIRST, LAST);
  take_of(slot, A, valid_from, time, (unsigned)time);
}

/* Feed 6 is as the test made it; the five others are usual ones. */
static void is_left_out(const char *why) {
  for (size_t slot = 0; slot < 6; slot++) miss(slot, LAST, FRONT);
  ok(plans_at(DUE_MS), "six feeds");
  ok(bulk.count == 6 && !has(6), "%s", why);
  cds_sequence_clear(&seq);
}

static void test_unfit(void) {
  begin_with(7, NULL);
  take_of(6, A, FIRST, FIRST, FIRST);
  cds_sequence_link_down(&seq, A);
  take_front(6, 0, FRONT);
  is_left_out("not without a validity");
  begin_with(7, NULL);
  take_front(6, FRONT + 1, FRONT);
  is_left_out("nor with an impossible one");
  begin_with(7, NULL);
  take_of(6, A, FIRST - 1, FIRST - 1, 1);
  take_of(6, A, FIRST - 1, FIRST - 1, 2);
  take_front(6, FRONT, FRONT);
  is_left_out("nor a feed that had two reports of a second");
  begin_with(7, NULL);
  deliver(6, LAST - 2, LAST);
  take_of(6, A, FRONT, FRONT, FRONT);
  is_left_out("nor one of which too little is known");
}

static void test_first_unfit(void) {
  begin_with(7, NULL);
  deliver(6, LAST - 2, LAST);
  take_of(6, A, FRONT, FRONT, FRONT);
  now_ms++;
  for (size_t slot = 0; slot < 6; slot++) miss(slot, LAST, FRONT);
  ok(!plans_at(DUE_MS), "a page goes first where the first feed wants one");
  cds_sequence_clear(&seq);
}

/* What comes on trial is held without backfill, too. */
static void test_without_backfill(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  limits.backfill = false;
  begin_with(MANY, &limits);
  for (size_t slot = 0; slot < MANY; slot++) {
    struct cds_sequence_out out = {0};
    deliver(slot, FIRST, LAST);
    struct cds_candidate report = candidate(FRONT, FRONT, FRONT);
    report.node->slot = slot;
    report.on_trial = true;
    is_number(cds_sequence_take(&seq, &report, B, now_ms, NOBODY, &out), CDS_VERDICT_HELD, "on trial");
    heed(&out);
  }
  ok(!plans_at(DUE_MS + 10000), "without backfill REST is not asked");
  cds_sequence_clear(&seq);
}

/* ---- under way ---- */

static void test_begin(void) {
  struct cds_fill fill;
  int64_t wait_ms;
  ask(MANY);
  uint64_t ticket = bulk.ticket;
  ok(ticket != 0 && cds_bulk_is_asked(&seq, &bulk), "under way");
  ok(!cds_fill_next(&seq, now_ms, &fill, &wait_ms) && wait_ms == -1, "no page is asked for meanwhile");
  struct cds_bulk mine = bulk;
  ok(!plans(), "nor another bulk");
  ok(cds_fill_expires_ms(&seq) == DUE_MS + 300000, "REST has five minutes");
  bulk = mine;
  for (size_t i = MANY; i-- > 0;) {
    struct cds_sequence_out out = {0};
    ok(cds_bulk_is_asked(&seq, &bulk), "while %zu feeds wait", i + 1);
    cds_bulk_cut(&seq, &bulk, 0, now_ms, &out);
    heed(&out);
  }
  ok(!cds_bulk_is_asked(&seq, &bulk), "until none does");
  ok(plans(), "then again");
  cds_bulk_begin(&seq, &bulk, now_ms);
  ok(bulk.ticket != 0 && bulk.ticket != ticket, "by another ticket");
  bulk.ticket = ticket;
  ok(!cds_bulk_is_asked(&seq, &bulk) && !cds_bulk_asks(&seq, &bulk, 0) && !cds_bulk_still_helps(&seq, &bulk, 0),
     "the old one is worth nothing");
  is_number(answer(0, LAST + 1), CDS_VERDICT_DUPLICATE, "nor what comes for it");
  cds_sequence_clear(&seq);
  bulk.count = 1;
  ok(!cds_bulk_is_asked(&seq, &bulk), "nor anything when there are no feeds any more");
}

static void test_asks(void) {
  begin_with(MANY, NULL);
  for (size_t slot = 0; slot < MANY - 2; slot++) miss(slot, LAST, FRONT);
  miss(MANY - 2, LAST - 1, FRONT - 1);
  miss(MANY - 1, LAST, FRONT + 1);
  ok(plans_at(DUE_MS) && bulk.count == MANY, "feeds that miss other seconds");
  cds_bulk_begin(&seq, &bulk, now_ms);
  size_t early = place_of(MANY - 2), late = place_of(MANY - 1), usual = place_of(0);
  for (bulk.second = LAST - 1; bulk.second <= FRONT + 1; bulk.second++) {
    int64_t second = bulk.second;
    ok(cds_bulk_asks(&seq, &bulk, early) == (second >= LAST && second <= FRONT - 2), "an early one");
    ok(cds_bulk_asks(&seq, &bulk, usual) == (second >= LAST + 1 && second <= FRONT - 1), "a usual one");
    ok(cds_bulk_asks(&seq, &bulk, late) == (second >= LAST + 1 && second <= FRONT), "a late one");
    ok(cds_bulk_still_helps(&seq, &bulk, early) == (second <= FRONT - 2), "for which it helps in this second or later");
  }
  cds_sequence_clear(&seq);
}

/* ---- answers ---- */

static void test_reports(void) {
  ask(MANY);
  is_number(answer(0, LAST + 1), CDS_VERDICT_HELD, "what was asked for");
  is_delivered("1007b", "goes on at once");
  is_number(answer(0, LAST + 1), CDS_VERDICT_DUPLICATE, "not twice");
  is_number(answer(1, LAST), CDS_VERDICT_DUPLICATE, "nor what was delivered before");
  is_number(answer(1, FRONT), CDS_VERDICT_DUPLICATE, "nor what is held");
  is_number(answer(1, LAST + 2), CDS_VERDICT_OUT_OF_ORDER, "nor what is of another second");
  struct cds_candidate untimed = candidate(0, 0, 5);
  untimed.node->slot = 1;
  untimed.observations_timestamp = LAST + 1;
  is_number(answer_of(&untimed), CDS_VERDICT_OUT_OF_ORDER, "or of none");
  is_delivered("", "all that is refused");
  answer_all(LAST + 1);
  ok(cds_bulk_move_on(&seq, &bulk), "the next second");
  is_number(bulk.second, LAST + 2, "is asked for");
  answer_all(LAST + 2);
  ok(cds_bulk_move_on(&seq, &bulk), "and the last");
  is_number(bulk.second, LAST + 3, "is asked for");
  delivered[0] = 0;
  answer(0, LAST + 3);
  is_delivered("1009b 1010", "what was held follows when nothing is missing any more");
  const struct cds_bulk_feed *feed = &bulk.feeds[place_of(0)];
  ok(feed->first == LAST + 1 && feed->last == LAST + 3, "from its first time to its last");
  feed = &bulk.feeds[place_of(1)];
  ok(feed->first == LAST + 1 && feed->last == LAST + 2, "another's");
  ok(!cds_bulk_asks(&seq, &bulk, place_of(0)), "it is not asked for any more");
  is_number(seq.counts.gaps, MANY, "each had a gap");
  is_number(seq.counts.empty_gaps, 0, "which was not empty");
  is_number(seq.counts.backfilled, 2 * MANY + 1, "and what was delivered of the bulk is counted");
  is_number(lost_count, 0, "nothing is lost");
  cds_sequence_clear(&seq);
}

/* A thousand times a second: of a second that is missing in part. */
static void test_parts_of_seconds(void) {
  begin_with(MANY, NULL);
  for (size_t slot = 0; slot < MANY; slot++) {
    cds_sequence_set_unit(&seq, slot, 1000);
    for (int64_t time = 4500; time <= 9500; time += 1000) take_of(slot, A, time - 999, time, (unsigned)time);
    take_of(slot, A, 11301, 12300, 12300);
  }
  delivered[0] = 0;
  ok(plans_at(DUE_MS) && bulk.second == 9, "the second in which it begins");
  cds_bulk_begin(&seq, &bulk, now_ms);
  is_number(answer(0, 9499), CDS_VERDICT_OUT_OF_ORDER, "not what lies before what was delivered");
  is_number(answer(0, 9501), CDS_VERDICT_HELD, "but the first that can be missing");
  ok(cds_bulk_move_on(&seq, &bulk) && bulk.second == 10, "the one after it");
  ok(cds_bulk_move_on(&seq, &bulk) && bulk.second == 11, "the one in which it ends");
  is_number(answer(1, 11301), CDS_VERDICT_OUT_OF_ORDER, "not what the validity of what is held covers");
  is_number(answer(1, 11300), CDS_VERDICT_HELD, "but the last that it does not");
  ok(!cds_bulk_move_on(&seq, &bulk), "then it is at its end");
  cds_sequence_clear(&seq);
}

static void test_no_room(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  limits.max_held = MANY;
  begin_with(MANY, &limits);
  for (size_t slot = 0; slot < MANY; slot++) miss(slot, LAST, FRONT);
  delivered[0] = 0;
  ok(plans_at(DUE_MS), "as much is held as may be");
  cds_bulk_begin(&seq, &bulk, now_ms);
  is_number(answer(0, LAST + 1), CDS_VERDICT_TOO_MANY, "so there is no room for another");
  cds_sequence_clear(&seq);
  ask(MANY);
  struct cds_sequence_out out = {0};
  struct cds_candidate report = candidate(LAST + 1, LAST + 1, LAST + 1);
  cds_alloc_fail_after(0);
  enum cds_verdict verdict = cds_bulk_report(&seq, &bulk, &report, now_ms, &out);
  cds_alloc_fail_after(-1);
  heed(&out);
  is_number(verdict, CDS_VERDICT_TOO_MANY, "nor without memory");
  is_delivered("", "and nothing is delivered");
  ok(bulk.feeds[place_of(0)].first == 0, "or told as brought");
  is_number(answer(0, LAST + 1), CDS_VERDICT_HELD, "later it may come");
  cds_sequence_clear(&seq);
}

/* ---- from second to second ---- */

static void test_move_on(void) {
  ask(MANY);
  for (size_t slot = 0; slot < MANY; slot++) take_of(slot, B, LAST, LAST, LAST);
  for (size_t slot = 0; slot < MANY; slot++) deliver(slot, LAST + 1, LAST + 1);
  for (size_t slot = 0; slot < MANY; slot++) take_of(slot, B, LAST + 1, LAST + 2, LAST + 2);
  ok(cds_bulk_move_on(&seq, &bulk), "a connection brought two of the seconds meanwhile");
  is_number(bulk.second, LAST + 3, "which are left out");
  ok(!cds_bulk_move_on(&seq, &bulk), "behind the last one there is nothing to ask for");
  cds_sequence_clear(&seq);
  ask(MANY);
  for (size_t slot = 0; slot < MANY - 3; slot++) {
    take_of(slot, B, LAST, LAST, LAST);
    for (int64_t time = LAST + 1; time <= FRONT; time++) take_of(slot, B, time, time, (unsigned)time);
  }
  ok(cds_bulk_move_on(&seq, &bulk), "two seconds are worth asking for three feeds");
  ok(!cds_bulk_still_helps(&seq, &bulk, place_of(0)), "not of one that is complete");
  ok(cds_bulk_still_helps(&seq, &bulk, place_of(MANY - 1)), "of these");
  cds_sequence_clear(&seq);
  ask(MANY);
  for (size_t slot = 2; slot < MANY; slot++) {
    take_of(slot, B, LAST, LAST, LAST);
    for (int64_t time = LAST + 1; time <= FRONT; time++) take_of(slot, B, time, time, (unsigned)time);
  }
  ok(!cds_bulk_move_on(&seq, &bulk), "but not for two");
  cds_sequence_clear(&seq);
}

/* ---- ends ---- */

static void test_end(void) {
  struct cds_sequence_out out = {0};
  struct cds_fill fill = {0};
  int64_t wait_ms;
  ask(MANY);
  size_t slot = bulk.feeds[2].slot, last = bulk.feeds[MANY - 1].slot;
  cds_bulk_end(&seq, &bulk, 2, now_ms, &out);
  heed(&out);
  ok(bulk.count == MANY - 1 && bulk.feeds[2].slot == last && !has(slot), "another moves into its place");
  ok(cds_fill_next(&seq, now_ms, &fill, &wait_ms) && fill.slot == slot, "what it left is for a page, at once");
  cds_fill_cut(&seq, &fill, now_ms, &out);
  while (bulk.count > 0) cds_bulk_cut(&seq, &bulk, 0, now_ms, &out);
  heed(&out);
  bool is_planned = plans();
  ok(!is_planned || !has(slot), "and for no other bulk");
  is_number(lost_count, 0, "nothing is lost");
  cds_sequence_clear(&seq);
}

/* What is left of a bulk says nothing about a feed that began anew. */
static void test_began_anew(void) {
  struct cds_sequence_out out = {0};
  ask(5);
  cds_sequence_forget(&seq, 0, &out);
  miss(0, LAST, FRONT);
  for (size_t i = 0; i < 4; i++) cds_bulk_failed(&seq, &bulk, place_of(0), 0, now_ms, &out), bulk.count++;
  cds_bulk_end(&seq, &bulk, place_of(0), now_ms, &out);
  while (bulk.count > 0) cds_bulk_cut(&seq, &bulk, 0, now_ms, &out);
  heed(&out);
  ok(plans_at(now_ms + 100) && bulk.count == 5, "it is asked for as any");
  cds_sequence_clear(&seq);
}

static void test_failed(void) {
  ask(6);
  for (int times = 1; times <= 3; times++) {
    struct cds_sequence_out out = {0};
    cds_bulk_failed(&seq, &bulk, place_of(0), 0, now_ms, &out);
    while (bulk.count > 0) cds_bulk_cut(&seq, &bulk, 0, now_ms, &out);
    heed(&out);
    int64_t again_ms = now_ms + (500 << (times - 1));
    ok(plans_at(again_ms - 1) && bulk.count == 5 && !has(0), "one that failed is not taken along before its time");
    ok(plans_at(again_ms) && has(0) == (times < 3), "then it is, but not after it failed three times");
    if (times < 3) cds_bulk_begin(&seq, &bulk, now_ms);
  }
  cds_sequence_clear(&seq);
  struct cds_sequence_out out = {0};
  ask(6);
  cds_bulk_failed(&seq, &bulk, place_of(0), 7000, now_ms, &out);
  heed(&out);
  is_number(cds_fill_due_ms(&seq, 0), DUE_MS + 7000, "REST may ask for a longer delay");
  cds_sequence_clear(&seq);
}

int main(void) {
  test_when();
  test_worth();
  test_most();
  test_first();
  test_slack();
  test_due_soon();
  test_unfit();
  test_first_unfit();
  test_without_backfill();
  test_begin();
  test_asks();
  test_reports();
  test_parts_of_seconds();
  test_no_room();
  test_move_on();
  test_end();
  test_began_anew();
  test_failed();
  return done();
}
