/* SPDX-License-Identifier: MIT
 * When the reports of a recording come, where it is served in its own time: at its pace or another, once or again and
 * again. The recording's clock starts with the service, at the first report, and goes on from one pass to the next. */
#ifndef CDS_SIM_TIMELINE_H
#define CDS_SIM_TIMELINE_H

#include "simulator/replay.h"

struct cds_sim_moment {
  int64_t ms;          /* by the recording's clock */
  size_t feed, number; /* of the feed, in the files' order */
};

struct cds_sim_timeline {
  struct cds_sim_moment *moments; /* ascending */
  size_t count;                   /* 0: the recording is not served in its own time */
  int64_t period_ms;              /* of a pass, in whole seconds; 0: there is one only */
  int64_t started_ms;             /* by the service's clock */
  double speed;                   /* times as fast as it was */
};

CDS_MUST_CHECK enum cds_status cds_sim_timeline_init(struct cds_sim_timeline *out, const struct cds_sim_replay *replay,
                                                     double speed, bool loops, int64_t now_ms, struct cds_error *err);
void cds_sim_timeline_clear(struct cds_sim_timeline *timeline);

/* The recording's clock at a time of the service's. */
int64_t cds_sim_timeline_clock(const struct cds_sim_timeline *timeline, int64_t now_ms);

/* Moments are numbered on from pass to pass: one past the newest that is due, when one is due by the service's clock,
 * and which one it is. */
uint64_t cds_sim_timeline_end(const struct cds_sim_timeline *timeline, int64_t now_ms);
int64_t cds_sim_timeline_due(const struct cds_sim_timeline *timeline, uint64_t number);
const struct cds_sim_moment *cds_sim_timeline_at(const struct cds_sim_timeline *timeline, uint64_t number);

/* So many passes have begun before a time that lies `ms` behind the first one's. */
uint64_t cds_sim_timeline_pass(const struct cds_sim_timeline *timeline, int64_t ms);

#endif
