/* SPDX-License-Identifier: MIT
 * The links' questions and news, counted and announced as events, and passed on to the parts that they concern. */
#include "stream/link_owner.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/trace.h"
#include "stream/backfill.h"
#include "stream/change.h"
#include "stream/connections.h"
#include "stream/core.h"
#include "stream/discovery.h"
#include "stream/dispatch.h"
#include "stream/fleet.h"
#include "stream/intake.h"
#include "stream/outlet.h"
#include "stream/places.h"

#define STAYS_AWAY 5 /* consecutive failures after which another origin may be asked for */

/* ---- what a link asks ---- */

/* The stream is over, or this connection is not wanted any more. */
static bool is_over(void *context, size_t link) {
  struct cds_stream *stream = context;
  cds_stream_lock(stream);
  bool over = cds_core_is_over(stream) || cds_connections_role(stream, link) == CDS_ROLE_LEAVING;
  cds_stream_unlock(stream);
  return over;
}

static bool is_paused(void *context) {
  return cds_outlet_is_paused(context);
}

static enum cds_status sign(void *context, struct cds_auth *auth, const char *target, struct cds_error *err) {
  struct cds_stream *stream = context;
  const struct cds_config *config = &cds_core_client(stream)->config;
  enum cds_status status = cds_error_set(err, CDS_E_CLOSED, "the stream is closed");
  cds_stream_lock(stream);
  if (!cds_core_is_stopping(stream))
    status = cds_auth_sign(auth, "GET", target, config->api_key, config->api_secret,
                           cds_service_clock_now_ms(&cds_core_client(stream)->clock), err);
  cds_stream_unlock(stream);
  return status;
}

static bool on_clock(void *context, double skew, int64_t sent_ms, int64_t ahead_ms) {
  struct cds_stream *stream = context;
  struct cds_service_clock *clock = &cds_core_client(stream)->clock;
  char words[CDS_SERVICE_CLOCK_TEXT];
  int64_t least_ms = (int64_t)(-skew * 1000), most_ms = least_ms + 1000 + (cds_clock_wall_ms() - sent_ms);
  if (cds_service_clock_note(clock, least_ms, most_ms)) {
    cds_service_clock_describe(words, clock);
    cds_stream_log(stream, CDS_LOG_WARN, "%s", words);
  }
  int64_t change_ms = cds_service_clock_ahead_ms(clock) - ahead_ms;
  return change_ms > 1000 || change_ms < -1000;
}

static void choose_origin(void *context, size_t link, unsigned failures, char out[CDS_MAX_ORIGIN_TEXT]) {
  struct cds_stream *stream = context;
  struct cds_error ignored;
  bool stays_away = failures >= STAYS_AWAY;
  cds_stream_lock(stream);
  if (stays_away) cds_connections_choose_origin(stream, link, cds_discovery_origins(stream));
  memcpy(out, cds_connections_origin(stream, link), CDS_MAX_ORIGIN_TEXT);
  cds_stream_unlock(stream);
  if (stays_away) (void)!cds_discovery_ask(stream, &ignored); /* if not now, then before the next attempt */
}

/* ---- what a link tells ---- */

static void on_host(void *context, size_t link, const struct cds_url *url) {
  struct cds_stream *stream = context;
  cds_stream_lock(stream);
  cds_connections_set_host(stream, link, url);
  cds_stream_unlock(stream);
}

/* mu is held. */
static void tell_up(struct cds_stream *stream, size_t shard, int64_t since_ms) {
  struct cds_sequence *sequence = cds_dispatch_sequence(stream);
  for (size_t slot = 0; slot < cds_places_count(stream); slot++)
    if (cds_places_is_wanted(stream, slot) && cds_places_shard(stream, slot) == shard)
      cds_sequence_link_up(sequence, slot, since_ms);
}

/* mu is held, and the link is not connected any more. What the last connection to follow a feed has not brought, one
 * that came later may have missed as well, and shows that by its next report only. */
static void tell_down(struct cds_stream *stream, size_t link) {
  size_t shard = cds_connections_shard(stream, link);
  bool up[CDS_MAX_CONNECTIONS] = {false};
  cds_sequence_link_down(cds_dispatch_sequence(stream), (unsigned)link);
  cds_connections_list_up(stream, up);
  if (up[shard]) tell_up(stream, shard, cds_clock_mono_ms());
}

/* mu is held. */
static void note_state(struct cds_stream *stream, size_t link, enum cds_link_state state) {
  cds_connections_set_state(stream, link, state);
  if (state == CDS_LINK_DISCONNECTED) tell_down(stream, link);
  if (state == CDS_LINK_CONNECTED)
    tell_up(stream, cds_connections_shard(stream, link), cds_connections_connected_at_ms(stream, link));
}

/* mu is held. */
static void trace_state(const struct cds_stream *stream, size_t link, enum cds_link_state state,
                        const struct cds_error *why, double delay) {
  const char *origin = cds_connections_origin(stream, link);
  if (!cds_trace_is_on()) return;
  cds_trace("* %s%s%s %s%s%s%s", cds_connections_host(stream, link), *origin != 0 ? " origin " : "", origin,
            cds_link_state_name(state), why != NULL ? ": " : "", why != NULL ? why->message : "",
            delay > 0 ? ", and again later" : "");
}

static void on_state(void *context, size_t link, enum cds_link_state state, const struct cds_error *why,
                     unsigned attempt, double delay) {
  struct cds_stream *stream = context;
  struct cds_event *event = cds_event_new(CDS_EVENT_STATUS);
  cds_stream_lock(stream);
  note_state(stream, link, state);
  trace_state(stream, link, state, why, delay);
  if (event != NULL) {
    event->state = state;
    event->attempt = (int)attempt;
    event->delay = delay;
    event->level = state == CDS_LINK_FAILED ? CDS_LOG_ERROR : why != NULL ? CDS_LOG_WARN : CDS_LOG_INFO;
    snprintf(event->message, sizeof event->message, "%s", why != NULL ? why->message : "");
    snprintf(event->origin, sizeof event->origin, "%s", cds_connections_origin(stream, link));
    snprintf(event->host, sizeof event->host, "%s", cds_connections_host(stream, link));
    cds_outlet_put(stream, event);
  }
  bool is_changing = cds_change_is_under_way(stream);
  cds_stream_unlock(stream);
  if (is_changing) cds_change_look(stream);
  cds_backfill_kick(stream);
}

static bool on_message(void *context, size_t link, const char *data, size_t length, bool *is_report) {
  struct cds_stream *stream = context;
  *is_report = cds_intake_message(stream, link, data, length);
  return cds_outlet_is_paused(stream);
}

/* The script, which asked for it and waits for its descriptor, is to ask again. */
static void on_lent(void *context) {
  struct cds_stream *stream = context;
  cds_stream_lock(stream);
  cds_notify_promise(cds_core_notify(stream));
  cds_stream_unlock(stream);
}

/* Whoever unlocks writes the descriptor for all messages. */
static void on_settled(void *context, size_t link) {
  struct cds_stream *stream = context;
  cds_stream_lock(stream);
  bool is_on_trial = cds_connections_role(stream, link) == CDS_ROLE_TRIAL;
  cds_stream_unlock(stream);
  if (is_on_trial) cds_change_look(stream);
  cds_backfill_kick(stream);
}

static void on_proved(void *context, size_t link) {
  struct cds_stream *stream = context;
  cds_stream_lock(stream);
  cds_connections_set_proved(stream, link);
  cds_stream_unlock(stream);
  cds_change_look(stream);
}

static void on_alarm(void *context, const char *text) {
  cds_stream_log(context, CDS_LOG_ERROR, "%s; this is tried again, after the longest delay", text);
}

/* Final: the stream ends; otherwise it ends when the shard has no other link left. */
static void on_failed(void *context, size_t link, const struct cds_error *err, bool final) {
  struct cds_stream *stream = context;
  cds_stream_lock(stream);
  enum cds_role role = cds_connections_role(stream, link);
  bool has_hope = cds_connections_has_hope(stream, cds_connections_shard(stream, link));
  cds_stream_unlock(stream);
  bool goes_on = role != CDS_ROLE_SERVING || (!final && has_hope);
  if (role == CDS_ROLE_TRIAL) cds_change_fail(stream, err);
  if (!goes_on) cds_fleet_fail(stream, err);
}

static void on_gone(void *context, size_t link) {
  struct cds_stream *stream = context;
  cds_stream_lock(stream);
  cds_connections_set_gone(stream, link);
  cds_sequence_link_down(cds_dispatch_sequence(stream), (unsigned)link);
  cds_stream_unlock(stream);
}

static void release(void *context) {
  cds_stream_unref(context);
}

const struct cds_link_handler cds_link_owner = {.is_over = is_over,
                                                .is_paused = is_paused,
                                                .sign = sign,
                                                .clock = on_clock,
                                                .origin = choose_origin,
                                                .host = on_host,
                                                .state = on_state,
                                                .message = on_message,
                                                .lent = on_lent,
                                                .settled = on_settled,
                                                .proved = on_proved,
                                                .alarm = on_alarm,
                                                .failed = on_failed,
                                                .gone = on_gone,
                                                .release = release};
