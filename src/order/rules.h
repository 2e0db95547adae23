/* SPDX-License-Identifier: MIT
 * How long the order waits for what, and how much it keeps. Milliseconds are of any monotonic clock. */
#ifndef CDS_RULES_H
#define CDS_RULES_H

#include "base/cds.h"

/* In which order reports go out: by each feed's time, or as they come. */
enum cds_order {
  CDS_ORDER_FEED,
  CDS_ORDER_ARRIVAL /* nothing is held: what would be is delivered, and remembered until what lies before it has come */
};

struct cds_sequence_limits {
  enum cds_order order;
  bool backfill;           /* false: gaps are lost, and nothing is held but what comes on trial */
  size_t max_held;         /* reports, over all feeds; at least 1; of no meaning to those that are only remembered */
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
  int64_t max_gap_seconds;    /* of a longer gap only the newest part is asked for; a start is exempt */
  size_t page_limit;          /* reports that a page is asked for, */
  size_t max_page_limit;      /* and, of a feed with more a second, up to so many */
};

struct cds_sequence_limits cds_sequence_default_limits(void);

#endif
