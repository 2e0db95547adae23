/* SPDX-License-Identifier: MIT
 * The pace of a replay, and its face. Its descriptor is a timer's. */
#include "record/replay.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "record/track.h"

#define LINES_AT_ONCE 4096 /* how many that are not wanted may keep the script waiting */
#define NOW_NS 1           /* of the timer: long over */

struct cds_replay {
  struct cds_track track;
  double speed;
  int timer;
  int64_t armed_ns;        /* what the timer is set to */
  struct cds_report *next; /* not due yet */
  bool has_begun;
  int64_t begun_ns; /* when the first report was due, monotonic */
  int64_t begun_ms; /* its time in the recording */
  bool is_over;
  struct cds_error end;
  uint64_t accepted, backfilled;
  struct cds_histogram latency;
};

/* Readable from then on. */
static void arm(struct cds_replay *replay, int64_t ns) {
  if (replay->armed_ns == ns) return;
  struct itimerspec when = {.it_value = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}};
  if (timerfd_settime(replay->timer, TFD_TIMER_ABSTIME, &when, NULL) == 0) replay->armed_ns = ns;
}

static int64_t time_of(const struct cds_report *report) {
  return report->received_at_ms ? report->received_at_ms : (int64_t)cds_report_observed_ms(report);
}

/* When the report is due; NOW_NS: at once. */
static int64_t due_ns(struct cds_replay *replay, const struct cds_report *report) {
  if (replay->speed <= 0) return NOW_NS;
  if (!replay->has_begun) {
    replay->has_begun = true;
    replay->begun_ns = cds_clock_mono_ns();
    replay->begun_ms = time_of(report);
  }
  double ahead_ns = (double)(time_of(report) - replay->begun_ms) * 1e6 / replay->speed;
  if (ahead_ns <= 0) return NOW_NS;
  if (ahead_ns > 1e18) ahead_ns = 1e18; /* a wrong time in the recording is not to overflow */
  int64_t due = replay->begun_ns + (int64_t)ahead_ns;
  return due <= cds_clock_mono_ns() ? NOW_NS : due;
}

static void end(struct cds_replay *replay, const struct cds_error *why) {
  replay->is_over = true;
  replay->end = *why;
  cds_lines_close(&replay->track.lines); /* nobody else is to wait for the collector */
}

/* Looks for the next report; gives up for now at an event, which comes before it, or after many lines. */
static void look(struct cds_replay *replay) {
  struct cds_error err = {0};
  for (int i = 0; i < LINES_AT_ONCE && !replay->next && !replay->is_over && !replay->track.events.head; i++) {
    enum cds_track_step step = cds_track_step(&replay->next, &replay->track, &err);
    if (step != CDS_TRACK_REPORT) replay->next = NULL;
    if (step == CDS_TRACK_END) end(replay, &err);
  }
}

static struct cds_report *deliver(struct cds_replay *replay) {
  struct cds_report *report = replay->next;
  struct cds_known_feed *feed = cds_known_find(&replay->track.known, &report->feed_id);
  replay->next = NULL;
  replay->accepted++;
  replay->backfilled += report->backfilled;
  if (report->received_at_ms && !report->backfilled) cds_histogram_add(&replay->latency, report->latency_ms);
  if (feed) {
    cds_report_unref(feed->latest);
    feed->latest = cds_report_ref(report);
  }
  return report;
}

enum cds_pop cds_replay_pop(struct cds_report **report, struct cds_replay *replay, struct cds_error *err) {
  if (!replay->next && !replay->is_over) look(replay);
  int64_t due = NOW_NS;
  if (!replay->track.events.head) {
    if (replay->next) due = due_ns(replay, replay->next);
    if (replay->next && due == NOW_NS) {
      *report = deliver(replay);
      return CDS_POP_REPORT;
    }
    if (replay->is_over && !replay->next) {
      arm(replay, NOW_NS);
      *err = replay->end;
      return CDS_POP_END;
    }
  }
  arm(replay, due);
  return CDS_POP_EMPTY;
}

struct cds_event *cds_replay_take_event(struct cds_replay *replay) {
  return cds_event_pop(&replay->track.events);
}

struct cds_report *cds_replay_latest(struct cds_replay *replay, const struct cds_feed_id *id) {
  const struct cds_known_feed *feed = cds_known_find(&replay->track.known, id);
  return feed && feed->latest ? cds_report_ref(feed->latest) : NULL;
}

int cds_replay_fd(const struct cds_replay *replay) {
  return replay->timer;
}

void cds_replay_stats(struct cds_stream_stats *out, const struct cds_replay *replay) {
  *out = replay->track.counts;
  out->accepted = replay->accepted;
  out->backfilled = replay->backfilled;
  out->latency = replay->latency;
  out->lost_seconds = (replay->track.lost_ms + 999) / 1000;
  out->feeds = cds_known_wanted(&replay->track.known);
}

/* ---- feeds ---- */

static enum cds_status set_wanted(struct cds_replay *replay, const struct cds_feed_id *feeds, size_t count,
                                  bool is_wanted, struct cds_error *err) {
  if (replay->is_over) {
    if (err) *err = replay->end;
    return replay->end.status;
  }
  for (size_t i = 0; i < count; i++) {
    struct cds_known_feed *feed = cds_known_get(&replay->track.known, &feeds[i]);
    if (!feed) return cds_error_set(err, CDS_E_MEMORY, "no memory for more feeds of a replay");
    feed->is_unwanted = !is_wanted;
  }
  if (replay->next && !cds_known_wants(&replay->track.known, &replay->next->feed_id)) {
    cds_report_unref(replay->next);
    replay->next = NULL;
    replay->track.counts.dropped++;
  }
  return CDS_OK;
}

enum cds_status cds_replay_subscribe(struct cds_replay *replay, const struct cds_feed_id *feeds, size_t count,
                                     struct cds_error *err) {
  return set_wanted(replay, feeds, count, true, err);
}

enum cds_status cds_replay_unsubscribe(struct cds_replay *replay, const struct cds_feed_id *feeds, size_t count,
                                       struct cds_error *err) {
  return set_wanted(replay, feeds, count, false, err);
}

const struct cds_feed_id *cds_replay_feed(const struct cds_replay *replay, size_t number) {
  const struct cds_known *known = &replay->track.known;
  for (size_t i = 0; i < known->set.count; i++)
    if (!known->feeds[i].is_unwanted && number-- == 0) return &known->set.ids[i];
  return NULL;
}

/* ---- beginning and end ---- */

enum cds_status cds_replay_open(struct cds_replay **out, const char *const *paths, size_t count,
                                const struct cds_replay_options *options, struct cds_error *err) {
  *out = NULL;
  struct cds_replay *replay = cds_calloc(1, sizeof *replay);
  if (!replay) return cds_error_set(err, CDS_E_MEMORY, "no memory for a replay");
  replay->speed = options->speed;
  replay->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  enum cds_status status = cds_track_open(&replay->track, paths, count, options, err);
  if (status == CDS_OK && replay->timer < 0)
    status = cds_error_set(err, CDS_E_MEMORY, "no descriptor for a replay: %s", strerror(errno));
  if (status != CDS_OK) {
    cds_replay_free(replay);
    return status;
  }
  arm(replay, NOW_NS);
  *out = replay;
  return CDS_OK;
}

void cds_replay_close(struct cds_replay *replay) {
  struct cds_error err;
  if (replay->is_over && replay->end.status == CDS_E_CLOSED && !replay->next) return;
  cds_report_unref(replay->next);
  replay->next = NULL;
  cds_error_set(&err, CDS_E_CLOSED, "the stream was closed");
  end(replay, &err);
  arm(replay, NOW_NS);
}

bool cds_replay_is_closed(const struct cds_replay *replay) {
  return replay->is_over && replay->end.status == CDS_E_CLOSED && !replay->next;
}

void cds_replay_free(struct cds_replay *replay) {
  if (!replay) return;
  if (replay->timer >= 0) close(replay->timer);
  cds_report_unref(replay->next);
  cds_track_clear(&replay->track);
  cds_free(replay);
}
