/* SPDX-License-Identifier: MIT
 * One sequence out of several connections and REST pages: each report exactly once, each feed's seconds never going
 * back, in bounded memory; what could not be had is told as a lost range. Pure: no lock, clock or I/O.
 *
 * Two reports are the same when feed and blob (which has the observations timestamp in it) are equal. A connection
 * is *joined* to a feed's sequence once it brought a report that was delivered: whatever it sends from then on
 * follows on what was delivered, until it breaks. A report from a connection that is not joined, or one whose
 * valid_from leaves seconds uncovered, is *held*: another connection may bring what is missing; after a while a
 * *fill* over REST is due, page after page from the newest delivered second, until a page shows the held report or
 * brings nothing new. A feed that never had two reports in one second needs no fill where valid_from covers the
 * seconds between.
 *
 * Times in milliseconds are of any monotonic clock. Every function with an `out` may deliver held reports. */
#ifndef CDS_SEQUENCE_H
#define CDS_SEQUENCE_H

#include "order/hold.h"
#include "order/seen.h"

#define CDS_SEQUENCE_LINKS 64 /* connections are numbered 0..63; a number may be used again after link_down */

enum cds_verdict {
  CDS_VERDICT_ACCEPT,
  CDS_VERDICT_HELD, /* will be delivered later, or told as lost */
  CDS_VERDICT_DUPLICATE,
  CDS_VERDICT_OUT_OF_ORDER, /* older than the newest delivered, and not a copy of one remembered: told as lost where
                               it cannot be a copy of one forgotten */
  CDS_VERDICT_FUTURE,       /* its time is impossible; moving the watermark there would blind the feed */
  CDS_VERDICT_TOO_MANY      /* no memory, or more different reports of one second than can be remembered */
};

enum cds_lost_reason {
  CDS_LOST_REFUSED,  /* REST's answer was final */
  CDS_LOST_FAILING,  /* REST failed for max_failing_ms */
  CDS_LOST_TOO_LONG, /* the gap was longer than max_gap_seconds: its older part */
  CDS_LOST_NO_MEMORY,
  CDS_LOST_BACKFILL_OFF,
  CDS_LOST_LATE /* it came when a later second had been delivered */
};

const char *cds_lost_reason_text(enum cds_lost_reason reason);

struct cds_sequence_limits {
  bool backfill;           /* false: gaps are lost, and nothing is held but what comes on trial */
  size_t max_held;         /* reports, over all feeds; at least 1 */
  size_t max_held_bytes;   /* of these; more than one report has */
  int64_t patience_ms;     /* a held report waits so long for a joined connection that keeps up */
  int64_t delay_ms;        /* and so long when there is none: messages may have been reordered */
  int64_t probe_ms;        /* REST is asked so long after a reconnect that brought no report: longer than it lags */
  int64_t empty_delay_ms;  /* after a page without news, doubled each time: REST may lag */
  unsigned max_empty;      /* then, after so many repeats, there is nothing missing */
  int64_t failed_delay_ms; /* after a failed page, doubled each time, until another feed's page is answered */
  int64_t max_failed_delay_ms;
  int64_t max_retry_after_ms; /* REST may ask for so long a delay, not for a longer one */
  int64_t max_failing_ms;     /* gives up when it was asked for so long without an answer */
  uint32_t max_gap_seconds;   /* of a longer gap only the newest part is asked for; a start is exempt */
};

struct cds_sequence_limits cds_sequence_default_limits(void);

/* What is known of a report before the verdict; the tags are from cds_seen_tag with the sequence's seed. */
struct cds_candidate {
  struct cds_queue_node *node;     /* taken; node->slot is the feed */
  bool has_observations_timestamp; /* false: delivered at once, identity by the blob alone */
  uint32_t observations_timestamp;
  bool has_valid_from_timestamp;
  uint32_t valid_from_timestamp;
  uint64_t blob_tag;
  uint64_t text_tag; /* of the hex text it came as, 0 when it came otherwise */
  bool on_trial;     /* of a connection that is to replace others: held while they are behind, backfill or not */
};

struct cds_lost {
  size_t slot;
  uint32_t from, to; /* seconds, both inclusive; some of their reports may have been delivered */
  bool open_ended;   /* `to` is not known: up to the feed's next report */
  enum cds_lost_reason reason;
};

#define CDS_SEQUENCE_MAX_LOST 4 /* a call concerns two feeds at most, each with two ranges */

/* What a call leaves to do. Starts as {0}; the nodes are linked by next and owned by the caller. */
struct cds_sequence_out {
  struct cds_queue_node *deliver, *deliver_tail; /* in order */
  struct cds_queue_node *drop;                   /* to free: duplicates and refused ones */
  struct cds_lost lost[CDS_SEQUENCE_MAX_LOST];
  size_t lost_count;
};

struct cds_sequence_counts {
  uint64_t gaps;       /* reports whose valid_from left seconds uncovered */
  uint64_t empty_gaps; /* of these, with nothing missing */
  uint64_t backfilled, lost_ranges, lost_seconds;
};

struct cds_sequence_feed;

struct cds_sequence {
  struct cds_sequence_feed **feeds; /* owned; one per slot */
  size_t count;
  struct cds_hold_index index;
  struct cds_sequence_limits limits;
  struct cds_sequence_counts counts;
  uint64_t seed, last_ticket;
  size_t wanting; /* the first feed with a fill due some time, as slot + 1 */
};

CDS_MUST_CHECK bool cds_sequence_init(struct cds_sequence *seq, size_t slots, uint64_t seed,
                                      const struct cds_sequence_limits *limits); /* false: no memory */
void cds_sequence_clear(struct cds_sequence *seq);

/* Slots may be added, not removed; a forgotten slot starts anew. False, and nothing changed, without memory. */
CDS_MUST_CHECK bool cds_sequence_grow(struct cds_sequence *seq, size_t slots);
void cds_sequence_forget(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out);

/* The feed begins with this second (not 0), over REST, whatever live reports come. Before its first report. */
void cds_sequence_start(struct cds_sequence *seq, size_t slot, uint32_t second, int64_t now_ms);

/* Did this very text arrive lately? Then it need not be decoded again, and what a duplicate tells has been heeded. */
CDS_MUST_CHECK bool cds_sequence_peek(struct cds_sequence *seq, size_t slot, uint64_t text_tag, unsigned link,
                                      int64_t now_ms, struct cds_sequence_out *out);

/* A report from a connection. Takes the node. latest_possible: the receiver's wall clock plus the tolerance, in
 * seconds. */
enum cds_verdict cds_sequence_take(struct cds_sequence *seq, const struct cds_candidate *candidate, unsigned link,
                                   int64_t now_ms, int64_t latest_possible, struct cds_sequence_out *out);

/* The connections that are joined to the feed's sequence, a bit each. */
uint64_t cds_sequence_joined(const struct cds_sequence *seq, size_t slot);

/* A connection for this feed came up. When no other kept up meanwhile, reports may have been missed; a feed that does
 * not show it by a report soon is asked for. */
void cds_sequence_link_up(struct cds_sequence *seq, size_t slot, int64_t now_ms);

/* The connection brought something that was not taken in: a message nobody could read, a report that was refused. Which
 * feed's report that was, or should have been, is not known, so what it brings next may follow on nothing. */
void cds_sequence_doubt(struct cds_sequence *seq, unsigned link, int64_t now_ms);

/* The connection broke, or will not bring these feeds any more. */
void cds_sequence_link_down(struct cds_sequence *seq, unsigned link, int64_t now_ms);

/* Without backfill: what is held for the feed is waited for no longer. */
void cds_sequence_stop_waiting(struct cds_sequence *seq, size_t slot, int64_t now_ms, struct cds_sequence_out *out);

/* ---- fills ---- */

struct cds_fill {
  size_t slot;
  uint32_t start; /* ask the page from here */
  uint64_t ticket;
};

/* True: *fill is to be asked now, and to be answered by page_report… and page_done, or page_failed; it is not given
 * again before that. False: *wait_ms is the time until one may be due, negative when none is in sight. */
CDS_MUST_CHECK bool cds_sequence_next_fill(struct cds_sequence *seq, int64_t now_ms, struct cds_fill *fill,
                                           int64_t *wait_ms);

/* The page's reports, in its order, then page_done. Takes the node. Not to be counted as received or out of order. */
enum cds_verdict cds_sequence_page_report(struct cds_sequence *seq, const struct cds_fill *fill,
                                          const struct cds_candidate *candidate, int64_t now_ms,
                                          int64_t latest_possible, struct cds_sequence_out *out);
void cds_sequence_page_done(struct cds_sequence *seq, const struct cds_fill *fill, int64_t now_ms,
                            struct cds_sequence_out *out);

/* The rest of the page was not taken, as the script is behind: asked for again from where this one came to. */
void cds_sequence_page_cut(struct cds_sequence *seq, const struct cds_fill *fill, int64_t now_ms,
                           struct cds_sequence_out *out);

/* at_least_ms: not to be asked again sooner (Retry-After), or 0; heeded up to max_retry_after_ms, and never past the
 * time when the feed would be given up. */
void cds_sequence_page_failed(struct cds_sequence *seq, const struct cds_fill *fill, bool retryable,
                              int64_t at_least_ms, int64_t now_ms, struct cds_sequence_out *out);

/* Is the page still waited for? Else its answer has no effect, and it may be cancelled. */
bool cds_sequence_is_asked(const struct cds_sequence *seq, const struct cds_fill *fill);

/* Gives up one feed whose reports wait and which has had no answer for max_failing_ms, whether a page is under way or
 * not. False: there is none now. */
bool cds_sequence_expire(struct cds_sequence *seq, int64_t now_ms, struct cds_sequence_out *out);
int64_t cds_sequence_expires_ms(const struct cds_sequence *seq); /* when the next one will be; INT64_MAX: none */

/* Nothing was asked for a while, as the script was behind: that time is no failure of REST. */
void cds_sequence_resume(struct cds_sequence *seq, int64_t now_ms);

#endif
