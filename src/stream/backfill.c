/* SPDX-License-Identifier: MIT
 * Pages: asked, answered, failed. */
#include "stream/backfill.h"

#include "base/clock.h"
#include "rest/rest_thread.h"
#include "stream/core.h"
#include "stream/dispatch.h"
#include "stream/outlet.h"
#include "stream/parts.h"
#include "stream/places.h"
#include "stream/screen.h"

#define PAGE_LIMIT 500   /* reports, as many pages have */
#define LOOK_EVERY_MS 20 /* at most so often: there may be a thousand messages a second, and as many feeds */

/* ---- what a page tells ---- */

struct told { /* of one page */
  uint64_t count;
  int64_t first, last;
};

/* Takes the node. */
static void take_node(struct cds_backfill_page *page, struct cds_queue_node *node, struct told *told) {
  struct cds_stream *stream = page->place.stream;
  struct cds_sequence_out out = {0};
  struct cds_leftover leftover = {0};
  struct cds_candidate candidate = cds_stream_describe(stream, node, 0);
  int64_t latest_possible = cds_stream_latest_possible(stream, node->report->resolution);
  cds_stream_lock(stream);
  enum cds_verdict verdict =
    cds_fill_report(cds_dispatch_sequence(stream), &page->fill, &candidate, cds_clock_mono_ms(), latest_possible, &out);
  cds_dispatch(stream, &out, &leftover);
  cds_stream_unlock(stream);
  cds_leftover_settle(stream, &leftover);
  if (verdict != CDS_VERDICT_ACCEPT || !candidate.has_observations_timestamp) return;
  if (told->count++ == 0) told->first = candidate.observations_timestamp;
  told->last = candidate.observations_timestamp;
}

/* Takes the report. False: there is no memory for it, so what follows it cannot be taken either. */
static bool take_report(struct cds_backfill_page *page, struct cds_report *report, struct told *told) {
  struct cds_queue_node *node = NULL;
  bool is_good = cds_stream_screen(page->place.stream, report, cds_core_client(page->place.stream)->config.rest.host);
  if (is_good) node = cds_queue_node_new(report, page->fill.slot);
  if (node == NULL) cds_report_unref(report);
  else take_node(page, node, told);
  return !is_good || node != NULL;
}

/* The reports of the page that lie before the first one ever delivered, within its time or before it. */
static size_t count_before_beginning(struct cds_stream *stream, size_t slot, const struct cds_answer *answer) {
  cds_stream_lock(stream);
  struct cds_beginning beginning = cds_dispatch_beginning(stream, slot);
  cds_stream_unlock(stream);
  for (size_t i = 0; beginning.tag != 0 && i < answer->count; i++) {
    const struct cds_report *report = answer->reports[i];
    if (!report->has_observations_timestamp || report->observations_time > (uint64_t)beginning.time) return 0;
    if (cds_stream_blob_tag(stream, report) == beginning.tag) return i;
  }
  return 0;
}

/* How a page ended. */
enum end { PAGE_DONE, PAGE_CUT, PAGE_FAILED };

/* The page is free for another question afterwards. */
static void end_page(struct cds_backfill_page *page, enum end end, size_t count, const struct cds_error *err) {
  struct cds_stream *stream = page->place.stream;
  struct cds_sequence_out out = {0};
  struct cds_leftover leftover = {0};
  int64_t now_ms = cds_clock_mono_ms();
  cds_stream_lock(stream);
  struct cds_call *call = cds_question_take_call(&page->place);
  if (end == PAGE_DONE) cds_fill_done(cds_dispatch_sequence(stream), &page->fill, count, now_ms, &out);
  else if (end == PAGE_CUT) cds_fill_cut(cds_dispatch_sequence(stream), &page->fill, now_ms, &out);
  else
    cds_fill_failed(cds_dispatch_sequence(stream), &page->fill, cds_question_is_worth_repeating(err),
                    cds_question_retry_after_ms(err), now_ms, &out);
  cds_dispatch(stream, &out, &leftover);
  page->place.is_busy = false;
  cds_stream_unlock(stream);
  cds_leftover_settle(stream, &leftover);
  if (call != NULL) cds_call_unref(call);
}

/* Failed: memory ran out. */
static enum end take_reports(struct cds_backfill_page *page, struct cds_answer *answer, struct told *told) {
  size_t first = count_before_beginning(page->place.stream, page->fill.slot, answer);
  while (answer->taken < answer->count) {
    if (cds_outlet_is_paused(page->place.stream)) return PAGE_CUT;
    struct cds_report *report = answer->reports[answer->taken];
    answer->reports[answer->taken] = NULL;
    if (answer->taken++ < first) cds_report_unref(report);
    else if (!take_report(page, report, told)) return PAGE_FAILED;
  }
  return PAGE_DONE;
}

static void on_done(void *context, const struct cds_error *err, struct cds_answer *answer) {
  struct cds_backfill_page *page = context;
  struct cds_stream *stream = page->place.stream;
  struct told told = {0};
  struct cds_error no_memory;
  cds_stream_lock(stream);
  struct cds_feed_id feed = cds_places_feed(stream, page->fill.slot);
  cds_stream_unlock(stream);
  enum end end = err == NULL ? take_reports(page, answer, &told) : PAGE_FAILED;
  if (end == PAGE_FAILED && err == NULL) {
    cds_error_set(&no_memory, CDS_E_MEMORY, "out of memory");
    err = &no_memory; /* to be asked again, from where it came to */
  }
  if (told.count > 0) cds_stream_tell_range(stream, CDS_EVENT_BACKFILLED, &feed, told.first, told.last, "");
  if (err != NULL) cds_question_tell_failure(&page->place, err);
  end_page(page, end, err == NULL ? answer->count : 0, err);
  cds_backfill_kick(stream);
  cds_stream_unref(stream);
}

static void on_event(void *context, struct cds_event *event) {
  const struct cds_backfill_page *page = context;
  cds_stream_emit(page->place.stream, event);
}

/* ---- asking ---- */

static void ask(struct cds_backfill_page *page) {
  struct cds_stream *stream = page->place.stream;
  const struct cds_call_hooks hooks = {.context = page, .done = on_done, .event = on_event};
  struct cds_error err;
  cds_stream_lock(stream);
  struct cds_feed_id feed = cds_places_feed(stream, page->fill.slot);
  cds_stream_unlock(stream);
  const struct cds_call_args args = {CDS_GET_REPORT_PAGE, &feed, 1, (uint32_t)page->fill.start,
                                     (uint32_t)page->fill.limit};
  if (cds_question_ask(&page->place, &args, &hooks, &err) != CDS_OK) end_page(page, PAGE_FAILED, 0, &err);
}

#define PLACES (CDS_BACKFILL_AT_ONCE + CDS_BACKFILL_BULKS)

/* What a look finds to do once the lock is released. */
struct due {
  struct cds_backfill_page *pages[CDS_BACKFILL_AT_ONCE]; /* to ask */
  struct cds_bulk_fill *bulks[CDS_BACKFILL_BULKS];       /* as well */
  size_t count, bulk_count;
  struct cds_call *calls[PLACES]; /* to cancel: nobody waits for their answers; a reference each */
  size_t call_count;
  bool any_expired; /* feeds that have waited too long */
  int64_t wait_ms;  /* until the next look; negative: not known now */
};

/* mu is held. */
static void take_stale(struct due *due, struct cds_question_place *place, bool is_asked) {
  if (place->call == NULL || place->is_cancelled || is_asked) return;
  place->is_cancelled = true;
  due->calls[due->call_count++] = cds_question_call(place);
}

/* mu is held. */
static void take_all_stale(struct cds_stream *stream, struct due *due) {
  const struct cds_sequence *seq = cds_dispatch_sequence(stream);
  for (size_t i = 0; i < CDS_BACKFILL_AT_ONCE; i++) {
    struct cds_backfill_page *page = &stream->backfill.pages[i];
    take_stale(due, &page->place, cds_fill_is_asked(seq, &page->fill));
  }
  for (size_t i = 0; i < CDS_BACKFILL_BULKS; i++) {
    struct cds_bulk_fill *fill = &stream->backfill.bulks[i];
    take_stale(due, &fill->place, cds_bulk_is_asked(seq, &fill->bulk));
  }
}

/* mu is held. A larger page stands for several. */
static size_t count_busy(const struct cds_backfill *backfill) {
  size_t busy = 0;
  for (size_t i = 0; i < CDS_BACKFILL_AT_ONCE; i++) {
    const struct cds_backfill_page *page = &backfill->pages[i];
    if (page->place.is_busy) busy += (page->fill.limit + PAGE_LIMIT - 1) / PAGE_LIMIT;
  }
  for (size_t i = 0; i < CDS_BACKFILL_BULKS; i++) busy += backfill->bulks[i].place.is_busy;
  return busy;
}

/* mu is held. */
static void occupy(struct cds_question_place *place, struct cds_stream *stream) {
  place->is_busy = true;
  place->is_cancelled = false;
  place->stream = stream;
  place->silent_until_ms = &stream->backfill.silent_until_ms;
}

/* mu is held. False: no place is free for it. */
static bool take_bulk(struct cds_stream *stream, struct due *due, const struct cds_bulk *plan, int64_t now_ms) {
  size_t i = 0;
  while (i < CDS_BACKFILL_BULKS && stream->backfill.bulks[i].place.is_busy) i++;
  if (i == CDS_BACKFILL_BULKS) return false;
  struct cds_bulk_fill *fill = &stream->backfill.bulks[i];
  fill->bulk = *plan;
  cds_bulk_begin(cds_dispatch_sequence(stream), &fill->bulk, now_ms);
  occupy(&fill->place, stream);
  due->bulks[due->bulk_count++] = fill;
  return true;
}

/* mu is held. False: no page is due. */
static bool take_page(struct cds_stream *stream, struct due *due, int64_t now_ms) {
  size_t i = 0;
  while (stream->backfill.pages[i].place.is_busy) i++; /* there are places for all that are busy at once */
  struct cds_backfill_page *page = &stream->backfill.pages[i];
  if (!cds_fill_next(cds_dispatch_sequence(stream), now_ms, &page->fill, &due->wait_ms)) return false;
  occupy(&page->place, stream);
  due->pages[due->count++] = page;
  return true;
}

/* mu is held. */
static void take_questions(struct cds_stream *stream, struct due *due, int64_t now_ms) {
  struct cds_bulk plan;
  size_t most = cds_outlet_pages(stream, PAGE_LIMIT, CDS_BACKFILL_AT_ONCE);
  while (count_busy(&stream->backfill) < most) {
    if (cds_bulk_plan(cds_dispatch_sequence(stream), now_ms, &plan)) {
      if (!take_bulk(stream, due, &plan, now_ms)) break;
    } else if (!take_page(stream, due, now_ms)) {
      return;
    }
  }
  due->wait_ms = -1; /* no more at once: the end of one looks again */
}

/* mu is held. */
static void look(struct cds_stream *stream, struct due *due, int64_t now_ms) {
  struct cds_backfill *backfill = &stream->backfill;
  struct cds_sequence *seq = cds_dispatch_sequence(stream);
  bool was_paused = backfill->is_paused;
  backfill->is_paused = cds_outlet_is_paused(stream);
  if (cds_core_is_over(stream) || backfill->is_paused) return;
  take_all_stale(stream, due);
  if (seq->wanting == 0) return;
  if (was_paused) cds_fill_resume(seq, now_ms);
  if (now_ms - backfill->looked_at_ms < LOOK_EVERY_MS) {
    due->wait_ms = LOOK_EVERY_MS;
    return;
  }
  backfill->looked_at_ms = now_ms;
  take_questions(stream, due, now_ms);
  int64_t expires_ms = cds_fill_expires_ms(seq);
  due->any_expired = expires_ms <= now_ms;
  if (due->any_expired) due->wait_ms = LOOK_EVERY_MS;
  else if (expires_ms < INT64_MAX && (due->wait_ms < 0 || expires_ms - now_ms < due->wait_ms))
    due->wait_ms = expires_ms - now_ms;
}

/* One at a time, as there is room in an out for one feed's ranges. */
static void give_up_expired(struct cds_stream *stream, int64_t now_ms) {
  bool gave_up;
  do {
    struct cds_sequence_out out = {0};
    struct cds_leftover leftover = {0};
    cds_stream_lock(stream);
    gave_up = !cds_core_is_stopping(stream) && cds_fill_expire(cds_dispatch_sequence(stream), now_ms, &out);
    cds_dispatch(stream, &out, &leftover);
    cds_stream_unlock(stream);
    cds_leftover_settle(stream, &leftover);
  } while (gave_up);
}

static void on_ring(void *context) {
  struct cds_stream *stream = context;
  cds_backfill_kick(stream);
  cds_stream_unref(stream);
}

void cds_backfill_init(struct cds_stream *stream) {
  stream->backfill.timer.ring = on_ring;
  stream->backfill.timer.context = stream;
  for (size_t i = 0; i < CDS_BACKFILL_BULKS; i++) stream->backfill.bulks[i].on_end = cds_backfill_kick;
}

static void look_later(struct cds_stream *stream, int64_t due_ms) {
  struct cds_timer *timer = &stream->backfill.timer;
  struct cds_error ignored;
  bool added;
  cds_stream_ref(stream);
  (void)!cds_rest_thread_set_timer(cds_core_client(stream)->rest, timer, due_ms, &added, &ignored);
  if (!added) cds_stream_unref(stream);
}

void cds_backfill_kick(struct cds_stream *stream) {
  struct due due = {.wait_ms = -1};
  int64_t now_ms = cds_clock_mono_ms();
  cds_stream_lock(stream);
  look(stream, &due, now_ms);
  cds_stream_unlock(stream);
  if (due.any_expired) give_up_expired(stream, now_ms);
  for (size_t i = 0; i < due.call_count; i++) cds_question_cancel(due.calls[i]);
  for (size_t i = 0; i < due.bulk_count; i++) cds_bulk_fill_ask(due.bulks[i]);
  for (size_t i = 0; i < due.count; i++) ask(due.pages[i]);
  if (due.wait_ms >= 0) look_later(stream, now_ms + (due.wait_ms > 0 ? due.wait_ms : 1));
}

void cds_backfill_cancel(struct cds_stream *stream) {
  struct cds_call *calls[PLACES];
  size_t count = 0;
  cds_stream_lock(stream);
  for (size_t i = 0; i < CDS_BACKFILL_AT_ONCE; i++)
    calls[count++] = cds_question_call(&stream->backfill.pages[i].place);
  for (size_t i = 0; i < CDS_BACKFILL_BULKS; i++) calls[count++] = cds_question_call(&stream->backfill.bulks[i].place);
  cds_stream_unlock(stream);
  for (size_t i = 0; i < count; i++) cds_question_cancel(calls[i]);
  if (cds_rest_thread_cancel_timer(cds_core_client(stream)->rest, &stream->backfill.timer)) cds_stream_unref(stream);
}
