/* SPDX-License-Identifier: MIT
 * A link's thread and its state machine: attempt, connected, waiting. All of it runs inside cds_ws_service. */
#include "stream/link.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "client/at_exit.h"
#include "context/backoff.h"
#include "net/auth.h"
#include "net/origins.h"
#include "net/ws.h"

#define WORKED_WITH_MESSAGES_MS 1000
#define WORKED_MS 5000
#define MAX_PATIENCE_MS 5000 /* of a peer whose messages are not read */

struct cds_link {
  struct cds_stream *stream;
  size_t index;
  pthread_t thread;
  bool exited; /* guarded by the stream's mu */
  /* fixed once started */
  struct cds_feed_id *feeds; /* owned */
  size_t feed_count;
  bool hosts_vary, is_one_of_many, is_on_trial;
  double latency_ms; /* guarded by the stream's mu */

  pthread_mutex_t wake_mu; /* keeps the ws alive while another thread wakes it; never held with another lock */
  struct cds_ws *ws;       /* guarded by wake_mu; only the thread itself may use it without */

  /* the thread's own */
  size_t host; /* index into the config's ws */
  char origin[CDS_MAX_ORIGIN_TEXT];
  struct cds_buf target;
  bool open;
  bool had_message;
  bool is_paused;        /* since paused_at_ms */
  bool waits_for_reader; /* no attempt until the script has caught up */
  int64_t opened_at_ms, paused_at_ms, report_at_ms;
  int64_t proof_ms;  /* then a link on trial has proved itself; 0: no matter */
  unsigned failures; /* consecutive */
};

static const struct cds_config *config_of(const struct cds_link *link) {
  return &link->stream->client->config;
}

/* ---- the request ---- */

static enum cds_status build_target(struct cds_link *link) {
  cds_buf_reset(&link->target);
  enum cds_status status = cds_buf_printf(&link->target, "%s/api/v1/ws?feedIDs=", config_of(link)->ws[link->host].base);
  for (size_t i = 0; status == CDS_OK && i < link->feed_count; i++) {
    char text[CDS_FEED_ID_TEXT + 1];
    cds_feed_id_format(text, &link->feeds[i]);
    status = cds_buf_printf(&link->target, "%s%s", i > 0 ? "," : "", text);
  }
  return status;
}

static size_t longest_target(const struct cds_link *link) {
  size_t base = 0;
  const struct cds_config *config = config_of(link);
  for (size_t i = 0; i < config->ws_count; i++) {
    size_t length = strlen(config->ws[i].base);
    base = length > base ? length : base;
  }
  return base + 64 + link->feed_count * (CDS_FEED_ID_TEXT + 1);
}

/* Signs under the stream's lock, and not once it is stopping: after close the secret is gone. */
static enum cds_status sign(struct cds_auth *auth, struct cds_link *link, struct cds_error *err) {
  const struct cds_config *config = config_of(link);
  enum cds_status status = cds_error_set(err, CDS_E_CLOSED, "the stream is closed");
  pthread_mutex_lock(&link->stream->mu);
  if (!link->stream->stopping)
    status =
      cds_auth_sign(auth, "GET", link->target.data, config->api_key, config->api_secret, cds_clock_wall_ms(), err);
  pthread_mutex_unlock(&link->stream->mu);
  return status;
}

static enum cds_status on_headers(void *context, struct cds_buf *lines, struct cds_error *err) {
  struct cds_link *link = context;
  const struct cds_config *config = config_of(link);
  struct cds_auth auth;
  enum cds_status status = sign(&auth, link, err);
  if (status == CDS_OK)
    status = cds_buf_printf(lines,
                            "User-Agent: " CDS_USER_AGENT "\r\n" CDS_HEADER_KEY ": %s\r\n" CDS_HEADER_TIMESTAMP
                            ": %s\r\n" CDS_HEADER_SIGNATURE ": %s\r\n",
                            config->api_key, auth.timestamp, auth.signature);
  if (status == CDS_OK && link->origin[0] != 0)
    status = cds_buf_printf(lines, CDS_HEADER_ORIGIN ": %s\r\n", link->origin);
  for (size_t i = 0; status == CDS_OK && i < config->header_count; i++)
    status = cds_buf_printf(lines, "%s: %s\r\n", config->headers[i].name, config->headers[i].value);
  if (status != CDS_OK && err->status == CDS_OK) cds_error_set(err, status, "the request's headers are too long");
  return status;
}

/* ---- attempts ---- */

static bool is_final(const struct cds_error *err) {
  return err->status == CDS_E_AUTH || err->status == CDS_E_CONFIG || err->http_status == 400 || err->http_status == 404;
}

static void give_up(struct cds_link *link, const struct cds_error *err) {
  cds_stream_link_state(link->stream, link->index, CDS_LINK_FAILED, err, link->failures, 0);
  cds_stream_link_failed(link->stream, link->index, err, is_final(err));
}

static void attempt(struct cds_link *link) {
  const struct cds_url *url = &config_of(link)->ws[link->host];
  struct cds_error err = {0};
  if (cds_stream_link_is_over(link->stream, link->index)) {
    cds_ws_end(link->ws);
    return;
  }
  cds_stream_link_origin(link->stream, link->index, link->failures, link->origin);
  cds_stream_link_host(link->stream, link->index, url);
  cds_stream_link_state(link->stream, link->index, CDS_LINK_CONNECTING, NULL, link->failures, 0);
  if (build_target(link) != CDS_OK) {
    cds_error_set(&err, CDS_E_MEMORY, "out of memory");
    give_up(link, &err);
    cds_ws_end(link->ws);
    return;
  }
  cds_ws_connect(link->ws, url, link->target.data);
}

static bool has_worked(const struct cds_link *link) {
  int64_t lived = cds_clock_mono_ms() - link->opened_at_ms;
  return lived >= WORKED_MS || (link->had_message && lived >= WORKED_WITH_MESSAGES_MS);
}

static double retry_delay(const struct cds_link *link, const struct cds_error *err, bool worked) {
  const struct cds_stream_config *config = &link->stream->config;
  if (err->has_retry_after) return err->retry_after;
  if (worked) return link->is_one_of_many ? cds_backoff_random() * config->reconnect_delay : 0;
  return cds_backoff_delay(link->failures - 1, config->reconnect_delay, config->reconnect_max_delay,
                           cds_backoff_random());
}

/* ---- a connection that is up, and of no use ---- */

static int64_t patience_ms(const struct cds_link *link) {
  int64_t pong_ms = (int64_t)link->stream->config.pong_timeout * 1000;
  return pong_ms < MAX_PATIENCE_MS ? pong_ms : MAX_PATIENCE_MS;
}

/* When the connection would have to be given up, 0: never. */
static int64_t deadline_ms(const struct cds_link *link) {
  double stale = link->stream->config.stale_timeout;
  if (link->is_paused) return link->paused_at_ms + patience_ms(link);
  return stale > 0 ? link->report_at_ms + (int64_t)(stale * 1000) : 0;
}

static void watch(struct cds_link *link) {
  int64_t deadline = deadline_ms(link);
  if (link->proof_ms != 0 && (deadline == 0 || link->proof_ms < deadline)) deadline = link->proof_ms;
  int64_t left = deadline - cds_clock_mono_ms();
  if (deadline != 0) cds_ws_timer(link->ws, left > 0 ? (double)left / 1000 : 0);
}

static void give_up_useless(struct cds_link *link) {
  struct cds_error why;
  int64_t deadline = deadline_ms(link);
  if (deadline == 0) return;
  if (cds_clock_mono_ms() < deadline) {
    watch(link);
    return;
  }
  if (link->is_paused)
    cds_error_set(&why, CDS_E_NETWORK,
                  "the script reads too slowly: the connection is made again when it has caught up");
  else cds_error_set(&why, CDS_E_TIMEOUT, "no report for %g s (stale_timeout)", link->stream->config.stale_timeout);
  cds_ws_drop(link->ws, &why);
}

static void pause_reading(struct cds_link *link) {
  cds_ws_pause(link->ws, true);
  if (link->is_paused) return;
  link->is_paused = true;
  link->paused_at_ms = cds_clock_mono_ms();
  watch(link);
}

static void read_on(struct cds_link *link) {
  cds_ws_pause(link->ws, false);
  if (!link->is_paused) return;
  link->is_paused = false;
  link->report_at_ms = cds_clock_mono_ms();
  watch(link);
}

static void on_closed(void *context, const struct cds_error *err) {
  struct cds_link *link = context;
  bool was_open = link->open, worked = was_open && has_worked(link);
  link->open = link->is_paused = false;
  if (cds_stream_link_is_over(link->stream, link->index)) {
    cds_ws_end(link->ws);
    return;
  }
  if (was_open) cds_stream_link_state(link->stream, link->index, CDS_LINK_DISCONNECTED, err, link->failures, 0);
  if (worked) link->failures = 0;
  if (was_open && cds_stream_is_paused(link->stream)) {
    link->waits_for_reader = true;
    return;
  }
  link->failures++;
  if (is_final(err) || link->failures > link->stream->config.max_reconnects) {
    give_up(link, err);
    cds_ws_end(link->ws);
    return;
  }
  if (!was_open && link->hosts_vary) /* nothing to be had there now: another of the hosts given may do better */
    link->host = (link->host + 1) % config_of(link)->ws_count;
  double delay = retry_delay(link, err, worked);
  cds_stream_link_state(link->stream, link->index, CDS_LINK_RECONNECTING, err, link->failures, delay);
  cds_ws_timer(link->ws, delay);
}

static void on_opened(void *context) {
  struct cds_link *link = context;
  link->open = true;
  link->had_message = false;
  link->opened_at_ms = link->report_at_ms = cds_clock_mono_ms();
  cds_stream_link_state(link->stream, link->index, CDS_LINK_CONNECTED, NULL, link->failures, 0);
  link->proof_ms = link->is_on_trial ? cds_clock_mono_ms() + CDS_CHANGE_PROOF_MS : 0;
  if (cds_stream_is_paused(link->stream)) pause_reading(link);
  else watch(link);
}

static void on_message(void *context, const char *data, size_t length) {
  struct cds_link *link = context;
  link->had_message = true;
  bool is_report, pause = cds_stream_receive(link->stream, link->index, data, length, &is_report);
  if (is_report) link->report_at_ms = cds_clock_mono_ms();
  if (pause) pause_reading(link);
}

static void on_timer(void *context) {
  struct cds_link *link = context;
  if (!link->open) {
    attempt(link);
    return;
  }
  if (link->proof_ms != 0 && cds_clock_mono_ms() >= link->proof_ms) {
    link->proof_ms = 0;
    cds_change_look(link->stream);
    watch(link);
  }
  give_up_useless(link);
}

static void on_woken(void *context) {
  struct cds_link *link = context;
  if (cds_stream_link_is_over(link->stream, link->index)) cds_ws_end(link->ws);
  else if (cds_stream_is_paused(link->stream)) return;
  else if (link->waits_for_reader) {
    link->waits_for_reader = false;
    attempt(link);
  } else read_on(link);
}

/* ---- the thread ---- */

static enum cds_status make_ws(struct cds_ws **out, struct cds_link *link, struct cds_error *err) {
  const struct cds_config *config = config_of(link);
  const struct cds_ws_settings settings = {
    .tls = {.ca_file = config->ca_file,
            .ca_path = config->ca_path,
            .cert_file = config->cert_file,
            .key_file = config->key_file,
            .insecure_skip_verify = config->insecure_skip_verify},
    .proxy = config->proxy,
    .connect_timeout = config->connect_timeout,
    .ping_interval = link->stream->config.ping_interval,
    .pong_timeout = link->stream->config.pong_timeout,
    .max_target = longest_target(link),
  };
  const struct cds_ws_handler handler = {.context = link,
                                         .headers = on_headers,
                                         .opened = on_opened,
                                         .message = on_message,
                                         .closed = on_closed,
                                         .timer = on_timer,
                                         .woken = on_woken};
  return cds_ws_new(out, &settings, &handler, err);
}

static void set_ws(struct cds_link *link, struct cds_ws *ws) {
  pthread_mutex_lock(&link->wake_mu);
  link->ws = ws;
  pthread_mutex_unlock(&link->wake_mu);
}

static void keep_up(struct cds_link *link) {
  struct cds_error err = {0};
  struct cds_ws *ws;
  if (make_ws(&ws, link, &err) != CDS_OK) {
    give_up(link, &err);
    return;
  }
  set_ws(link, ws); /* wakes from before this came to nothing: the attempt asks whether it is over */
  double delay = link->is_one_of_many ? cds_backoff_random() * link->stream->config.reconnect_delay : 0;
  if (delay > 0 && !cds_stream_link_is_over(link->stream, link->index)) cds_ws_timer(ws, delay);
  else attempt(link);
  while (cds_ws_service(ws)) {
    pthread_mutex_lock(&link->stream->mu);
    link->latency_ms = cds_ws_ping_latency_ms(ws);
    pthread_mutex_unlock(&link->stream->mu);
  }
  set_ws(link, NULL);
  cds_ws_free(ws);
}

static void *run(void *argument) {
  struct cds_link *link = argument;
  struct cds_stream *stream = link->stream;
  keep_up(link);
  cds_stream_link_gone(stream, link->index);
  pthread_mutex_lock(&stream->mu);
  link->exited = true;
  pthread_cond_broadcast(&stream->link_exited);
  pthread_mutex_unlock(&stream->mu);
  cds_stream_unref(stream); /* may free the link too */
  cds_at_exit_thread_ends();
  return NULL;
}

/* Signals stay with the script's threads: its handlers, and EINTR in its waits, depend on that. */
static int create_thread(struct cds_link *link) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  cds_at_exit_thread_starts();
  int failed = pthread_create(&link->thread, NULL, run, link);
  if (failed) cds_at_exit_thread_ends();
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed;
}

static struct cds_link *new_link(struct cds_stream *stream, const struct cds_link_plan *plan) {
  struct cds_link *link = cds_calloc(1, sizeof *link);
  if (link == NULL || pthread_mutex_init(&link->wake_mu, NULL) != 0) {
    cds_free(link);
    return NULL;
  }
  link->stream = stream;
  link->index = plan->index;
  link->host = plan->host;
  link->hosts_vary = plan->hosts_vary;
  link->is_one_of_many = plan->is_one_of_many;
  link->is_on_trial = plan->is_on_trial;
  link->latency_ms = -1;
  link->feed_count = plan->feed_count;
  link->feeds = cds_malloc((plan->feed_count + 1) * sizeof *link->feeds);
  if (link->feeds == NULL) {
    cds_link_free(link);
    return NULL;
  }
  memcpy(link->feeds, plan->feeds, plan->feed_count * sizeof *link->feeds);
  cds_buf_init(&link->target, longest_target(link));
  return link;
}

enum cds_status cds_link_start(struct cds_link **out, struct cds_stream *stream, const struct cds_link_plan *plan,
                               struct cds_error *err) {
  struct cds_link *link = *out = new_link(stream, plan);
  if (link == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  atomic_fetch_add(&stream->refs, 1);
  if (create_thread(link) == 0) return CDS_OK;
  atomic_fetch_sub(&stream->refs, 1);
  cds_link_free(link);
  *out = NULL;
  return cds_error_set(err, CDS_E_MEMORY, "no thread to be had for a connection");
}

void cds_link_wake(struct cds_link *link) {
  pthread_mutex_lock(&link->wake_mu);
  if (link->ws != NULL) cds_ws_wake(link->ws);
  pthread_mutex_unlock(&link->wake_mu);
}

static bool wait_for_exit(struct cds_link *link, int64_t until_ms) {
  struct timespec until = {.tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000};
  struct cds_stream *stream = link->stream;
  int waited = 0;
  pthread_mutex_lock(&stream->mu);
  while (!link->exited && waited != ETIMEDOUT)
    waited = pthread_cond_timedwait(&stream->link_exited, &stream->mu, &until);
  bool exited = link->exited;
  pthread_mutex_unlock(&stream->mu);
  return exited;
}

void cds_link_join(struct cds_link *link, int64_t until_ms) {
  if (wait_for_exit(link, until_ms)) pthread_join(link->thread, NULL);
  else pthread_detach(link->thread);
}

bool cds_link_has_exited(const struct cds_link *link) {
  return link->exited;
}

void cds_link_free(struct cds_link *link) {
  if (link == NULL) return;
  pthread_mutex_destroy(&link->wake_mu);
  cds_buf_clear(&link->target);
  cds_free(link->feeds);
  cds_free(link);
}

double cds_link_latency_ms(const struct cds_link *link) {
  return link->latency_ms;
}
