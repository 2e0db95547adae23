/* SPDX-License-Identifier: MIT
 * A service on one port: reports over WebSocket, as far as the test lets them go, and what was sent over REST. Report n
 * of a feed is of second base_time + n. */
#ifndef HISTORY_SERVICE_H
#define HISTORY_SERVICE_H

#include "stream_fixture.h"
#include "ws_parallel.h"

#define HISTORY_FEEDS 12
#define HISTORY_TARGET "/api/v1/reports/page?"
#define HISTORY_BULK_TARGET "/api/v1/reports/bulk?"

struct history {
  unsigned page_size;
  atomic_uint drop_after; /* a connection that sent this one ends, once, and the next begins at resume_at; 0: none */
  uint32_t resume_at;
  uint32_t skip_from, skip_to;          /* live connections leave these out */
  const char *wrong[HISTORY_FEEDS + 1]; /* answers a feed's first question; "" ends the connection instead */
  bool always_wrong[HISTORY_FEEDS + 1]; /* and all others */
  atomic_uint sent;                     /* each connection is to send each of its feeds' reports up to this one */
  atomic_bool silent;                   /* questions are left without an answer */
  atomic_int up;                        /* WebSocket connections open */
  atomic_int open_questions, at_most;   /* without an answer yet; the most at once */
  atomic_int questions[HISTORY_FEEDS + 1];
  atomic_uint asked_from[HISTORY_FEEDS + 1]; /* by the last question */
  atomic_llong first_ms[HISTORY_FEEDS + 1];  /* monotonic; when the first question was asked, */
  atomic_llong second_ms[HISTORY_FEEDS + 1]; /* and the second */
  atomic_int out_of_order;                   /* questions from before the one before */
  /* the bulk endpoint */
  const char *bulk_wrong;                /* answers its first question; "" ends the connection instead */
  bool bulk_always_wrong;                /* and all others */
  unsigned bulk_lacks_feed;              /* it has nothing of this one */
  atomic_int bulk_questions, bulk_feeds; /* feeds named in them */
  atomic_int bulk_repeated;              /* of these, such as were named twice */
};

/* A report's message, in static memory of the thread. */
static const char *(*history_message)(unsigned feed, uint32_t number) = next_message;

static bool history_is_gone(int fd) {
  char byte;
  ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN);
}

/* ---- REST ---- */

/* {"reports":[…]} with these numbers, the last one first if is_backwards; the caller frees it. */
static char *history_page(unsigned feed, uint32_t first, uint32_t last, bool is_backwards) {
  static const char before[] = "{\"report\":";
  uint32_t count = last >= first ? last - first + 1 : 0;
  char *page = malloc(count * ENVELOPE_MAX + 64);
  if (page == NULL) abort();
  size_t used = (size_t)sprintf(page, "{\"reports\":[");
  for (uint32_t i = 0; i < count; i++) {
    const char *report = history_message(feed, is_backwards ? last - i : first + i) + strlen(before);
    used += (size_t)sprintf(page + used, "%s%.*s", i > 0 ? "," : "", (int)strlen(report) - 1, report);
  }
  sprintf(page + used, "]}");
  return page;
}

/* A whole answer with this body, which it frees; the caller frees the answer. */
static char *history_answer(char *body) {
  char *text = malloc(strlen(body) + 128);
  if (text == NULL) abort();
  sprintf(text,
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
          strlen(body), body);
  free(body);
  return text;
}

static unsigned history_feed(const struct ws_server *view, unsigned feed) {
  for (; feed <= HISTORY_FEEDS; feed++) {
    char id[CDS_FEED_ID_TEXT + 1];
    struct cds_feed_id number = feed_number(feed);
    cds_feed_id_format(id, &number);
    if (strstr(view->request, id) != NULL) return feed;
  }
  return 0;
}

static void history_answer_right(struct history *history, unsigned feed, uint32_t start, int fd) {
  uint32_t sent = atomic_load(&history->sent), first = start > base_time ? start - base_time : 1;
  uint32_t last = first + history->page_size - 1 < sent ? first + history->page_size - 1 : sent;
  char *text = history_answer(history_page(feed, first, last, false));
  ws_send_text_raw(fd, text);
  free(text);
}

static void history_rest(struct history *history, const struct ws_server *view, int fd) {
  unsigned feed = history_feed(view, 1);
  const char *field = strstr(view->request, "startTimestamp=");
  uint32_t start = field != NULL ? (uint32_t)strtoul(field + strlen("startTimestamp="), NULL, 10) : 0;
  int open = atomic_fetch_add(&history->open_questions, 1) + 1, most = atomic_load(&history->at_most);
  while (open > most && !atomic_compare_exchange_weak(&history->at_most, &most, open)) {}
  if (atomic_exchange(&history->asked_from[feed], start) > start) atomic_fetch_add(&history->out_of_order, 1);
  int before = atomic_fetch_add(&history->questions[feed], 1);
  bool is_first = before == 0;
  if (before < 2) atomic_store(is_first ? &history->first_ms[feed] : &history->second_ms[feed], cds_clock_mono_ms());
  while (atomic_load(&history->silent) && !history_is_gone(fd)) poll(NULL, 0, 1);
  atomic_fetch_sub(&history->open_questions, 1);
  if (history->wrong[feed] != NULL && (is_first || history->always_wrong[feed]))
    ws_send_text_raw(fd, history->wrong[feed]);
  else history_answer_right(history, feed, start, fd);
}

/* {"reports":[…]} with this number of each feed that the question names, one aside. */
static char *history_bulk(const struct ws_server *view, uint32_t number, unsigned without, int *feeds) {
  char *all = strdup("{\"reports\":["), *page = NULL;
  *feeds = 0;
  for (unsigned feed = history_feed(view, 1); feed != 0; feed = history_feed(view, feed + 1), ++*feeds) {
    if (feed == without) continue;
    page = history_page(feed, number, number, false);
    const char *report = strchr(page, '[') + 1;
    size_t length = strlen(all);
    all = realloc(all, length + strlen(report) + 4);
    if (all == NULL) abort();
    sprintf(all + length, "%s%.*s", all[length - 1] == '[' ? "" : ",", (int)strlen(report) - 2, report);
    free(page);
  }
  return strcat(realloc(all, strlen(all) + 4), "]}");
}

static int history_count_ids(const struct ws_server *view) {
  const char *target;
  size_t length = ws_target(view, &target);
  int count = 0;
  for (const char *id = strstr(target, "0x"); id != NULL && id < target + length; id = strstr(id + 2, "0x")) count++;
  return count;
}

static void history_answer_bulk(struct history *history, const struct ws_server *view, int fd) {
  const char *field = strstr(view->request, "timestamp=");
  uint32_t second = field != NULL ? (uint32_t)strtoul(field + strlen("timestamp="), NULL, 10) : 0;
  int feeds;
  char *text = history_answer(history_bulk(view, second - base_time, history->bulk_lacks_feed, &feeds));
  if (history->bulk_lacks_feed != 0) memcpy(strstr(text, " 200 OK"), " 206 OK", 7);
  atomic_fetch_add(&history->open_questions, 1);
  bool is_first = atomic_fetch_add(&history->bulk_questions, 1) == 0;
  atomic_fetch_add(&history->bulk_feeds, feeds);
  atomic_fetch_add(&history->bulk_repeated, history_count_ids(view) - feeds);
  while (atomic_load(&history->silent) && !history_is_gone(fd)) poll(NULL, 0, 1);
  atomic_fetch_sub(&history->open_questions, 1);
  if (history->bulk_wrong != NULL && (is_first || history->bulk_always_wrong))
    ws_send_text_raw(fd, history->bulk_wrong);
  else ws_send_text_raw(fd, text);
  free(text);
}

/* ---- WebSocket ---- */

/* All that the request names, in one go: however slow the messages are to make, no feed's report comes long before
 * another's. */
static bool history_send(const struct ws_server *view, int fd, uint32_t number) {
  uint8_t *all = malloc((size_t)HISTORY_FEEDS * (WS_HEAD_MAX + ENVELOPE_MAX));
  size_t used = 0;
  if (all == NULL) abort();
  for (unsigned feed = history_feed(view, 1); feed != 0; feed = history_feed(view, feed + 1)) {
    const char *text = history_message(feed, number);
    size_t length = strlen(text);
    used += ws_head(all + used, WS_TEXT, true, length);
    memcpy(all + used, text, length);
    used += length;
  }
  bool is_sent = ws_send_raw(fd, all, used);
  free(all);
  return is_sent;
}

static void history_live(struct history *history, const struct ws_server *view, int fd, uint32_t next) {
  while (!history_is_gone(fd)) {
    unsigned drop_after = atomic_load(&history->drop_after);
    if (drop_after != 0 && next > drop_after) {
      atomic_store(&history->drop_after, 0);
      atomic_store(&history->sent, history->resume_at - 1);
      return;
    }
    if (next > atomic_load(&history->sent)) {
      poll(NULL, 0, 1);
      continue;
    }
    bool is_skipped = next >= history->skip_from && next <= history->skip_to;
    if (!is_skipped && !history_send(view, fd, next)) return;
    next++;
  }
}

static void history_serve(struct ws_server *view, int number, int fd) {
  struct history *history = view->context;
  (void)number;
  if (!ws_read_request(view, fd)) return;
  if (strstr(view->request, HISTORY_TARGET) != NULL) {
    history_rest(history, view, fd);
    return;
  }
  if (strstr(view->request, HISTORY_BULK_TARGET) != NULL) {
    history_answer_bulk(history, view, fd);
    return;
  }
  uint32_t first = atomic_load(&history->sent) + 1;
  if (!ws_upgrade(view, fd, "")) return;
  atomic_fetch_add(&history->up, 1);
  history_live(history, view, fd, first);
  atomic_fetch_sub(&history->up, 1);
}

/* ---- a client of it ---- */

__attribute__((unused)) static struct ws_parallel *history_begin(struct fixture *fixture, struct history *history) {
  struct ws_parallel *host = ws_parallel_start(history_serve, history);
  begin(fixture, NULL, NULL);
  add_origin(fixture, "127.0.0.1", host->port, "");
  fixture->config.rest.port = host->port;
  fixture->config.stream.backfill = true;
  fixture->config.max_retries = 0; /* so that a failed question is the backfill's to repeat */
  fixture->config.rate_limit = 0;
  fixture->config.breaker_failures = 0;
  fixture->config.timeout = 60;
  return host;
}

__attribute__((unused)) static void history_end(struct fixture *fixture, struct ws_parallel *host) {
  finish(fixture);
  ws_parallel_stop(host);
}

/* What came, feed by feed. */
struct history_log {
  uint32_t last[HISTORY_FEEDS + 1];
  size_t jumps, back; /* reports that were not the one after the last; of these, not even newer */
  size_t odd;         /* with another price than the service's */
  size_t gaps, backfilled, lost;
  size_t errors, no_memory;                                              /* logged */
  uint32_t lost_from, lost_to;                                           /* of the last range */
  uint32_t filled_from[HISTORY_FEEDS + 1], filled_to[HISTORY_FEEDS + 1]; /* told as backfilled, in one or many ranges */
  size_t filled_odd;                                                     /* ranges that did not follow on the last */
  char reason[384];
};

static void history_note_range(struct history_log *log, const struct cds_event *event) {
  unsigned feed = event->feed_id.bytes[31];
  uint32_t from = event->from - base_time, to = event->to - base_time;
  log->filled_odd += to < from || (log->filled_to[feed] != 0 && from != log->filled_to[feed] + 1);
  if (log->filled_to[feed] == 0) log->filled_from[feed] = from;
  log->filled_to[feed] = to;
}

static void history_note(struct history_log *log, const struct cds_event *event) {
  if (event->kind == CDS_EVENT_BACKFILLED) history_note_range(log, event);
  log->gaps += event->kind == CDS_EVENT_GAP;
  log->backfilled += event->kind == CDS_EVENT_BACKFILLED;
  log->errors += event->kind == CDS_EVENT_LOG && event->level == CDS_LOG_ERROR;
  log->no_memory += event->kind == CDS_EVENT_LOG && strstr(event->message, "out of memory") != NULL;
  if (event->kind != CDS_EVENT_LOST) return;
  log->lost++;
  log->lost_from = event->from - base_time;
  log->lost_to = event->to - base_time;
  snprintf(log->reason, sizeof log->reason, "%s", event->message);
}

/* Takes what waits; true at the stream's end. */
__attribute__((unused)) static bool history_take(struct history_log *log, struct fixture *fixture,
                                                 struct cds_error *err) {
  struct cds_event *event;
  struct cds_report *report;
  enum cds_pop popped;
  while ((event = cds_stream_take_event(fixture->stream)) != NULL) {
    history_note(log, event);
    cds_event_free(event);
  }
  while ((popped = cds_stream_pop(&report, fixture->stream, err)) == CDS_POP_REPORT) {
    unsigned feed = report->feed_id.bytes[31];
    uint32_t number = report->observations_timestamp - base_time;
    log->jumps += log->last[feed] != 0 && number != log->last[feed] + 1;
    log->back += number <= log->last[feed];
    log->odd += cds_report_word(report, 6)[31] != 0;
    log->last[feed] = number;
    cds_report_unref(report);
  }
  return popped == CDS_POP_END;
}

__attribute__((unused)) static bool history_all_at(const struct history_log *log, unsigned feeds, uint32_t number) {
  for (unsigned feed = 1; feed <= feeds; feed++)
    if (log->last[feed] < number) return false;
  return true;
}

/* Takes what comes until the condition holds. */
#define HISTORY_UNTIL(fixture, log, condition)                                                                         \
  do {                                                                                                                 \
    struct cds_error history_err;                                                                                      \
    int64_t history_until = cds_clock_mono_ms() + WAIT_MS;                                                             \
    bool history_ended = false;                                                                                        \
    while (!(condition) && !history_ended && cds_clock_mono_ms() < history_until) {                                    \
      history_ended = history_take((log), (fixture), &history_err);                                                    \
      usleep(2000);                                                                                                    \
    }                                                                                                                  \
    ok((condition), "in time: %s", #condition);                                                                        \
  } while (0)

#endif
