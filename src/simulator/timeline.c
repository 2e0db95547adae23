/* SPDX-License-Identifier: MIT
 * The moments of a recording, sorted. */
#include "simulator/timeline.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

#define NEVER_MS (INT64_MAX / 4)

static int by_time(const void *a, const void *b) {
  const struct cds_sim_moment *x = a, *y = b;
  if (x->ms != y->ms) return x->ms < y->ms ? -1 : 1;
  if (x->feed != y->feed) return x->feed < y->feed ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

static int64_t arrival_ms(const struct cds_sim_record *record) {
  return record->received_ms ? (int64_t)record->received_ms : cds_sim_replay_ms(record);
}

/* A pass takes as long as its reports came, and at least as long as one feed's times reach, so that they go on. */
static int64_t period_of(const struct cds_sim_timeline *timeline, const struct cds_sim_replay *replay) {
  int64_t longest = timeline->moments[timeline->count - 1].ms - timeline->moments[0].ms;
  for (size_t i = 0; i < replay->feed_count; i++) {
    const struct cds_sim_record *first = cds_sim_replay_get(replay, i, 0),
                                *last = cds_sim_replay_get(replay, i, replay->feeds[i].count - 1);
    int64_t span = cds_sim_replay_ms(last) - cds_sim_replay_ms(first);
    if (span > longest) longest = span;
  }
  return (longest / 1000 + 1) * 1000;
}

enum cds_status cds_sim_timeline_init(struct cds_sim_timeline *out, const struct cds_sim_replay *replay, double speed,
                                      bool loops, int64_t now_ms, struct cds_error *err) {
  *out = (struct cds_sim_timeline){.speed = speed, .started_ms = now_ms};
  out->moments = cds_calloc(replay->record_count, sizeof *out->moments);
  if (!out->moments) return cds_error_set(err, CDS_E_MEMORY, "no memory for the times of the recorded reports");
  for (size_t i = 0; i < replay->feed_count; i++)
    for (size_t j = 0; j < replay->feeds[i].count; j++)
      out->moments[out->count++] =
        (struct cds_sim_moment){arrival_ms(&replay->records[replay->feeds[i].by_file[j]]), i, j};
  qsort(out->moments, out->count, sizeof *out->moments, by_time);
  if (loops) out->period_ms = period_of(out, replay);
  return CDS_OK;
}

void cds_sim_timeline_clear(struct cds_sim_timeline *timeline) {
  cds_free(timeline->moments);
  *timeline = (struct cds_sim_timeline){0};
}

int64_t cds_sim_timeline_clock(const struct cds_sim_timeline *timeline, int64_t now_ms) {
  double passed_ms = (double)(now_ms - timeline->started_ms) * timeline->speed;
  if (passed_ms > (double)NEVER_MS) passed_ms = (double)NEVER_MS;
  return timeline->moments[0].ms + (int64_t)floor(passed_ms);
}

uint64_t cds_sim_timeline_pass(const struct cds_sim_timeline *timeline, int64_t ms) {
  return timeline->period_ms > 0 && ms > 0 ? (uint64_t)(ms / timeline->period_ms) : 0;
}

uint64_t cds_sim_timeline_end(const struct cds_sim_timeline *timeline, int64_t now_ms) {
  int64_t ms = cds_sim_timeline_clock(timeline, now_ms);
  uint64_t pass = cds_sim_timeline_pass(timeline, ms - timeline->moments[0].ms);
  size_t low = 0, high = timeline->count;
  ms -= (int64_t)pass * timeline->period_ms;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (timeline->moments[middle].ms <= ms) low = middle + 1;
    else high = middle;
  }
  return pass * timeline->count + low;
}

const struct cds_sim_moment *cds_sim_timeline_at(const struct cds_sim_timeline *timeline, uint64_t number) {
  return &timeline->moments[number % timeline->count];
}

int64_t cds_sim_timeline_due(const struct cds_sim_timeline *timeline, uint64_t number) {
  uint64_t pass = number / timeline->count;
  if (pass > 0 && timeline->period_ms == 0) return NEVER_MS;
  int64_t ms = cds_sim_timeline_at(timeline, number)->ms - timeline->moments[0].ms;
  double wait_ms = ((double)ms + (double)pass * (double)timeline->period_ms) / timeline->speed;
  return wait_ms < (double)NEVER_MS ? timeline->started_ms + (int64_t)ceil(wait_ms) : NEVER_MS;
}
