/* SPDX-License-Identifier: MIT
 * The watermark, and the habits of a feed. */
#include "order/release.h"

#define SINGLES 4      /* so many times with one report each show that a feed has one a time */
#define NORMAL_AFTER 3 /* so many gaps with nothing missing show that the feed's gaps are no gaps */
#define PROBE_EVERY 16 /* of the gaps taken for normal, so many are looked into once */

void cds_release_init(struct cds_release *release, int64_t per_second) {
  *release = (struct cds_release){.per_second = per_second, .open = true};
}

void cds_release_clear(struct cds_release *release) {
  cds_seen_clear(&release->seen);
}

bool cds_release_knows(const struct cds_release *release, uint64_t tag) {
  return tag != 0 && cds_seen_has(&release->seen, tag);
}

bool cds_release_is_single(const struct cds_release *release) {
  return !release->multi && release->singles >= SINGLES;
}

bool cds_release_is_late(const struct cds_release *release, int64_t time) {
  return time < release->newest || (release->bare && time == release->newest);
}

bool cds_release_is_proven(const struct cds_release *release, bool has_valid_from, int64_t valid_from, int64_t time,
                           int64_t after) {
  return cds_release_is_single(release) && has_valid_from && valid_from <= after + 1 && time > after;
}

bool cds_release_leaves_gap(const struct cds_release *release, bool has_valid_from, int64_t valid_from, int64_t after) {
  return has_valid_from && valid_from > after + 1 && !cds_release_has_normal_gaps(release);
}

bool cds_release_is_sparse(const struct cds_release *release) {
  return cds_release_is_single(release) && !release->dense;
}

int64_t cds_release_ask_from(const struct cds_release *release) {
  return release->bare ? release->newest + 1 : release->newest;
}

int64_t cds_release_first_missing(const struct cds_release *release) {
  return release->bare || cds_release_is_single(release) ? release->newest + 1 : release->newest;
}

static void move_on(struct cds_release *release, int64_t time) {
  bool again = !release->bare && time == release->newest && release->newest > 0;
  if (!release->bare && !release->open && 2 * (time - release->newest) <= release->per_second) release->dense = true;
  if (again) release->multi = true;
  else if (release->singles < SINGLES && !release->open) release->singles++;
  release->newest = time;
  release->open = release->bare = false;
}

bool cds_release_deliver(struct cds_release *release, const struct cds_candidate *candidate,
                         struct cds_sequence_out *out) {
  bool timed = candidate->has_observations_timestamp;
  int64_t time = timed ? candidate->observations_timestamp : release->newest;
  if (!cds_seen_reserve(&release->seen, 2, time, time - 2 * release->per_second + 1)) return false;
  cds_seen_add(&release->seen, candidate->blob_tag, time);
  if (candidate->text_tag != 0) cds_seen_add(&release->seen, candidate->text_tag, time);
  if (timed) move_on(release, time);
  cds_outcome_deliver(out, candidate->node);
  return true;
}

void cds_release_skip_to(struct cds_release *release, int64_t time) {
  release->newest = time;
  release->bare = true;
  release->open = false;
}

void cds_release_reopen(struct cds_release *release) {
  release->open = true;
}

bool cds_release_misses(struct cds_release *release, int64_t time) {
  if (!cds_seen_covers(&release->seen, time) || time == release->told_late) return false;
  release->told_late = time;
  return true;
}

bool cds_release_has_normal_gaps(const struct cds_release *release) {
  return release->empty_streak >= NORMAL_AFTER;
}

bool cds_release_takes_for_normal(struct cds_release *release) {
  return cds_release_has_normal_gaps(release) && ++release->skips % PROBE_EVERY != 0;
}

void cds_release_note_gap(struct cds_release *release, bool was_empty, bool counts) {
  if (!was_empty) release->empty_streak = release->skips = 0;
  else if (counts) release->empty_streak++;
}

const char *cds_release_check(const struct cds_release *release) {
  if (release->open && release->seen.count > 0 && release->singles > 0 && release->newest == 0)
    return "a feed that has delivered nothing knows its habits";
  if (release->seen.count > 0 && release->newest > 0 && release->seen.all_after > release->newest)
    return "something later than the newest is remembered";
  return NULL;
}
