/* SPDX-License-Identifier: MIT
 * The watermark, and the habits of a feed. */
#include "order/release.h"

#define SINGLES 4      /* so many times with one report each show that a feed has one a time */
#define NORMAL_AFTER 3 /* so many gaps with nothing missing show that the feed's gaps are no gaps */
#define PROBE_EVERY 16 /* of the gaps taken for normal, so many are looked into once */

void cds_release_init(struct cds_release *release) {
  *release = (struct cds_release){.open = true};
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

static void remember(struct cds_release *release, const struct cds_candidate *candidate, int64_t time) {
  cds_seen_add(&release->seen, candidate->blob_tag, time);
  if (candidate->text_tag != 0) cds_seen_add(&release->seen, candidate->text_tag, time);
}

static void send(struct cds_release *release, struct cds_queue_node *node, int64_t time, struct cds_sequence_out *out) {
  if (time > release->sent) release->sent = time;
  cds_outcome_deliver(out, node);
}

bool cds_release_deliver(struct cds_release *release, const struct cds_candidate *candidate,
                         struct cds_sequence_out *out) {
  bool timed = candidate->has_observations_timestamp;
  int64_t time = timed ? candidate->observations_timestamp : release->newest;
  if (!cds_seen_reserve(&release->seen, 2, time, time - release->memory)) return false;
  remember(release, candidate, time);
  if (timed) move_on(release, time);
  if (candidate->node != NULL) send(release, candidate->node, time, out);
  return true;
}

void cds_release_send(struct cds_release *release, const struct cds_candidate *candidate,
                      struct cds_sequence_out *out) {
  send(release, candidate->node, candidate->observations_timestamp, out);
}

bool cds_release_deliver_late(struct cds_release *release, const struct cds_candidate *candidate,
                              struct cds_sequence_out *out) {
  if (!cds_seen_reserve(&release->seen, 2, release->newest, release->newest - release->memory)) return false;
  remember(release, candidate, candidate->observations_timestamp);
  send(release, candidate->node, candidate->observations_timestamp, out);
  return true;
}

bool cds_release_covers(const struct cds_release *release, int64_t time) {
  return cds_seen_covers(&release->seen, time);
}

void cds_release_forget_to(struct cds_release *release, int64_t time) {
  cds_seen_forget_to(&release->seen, time);
  cds_release_skip_to(release, time);
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
