/* SPDX-License-Identifier: MIT
 * Which connections follow on what one feed delivered, and how far each has come.
 *
 * A connection is *joined* once it brought a report that was delivered: whatever it sends from then on follows on what
 * was delivered, until it breaks. It *trails* while its latest report is held. Never both. */
#ifndef CDS_LINKS_H
#define CDS_LINKS_H

#include "order/hold.h"

#define CDS_SEQUENCE_LINKS 64 /* connections are numbered 0..63; a number may be used again after link_down */

struct cds_links {
  uint64_t joined;                     /* a bit each */
  uint64_t trailing;                   /* exactly those in some held entry's `at` */
  int64_t reached[CDS_SEQUENCE_LINKS]; /* of the joined ones: the time each has come to */
};

uint64_t cds_links_bit(unsigned link);
bool cds_links_is_joined(const struct cds_links *links, uint64_t bit);

/* The time up to which a joined connection has brought what was delivered. */
int64_t cds_links_reached(const struct cds_links *links, uint64_t bit);

/* One that brings what others have delivered up to this time, or later; a half-open one does not. */
bool cds_links_one_keeps_up(const struct cds_links *links, int64_t time);

/* The connections (a bit each) have brought what was delivered up to this time; but not those that trail. */
void cds_links_join(struct cds_links *links, uint64_t bits, int64_t time);

/* The held entry leaves the hold: those that trailed there do not any more. */
void cds_links_leave_entry(struct cds_links *links, const struct cds_held *held);

/* The connection's latest report is not known any more: what it brings next may follow on nothing. */
void cds_links_let_go(struct cds_links *links, struct cds_hold *hold, uint64_t bit);

/* The connection's latest report is this held one. */
void cds_links_move_to(struct cds_links *links, struct cds_hold *hold, uint64_t bit, struct cds_held *held);

/* The connection is joined no more, as its next report did not follow. */
void cds_links_unjoin(struct cds_links *links, uint64_t bit);

/* The held entry that the connection brought last, or NULL. */
struct cds_held *cds_links_position(const struct cds_links *links, const struct cds_hold *hold, uint64_t bit);

const char *cds_links_check(const struct cds_links *links, const struct cds_hold *hold, int64_t newest); /* or NULL */

#endif
