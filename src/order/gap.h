/* SPDX-License-Identifier: MIT
 * What may be missing in one feed, and what happens next about it: one state, moved by the table in gap.c. Knows no
 * report and no connection: the caller tells it what happened.
 *
 * A gap is *open* while a report is held. Pages can be wanted without one: after a reconnect that brought nothing, for
 * a start in the past, or for reports that had to be let go (*owed*). */
#ifndef CDS_GAP_H
#define CDS_GAP_H

#include "order/rules.h"

enum cds_gap_state {
  CDS_GAP_IDLE,    /* nothing is missing */
  CDS_GAP_PATIENT, /* a report is held: a connection may yet bring what lies before it, then REST is asked */
  CDS_GAP_PROBING, /* nothing is held, but reports may have been missed: REST is asked at its time */
  CDS_GAP_NEXT,    /* a page brought something: the one after it is asked for at once */
  CDS_GAP_AGAIN,   /* a page brought nothing: asked for again after a while, as REST may lag */
  CDS_GAP_FAILED,  /* a page failed: asked for again after a while */
  CDS_GAP_ASKED,   /* a page is under way */
  CDS_GAP_STALE,   /* a page is under way, and what it was asked for is not missing any more */
  CDS_GAP_STATES
};

struct cds_gap {
  enum cds_gap_state state;
  bool is_broken; /* something happened that cannot in its state */
  /* the gap in front of what is held */
  bool is_open;
  bool is_counted, is_filled;
  bool is_unbroken; /* a connection that had not broken left it */
  int64_t since_ms;
  /* pages wanted whether something is held or not, until they bring nothing new */
  bool runs, from_start;
  int64_t run_from_ms; /* not before */
  int64_t
    run_again_ms; /* what was wanted later is not before then, and no page of before shows it; INT64_MIN: no more */
  int64_t owed;   /* newest time of a report that was let go because REST has it; 0: none */
  /* pages */
  uint64_t ticket;             /* of the one under way, or 0 */
  bool page_helped;            /* it brought something */
  bool page_old, page_reached; /* it had reports from before what was asked; it had others */
  bool page_passed;            /* of a later second than it was asked from, too */
  size_t page_limit;           /* 0: the usual one */
  unsigned empties, failures;  /* in a row */
  int64_t asked_since_ms;      /* without an answer, when a page is under way or failures > 0 */
  int64_t not_before_ms;
  int64_t soonest_ms;     /* when failures > 0: asked again then, once another feed's page is answered */
  bool was_hurried;       /* that has happened */
  unsigned bulk_failures; /* questions for many feeds at once that failed, in this gap */
  bool wants_page;        /* no more of these in this gap */
};

/* How a gap ended. */
enum cds_gap_end {
  CDS_GAP_WAS_FILLED,
  CDS_GAP_WAS_EMPTY,          /* a validity had shown it, and nothing was missing */
  CDS_GAP_WAS_EMPTY_UNBROKEN, /* and no connection had broken */
  CDS_GAP_WAS_NONE            /* no validity had shown it */
};

void cds_gap_init(struct cds_gap *gap);
const char *cds_gap_check(const struct cds_gap *gap); /* NULL, or the invariant that is broken */

bool cds_gap_is_wanting(const struct cds_gap *gap); /* pages, now or some time */

/* ---- what is held ---- */

/* The first report is held. is_shown: its validity leaves times out. */
void cds_gap_open(struct cds_gap *gap, bool is_shown, int64_t now_ms);
bool cds_gap_is_open(const struct cds_gap *gap);
void cds_gap_is_left_by(struct cds_gap *gap, bool is_joined); /* the connection that holds back the first report */
enum cds_gap_end cds_gap_close(struct cds_gap *gap);          /* nothing is held any more */
bool cds_gap_is_counted(const struct cds_gap *gap);
void cds_gap_fill(struct cds_gap *gap);                     /* something that was missing came, or is lost */
void cds_gap_progress(struct cds_gap *gap, int64_t now_ms); /* a joined connection brings what is missing: no hurry */

/* ---- pages without a gap ---- */

void cds_gap_run(struct cds_gap *gap, int64_t from_ms);
void cds_gap_start(struct cds_gap *gap, int64_t now_ms);
void cds_gap_owe(struct cds_gap *gap, int64_t time);
void cds_gap_forgive(struct cds_gap *gap); /* what is owed */
int64_t cds_gap_owed(const struct cds_gap *gap);
bool cds_gap_runs(const struct cds_gap *gap);
bool cds_gap_is_from_start(const struct cds_gap *gap);
void cds_gap_stop_running(struct cds_gap *gap);
void cds_gap_end_run(struct cds_gap *gap); /* its pages brought all; another run may have been wanted meanwhile */

/* After all that one call tells of the above. */
void cds_gap_settle(struct cds_gap *gap);

/* ---- pages ---- */

/* When a page is to be asked for; INT64_MAX: none is. keeps_up: a joined connection does. */
int64_t cds_gap_due_ms(const struct cds_gap *gap, const struct cds_sequence_limits *limits, bool keeps_up);
void cds_gap_ask(struct cds_gap *gap, uint64_t ticket, int64_t now_ms);
bool cds_gap_is_asked(const struct cds_gap *gap, uint64_t ticket);

/* A report: from before the second that was asked for, or of a later one, or neither. */
void cds_gap_page_has(struct cds_gap *gap, bool is_before, bool is_behind);
bool cds_gap_page_has_passed(const struct cds_gap *gap); /* its second: had one of a later one */
void cds_gap_page_helps(struct cds_gap *gap);
bool cds_gap_page_is_wrong(const struct cds_gap *gap); /* not what was asked for */

/* How many reports a page is asked for, from the next one on. */
size_t cds_gap_page_limit(const struct cds_gap *gap, const struct cds_sequence_limits *limits);
void cds_gap_set_page_limit(struct cds_gap *gap, size_t limit);

/* The page has ended. True when it shows that nothing more is missing: it was of use, and had nothing new. */
CDS_MUST_CHECK bool cds_gap_page_ends(struct cds_gap *gap, int64_t now_ms);
/* Something is missing, and REST may lag. False: it was asked often enough. */
CDS_MUST_CHECK bool cds_gap_ask_again(struct cds_gap *gap, const struct cds_sequence_limits *limits, int64_t now_ms);
void cds_gap_page_is_cut(struct cds_gap *gap, int64_t now_ms);
void cds_gap_page_fails(struct cds_gap *gap, const struct cds_sequence_limits *limits, int64_t at_least_ms,
                        int64_t now_ms);
void cds_gap_hurry(struct cds_gap *gap);

/* May a question for many feeds at once stand for the page? It shows times one by one, so only of an open gap and not
 * when one did not fill it, was refused, or failed several times. */
bool cds_gap_may_bulk(const struct cds_gap *gap);
void cds_gap_bulk_ends(struct cds_gap *gap); /* what it did not fill is for pages */
void cds_gap_bulk_fails(struct cds_gap *gap);

void cds_gap_abandon(struct cds_gap *gap); /* the page under way, if one is */

/* When what waits will have waited for REST too long; INT64_MAX: it does not wait for REST. */
int64_t cds_gap_expires_ms(const struct cds_gap *gap, const struct cds_sequence_limits *limits);
void cds_gap_resume(struct cds_gap *gap, int64_t now_ms);

#endif
