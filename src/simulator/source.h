/* SPDX-License-Identifier: MIT
 * Where reports come from: made on demand for any moment since the beginning, or recorded ones from a file.
 * A feed's reports are numbered; ascending numbers are ascending in time. Not every number has a report: made ones are
 * numbered by the beats of the fastest feed, recorded ones without a hole, and on from pass to pass where they come again
 * and again. */
#ifndef CDS_SIM_SOURCE_H
#define CDS_SIM_SOURCE_H

#include "simulator/feeds.h"
#include "simulator/replay.h"
#include "simulator/signer.h"
#include "simulator/timeline.h"

#define CDS_SIM_GENESIS 1704067200u /* 2024-01-01; no reports before it */

struct cds_sim_presigned {
  uint64_t first, count; /* report numbers */
  uint8_t *data;         /* count * feeds * signers of 65 bytes: r, s, v */
};

#define CDS_SIM_MAX_PAUSES 16

/* Seconds in which no feed has a report, both inclusive. */
struct cds_sim_pause {
  uint32_t from, to;
};

#define CDS_SIM_MAX_AHEAD 16

struct cds_sim_source {
  struct cds_sim_feeds feeds;
  struct cds_sim_signer signer;
  unsigned rate; /* beats a second */
  struct cds_sim_pause pauses[CDS_SIM_MAX_PAUSES];
  size_t pause_count;
  uint32_t ahead[CDS_SIM_MAX_AHEAD]; /* seconds of which a report is out before its time: a ring */
  size_t ahead_count;                /* ever */
  struct cds_sim_presigned presigned;
  struct cds_sim_replay replay;     /* record_count 0: reports are made */
  struct cds_sim_timeline timeline; /* count 0: recorded ones are all there at once */
  uint8_t scratch[CDS_SIM_MAX_REPORT];
};

struct cds_sim_report {
  const struct cds_sim_feed *feed;
  uint64_t valid_from, observed; /* in the feed's unit */
  const uint8_t *full;           /* valid until the next report is got */
  size_t length;
};

/* The first number at or after a second, and one past the newest number due. */
uint64_t cds_sim_seek(const struct cds_sim_source *source, size_t feed, uint32_t second);
uint64_t cds_sim_end(const struct cds_sim_source *source, size_t feed, int64_t now_ms);

/* Has the number a report? It is less than the feed's end. */
bool cds_sim_exists(const struct cds_sim_source *source, size_t feed, uint64_t number);

/* A report of this second is out before its time, and must stay what it is. */
void cds_sim_send_ahead(struct cds_sim_source *source, uint32_t second);

/* No reports for so many seconds, from this one on or, where that would change reports that are out, from a later one,
 * which is returned; 0: there have been too many pauses. */
uint32_t cds_sim_pause(struct cds_sim_source *source, uint32_t from, uint32_t seconds);

/* No reports in these seconds, both inclusive; false: there are too many pauses. Only before the service starts. */
CDS_MUST_CHECK bool cds_sim_outage(struct cds_sim_source *source, uint32_t from, uint32_t to);

/* From when on the report is valid, in the feed's unit: right after the report before, or its own second where that has
 * several; but no longer ago than five minutes, as the oracle network has it. */
uint64_t cds_sim_valid_from(const struct cds_sim_source *source, size_t feed, uint64_t number);

/* What is signed of a report that is made: its context and blob, whose length is returned; and its times. */
size_t cds_sim_make_blob(uint8_t context[96], uint8_t blob[32 * CDS_SIM_MAX_BLOB_WORDS], struct cds_sim_report *times,
                         const struct cds_sim_source *source, size_t feed, uint64_t number);

/* Report `number` of a feed, which exists. */
void cds_sim_get(struct cds_sim_report *out, struct cds_sim_source *source, size_t feed, uint64_t number);

/* The same where a WebSocket is sent it: recorded ones are numbered there in the order of their files. */
void cds_sim_get_sent(struct cds_sim_report *out, struct cds_sim_source *source, size_t feed, uint64_t number);

/* A number's second, without making the report. */
uint32_t cds_sim_second(const struct cds_sim_source *source, size_t feed, uint64_t number);

void cds_sim_source_clear(struct cds_sim_source *source);

#endif
