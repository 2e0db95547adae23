/* SPDX-License-Identifier: MIT
 * Made reports' numbers are second * rate + step; recorded ones are ranks by time, pass after pass. */
#include "simulator/source.h"

#include "base/alloc.h"
#include "simulator/again.h"
#include "simulator/blob.h"
#include "simulator/walk.h"

#include <string.h>

#define MAX_RANGE 300u /* seconds that a report is valid for at most */
#define ALWAYS 16      /* an irregular feed has a report in each of so many seconds */

static bool recorded(const struct cds_sim_source *source) {
  return source->replay.record_count > 0;
}

static const struct cds_sim_record *first_of(const struct cds_sim_source *source, size_t feed) {
  return cds_sim_replay_get(&source->replay, feed, 0);
}

static uint64_t count_of(const struct cds_sim_source *source, size_t feed) {
  return source->replay.feeds[feed].count;
}

static uint64_t seek_recorded(const struct cds_sim_source *source, size_t feed, uint32_t second) {
  int64_t period_ms = source->timeline.period_ms, first_ms = cds_sim_replay_ms(first_of(source, feed));
  uint64_t pass = cds_sim_timeline_pass(&source->timeline, (int64_t)second * 1000 - first_ms / 1000 * 1000);
  second -= (uint32_t)(pass * (uint64_t)period_ms / 1000);
  return pass * count_of(source, feed) + cds_sim_replay_seek(&source->replay, feed, second);
}

/* One past the newest number whose time the recording's clock has come to. */
static uint64_t end_recorded(const struct cds_sim_source *source, size_t feed, int64_t now_ms) {
  uint64_t low = 0, high = count_of(source, feed);
  if (source->timeline.count == 0) return high;
  int64_t ms = cds_sim_timeline_clock(&source->timeline, now_ms);
  uint64_t pass = cds_sim_timeline_pass(&source->timeline, ms - cds_sim_replay_ms(first_of(source, feed)));
  ms -= (int64_t)pass * source->timeline.period_ms;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (cds_sim_replay_ms(cds_sim_replay_get(&source->replay, feed, middle)) <= ms) low = middle + 1;
    else high = middle;
  }
  return pass * count_of(source, feed) + low;
}

uint64_t cds_sim_seek(const struct cds_sim_source *source, size_t feed, uint32_t second) {
  if (recorded(source)) return seek_recorded(source, feed, second);
  return (uint64_t)(second < CDS_SIM_GENESIS ? CDS_SIM_GENESIS : second) * source->rate;
}

uint64_t cds_sim_end(const struct cds_sim_source *source, size_t feed, int64_t now_ms) {
  if (recorded(source)) return end_recorded(source, feed, now_ms);
  if (now_ms < (int64_t)CDS_SIM_GENESIS * 1000) return 0;
  return (uint64_t)now_ms * source->rate / 1000 + 1;
}

uint32_t cds_sim_second(const struct cds_sim_source *source, size_t feed, uint64_t number) {
  if (!recorded(source)) return (uint32_t)(number / source->rate);
  uint64_t pass = number / count_of(source, feed);
  return cds_sim_replay_second(cds_sim_replay_get(&source->replay, feed, number % count_of(source, feed))) +
         (uint32_t)(pass * (uint64_t)source->timeline.period_ms / 1000);
}

static const struct cds_sim_pause *pause_of(const struct cds_sim_source *source, uint32_t second) {
  for (size_t i = 0; i < source->pause_count; i++)
    if (second >= source->pauses[i].from && second <= source->pauses[i].to) return &source->pauses[i];
  return NULL;
}

static bool skips(const struct cds_sim_feed *feed, uint32_t second) {
  return feed->irregular && second % ALWAYS != 0 && cds_sim_hash(feed->key, second) % 3 == 0;
}

void cds_sim_send_ahead(struct cds_sim_source *source, uint32_t second) {
  source->ahead[source->ahead_count++ % CDS_SIM_MAX_AHEAD] = second;
}

/* A pause changes the reports in it, and the first one of each feed after it. */
static bool is_changed(uint32_t second, uint32_t from, uint32_t seconds) {
  return second >= from && second - from < seconds + ALWAYS;
}

uint32_t cds_sim_pause(struct cds_sim_source *source, uint32_t from, uint32_t seconds) {
  size_t ahead = source->ahead_count < CDS_SIM_MAX_AHEAD ? source->ahead_count : CDS_SIM_MAX_AHEAD;
  if (source->pause_count == CDS_SIM_MAX_PAUSES) return 0;
  for (size_t i = 0; i < ahead;) {
    bool changed = is_changed(source->ahead[i], from, seconds);
    if (changed) from = source->ahead[i] + 1;
    i = changed ? 0 : i + 1;
  }
  source->pauses[source->pause_count++] = (struct cds_sim_pause){from, from + seconds - 1};
  return from;
}

bool cds_sim_outage(struct cds_sim_source *source, uint32_t from, uint32_t to) {
  if (source->pause_count == CDS_SIM_MAX_PAUSES) return false;
  source->pauses[source->pause_count++] = (struct cds_sim_pause){from, to};
  return true;
}

/* A feed slower than the beat has a report at some of the beats of a second, the first of them included. */
static bool has_step(const struct cds_sim_source *source, size_t feed, unsigned step) {
  unsigned rate = source->feeds.list[feed].rate;
  return rate == 0 || step * rate % source->rate < rate;
}

bool cds_sim_exists(const struct cds_sim_source *source, size_t feed, uint64_t number) {
  if (recorded(source)) return true;
  uint32_t second = (uint32_t)(number / source->rate);
  return has_step(source, feed, (unsigned)(number % source->rate)) && !skips(&source->feeds.list[feed], second) &&
         !pause_of(source, second);
}

/* The second in which an irregular feed, or all of them, last had a report before this one. */
static uint32_t second_before(const struct cds_sim_source *source, size_t feed, uint32_t second) {
  uint32_t before = second - 1;
  while (before >= CDS_SIM_GENESIS) {
    const struct cds_sim_pause *pause = pause_of(source, before);
    if (pause) before = pause->from - 1;
    else if (skips(&source->feeds.list[feed], before)) before--;
    else break;
  }
  return before;
}

static uint64_t time_of(const struct cds_sim_source *source, size_t feed, uint32_t second, unsigned step) {
  if (!source->feeds.list[feed].in_ms) return second;
  return (uint64_t)second * 1000 + (uint64_t)step * 1000 / source->rate;
}

/* The step of the feed's last report before `step` in a second, -1: there is none. */
static int step_before(const struct cds_sim_source *source, size_t feed, unsigned step) {
  while (step-- > 0)
    if (has_step(source, feed, step)) return (int)step;
  return -1;
}

static uint64_t time_before(const struct cds_sim_source *source, size_t feed, uint32_t second, unsigned step) {
  int same = step_before(source, feed, step);
  if (same >= 0) return time_of(source, feed, second, (unsigned)same);
  int last = step_before(source, feed, source->rate); /* every feed has a report at a second's beginning */
  return time_of(source, feed, second_before(source, feed, second), (unsigned)last);
}

uint64_t cds_sim_valid_from(const struct cds_sim_source *source, size_t feed, uint64_t number) {
  uint32_t second = (uint32_t)(number / source->rate);
  unsigned step = (unsigned)(number % source->rate);
  bool in_ms = source->feeds.list[feed].in_ms;
  if (!in_ms && step != 0) return second; /* another report of its second came before */
  uint64_t from = time_before(source, feed, second, step) + 1;
  uint64_t first = time_of(source, feed, second, step) - MAX_RANGE * (in_ms ? 1000 : 1);
  return from > first ? from : first;
}

static bool use_presigned(struct cds_sim_signatures *out, const struct cds_sim_source *source, size_t feed,
                          uint64_t number) {
  const struct cds_sim_presigned *cache = &source->presigned;
  if (number < cache->first || number - cache->first >= cache->count) return false;
  size_t index = (size_t)(number - cache->first) * source->feeds.count + feed;
  const uint8_t *at = cache->data + index * source->signer.signers * 65;
  out->count = source->signer.signers;
  for (size_t i = 0; i < out->count; i++, at += 65) {
    memcpy(out->r[i], at, 32);
    memcpy(out->s[i], at + 32, 32);
    out->v[i] = at[64];
  }
  return true;
}

size_t cds_sim_make_blob(uint8_t context[96], uint8_t blob[32 * CDS_SIM_MAX_BLOB_WORDS], struct cds_sim_report *times,
                         const struct cds_sim_source *source, size_t feed, uint64_t number) {
  uint32_t second = (uint32_t)(number / source->rate);
  unsigned step = (unsigned)(number % source->rate);
  times->observed = time_of(source, feed, second, step);
  times->valid_from = cds_sim_valid_from(source, feed, number);
  cds_sim_context(context, &source->signer, second, step);
  return cds_sim_blob(blob, &source->feeds.list[feed], times->valid_from, times->observed, second, step);
}

static void make(struct cds_sim_report *out, struct cds_sim_source *source, size_t feed, uint64_t number) {
  uint8_t context[96], blob[32 * CDS_SIM_MAX_BLOB_WORDS];
  struct cds_sim_signatures signatures;
  size_t blob_length = cds_sim_make_blob(context, blob, out, source, feed, number);
  if (!use_presigned(&signatures, source, feed, number))
    cds_sim_sign(&signatures, &source->signer, context, blob, blob_length);
  out->full = source->scratch;
  out->length = cds_sim_encode_report(source->scratch, context, blob, blob_length, &signatures);
}

/* A record's times in pass `pass`. The first one of a pass follows on the last one of the pass before. */
static struct cds_sim_later times_of(const struct cds_sim_source *source, const struct cds_sim_record *record,
                                     size_t feed, uint64_t pass) {
  uint64_t unit_ms = cds_sim_replay_in_ms(record) ? 1 : 1000, period = (uint64_t)source->timeline.period_ms / unit_ms;
  uint64_t valid_from = record->valid_from + pass * period;
  if (record == first_of(source, feed)) {
    const struct cds_sim_record *last = cds_sim_replay_get(&source->replay, feed, count_of(source, feed) - 1);
    uint64_t next = last->observed + (pass - 1) * period + 1;
    if (next < valid_from) valid_from = next;
  }
  return (struct cds_sim_later){record->observed + pass * period, valid_from,
                                (unsigned)(record - source->replay.records)};
}

static void get_record(struct cds_sim_report *out, struct cds_sim_source *source, const struct cds_sim_record *record,
                       size_t feed, uint64_t pass) {
  *out = (struct cds_sim_report){&source->feeds.list[feed], record->valid_from, record->observed, record->full,
                                 record->length};
  if (pass == 0) return;
  const struct cds_sim_later later = times_of(source, record, feed, pass);
  out->observed = later.observed;
  out->valid_from = cds_sim_replay_is_legacy(record) ? later.observed : later.valid_from;
  out->full = source->scratch;
  out->length = cds_sim_again(source->scratch, record, &later, &source->signer);
}

static void get_made(struct cds_sim_report *out, struct cds_sim_source *source, size_t feed, uint64_t number) {
  out->feed = &source->feeds.list[feed];
  make(out, source, feed, number);
}

void cds_sim_get(struct cds_sim_report *out, struct cds_sim_source *source, size_t feed, uint64_t number) {
  if (!recorded(source)) {
    get_made(out, source, feed, number);
    return;
  }
  uint64_t count = count_of(source, feed);
  get_record(out, source, cds_sim_replay_get(&source->replay, feed, number % count), feed, number / count);
}

void cds_sim_get_sent(struct cds_sim_report *out, struct cds_sim_source *source, size_t feed, uint64_t number) {
  if (!recorded(source)) {
    get_made(out, source, feed, number);
    return;
  }
  uint64_t count = count_of(source, feed);
  size_t index = source->replay.feeds[feed].by_file[number % count];
  get_record(out, source, &source->replay.records[index], feed, number / count);
}

void cds_sim_source_clear(struct cds_sim_source *source) {
  cds_sim_feeds_clear(&source->feeds);
  cds_sim_signer_clear(&source->signer);
  cds_sim_replay_clear(&source->replay);
  cds_sim_timeline_clear(&source->timeline);
  cds_free(source->presigned.data);
  source->presigned = (struct cds_sim_presigned){0};
}
