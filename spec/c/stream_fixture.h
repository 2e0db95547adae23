/* SPDX-License-Identifier: MIT
 * What the stream tests share: reports, a client of a scripted server, and waiting for what comes. */
#ifndef STREAM_FIXTURE_H
#define STREAM_FIXTURE_H

#include <math.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "client/client.h"
#include "codec/hex.h"
#include "context/notify.h"
#include "envelope.h"
#include "tap.h"
#include "ws_server.h"

#define KEY "test-key"
#define SECRET "hunter2"
#define WAIT_MS 90000 /* a bound for a hang, not a measure */

static const uint32_t base_time = 1700000000;

__attribute__((unused)) static struct cds_feed_id feed_number(unsigned number) {
  struct cds_feed_id feed = {{0, 3}};
  feed.bytes[30] = (uint8_t)(number >> 8);
  feed.bytes[31] = (uint8_t)number;
  return feed;
}

/* As envelope_message, at a speed that tests of many messages can bear under valgrind. */
__attribute__((unused)) static void write_message(char out[ENVELOPE_MAX], const struct cds_feed_id *feed,
                                                  const struct sample *report, uint32_t valid_from, uint32_t second) {
  char id[CDS_FEED_ID_TEXT + 1];
  cds_feed_id_format(id, feed);
  int used = sprintf(out, "{\"report\":{\"feedID\":\"%s\",\"fullReport\":\"0x", id);
  cds_hex_encode(out + used, report->bytes, report->length);
  sprintf(out + used + 2 * report->length, "\",\"validFromTimestamp\":%u,\"observationsTimestamp\":%u}}", valid_from,
          second);
}

/* A version 3 report as the service sends it; `variant` makes different reports of one second. Static memory. */
__attribute__((unused)) static const char *message(unsigned feed, uint32_t valid_from, uint32_t second,
                                                   unsigned variant) {
  static _Thread_local char text[ENVELOPE_MAX];
  static _Thread_local struct sample report;
  uint8_t blob[SAMPLE_MAX];
  struct cds_feed_id id = feed_number(feed);
  size_t length = 9 * 32;
  memset(blob, 0, length);
  memcpy(blob, id.bytes, 32);
  sample_put(blob + 32, valid_from);
  sample_put(blob + 64, second);
  sample_put(blob + 192, variant);
  sample_report(&report, blob, length, 2);
  write_message(text, &id, &report, valid_from, second);
  return text;
}

__attribute__((unused)) static const char *next_message(unsigned feed, uint32_t number) {
  return message(feed, base_time + number, base_time + number, 0);
}

struct fixture {
  struct ws_server *server;
  struct cds_client *client;
  struct cds_stream *stream;
  struct cds_config config; /* set up by begin; open_stream takes it */
};

__attribute__((unused)) static void add_origin(struct fixture *fixture, const char *host, uint16_t port,
                                               const char *base) {
  struct cds_url *url = &fixture->config.ws[fixture->config.ws_count++];
  *url = (struct cds_url){.host = cds_strdup(host), .port = port, .base = cds_strdup(base)};
}

__attribute__((unused)) static void begin(struct fixture *fixture, ws_serve *serve, void *context) {
  *fixture = (struct fixture){0};
  cds_config_init(&fixture->config);
  fixture->config.api_key = cds_strdup(KEY);
  fixture->config.api_secret = cds_strdup(SECRET);
  fixture->config.rest = (struct cds_url){.host = cds_strdup("127.0.0.1"), .port = 9, .base = cds_strdup("")};
  fixture->config.proxy = cds_strdup("");
  fixture->config.connect_timeout = 60;
  fixture->config.stream.ping_interval = 3600; /* a service that is busy sending may answer none */
  fixture->config.stream.reconnect_delay = 0.01;
  fixture->config.stream.reconnect_max_delay = 0.05;
  fixture->config.stream.log_level = CDS_LOG_DEBUG;
  fixture->config.stream.backfill = false; /* there is no REST service */
  if (serve == NULL) return;
  fixture->server = ws_start(serve, context);
  add_origin(fixture, "127.0.0.1", fixture->server->port, "");
}

/* Opens a stream of the feeds numbered 1 to feed_count. */
__attribute__((unused)) static void open_stream(struct fixture *fixture, size_t feed_count) {
  static struct cds_feed_id feeds[CDS_MAX_FEEDS];
  struct cds_error err = {0};
  struct cds_stream_config config = fixture->config.stream;
  for (unsigned i = 0; i < feed_count; i++) feeds[i] = feed_number(i + 1);
  if (cds_client_new(&fixture->client, &fixture->config, &err) != CDS_OK ||
      cds_stream_open(&fixture->stream, fixture->client, feeds, feed_count, &config, &err) != CDS_OK) {
    printf("Bail out! %s\n", err.message);
    exit(1);
  }
}

__attribute__((unused)) static void finish(struct fixture *fixture) {
  cds_stream_free(fixture->stream);
  cds_client_free(fixture->client);
  cds_config_clear(&fixture->config);
  if (fixture->server != NULL) ws_stop(fixture->server);
}

__attribute__((unused)) static bool is_readable(int fd, int wait_ms) {
  struct pollfd at = {.fd = fd, .events = POLLIN};
  return poll(&at, 1, wait_ms) == 1;
}

/* ---- events ---- */

struct seen_events {
  size_t states[CDS_LINK_FAILED + 1], warnings, errors; /* the latter of log lines */
  char last_reason[512], last_warning[512], last_error[512], all_text[65536];
  double last_delay;
};

__attribute__((unused)) static void take_events(struct seen_events *seen, struct cds_stream *stream) {
  struct cds_event *event;
  while ((event = cds_stream_take_event(stream)) != NULL) {
    size_t used = strlen(seen->all_text);
    snprintf(seen->all_text + used, sizeof seen->all_text - used, "%s\n", event->message);
    if (event->kind == CDS_EVENT_STATUS) {
      seen->states[event->state]++;
      if (event->state == CDS_LINK_RECONNECTING) seen->last_delay = event->delay;
      if (event->message[0] != 0) snprintf(seen->last_reason, sizeof seen->last_reason, "%s", event->message);
    } else {
      seen->warnings += event->level == CDS_LOG_WARN;
      seen->errors += event->level == CDS_LOG_ERROR;
      if (event->level == CDS_LOG_ERROR) snprintf(seen->last_error, sizeof seen->last_error, "%s", event->message);
      snprintf(seen->last_warning, sizeof seen->last_warning, "%s", event->message);
    }
    cds_event_free(event);
  }
}

/* The next report, waiting for it; NULL at the end, with *err. Events go to *seen, which may be NULL. */
__attribute__((unused)) static struct cds_report *next_report(struct fixture *fixture, struct seen_events *seen,
                                                              struct cds_error *err) {
  static struct seen_events ignored;
  int64_t until = cds_clock_mono_ms() + WAIT_MS;
  for (;;) {
    struct cds_report *report;
    take_events(seen != NULL ? seen : &ignored, fixture->stream);
    enum cds_pop popped = cds_stream_pop(&report, fixture->stream, err);
    if (popped == CDS_POP_REPORT) return report;
    if (popped == CDS_POP_END) {
      take_events(seen != NULL ? seen : &ignored, fixture->stream);
      return NULL;
    }
    if (cds_clock_mono_ms() > until) {
      cds_error_set(err, CDS_E_TIMEOUT, "the test waited in vain");
      return NULL;
    }
    is_readable(cds_stream_fd(fixture->stream), 1000);
  }
}

/* Takes `count` reports and compares feed 1's seconds with first, first + 1, …; the number that were right. */
__attribute__((unused)) static size_t take_in_order(struct fixture *fixture, struct seen_events *seen, uint32_t first,
                                                    size_t count) {
  size_t right = 0;
  for (size_t i = 0; i < count; i++) {
    struct cds_error err = {0};
    struct cds_report *report = next_report(fixture, seen, &err);
    if (report == NULL) {
      printf("# no report %zu: %s\n", i, err.message);
      return right;
    }
    right += report->observations_timestamp == base_time + first + i;
    cds_report_unref(report);
  }
  return right;
}

/* Waits for the end; what it was. */
__attribute__((unused)) static struct cds_error wait_end(struct fixture *fixture, struct seen_events *seen) {
  struct cds_error err = {0};
  struct cds_report *report;
  while ((report = next_report(fixture, seen, &err)) != NULL) cds_report_unref(report);
  return err;
}

__attribute__((unused)) static struct cds_stream_stats stats_of(struct fixture *fixture) {
  struct cds_stream_stats stats;
  cds_stream_stats(&stats, fixture->stream);
  return stats;
}

/* Waits until the condition over `stats` and `seen` holds. */
#define WAIT_FOR(fixture, seen, condition)                                                                             \
  do {                                                                                                                 \
    int64_t wait_until = cds_clock_mono_ms() + WAIT_MS;                                                                \
    __attribute__((unused)) struct cds_stream_stats stats = stats_of(fixture);                                         \
    while (!(condition) && cds_clock_mono_ms() < wait_until) {                                                         \
      usleep(2000); /* not the descriptor: it may be readable all along */                                             \
      take_events((seen), (fixture)->stream);                                                                          \
      stats = stats_of(fixture);                                                                                       \
    }                                                                                                                  \
    ok((condition), "in time: %s", #condition);                                                                        \
  } while (0)

#endif
