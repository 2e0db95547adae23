/* SPDX-License-Identifier: MIT
 * The states of what is missing. */
#include "order/gap.h"

#define MAX_DOUBLINGS 20
#define MAX_BULK_FAILURES 3

/* ---- the table ---- */

enum event {
  HELD,     /* something is held */
  FREE,     /* nothing is, and pages are wanted */
  REST,     /* nothing is, and none is wanted */
  CLOSED,   /* nothing is held any more */
  PROGRESS, /* a joined connection brings what is missing */
  ASK,      /* a page is asked for */
  NEWS,     /* it ended, with something new */
  ENDED,    /* it ended without, was cut, or nobody waits for it any more */
  EMPTY,    /* then: as something is missing, REST is to be asked again */
  FAILURE,  /* it failed */
  EVENTS
};

#define NEVER CDS_GAP_STATES

static const unsigned char next_state[CDS_GAP_STATES][EVENTS] = {
  /* clang-format off */
  /*                    HELD             FREE             REST           CLOSED           PROGRESS         ASK            NEWS          ENDED            EMPTY          FAILURE */
  [CDS_GAP_IDLE]    = {CDS_GAP_PATIENT, CDS_GAP_PROBING, CDS_GAP_IDLE,  CDS_GAP_IDLE,    CDS_GAP_IDLE,    NEVER,         NEVER,        NEVER,           NEVER,         NEVER},
  [CDS_GAP_PATIENT] = {CDS_GAP_PATIENT, CDS_GAP_PROBING, CDS_GAP_IDLE,  CDS_GAP_PATIENT, CDS_GAP_PATIENT, CDS_GAP_ASKED, NEVER,        NEVER,           CDS_GAP_AGAIN, NEVER},
  [CDS_GAP_PROBING] = {CDS_GAP_PATIENT, CDS_GAP_PROBING, CDS_GAP_IDLE,  CDS_GAP_PROBING, CDS_GAP_PROBING, CDS_GAP_ASKED, NEVER,        NEVER,           NEVER,         NEVER},
  [CDS_GAP_NEXT]    = {CDS_GAP_NEXT,    CDS_GAP_NEXT,    CDS_GAP_IDLE,  CDS_GAP_NEXT,    CDS_GAP_PATIENT, CDS_GAP_ASKED, NEVER,        NEVER,           NEVER,         NEVER},
  [CDS_GAP_AGAIN]   = {CDS_GAP_AGAIN,   CDS_GAP_AGAIN,   CDS_GAP_IDLE,  CDS_GAP_AGAIN,   CDS_GAP_PATIENT, CDS_GAP_ASKED, NEVER,        NEVER,           NEVER,         NEVER},
  [CDS_GAP_FAILED]  = {CDS_GAP_FAILED,  CDS_GAP_FAILED,  CDS_GAP_IDLE,  CDS_GAP_FAILED,  CDS_GAP_FAILED,  CDS_GAP_ASKED, NEVER,        NEVER,           NEVER,         NEVER},
  [CDS_GAP_ASKED]   = {CDS_GAP_ASKED,   CDS_GAP_ASKED,   CDS_GAP_STALE, CDS_GAP_STALE,   CDS_GAP_ASKED,   NEVER,         CDS_GAP_NEXT, CDS_GAP_PATIENT, NEVER,         CDS_GAP_FAILED},
  [CDS_GAP_STALE]   = {CDS_GAP_STALE,   CDS_GAP_STALE,   CDS_GAP_STALE, CDS_GAP_STALE,   CDS_GAP_STALE,   NEVER,         CDS_GAP_NEXT, CDS_GAP_PATIENT, NEVER,         CDS_GAP_FAILED},
  /* clang-format on */
};

static void step(struct cds_gap *gap, enum event event) {
  enum cds_gap_state to = (enum cds_gap_state)next_state[gap->state][event];
  if (to == NEVER) gap->is_broken = true;
  else gap->state = to;
}

void cds_gap_init(struct cds_gap *gap) {
  *gap = (struct cds_gap){.run_again_ms = INT64_MIN, .not_before_ms = INT64_MIN};
}

static bool is_under_way(const struct cds_gap *gap) {
  return gap->state == CDS_GAP_ASKED || gap->state == CDS_GAP_STALE;
}

const char *cds_gap_check(const struct cds_gap *gap) {
  if (gap->is_broken) return "something happened that cannot in its state";
  if (is_under_way(gap) != (gap->ticket != 0)) return "a page is under way, and the state does not say so";
  if (gap->state == CDS_GAP_PATIENT && !gap->is_open) return "patient without a gap";
  if (gap->state == CDS_GAP_PROBING && (gap->is_open || !gap->runs)) return "probing in a gap, or for nothing";
  if (!is_under_way(gap) && cds_gap_is_wanting(gap) != (gap->state != CDS_GAP_IDLE))
    return "idle with something missing";
  if (gap->state == CDS_GAP_FAILED && gap->failures == 0) return "failed without a failure";
  if (!gap->runs && (gap->owed != 0 || gap->from_start)) return "reports are owed, and nobody asks for them";
  return NULL;
}

bool cds_gap_is_wanting(const struct cds_gap *gap) {
  return gap->is_open || gap->runs;
}

/* ---- what is held ---- */

void cds_gap_open(struct cds_gap *gap, bool is_shown, int64_t now_ms) {
  gap->is_open = true;
  gap->is_filled = false;
  gap->empties = 0;
  gap->bulk_failures = 0;
  gap->wants_page = false;
  gap->since_ms = now_ms;
  gap->is_counted = is_shown && !gap->from_start;
}

bool cds_gap_is_open(const struct cds_gap *gap) {
  return gap->is_open;
}

void cds_gap_is_left_by(struct cds_gap *gap, bool is_joined) {
  if (!gap->is_open) gap->is_unbroken = is_joined;
}

enum cds_gap_end cds_gap_close(struct cds_gap *gap) {
  gap->is_open = false;
  step(gap, CLOSED);
  if (gap->is_filled) return CDS_GAP_WAS_FILLED;
  if (!gap->is_counted) return CDS_GAP_WAS_NONE;
  return gap->is_unbroken ? CDS_GAP_WAS_EMPTY_UNBROKEN : CDS_GAP_WAS_EMPTY;
}

bool cds_gap_is_counted(const struct cds_gap *gap) {
  return gap->is_counted;
}

void cds_gap_fill(struct cds_gap *gap) {
  gap->is_filled = true;
}

void cds_gap_progress(struct cds_gap *gap, int64_t now_ms) {
  gap->is_filled = true;
  gap->since_ms = now_ms;
  gap->empties = 0;
  step(gap, PROGRESS);
}

/* ---- pages without a gap ---- */

void cds_gap_run(struct cds_gap *gap, int64_t from_ms) {
  if (gap->runs) {
    if (from_ms > gap->run_again_ms) gap->run_again_ms = from_ms;
    return;
  }
  gap->runs = true;
  gap->run_from_ms = from_ms;
}

void cds_gap_start(struct cds_gap *gap, int64_t now_ms) {
  cds_gap_run(gap, now_ms);
  gap->from_start = true;
}

void cds_gap_owe(struct cds_gap *gap, int64_t time) {
  cds_gap_run(gap, INT64_MIN);
  if (time > gap->owed) gap->owed = time;
}

void cds_gap_forgive(struct cds_gap *gap) {
  gap->owed = 0;
}

int64_t cds_gap_owed(const struct cds_gap *gap) {
  return gap->owed;
}

bool cds_gap_runs(const struct cds_gap *gap) {
  return gap->runs;
}

bool cds_gap_is_from_start(const struct cds_gap *gap) {
  return gap->from_start;
}

void cds_gap_stop_running(struct cds_gap *gap) {
  gap->runs = gap->from_start = false;
  gap->owed = 0;
  gap->run_again_ms = INT64_MIN;
}

void cds_gap_end_run(struct cds_gap *gap) {
  int64_t again_ms = gap->run_again_ms;
  cds_gap_stop_running(gap);
  if (again_ms > INT64_MIN) cds_gap_run(gap, again_ms);
}

void cds_gap_settle(struct cds_gap *gap) {
  step(gap, gap->is_open ? HELD : gap->runs ? FREE : REST);
  if (cds_gap_is_wanting(gap)) return;
  gap->empties = gap->failures = 0;
  gap->page_helped = false;
  gap->not_before_ms = INT64_MIN;
}

/* ---- asking ---- */

static int64_t later(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b) {
  return a < b ? a : b;
}

int64_t cds_gap_due_ms(const struct cds_gap *gap, const struct cds_sequence_limits *limits, bool keeps_up) {
  int64_t run_ms = gap->runs ? gap->run_from_ms : INT64_MAX;
  int64_t wait_ms = keeps_up ? limits->patience_ms : limits->delay_ms;
  switch (gap->state) {
  case CDS_GAP_PATIENT: return later(sooner(gap->since_ms + wait_ms, run_ms), gap->not_before_ms);
  case CDS_GAP_PROBING: return later(run_ms, gap->not_before_ms);
  case CDS_GAP_NEXT:
  case CDS_GAP_AGAIN:
  case CDS_GAP_FAILED: return gap->not_before_ms;
  default: return INT64_MAX;
  }
}

void cds_gap_ask(struct cds_gap *gap, uint64_t ticket, int64_t now_ms) {
  if (gap->failures == 0) gap->asked_since_ms = now_ms;
  gap->ticket = ticket;
  gap->page_helped = gap->page_old = gap->page_reached = gap->page_passed = false;
  step(gap, ASK);
}

bool cds_gap_is_asked(const struct cds_gap *gap, uint64_t ticket) {
  return ticket != 0 && gap->ticket == ticket;
}

/* ---- answers ---- */

void cds_gap_page_has(struct cds_gap *gap, bool is_before, bool is_behind) {
  if (is_before) gap->page_old = true;
  else gap->page_reached = true;
  if (is_behind) gap->page_passed = true;
}

bool cds_gap_page_has_passed(const struct cds_gap *gap) {
  return gap->page_passed;
}

size_t cds_gap_page_limit(const struct cds_gap *gap, const struct cds_sequence_limits *limits) {
  return gap->page_limit != 0 ? gap->page_limit : limits->page_limit;
}

void cds_gap_set_page_limit(struct cds_gap *gap, size_t limit) {
  gap->page_limit = limit;
}

void cds_gap_page_helps(struct cds_gap *gap) {
  gap->page_helped = true;
  gap->empties = 0;
}

bool cds_gap_page_is_wrong(const struct cds_gap *gap) {
  return gap->page_old && !gap->page_reached;
}

static void answered(struct cds_gap *gap, int64_t now_ms) {
  gap->ticket = 0;
  gap->failures = 0;
  gap->not_before_ms = now_ms;
}

bool cds_gap_page_ends(struct cds_gap *gap, int64_t now_ms) {
  bool was_useful = gap->state == CDS_GAP_ASKED;
  answered(gap, now_ms);
  step(gap, gap->page_helped ? NEWS : ENDED);
  return was_useful && !gap->page_helped;
}

void cds_gap_page_is_cut(struct cds_gap *gap, int64_t now_ms) {
  answered(gap, now_ms);
  step(gap, NEWS);
}

/* 0.3, 0.6, 1.2 … seconds, say. */
static int64_t doubled(int64_t delay, unsigned times, int64_t most) {
  for (; times > 0 && delay < most; times--) delay *= 2;
  return sooner(delay, most);
}

bool cds_gap_ask_again(struct cds_gap *gap, const struct cds_sequence_limits *limits, int64_t now_ms) {
  bool again = gap->empties < limits->max_empty;
  if (again) {
    int64_t most = limits->empty_delay_ms << MAX_DOUBLINGS;
    gap->not_before_ms = now_ms + doubled(limits->empty_delay_ms, gap->empties, most);
    step(gap, EMPTY);
  }
  gap->empties = again ? gap->empties + 1 : 0;
  return again;
}

void cds_gap_page_fails(struct cds_gap *gap, const struct cds_sequence_limits *limits, int64_t at_least_ms,
                        int64_t now_ms) {
  gap->ticket = 0;
  if (gap->failures == 0) gap->was_hurried = false;
  int64_t delay = doubled(limits->failed_delay_ms, gap->failures, limits->max_failed_delay_ms);
  int64_t asked_for = sooner(at_least_ms, limits->max_retry_after_ms);
  gap->failures++;
  step(gap, FAILURE);
  gap->not_before_ms = sooner(now_ms + later(delay, asked_for), cds_gap_expires_ms(gap, limits));
  gap->soonest_ms = sooner(now_ms + later(limits->failed_delay_ms, asked_for), gap->not_before_ms);
}

void cds_gap_hurry(struct cds_gap *gap) {
  if (gap->failures == 0 || gap->was_hurried) return;
  gap->was_hurried = true;
  gap->not_before_ms = sooner(gap->not_before_ms, gap->soonest_ms);
}

bool cds_gap_may_bulk(const struct cds_gap *gap) {
  return gap->is_open && !gap->from_start && gap->owed == 0 && !gap->wants_page &&
         gap->bulk_failures < MAX_BULK_FAILURES;
}

void cds_gap_bulk_ends(struct cds_gap *gap) {
  gap->wants_page = true;
}

void cds_gap_bulk_fails(struct cds_gap *gap) {
  gap->bulk_failures++;
}

void cds_gap_abandon(struct cds_gap *gap) {
  if (!is_under_way(gap)) return;
  gap->ticket = 0;
  step(gap, ENDED);
}

int64_t cds_gap_expires_ms(const struct cds_gap *gap, const struct cds_sequence_limits *limits) {
  bool is_asking = gap->ticket != 0 || gap->failures > 0;
  if (!is_asking || (!gap->is_open && gap->owed == 0)) return INT64_MAX;
  int64_t since_ms = gap->is_open ? later(gap->since_ms, gap->asked_since_ms) : gap->asked_since_ms;
  return since_ms + limits->max_failing_ms;
}

void cds_gap_resume(struct cds_gap *gap, int64_t now_ms) {
  gap->asked_since_ms = now_ms;
}
