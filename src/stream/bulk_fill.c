/* SPDX-License-Identifier: MIT
 * From a bulk's question to its answer, second by second. */
#include "stream/bulk_fill.h"

#include "base/clock.h"
#include "stream/core.h"
#include "stream/dispatch.h"
#include "stream/outlet.h"
#include "stream/parts.h"
#include "stream/places.h"
#include "stream/screen.h"

/* ---- the feeds that leave ---- */

enum end { BULK_DONE, BULK_CUT, BULK_FAILED };

/* The lock is held. */
static void leave(struct cds_bulk_fill *fill, size_t at, enum end end, const struct cds_error *err, int64_t now_ms,
                  struct cds_sequence_out *out) {
  struct cds_sequence *seq = cds_dispatch_sequence(fill->place.stream);
  if (end == BULK_DONE) cds_bulk_end(seq, &fill->bulk, at, now_ms, out);
  else if (end == BULK_CUT) cds_bulk_cut(seq, &fill->bulk, at, now_ms, out);
  else cds_bulk_failed(seq, &fill->bulk, at, cds_question_retry_after_ms(err), now_ms, out);
}

/* Only those that the bulk does not help any more, or all. They leave at one time: after a failure they are due together
 * then, and asked for by one bulk again. */
static void let_go(struct cds_bulk_fill *fill, bool all, enum end end, const struct cds_error *err) {
  struct cds_stream *stream = fill->place.stream;
  int64_t now_ms = cds_clock_mono_ms();
  for (size_t i = fill->bulk.count; i > 0; i--) {
    struct cds_sequence_out out = {0};
    struct cds_leftover leftover = {0};
    cds_stream_lock(stream);
    bool goes = all || !cds_bulk_still_helps(cds_dispatch_sequence(stream), &fill->bulk, i - 1);
    struct cds_bulk_feed feed = fill->bulk.feeds[i - 1];
    struct cds_feed_id id = cds_places_feed(stream, feed.slot);
    if (goes) leave(fill, i - 1, end, err, now_ms, &out);
    cds_dispatch(stream, &out, &leftover);
    cds_stream_unlock(stream);
    cds_leftover_settle(stream, &leftover);
    if (goes && feed.first != 0) cds_stream_tell_range(stream, CDS_EVENT_BACKFILLED, &id, feed.first, feed.last, "");
  }
}

static void free_place(struct cds_bulk_fill *fill) {
  cds_stream_lock(fill->place.stream);
  struct cds_call *call = cds_question_take_call(&fill->place);
  fill->place.is_busy = false;
  cds_stream_unlock(fill->place.stream);
  if (call != NULL) cds_call_unref(call);
}

/* ---- an answer ---- */

/* Takes the report. False: there is no memory for it. */
static bool take_report(struct cds_bulk_fill *fill, struct cds_report *report) {
  struct cds_stream *stream = fill->place.stream;
  struct cds_sequence_out out = {0};
  struct cds_leftover leftover = {0};
  cds_stream_lock(stream);
  size_t slot = cds_places_find(stream, &report->feed_id);
  cds_stream_unlock(stream);
  bool is_good = slot != CDS_NO_SLOT && cds_stream_screen(stream, report, cds_core_client(stream)->config.rest.host);
  struct cds_queue_node *node = is_good ? cds_queue_node_new(report, slot) : NULL;
  if (node == NULL) {
    cds_report_unref(report);
    return !is_good;
  }
  struct cds_candidate candidate = cds_stream_describe(stream, node, 0);
  cds_stream_lock(stream);
  (void)cds_bulk_report(cds_dispatch_sequence(stream), &fill->bulk, &candidate, cds_clock_mono_ms(), &out);
  cds_dispatch(stream, &out, &leftover);
  cds_stream_unlock(stream);
  cds_leftover_settle(stream, &leftover);
  return true;
}

static enum end take_reports(struct cds_bulk_fill *fill, struct cds_answer *answer) {
  while (answer->taken < answer->count) {
    if (cds_outlet_is_paused(fill->place.stream)) return BULK_CUT;
    struct cds_report *report = answer->reports[answer->taken];
    answer->reports[answer->taken++] = NULL;
    if (!take_report(fill, report)) return BULK_FAILED;
  }
  return BULK_DONE;
}

/* An answer that makes no sense, or a refusal, may be due to one of many feeds: each is asked for by itself then. */
static enum end judge_failure(const struct cds_error *err) {
  bool is_hopeless = err->status == CDS_E_DECODE || !cds_question_is_worth_repeating(err);
  return is_hopeless ? BULK_DONE : BULK_FAILED;
}

/* To the next second, with the feeds that miss it or a later one. */
static void move_on(struct cds_bulk_fill *fill) {
  struct cds_stream *stream = fill->place.stream;
  cds_stream_lock(stream);
  cds_fill_hurry(cds_dispatch_sequence(stream));
  bool goes_on = cds_bulk_move_on(cds_dispatch_sequence(stream), &fill->bulk);
  cds_stream_unlock(stream);
  let_go(fill, !goes_on, BULK_DONE, NULL);
}

static void on_done(void *context, const struct cds_error *err, struct cds_answer *answer) {
  struct cds_bulk_fill *fill = context;
  struct cds_stream *stream = fill->place.stream;
  struct cds_error no_memory;
  enum end end = err == NULL ? take_reports(fill, answer) : judge_failure(err);
  if (end == BULK_FAILED && err == NULL) {
    cds_error_set(&no_memory, CDS_E_MEMORY, "out of memory");
    err = &no_memory;
  }
  if (err != NULL) cds_question_tell_failure(&fill->place, err);
  if (err != NULL || end == BULK_CUT) let_go(fill, true, end, err);
  else move_on(fill);
  void (*on_end)(struct cds_stream *) = fill->on_end;
  if (fill->bulk.count > 0) cds_bulk_fill_ask(fill);
  else free_place(fill);
  on_end(stream);
  cds_stream_unref(stream);
}

static void on_event(void *context, struct cds_event *event) {
  const struct cds_bulk_fill *fill = context;
  cds_stream_emit(fill->place.stream, event);
}

/* ---- asking ---- */

/* None: it is not to be asked any more. */
static size_t name_feeds(struct cds_bulk_fill *fill, struct cds_feed_id feeds[CDS_BULK_FEEDS]) {
  struct cds_stream *stream = fill->place.stream;
  size_t count = 0;
  cds_stream_lock(stream);
  bool is_over = cds_core_is_over(stream) || cds_outlet_is_paused(stream);
  for (size_t i = 0; !is_over && i < fill->bulk.count; i++)
    if (cds_bulk_asks(cds_dispatch_sequence(stream), &fill->bulk, i))
      feeds[count++] = cds_places_feed(stream, fill->bulk.feeds[i].slot);
  cds_stream_unlock(stream);
  return count;
}

void cds_bulk_fill_ask(struct cds_bulk_fill *fill) {
  const struct cds_call_hooks hooks = {.context = fill, .done = on_done, .event = on_event};
  struct cds_feed_id feeds[CDS_BULK_FEEDS];
  struct cds_error err;
  const struct cds_call_args args = {.operation = CDS_GET_REPORTS,
                                     .feeds = feeds,
                                     .feed_count = name_feeds(fill, feeds),
                                     .timestamp = (uint32_t)fill->bulk.second};
  bool is_cut = args.feed_count == 0;
  if (!is_cut && cds_question_ask(&fill->place, &args, &hooks, &err) == CDS_OK) return;
  let_go(fill, true, is_cut ? BULK_CUT : BULK_FAILED, is_cut ? NULL : &err);
  free_place(fill);
}
