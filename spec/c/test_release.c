/* SPDX-License-Identifier: MIT
 * A feed's watermark and habits, step by step; and the usual rules. */
#include "base/alloc.h"
#include "base/limits.h"
#include "order/release.h"
#include "order/rules.h"
#include "tap.h"

static struct cds_release release;
static uint64_t next_tag;

static void begin(void) {
  cds_release_clear(&release);
  cds_release_init(&release);
  release.per_second = 1;
  release.memory = 2;
}

static struct cds_candidate candidate(int64_t time) {
  next_tag += 2;
  return (struct cds_candidate){
    .has_observations_timestamp = true, .observations_timestamp = time, .blob_tag = next_tag - 1, .text_tag = next_tag};
}

static bool deliver(int64_t time) {
  struct cds_sequence_out out = {0};
  struct cds_candidate one = candidate(time);
  return cds_release_deliver(&release, &one, &out);
}

static void deliver_all(int64_t from, int64_t to) {
  for (int64_t time = from; time <= to; time++)
    if (!deliver(time)) ok(false, "delivered");
}

static void test_watermark(void) {
  begin();
  ok(release.open && cds_release_ask_from(&release) == 0, "open at first");
  ok(deliver(100) && !release.open && release.newest == 100, "the first report sets the mark");
  ok(!cds_release_is_late(&release, 100) && cds_release_is_late(&release, 99), "what is older is late");
  ok(cds_release_ask_from(&release) == 100 && cds_release_first_missing(&release) == 100, "its own time may have more");
  ok(!cds_release_covers(&release, 100) && cds_release_covers(&release, 101), "of the first time not all is known");
  cds_release_skip_to(&release, 200);
  ok(release.newest == 200 && cds_release_is_late(&release, 200), "skipped: that time is over, too");
  ok(!cds_release_is_late(&release, 201), "the next one is not");
  ok(cds_release_ask_from(&release) == 201 && cds_release_first_missing(&release) == 201,
     "the next one may be missing");
  cds_release_reopen(&release);
  ok(release.open, "open again");
  cds_release_skip_to(&release, 300);
  ok(!release.open, "which a skip ends");
  cds_release_forget_to(&release, 400);
  ok(release.newest == 400 && !cds_release_covers(&release, 400) && cds_release_covers(&release, 401), "forgotten");
}

static void test_singles(void) {
  begin();
  deliver_all(100, 103);
  ok(!cds_release_is_single(&release), "three seconds after the first are too few to know a habit");
  ok(!cds_release_is_proven(&release, true, 104, 104, 103), "nothing is proven by them");
  deliver_all(104, 104);
  ok(cds_release_is_single(&release) && cds_release_is_sparse(&release), "four show one report a second");
  is_number(cds_release_first_missing(&release), 105, "the newest second has no more");
  is_number(cds_release_ask_from(&release), 104, "though it is asked for");
  ok(cds_release_is_proven(&release, true, 105, 105, 104), "the next one is proven by its validity");
  ok(cds_release_is_proven(&release, true, 90, 109, 104), "however far that goes back");
  ok(!cds_release_is_proven(&release, true, 106, 106, 104), "not one whose validity begins later");
  ok(!cds_release_is_proven(&release, false, 105, 105, 104), "nor one without");
  ok(!cds_release_is_proven(&release, true, 104, 104, 104), "nor one that is not newer");
  deliver_all(104, 104);
  ok(!cds_release_is_single(&release) && release.multi && release.dense, "a second of one time shows otherwise");
  is_number(cds_release_first_missing(&release), 104, "so that more of it may come");
}

static void test_dense(void) {
  begin();
  release.per_second = 1000;
  for (int64_t time = 0; time < 6; time++) deliver(5000 + 501 * time);
  ok(cds_release_is_single(&release) && cds_release_is_sparse(&release), "more than half a second apart");
  deliver(release.newest + 500);
  ok(cds_release_is_single(&release) && !cds_release_is_sparse(&release), "half a second is dense");
  begin();
  release.per_second = 1000;
  deliver(5000);
  cds_release_skip_to(&release, 6000);
  deliver(6001);
  ok(!release.dense, "after a skip it cannot be known");
}

static void test_gaps(void) {
  begin();
  ok(cds_release_leaves_gap(&release, true, 102, 100), "a validity that begins late leaves a gap");
  ok(!cds_release_leaves_gap(&release, true, 101, 100), "not one that begins in time");
  ok(!cds_release_leaves_gap(&release, false, 102, 100), "none is known without a validity");
  for (int i = 0; i < 2; i++) cds_release_note_gap(&release, true, true);
  cds_release_note_gap(&release, true, false);
  ok(!cds_release_has_normal_gaps(&release), "two empty gaps, and one that does not count");
  cds_release_note_gap(&release, true, true);
  ok(cds_release_has_normal_gaps(&release) && !cds_release_leaves_gap(&release, true, 102, 100), "three are a habit");
  size_t normal = 0;
  for (int i = 0; i < 32; i++) normal += cds_release_takes_for_normal(&release);
  is_number((long long)normal, 30, "one of sixteen is looked into");
  ok(cds_release_takes_for_normal(&release), "again and again");
  cds_release_note_gap(&release, false, true);
  ok(!cds_release_has_normal_gaps(&release) && release.skips == 0, "one that was not empty ends the habit");
  ok(!cds_release_takes_for_normal(&release) && release.skips == 0, "nothing is normal then");
}

static void test_misses(void) {
  begin();
  deliver_all(100, 102);
  ok(!cds_release_misses(&release, 100), "of the first time it is not known");
  ok(cds_release_misses(&release, 101) && !cds_release_misses(&release, 101), "told once for a time");
  ok(cds_release_misses(&release, 102) && cds_release_misses(&release, 101), "in a row");
}

static void test_untimed(void) {
  struct cds_sequence_out out = {0};
  begin();
  deliver_all(100, 101);
  struct cds_candidate one = candidate(0);
  one.has_observations_timestamp = false;
  ok(cds_release_deliver(&release, &one, &out) && release.newest == 101, "a report without a time moves nothing");
  ok(cds_release_knows(&release, one.blob_tag) && cds_release_knows(&release, one.text_tag), "and is known again");
  ok(!cds_release_knows(&release, 0) && !cds_release_knows(&release, next_tag + 1), "others are not");
  is_number((long long)release.seen.count, 6, "by two tags each");
}

static void test_late(void) {
  struct cds_queue_node node = {0};
  struct cds_sequence_out out = {0};
  begin();
  deliver_all(100, 104);
  release.sent = 104;
  struct cds_candidate one = candidate(102);
  one.node = &node;
  ok(cds_release_deliver_late(&release, &one, &out) && out.deliver == &node, "a late one goes out");
  ok(release.newest == 104 && release.sent == 104 && cds_release_knows(&release, one.blob_tag), "and moves nothing");
  out = (struct cds_sequence_out){0};
  struct cds_candidate early = candidate(110);
  early.node = &node;
  cds_release_send(&release, &early, &out);
  ok(out.deliver == &node && release.sent == 110 && release.newest == 104, "one before its turn is the newest sent");
  ok(!cds_release_knows(&release, early.blob_tag), "and not remembered yet");
}

static void test_memory(void) {
  struct cds_queue_node node = {0};
  struct cds_sequence_out out = {0};
  struct cds_candidate one = candidate(100);
  begin();
  one.node = &node;
  cds_alloc_fail_after(0);
  ok(!cds_release_deliver(&release, &one, &out), "without memory nothing is delivered");
  ok(!cds_release_deliver_late(&release, &one, &out), "late neither");
  cds_alloc_fail_after(-1);
  ok(out.deliver == NULL && release.open && release.newest == 0 && release.sent == 0, "or changed");
}

static void test_check(void) {
  begin();
  ok(cds_release_check(&release) == NULL, "a new feed is sound");
  deliver_all(100, 105);
  ok(cds_release_check(&release) == NULL, "so is one that has delivered");
  release.newest = 0;
  ok(cds_release_check(&release) == NULL, "or skipped to 0");
  release.open = true;
  ok(cds_release_check(&release) != NULL, "none that delivered nothing knows anything");
  release.newest = 99;
  ok(cds_release_check(&release) != NULL, "nothing later than the newest was delivered");
  release.newest = 100;
  ok(cds_release_check(&release) == NULL, "the newest was");
}

static void test_rules(void) {
  const struct cds_sequence_limits limits = cds_sequence_default_limits();
  ok(limits.backfill && limits.max_held == 16384, "reports held");
  is_number((long long)limits.max_held_bytes, 16 * 1024 * 1024, "of a quarter of the queue's bytes");
  ok(limits.patience_ms == 1500 && limits.delay_ms == 100 && limits.probe_ms == 5000, "when to ask");
  ok(limits.empty_delay_ms == 300 && limits.max_empty == 4, "when nothing is there");
  ok(limits.failed_delay_ms == 500 && limits.max_failed_delay_ms == 10000, "when asking failed");
  ok(limits.max_retry_after_ms == 60000 && limits.max_failing_ms == 300000, "how long");
  ok(limits.max_gap_seconds == 3600 && limits.page_limit == 500, "how far back, and how much at once");
}

int main(void) {
  test_watermark();
  test_singles();
  test_dense();
  test_gaps();
  test_misses();
  test_untimed();
  test_late();
  test_memory();
  test_check();
  test_rules();
  cds_release_clear(&release);
  return done();
}
