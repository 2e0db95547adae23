/* SPDX-License-Identifier: MIT
 * The feeds of the simulated service: names, ids, and what their values look like. */
#ifndef CDS_SIM_FEEDS_H
#define CDS_SIM_FEEDS_H

#include "base/error.h"
#include "simulator/encoder.h"

#define CDS_SIM_ID_TEXT 66
#define CDS_SIM_MAX_FEEDS 1000

struct cds_sim_feed {
  uint8_t id[32];
  char text[CDS_SIM_ID_TEXT + 1]; /* 0x and 64 lower-case digits */
  char name[48];
  uint16_t version;
  bool in_ms;       /* its times are in milliseconds */
  uint64_t key;     /* of its random numbers */
  cds_sim_int base; /* what the price walks about, 18 decimals */
  bool around_zero; /* the value takes both signs */
  bool irregular;   /* no reports in about a third of the seconds */
  unsigned rate;    /* reports a second; 0: one at each of the source's beats */
};

struct cds_sim_feeds {
  struct cds_sim_feed *list;
  size_t count;
  size_t *order; /* indexes, ascending by id */
};

/* The first `count` of the default set, of which the first `ms_count` are in milliseconds. */
CDS_MUST_CHECK enum cds_status cds_sim_feeds_default(struct cds_sim_feeds *out, uint64_t seed, size_t count,
                                                     size_t ms_count, struct cds_error *err);

/* The feeds of these ids, which must differ; a version without a known layout is refused if `known` is set. */
CDS_MUST_CHECK enum cds_status cds_sim_feeds_list(struct cds_sim_feeds *out, uint64_t seed, const char *const *ids,
                                                  size_t count, bool known, struct cds_error *err);

void cds_sim_feeds_clear(struct cds_sim_feeds *feeds);

/* The index of an id, or -1. */
long cds_sim_feeds_find(const struct cds_sim_feeds *feeds, const uint8_t id[32]);

/* Reads 0x and 64 hex digits. */
bool cds_sim_id_parse(uint8_t id[32], const char *text, size_t length);

#endif
