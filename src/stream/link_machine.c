/* SPDX-License-Identifier: MIT
 * A link's state machine.
 *
 *   WAITING     its turn has come                        -> CONNECTING
 *   CONNECTING  opened                                   -> OPEN, or PAUSED when the script is slow
 *               failed                                   -> WAITING, or the end
 *   OPEN        the owner wants no more for now          -> PAUSED
 *   PAUSED      woken: the script has caught up          -> OPEN
 *   OPEN        lost, or dropped as useless              -> WAITING, or the end
 *   PAUSED      the same                                 -> FOR_SCRIPT
 *   FOR_SCRIPT  woken: the script has caught up          -> CONNECTING
 *   any         woken, and over                          -> the end */
#include "stream/link_machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "context/backoff.h"
#include "stream/link_target.h"

#define WORKED_WITH_MESSAGES_MS 1000
#define WORKED_MS 5000
#define MAX_PATIENCE_MS 5000 /* of a peer whose messages are not read */
#define PROOF_STEP_MS 100    /* between two looks; more than that does not count, as the process stood still then */

/* ---- what the owner is asked and told ---- */

static bool is_over(const struct cds_link_machine *machine) {
  return machine->plan.handler->is_over(machine->plan.context, machine->plan.index);
}

static bool owner_is_paused(const struct cds_link_machine *machine) {
  return machine->plan.handler->is_paused(machine->plan.context);
}

static void tell(const struct cds_link_machine *machine, enum cds_link_state state, const struct cds_error *why,
                 double delay) {
  machine->plan.handler->state(machine->plan.context, machine->plan.index, state, why, machine->failures, delay);
}

/* ---- the request ---- */

static enum cds_status on_headers(void *context, struct cds_buf *lines, struct cds_error *err) {
  struct cds_link_machine *machine = context;
  const struct cds_config *config = machine->plan.config;
  struct cds_auth auth;
  machine->signed_at_ms = cds_clock_wall_ms();
  enum cds_status status = machine->plan.handler->sign(machine->plan.context, &auth, machine->target.data, err);
  if (status == CDS_OK) machine->ahead_ms = strtoll(auth.timestamp, NULL, 10) - machine->signed_at_ms;
  if (status == CDS_OK) cds_link_trace(&machine->plan, machine->host, machine->target.data, machine->origin);
  if (status == CDS_OK)
    status = cds_buf_printf(lines,
                            "User-Agent: " CDS_USER_AGENT "\r\n" CDS_HEADER_KEY ": %s\r\n" CDS_HEADER_TIMESTAMP
                            ": %s\r\n" CDS_HEADER_SIGNATURE ": %s\r\n",
                            config->api_key, auth.timestamp, auth.signature);
  if (status == CDS_OK && machine->origin[0] != 0)
    status = cds_buf_printf(lines, CDS_HEADER_ORIGIN ": %s\r\n", machine->origin);
  for (size_t i = 0; status == CDS_OK && i < config->header_count; i++)
    status = cds_buf_printf(lines, "%s: %s\r\n", config->headers[i].name, config->headers[i].value);
  if (status != CDS_OK && err->status == CDS_OK) cds_error_set(err, status, "the request's headers are too long");
  return status;
}

/* ---- attempts ---- */

static bool is_final(const struct cds_error *err) {
  return err->status == CDS_E_AUTH || err->status == CDS_E_CONFIG || err->http_status == 400 || err->http_status == 404;
}

static void give_up(struct cds_link_machine *machine, const struct cds_error *err) {
  tell(machine, CDS_LINK_FAILED, err, 0);
  machine->plan.handler->failed(machine->plan.context, machine->plan.index, err, is_final(err));
  if (machine->ws != NULL) cds_ws_end(machine->ws);
}

/* A service that has no version 2 of its WebSocket. */
static void give_up_v2(struct cds_link_machine *machine) {
  const struct cds_feed_id *feed = cds_link_finer_feed(&machine->plan);
  struct cds_error err = {0};
  char text[CDS_FEED_ID_TEXT + 1] = "";
  if (feed != NULL) cds_feed_id_format(text, feed);
  cds_error_set(&err, CDS_E_API, "the service has no /api/v2/ws (HTTP 404)%s%s%s", feed != NULL ? "; feed " : "", text,
                feed != NULL ? " has no times in seconds and needs it" : "");
  err.http_status = 404;
  give_up(machine, &err);
}

static void attempt(struct cds_link_machine *machine) {
  const struct cds_link_plan *plan = &machine->plan;
  const struct cds_url *url = &plan->config->ws[machine->host];
  struct cds_error err = {0};
  if (is_over(machine)) {
    cds_ws_end(machine->ws);
    return;
  }
  machine->phase = CDS_PHASE_CONNECTING;
  plan->handler->origin(plan->context, plan->index, machine->failures, machine->origin);
  plan->handler->host(plan->context, plan->index, url);
  tell(machine, CDS_LINK_CONNECTING, NULL, 0);
  if (cds_link_target(&machine->target, plan, machine->host) == CDS_OK)
    cds_ws_connect(machine->ws, url, machine->target.data);
  else {
    cds_error_set(&err, CDS_E_MEMORY, "out of memory");
    give_up(machine, &err);
  }
}

static void attempt_after(struct cds_link_machine *machine, double delay) {
  machine->phase = CDS_PHASE_WAITING;
  cds_ws_timer(machine->ws, delay);
}

static bool is_open(const struct cds_link_machine *machine) {
  return machine->phase == CDS_PHASE_OPEN || machine->phase == CDS_PHASE_PAUSED;
}

static bool has_worked(const struct cds_link_machine *machine) {
  int64_t lived = cds_clock_mono_ms() - machine->opened_at_ms;
  return lived >= WORKED_MS || (machine->had_message && lived >= WORKED_WITH_MESSAGES_MS);
}

static bool may_go_elsewhere(const struct cds_link_machine *machine) {
  return machine->plan.hosts_vary && machine->plan.config->ws_count > 1;
}

static double retry_delay(const struct cds_link_machine *machine, const struct cds_error *err, bool worked) {
  const struct cds_stream_config *config = machine->plan.stream;
  if (err->has_retry_after) return err->retry_after;
  if (worked) return machine->plan.is_one_of_many ? cds_backoff_random() * config->reconnect_delay : 0;
  if (!err->retryable && !may_go_elsewhere(machine)) return config->reconnect_max_delay;
  return cds_backoff_delay(machine->failures - 1, config->reconnect_delay, config->reconnect_max_delay,
                           cds_backoff_random());
}

/* Said once for as long as the reason is the same. */
static void alarm_once(struct cds_link_machine *machine, const struct cds_error *err) {
  if (strcmp(machine->alarmed, err->message) == 0) return;
  snprintf(machine->alarmed, sizeof machine->alarmed, "%s", err->message);
  machine->plan.handler->alarm(machine->plan.context, err->message);
}

/* ---- a connection that is up, and of no use ---- */

static int64_t patience_ms(const struct cds_link_machine *machine) {
  int64_t pong_ms = (int64_t)machine->plan.stream->pong_timeout * 1000;
  return pong_ms < MAX_PATIENCE_MS ? pong_ms : MAX_PATIENCE_MS;
}

/* When the connection would have to be given up, 0: never. */
static int64_t deadline_ms(const struct cds_link_machine *machine) {
  double stale = machine->plan.stream->stale_timeout;
  if (machine->phase == CDS_PHASE_PAUSED) return machine->paused_at_ms + patience_ms(machine);
  return stale > 0 ? machine->report_at_ms + (int64_t)(stale * 1000) : 0;
}

static void watch(struct cds_link_machine *machine) {
  int64_t now_ms = cds_clock_mono_ms(), deadline = deadline_ms(machine), proof_ms = machine->proof_left_ms;
  int64_t next_ms = proof_ms <= 0 ? 0 : now_ms + (proof_ms < PROOF_STEP_MS ? proof_ms : PROOF_STEP_MS);
  if (next_ms == 0 || (deadline != 0 && deadline < next_ms)) next_ms = deadline;
  if (next_ms != 0) cds_ws_timer(machine->ws, next_ms > now_ms ? (double)(next_ms - now_ms) / 1000 : 0);
}

/* Only time in which it was read counts: the one that it is to replace was not read either, and goes on. */
static void prove(struct cds_link_machine *machine, int64_t now_ms) {
  int64_t passed = now_ms - machine->looked_at_ms;
  machine->looked_at_ms = now_ms;
  if (machine->proof_left_ms <= 0 || machine->phase == CDS_PHASE_PAUSED) return;
  machine->proof_left_ms -= passed < PROOF_STEP_MS ? passed : PROOF_STEP_MS;
  if (machine->proof_left_ms <= 0) machine->plan.handler->proved(machine->plan.context, machine->plan.index);
}

static void drop_useless(struct cds_link_machine *machine) {
  struct cds_error why;
  if (machine->phase == CDS_PHASE_PAUSED)
    cds_error_set(&why, CDS_E_NETWORK,
                  "the script reads too slowly: the connection is made again when it has caught up");
  else cds_error_set(&why, CDS_E_TIMEOUT, "no report for %g s (stale_timeout)", machine->plan.stream->stale_timeout);
  cds_ws_drop(machine->ws, &why);
}

static void look_at_connection(struct cds_link_machine *machine) {
  int64_t now_ms = cds_clock_mono_ms();
  prove(machine, now_ms);
  int64_t deadline = deadline_ms(machine);
  if (deadline != 0 && now_ms >= deadline) drop_useless(machine);
  else watch(machine);
}

static void pause_reading(struct cds_link_machine *machine) {
  cds_ws_pause(machine->ws, true);
  if (machine->phase == CDS_PHASE_PAUSED) return;
  machine->phase = CDS_PHASE_PAUSED;
  machine->paused_at_ms = cds_clock_mono_ms();
  watch(machine);
}

static void read_on(struct cds_link_machine *machine) {
  machine->phase = CDS_PHASE_OPEN;
  machine->report_at_ms = machine->looked_at_ms = cds_clock_mono_ms();
  cds_ws_pause(machine->ws, false);
  watch(machine);
}

/* ---- what the WebSocket tells ---- */

/* A refusal that the next signature, of a better time, may not meet: tried once, as it may mean something else. */
static bool is_of_clock(struct cds_link_machine *machine, const struct cds_error *err) {
  if (err->status != CDS_E_AUTH || !err->has_clock_skew || machine->was_corrected) return false;
  machine->was_corrected =
    machine->plan.handler->clock(machine->plan.context, err->clock_skew, machine->signed_at_ms, machine->ahead_ms);
  return machine->was_corrected;
}

static void on_closed(void *context, const struct cds_error *err) {
  struct cds_link_machine *machine = context;
  bool was_open = is_open(machine), worked = was_open && has_worked(machine);
  if (is_over(machine)) {
    cds_ws_end(machine->ws);
    return;
  }
  if (was_open) tell(machine, CDS_LINK_DISCONNECTED, err, 0);
  if (worked) machine->failures = 0;
  if (was_open && owner_is_paused(machine)) {
    machine->phase = CDS_PHASE_FOR_SCRIPT;
    return;
  }
  machine->failures++;
  if (err->http_status == 404 && cds_link_speaks_v2(&machine->plan)) {
    give_up_v2(machine);
    return;
  }
  if (is_of_clock(machine, err)) {
    tell(machine, CDS_LINK_RECONNECTING, err, 0);
    attempt_after(machine, 0);
    return;
  }
  if (is_final(err) || machine->failures > machine->plan.stream->max_reconnects) {
    give_up(machine, err);
    return;
  }
  double delay = retry_delay(machine, err, worked);
  if (!was_open &&
      may_go_elsewhere(machine)) /* nothing to be had there now: another of the hosts given may do better */
    machine->host = (machine->host + 1) % machine->plan.config->ws_count;
  if (!err->retryable) alarm_once(machine, err);
  tell(machine, CDS_LINK_RECONNECTING, err, delay);
  attempt_after(machine, delay);
}

static void on_opened(void *context) {
  struct cds_link_machine *machine = context;
  machine->phase = CDS_PHASE_OPEN;
  machine->had_message = false;
  machine->alarmed[0] = 0;
  machine->was_corrected = false;
  machine->opened_at_ms = machine->report_at_ms = machine->looked_at_ms = cds_clock_mono_ms();
  machine->proof_left_ms = machine->plan.proof_ms;
  tell(machine, CDS_LINK_CONNECTED, NULL, 0);
  if (owner_is_paused(machine)) pause_reading(machine);
  else watch(machine);
}

static void on_message(void *context, const char *data, size_t length) {
  struct cds_link_machine *machine = context;
  bool is_report;
  machine->had_message = true;
  machine->is_settled = false;
  bool pause = machine->plan.handler->message(machine->plan.context, machine->plan.index, data, length, &is_report);
  if (is_report) machine->report_at_ms = cds_clock_mono_ms();
  if (pause) pause_reading(machine);
}

static void on_timer(void *context) {
  struct cds_link_machine *machine = context;
  if (machine->phase == CDS_PHASE_WAITING) attempt(machine);
  else if (is_open(machine)) look_at_connection(machine);
}

static void on_woken(void *context) {
  struct cds_link_machine *machine = context;
  if (is_over(machine)) cds_ws_end(machine->ws);
  else if (owner_is_paused(machine)) return;
  else if (machine->phase == CDS_PHASE_FOR_SCRIPT) attempt(machine);
  else if (machine->phase == CDS_PHASE_PAUSED) read_on(machine);
}

/* ---- its life ---- */

bool cds_link_machine_init(struct cds_link_machine *machine, const struct cds_link_plan *plan) {
  size_t size = plan->feed_count * sizeof *plan->feeds;
  struct cds_feed_id *feeds = cds_malloc(size + 1);
  if (feeds == NULL) return false;
  memcpy(feeds, plan->feeds, size);
  *machine = (struct cds_link_machine){.plan = *plan, .host = plan->host, .is_settled = true};
  machine->plan.feeds = feeds;
  cds_buf_init(&machine->target, cds_link_longest_target(plan));
  return true;
}

void cds_link_machine_clear(struct cds_link_machine *machine) {
  cds_buf_clear(&machine->target);
  cds_free((void *)machine->plan.feeds);
}

enum cds_status cds_link_machine_make_ws(struct cds_link_machine *machine) {
  const struct cds_config *config = machine->plan.config;
  const struct cds_ws_settings settings = {
    .tls = cds_config_tls(config),
    .proxy = config->proxy,
    .connect_timeout = config->connect_timeout,
    .ping_interval = machine->plan.stream->ping_interval,
    .pong_timeout = machine->plan.stream->pong_timeout,
    .max_target = cds_link_longest_target(&machine->plan),
  };
  const struct cds_ws_handler handler = {.context = machine,
                                         .headers = on_headers,
                                         .opened = on_opened,
                                         .message = on_message,
                                         .closed = on_closed,
                                         .timer = on_timer,
                                         .woken = on_woken};
  struct cds_error err = {0};
  enum cds_status status = cds_ws_new(&machine->ws, &settings, &handler, &err);
  if (status != CDS_OK) give_up(machine, &err);
  return status;
}

void cds_link_machine_settle(struct cds_link_machine *machine) {
  if (machine->is_settled) return;
  machine->is_settled = true;
  machine->plan.handler->settled(machine->plan.context, machine->plan.index);
}

void cds_link_machine_start(struct cds_link_machine *machine) {
  double delay = machine->plan.is_one_of_many ? cds_backoff_random() * machine->plan.stream->reconnect_delay : 0;
  if (delay > 0 && !is_over(machine)) attempt_after(machine, delay);
  else attempt(machine);
}
