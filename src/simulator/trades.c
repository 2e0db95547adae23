/* SPDX-License-Identifier: MIT
 * Trades and heartbeats when they are due, and what may go wrong with them. */
#include "simulator/trades.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "simulator/blob.h"

#include <stdio.h>
#include <string.h>

#define HEARTBEAT_MS 5000
#define MAX_LAG_SECONDS 10     /* after a longer pause a stream goes on with the present */
#define MAX_WAITING (1u << 20) /* bytes; who reads more slowly is cut off */

bool cds_sim_trades_fault(const struct cds_sim_fault *fault) {
  return fault->after > 0 && (fault->action == CDS_SIM_SILENCE || fault->action == CDS_SIM_GARBAGE);
}

void cds_sim_trades_clear(struct cds_sim_trades *trades) {
  cds_free(trades->list);
  *trades = (struct cds_sim_trades){0};
}

void cds_sim_trades_open(struct cds_sim_trades *trades, struct cds_sim_exchange *exchange, struct cds_sim_traded *list,
                         size_t count) {
  char date[40], head[256];
  struct cds_sim *sim = exchange->sim;
  *trades = (struct cds_sim_trades){.is_open = true, .list = list, .count = count, .fault = exchange->fault};
  trades->number = cds_sim_end(&sim->source, list[0].feed, cds_sim_now_ms(sim));
  trades->heartbeat_ms = cds_clock_mono_ms() + HEARTBEAT_MS;
  cds_sim_http_date(date, sim);
  cds_sim_count(sim, exchange->endpoint, 200);
  int length = snprintf(head, sizeof head,
                        "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: application/json\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n",
                        date);
  cds_sim_conn_send(exchange->conn, head, (size_t)length);
  cds_sim_conn_patience(exchange->conn, 0);
}

static void send_chunk(const struct cds_sim_exchange *exchange, const char *text) {
  char size[32];
  size_t length = strlen(text);
  int digits = snprintf(size, sizeof size, "%zx\r\n", length);
  cds_sim_conn_send(exchange->conn, size, (size_t)digits);
  cds_sim_conn_send(exchange->conn, text, length);
  cds_sim_conn_send(exchange->conn, "\r\n", 2);
}

/* True: the fault's moment has come, and nothing more is to be sent. */
static bool misbehave(struct cds_sim_trades *trades, struct cds_sim_exchange *exchange) {
  const struct cds_sim_fault *fault = &trades->fault;
  if (trades->is_done || trades->sent < fault->after) return trades->is_done;
  switch (fault->action) {
  case CDS_SIM_GARBAGE: send_chunk(exchange, "this is no trade\n"); break;
  case CDS_SIM_CUT:
    send_chunk(exchange, "{\"f\":\"t\",\"i\":\"");
    cds_sim_conn_end(exchange->conn, 10000);
    break;
  case CDS_SIM_SILENCE: break;
  default: return false;
  }
  trades->is_done = true;
  return true;
}

static void send_object(struct cds_sim_trades *trades, struct cds_sim_exchange *exchange, const char *text) {
  if (misbehave(trades, exchange)) return;
  send_chunk(exchange, text);
  trades->sent++;
  misbehave(trades, exchange);
}

static void send_trade(struct cds_sim_trades *trades, struct cds_sim_exchange *exchange,
                       const struct cds_sim_traded *traded) {
  const struct cds_sim_source *source = &exchange->sim->source;
  const struct cds_sim_feed *feed = &source->feeds.list[traded->feed];
  char text[256];
  if (!cds_sim_exists(source, traded->feed, trades->number)) return;
  uint32_t second = (uint32_t)(trades->number / source->rate);
  cds_sim_int price = cds_sim_price(feed, second, (unsigned)(trades->number % source->rate));
  snprintf(text, sizeof text, "{\"f\":\"t\",\"i\":\"%s\",\"fid\":\"%s\",\"p\":%.17g,\"t\":%u,\"s\":1}\n",
           traded->symbol, feed->text, (double)price, (unsigned)second);
  send_object(trades, exchange, text);
}

static void send_heartbeat(struct cds_sim_trades *trades, struct cds_sim_exchange *exchange) {
  char text[64];
  int64_t now_ms = cds_clock_mono_ms();
  if (now_ms < trades->heartbeat_ms) return;
  trades->heartbeat_ms = now_ms + HEARTBEAT_MS;
  snprintf(text, sizeof text, "{\"heartbeat\":%lld}\n", (long long)(cds_sim_now_ms(exchange->sim) / 1000));
  send_object(trades, exchange, text);
}

void cds_sim_trades_send(struct cds_sim_trades *trades, struct cds_sim_exchange *exchange) {
  const struct cds_sim_source *source = &exchange->sim->source;
  uint64_t end = cds_sim_end(source, trades->list[0].feed, cds_sim_now_ms(exchange->sim));
  if (trades->number + (uint64_t)MAX_LAG_SECONDS * source->rate < end) trades->number = end;
  send_heartbeat(trades, exchange);
  for (; trades->number < end && !misbehave(trades, exchange); trades->number++)
    for (size_t i = 0; i < trades->count && !trades->is_done; i++) send_trade(trades, exchange, &trades->list[i]);
  if (cds_sim_conn_waiting(exchange->conn) > MAX_WAITING) cds_sim_conn_end(exchange->conn, 0);
}
