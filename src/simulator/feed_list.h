/* SPDX-License-Identifier: MIT
 * The feeds that a request names. */
#ifndef CDS_SIM_FEED_LIST_H
#define CDS_SIM_FEED_LIST_H

#include "simulator/auth.h"

/* One feed id as text, which the account may read: 0, or a status with its message. */
int cds_sim_find_feed(struct cds_sim *sim, const struct cds_sim_account *account, const char *text, size_t length,
                      size_t *feed, const char **message);

/* Comma separated feed ids, each once, into a new array: 0, or a status with its message. */
int cds_sim_read_feeds(struct cds_sim *sim, const struct cds_sim_account *account, const char *list, size_t **feeds,
                       size_t *count, const char **message);

#endif
