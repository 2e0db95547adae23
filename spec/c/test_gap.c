/* SPDX-License-Identifier: MIT
 * The states of a gap, one call at a time: when REST is asked, how long it is waited for, what its answers change. */
#include "tap.h"

#include "order/gap.h"

static const struct cds_sequence_limits limits = {.patience_ms = 1500,
                                                  .delay_ms = 100,
                                                  .empty_delay_ms = 300,
                                                  .max_empty = 4,
                                                  .failed_delay_ms = 500,
                                                  .max_failed_delay_ms = 10000,
                                                  .max_retry_after_ms = 60000,
                                                  .max_failing_ms = 300000,
                                                  .page_limit = 500};
static struct cds_gap gap;

static void is_sound(const char *name) {
  const char *wrong = cds_gap_check(&gap);
  ok(wrong == NULL, "%s%s%s", name, wrong == NULL ? "" : ": ", wrong == NULL ? "" : wrong);
}

static void is_due(int64_t expected_ms, const char *name) {
  is_number(cds_gap_due_ms(&gap, &limits, false), expected_ms, name);
}

/* A gap that opened at now_ms. */
static void opened(bool is_shown, int64_t now_ms) {
  cds_gap_init(&gap);
  cds_gap_open(&gap, is_shown, now_ms);
  cds_gap_settle(&gap);
}

static void asked(int64_t now_ms) {
  cds_gap_ask(&gap, 7, now_ms);
  is_sound("a page is under way");
}

/* ---- invariants ---- */

static void is_wrong(struct cds_gap broken, const char *words) {
  const char *wrong = cds_gap_check(&broken);
  is_string(wrong == NULL ? "sound" : wrong, words, "told");
}

static void test_invariants(void) {
  is_wrong((struct cds_gap){0}, "sound");
  is_wrong((struct cds_gap){.is_broken = true}, "something happened that cannot in its state");
  is_wrong((struct cds_gap){.ticket = 1}, "a page is under way, and the state does not say so");
  is_wrong((struct cds_gap){.state = CDS_GAP_ASKED}, "a page is under way, and the state does not say so");
  is_wrong((struct cds_gap){.state = CDS_GAP_STALE}, "a page is under way, and the state does not say so");
  is_wrong((struct cds_gap){.state = CDS_GAP_STALE, .ticket = 1}, "sound");
  is_wrong((struct cds_gap){.state = CDS_GAP_PATIENT, .runs = true}, "patient without a gap");
  is_wrong((struct cds_gap){.state = CDS_GAP_PROBING}, "probing in a gap, or for nothing");
  is_wrong((struct cds_gap){.state = CDS_GAP_PROBING, .is_open = true, .runs = true},
           "probing in a gap, or for nothing");
  is_wrong((struct cds_gap){.state = CDS_GAP_PROBING, .runs = true}, "sound");
  is_wrong((struct cds_gap){.is_open = true}, "idle with something missing");
  is_wrong((struct cds_gap){.runs = true}, "idle with something missing");
  is_wrong((struct cds_gap){.state = CDS_GAP_AGAIN}, "idle with something missing");
  is_wrong((struct cds_gap){.state = CDS_GAP_FAILED, .is_open = true}, "failed without a failure");
  is_wrong((struct cds_gap){.state = CDS_GAP_FAILED, .is_open = true, .failures = 1}, "sound");
  is_wrong((struct cds_gap){.owed = 1}, "reports are owed, and nobody asks for them");
  is_wrong((struct cds_gap){.from_start = true}, "reports are owed, and nobody asks for them");
  is_wrong((struct cds_gap){.state = CDS_GAP_PROBING, .runs = true, .owed = 1, .from_start = true}, "sound");
  cds_gap_init(&gap);
  cds_gap_ask(&gap, 7, 0);
  is_wrong(gap, "something happened that cannot in its state");
}

/* ---- how a gap ends ---- */

static void test_ends(void) {
  opened(false, 0);
  ok(cds_gap_is_open(&gap) && !cds_gap_is_counted(&gap), "no validity shows the gap");
  is_number(cds_gap_close(&gap), CDS_GAP_WAS_NONE, "then it was none");
  ok(!cds_gap_is_open(&gap), "closed");
  opened(true, 0);
  cds_gap_is_left_by(&gap, true);
  ok(cds_gap_is_counted(&gap), "a validity shows it");
  is_number(cds_gap_close(&gap), CDS_GAP_WAS_EMPTY, "who left it is asked before it opens");
  cds_gap_init(&gap);
  cds_gap_is_left_by(&gap, true);
  cds_gap_open(&gap, true, 0);
  is_number(cds_gap_close(&gap), CDS_GAP_WAS_EMPTY_UNBROKEN, "left by a connection that had not broken");
  cds_gap_is_left_by(&gap, false);
  cds_gap_open(&gap, true, 0);
  is_number(cds_gap_close(&gap), CDS_GAP_WAS_EMPTY, "and the next one by another");
  cds_gap_open(&gap, false, 0);
  cds_gap_fill(&gap);
  is_number(cds_gap_close(&gap), CDS_GAP_WAS_FILLED, "filled, shown or not");
  cds_gap_open(&gap, true, 0);
  is_number(cds_gap_close(&gap), CDS_GAP_WAS_EMPTY, "the next begins unfilled");
  cds_gap_start(&gap, 0);
  cds_gap_open(&gap, true, 0);
  ok(!cds_gap_is_counted(&gap), "before a stream's start there is no gap to count");
}

/* ---- when REST is asked ---- */

static void test_patience(void) {
  opened(true, 1000);
  is_sound("a gap");
  is_due(1100, "asked at once, but for reordered messages");
  is_number(cds_gap_due_ms(&gap, &limits, true), 2500, "later, where a connection may bring it");
  cds_gap_run(&gap, 1050);
  is_due(1050, "or when pages are wanted anyway");
  cds_gap_progress(&gap, 3000);
  cds_gap_stop_running(&gap);
  cds_gap_settle(&gap);
  is_due(3100, "progress begins the wait anew");
  is_number(cds_gap_close(&gap), CDS_GAP_WAS_FILLED, "and was what was missing");
  cds_gap_settle(&gap);
  is_due(INT64_MAX, "nothing is missing");
  is_sound("idle");
}

static void test_runs(void) {
  cds_gap_init(&gap);
  is_due(INT64_MAX, "nothing is wanted");
  ok(!cds_gap_is_wanting(&gap) && !cds_gap_runs(&gap), "idle");
  cds_gap_run(&gap, 500);
  cds_gap_settle(&gap);
  is_sound("probing");
  ok(cds_gap_is_wanting(&gap) && cds_gap_runs(&gap) && !cds_gap_is_from_start(&gap), "pages are wanted");
  is_due(500, "not before their time");
  cds_gap_run(&gap, 900);
  cds_gap_run(&gap, 800);
  is_due(500, "another run waits for this one");
  asked(500);
  is_due(INT64_MAX, "no second page at once");
  ok(cds_gap_page_ends(&gap, 600), "a page without news ends the run");
  cds_gap_end_run(&gap);
  cds_gap_settle(&gap);
  is_due(900, "then comes the latest that was wanted meanwhile");
  cds_gap_end_run(&gap);
  cds_gap_settle(&gap);
  ok(!cds_gap_runs(&gap), "and that is all");
  is_due(INT64_MAX, "nothing is wanted any more");
}

static void test_owed(void) {
  cds_gap_init(&gap);
  cds_gap_owe(&gap, 70);
  cds_gap_owe(&gap, 60);
  cds_gap_settle(&gap);
  is_number(cds_gap_owed(&gap), 70, "the newest that is owed");
  is_due(INT64_MIN, "is asked for at once");
  is_sound("owed");
  cds_gap_forgive(&gap);
  is_number(cds_gap_owed(&gap), 0, "forgiven");
  cds_gap_owe(&gap, 5);
  cds_gap_start(&gap, 10);
  ok(cds_gap_is_from_start(&gap), "a start");
  cds_gap_stop_running(&gap);
  ok(!cds_gap_runs(&gap) && !cds_gap_is_from_start(&gap) && cds_gap_owed(&gap) == 0, "all of it stops");
}

/* What is settled with nothing missing forgets how it went. */
static void test_settled(void) {
  opened(true, 0);
  asked(200);
  cds_gap_page_fails(&gap, &limits, 0, 200);
  cds_gap_settle(&gap);
  is_number(gap.failures, 1, "a failure is remembered in the gap");
  cds_gap_close(&gap);
  cds_gap_settle(&gap);
  ok(gap.failures == 0 && gap.empties == 0 && !gap.page_helped && gap.not_before_ms == INT64_MIN, "and not behind it");
  is_sound("idle");
}

/* ---- pages ---- */

static void test_tickets(void) {
  opened(true, 0);
  ok(!cds_gap_is_asked(&gap, 0) && !cds_gap_is_asked(&gap, 7), "no page is under way");
  asked(100);
  ok(cds_gap_is_asked(&gap, 7) && !cds_gap_is_asked(&gap, 8) && !cds_gap_is_asked(&gap, 0), "the page under way");
  cds_gap_abandon(&gap);
  ok(!cds_gap_is_asked(&gap, 7), "abandoned");
  is_sound("and patient again");
  cds_gap_abandon(&gap);
  is_sound("which it can be without a page");
}

static void test_contents(void) {
  opened(true, 0);
  asked(100);
  ok(!cds_gap_page_is_wrong(&gap) && !cds_gap_page_has_passed(&gap), "an empty page");
  cds_gap_page_has(&gap, true, false);
  ok(cds_gap_page_is_wrong(&gap), "only what lies before is not what was asked for");
  cds_gap_page_has(&gap, false, false);
  ok(!cds_gap_page_is_wrong(&gap) && !cds_gap_page_has_passed(&gap), "unless there is what was asked for");
  cds_gap_page_has(&gap, false, true);
  ok(cds_gap_page_has_passed(&gap), "and a later second");
  cds_gap_page_helps(&gap);
  ok(!cds_gap_page_ends(&gap, 150), "a page with news");
  is_due(150, "the next one is asked for at once");
  is_sound("next");
  asked(150);
  ok(!cds_gap_page_is_wrong(&gap) && !cds_gap_page_has_passed(&gap), "which begins empty");
  ok(cds_gap_page_ends(&gap, 160), "and has nothing new");
  asked(200);
  cds_gap_page_is_cut(&gap, 210);
  is_due(210, "a page that was cut is followed at once, whatever it had");
  asked(220);
  cds_gap_close(&gap);
  cds_gap_settle(&gap);
  is_sound("nobody waits for the page any more");
  ok(!cds_gap_page_ends(&gap, 230), "then it shows nothing by having no news");
  opened(true, 0);
  cds_gap_run(&gap, 0);
  asked(100);
  cds_gap_close(&gap);
  cds_gap_settle(&gap);
  ok(!cds_gap_page_ends(&gap, 110), "nor when pages are wanted for something else by now");
  is_number(cds_gap_page_limit(&gap, &limits), 500, "the usual number of reports");
  cds_gap_set_page_limit(&gap, 1000);
  is_number(cds_gap_page_limit(&gap, &limits), 1000, "another");
}

/* REST may lag. */
static void test_empty(void) {
  opened(true, 0);
  for (int i = 0; i < 4; i++) {
    asked(1000);
    ok(cds_gap_page_ends(&gap, 1000), "a page without news");
    ok(cds_gap_ask_again(&gap, &limits, 1000), "which is asked for again");
    is_due(1000 + (300 << i), "after twice the time");
    is_sound("again");
  }
  cds_gap_progress(&gap, 8000);
  is_due(8100, "what comes meanwhile is given its time");
  gap.empties = 4;
  asked(9000);
  ok(cds_gap_page_ends(&gap, 9000), "the fifth");
  ok(!cds_gap_ask_again(&gap, &limits, 9000), "is the last");
  is_number(gap.empties, 0, "and the count begins anew");
  gap.empties = 3;
  cds_gap_page_helps(&gap);
  is_number(gap.empties, 0, "as with any news");
  gap.empties = 3;
  cds_gap_progress(&gap, 9000);
  is_number(gap.empties, 0, "whoever brings it");
  struct cds_sequence_limits patient = limits;
  patient.empty_delay_ms = 1;
  patient.max_empty = 30;
  for (int i = 0; i <= 22; i++) {
    cds_gap_ask(&gap, 8, 0);
    ok(cds_gap_page_ends(&gap, 0) && cds_gap_ask_again(&gap, &patient, 0), "repeat %d", i);
    is_due(INT64_C(1) << (i < 20 ? i : 20), "doubles twenty times at most");
  }
}

static void fail(int64_t at_least_ms, int64_t now_ms) {
  asked(now_ms);
  cds_gap_page_fails(&gap, &limits, at_least_ms, now_ms);
  is_sound("failed");
}

static void test_failures(void) {
  static const int64_t delays[] = {500, 1000, 2000, 4000, 8000, 10000, 10000};
  opened(true, 0);
  for (size_t i = 0; i < 7; i++) {
    fail(0, 1000);
    is_due(1000 + delays[i], "after a failure");
  }
  opened(true, 0);
  fail(5000, 1000);
  is_due(6000, "REST may ask for more");
  fail(61000, 1000);
  is_due(61000, "but not for more than a minute");
  fail(60000, 290000);
  is_due(301000, "nor past what is left: asked since the first failure, at 1000");
  asked(300000);
  ok(cds_gap_page_ends(&gap, 300001), "an answer");
  is_number(gap.failures, 0, "ends the failures");
  asked(300100);
  is_number(cds_gap_expires_ms(&gap, &limits), 600100, "the time runs from when it was asked anew");
}

/* Another feed's page was answered. */
static void test_hurry(void) {
  opened(true, 0);
  asked(0);
  ok(cds_gap_page_ends(&gap, 0) && cds_gap_ask_again(&gap, &limits, 0), "a page without news");
  cds_gap_hurry(&gap);
  is_due(300, "no failure, no hurry");
  fail(0, 1000), fail(0, 1000), fail(0, 1000);
  is_due(3000, "three failures");
  cds_gap_hurry(&gap);
  is_due(1500, "REST answers others: as after the first");
  fail(0, 2000);
  cds_gap_hurry(&gap);
  is_due(6000, "once");
  asked(6000);
  ok(cds_gap_page_ends(&gap, 7000), "an answer");
  fail(0, 8000), fail(0, 8000);
  cds_gap_hurry(&gap);
  is_due(8500, "and once more after the next failures");
  fail(0, 290000 + 8000);
  gap.was_hurried = false;
  fail(9000, 290000 + 8000);
  cds_gap_hurry(&gap);
  is_due(290000 + 17000, "but not before what REST asked for");
  opened(true, 0);
  fail(0, 0);
  cds_gap_hurry(&gap);
  fail(0, 1000);
  cds_gap_hurry(&gap);
  is_due(2000, "the first failure is hurried as any, and then no more");
}

/* ---- giving up ---- */

static void test_expiry(void) {
  opened(true, 1000);
  is_number(cds_gap_expires_ms(&gap, &limits), INT64_MAX, "nobody waits for REST yet");
  asked(2000);
  is_number(cds_gap_expires_ms(&gap, &limits), 302000, "five minutes from the question");
  cds_gap_page_fails(&gap, &limits, 0, 3000);
  asked(4000);
  is_number(cds_gap_expires_ms(&gap, &limits), 302000, "from the first without an answer");
  cds_gap_page_fails(&gap, &limits, 0, 5000);
  is_number(cds_gap_expires_ms(&gap, &limits), 302000, "between two questions too");
  cds_gap_progress(&gap, 6000);
  is_number(cds_gap_expires_ms(&gap, &limits), 306000, "or from the last progress");
  cds_gap_resume(&gap, 10000);
  is_number(cds_gap_expires_ms(&gap, &limits), 310000, "or from when the process went on");
  cds_gap_init(&gap);
  cds_gap_run(&gap, 0);
  cds_gap_settle(&gap);
  asked(2000);
  is_number(cds_gap_expires_ms(&gap, &limits), INT64_MAX, "nothing waits for a page without a gap");
  cds_gap_owe(&gap, 5);
  is_number(cds_gap_expires_ms(&gap, &limits), 302000, "but what is owed does");
  cds_gap_page_fails(&gap, &limits, 60000, 299000);
  is_due(302000, "the last question is when the time is over");
}

static void test_bulk(void) {
  opened(true, 0);
  for (int i = 0; i < 3; i++) {
    ok(cds_gap_may_bulk(&gap), "a question for many feeds, after %d that failed", i);
    cds_gap_bulk_fails(&gap);
  }
  ok(!cds_gap_may_bulk(&gap), "not after three");
  cds_gap_open(&gap, true, 0);
  ok(cds_gap_may_bulk(&gap), "in the next gap again");
  cds_gap_bulk_ends(&gap);
  ok(!cds_gap_may_bulk(&gap), "not for what one left");
  cds_gap_open(&gap, true, 0);
  cds_gap_owe(&gap, 1);
  ok(!cds_gap_may_bulk(&gap), "not for what is owed");
  cds_gap_stop_running(&gap);
  ok(cds_gap_may_bulk(&gap), "once that is over");
  cds_gap_close(&gap);
  ok(!cds_gap_may_bulk(&gap), "not without a gap");
  cds_gap_start(&gap, 0);
  cds_gap_open(&gap, true, 0);
  ok(!cds_gap_may_bulk(&gap), "nor for a start");
}

int main(void) {
  test_invariants();
  test_ends();
  test_patience();
  test_runs();
  test_owed();
  test_settled();
  test_tickets();
  test_contents();
  test_empty();
  test_failures();
  test_hurry();
  test_expiry();
  test_bulk();
  return done();
}
