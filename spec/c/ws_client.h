/* SPDX-License-Identifier: MIT
 * One connection of a ws to a test's own server, by a thread that waits until the test has what it waits for. */
#ifndef WS_CLIENT_H
#define WS_CLIENT_H

#include <stdlib.h>

#include "net/ws.h"
#include "ws_server.h"

struct ws_client {
  struct cds_ws *ws;
  struct cds_url url;
  size_t expected; /* bytes of messages, after which it ends */
  char seen[64 * 1024];
  size_t length;
  int messages;
  void (*on_message)(struct ws_client *client, const char *data, size_t length); /* NULL: nothing more is done */
  void (*on_timer)(struct ws_client *client);  /* NULL: it is the time after which all is given up */
  void (*on_closed)(struct ws_client *client); /* NULL: it ends */
  bool pings_at_once;
  bool is_closed, is_late;
  struct cds_error end;
};

__attribute__((unused)) static enum cds_status ws_client_headers(void *context, struct cds_buf *lines,
                                                                 struct cds_error *err) {
  (void)context, (void)lines, (void)err;
  return CDS_OK;
}

static void ws_client_nothing(void *context) {
  (void)context;
}

static void ws_client_message(void *context, const char *data, size_t length) {
  struct ws_client *client = context;
  if (client->length + length < sizeof client->seen) {
    memcpy(client->seen + client->length, data, length);
    client->length += length;
  }
  client->messages++;
  if (client->on_message != NULL) client->on_message(client, data, length);
  if (client->length == client->expected) cds_ws_end(client->ws);
}

static void ws_client_closed(void *context, const struct cds_error *err) {
  struct ws_client *client = context;
  client->is_closed = true;
  client->end = *err;
  if (client->on_closed != NULL) client->on_closed(client);
  else cds_ws_end(client->ws);
}

static void ws_client_timer(void *context) {
  struct ws_client *client = context;
  if (client->on_timer != NULL) {
    client->on_timer(client);
    return;
  }
  client->is_late = true;
  cds_ws_end(client->ws);
}

/* Until all that is expected has come, or the connection has ended. */
__attribute__((unused)) static void ws_client_run(struct ws_client *client, const struct ws_server *server, bool tls) {
  const struct cds_ws_settings settings = {.tls = {.insecure_skip_verify = true},
                                           .proxy = "",
                                           .connect_timeout = WS_IO_TIMEOUT_MS / 1000,
                                           .ping_interval = client->pings_at_once ? 0 : 3600,
                                           .pong_timeout = 3600,
                                           .max_target = 64};
  const struct cds_ws_handler handler = {.context = client,
                                         .headers = ws_client_headers,
                                         .opened = ws_client_nothing,
                                         .message = ws_client_message,
                                         .closed = ws_client_closed,
                                         .timer = ws_client_timer,
                                         .woken = ws_client_nothing};
  client->url = (struct cds_url){.tls = tls, .host = (char *)"localhost", .port = server->port, .base = (char *)""};
  struct cds_error err = {0};
  if (cds_ws_new(&client->ws, &settings, &handler, &err) != CDS_OK) exit(1);
  cds_ws_timer(client->ws, WS_IO_TIMEOUT_MS / 1000);
  cds_ws_connect(client->ws, &client->url, "/");
  while (cds_ws_service(client->ws)) {}
  cds_ws_free(client->ws);
}

#endif
