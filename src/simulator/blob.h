/* SPDX-License-Identifier: MIT
 * What each schema's report blob holds, and the values of one moment. */
#ifndef CDS_SIM_BLOB_H
#define CDS_SIM_BLOB_H

#include "simulator/feeds.h"

struct cds_sim_layout;

/* NULL when the version has no layout. */
const struct cds_sim_layout *cds_sim_layout_find(uint16_t version);

/* Writes the blob of report `step` of a second, and returns its length. The feed's version has a layout; the two times
 * are in the feed's unit. */
size_t cds_sim_blob(uint8_t out[32 * CDS_SIM_MAX_BLOB_WORDS], const struct cds_sim_feed *feed, uint64_t valid_from,
                    uint64_t observed, uint32_t second, unsigned step);

/* The price that this report has; cds_sim_blob writes the same. */
cds_sim_int cds_sim_price(const struct cds_sim_feed *feed, uint32_t second, unsigned step);

#endif
