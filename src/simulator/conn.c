/* SPDX-License-Identifier: MIT
 * A connection's bytes. */
#include "simulator/conn.h"

#include "base/clock.h"
#include "simulator/http.h"

#include <libwebsockets.h>
#include <string.h>
#include <sys/socket.h>

#define RECORD 16384 /* a TLS record's payload */
#define MAX_IN (CDS_SIM_MAX_HEAD + CDS_SIM_MAX_BODY)

void cds_sim_conn_open(struct cds_sim_conn *conn, struct lws *wsi) {
  *conn = (struct cds_sim_conn){.wsi = wsi};
  cds_buf_init(&conn->in, MAX_IN);
  cds_buf_init(&conn->out, CDS_SIM_MAX_OUT);
}

void cds_sim_conn_clear(struct cds_sim_conn *conn) {
  cds_buf_clear(&conn->in);
  cds_buf_clear(&conn->out);
}

bool cds_sim_conn_receive(struct cds_sim_conn *conn, const void *data, size_t length) {
  if (conn->finish) return false;
  if (cds_buf_append(&conn->in, data, length) == CDS_OK) return true;
  cds_sim_conn_end(conn, 0);
  return false;
}

void cds_sim_conn_take(struct cds_sim_conn *conn, size_t length) {
  if (length == 0) return;
  memmove(conn->in.data, conn->in.data + length, conn->in.length - length + 1);
  conn->in.length -= length;
}

void cds_sim_conn_patience(struct cds_sim_conn *conn, int64_t ms) {
  conn->deadline = ms ? cds_clock_mono_ms() + ms : 0;
}

void cds_sim_conn_slow(struct cds_sim_conn *conn, int64_t ms) {
  conn->slow_ms = ms < 0 ? 0 : ms == 0 ? 1000 : ms;
}

/* Marks the connection for its end; the library asks when it has nothing left to send. */
void cds_sim_conn_end(struct cds_sim_conn *conn, int64_t within_ms) {
  conn->finish = true;
  conn->deadline = cds_clock_mono_ms() + within_ms;
  lws_callback_on_writable(conn->wsi);
}

/* Dissolving the connection makes Linux send the reset now; elsewhere closing does. */
void cds_sim_conn_reset(struct cds_sim_conn *conn) {
  int fd = lws_get_socket_fd(conn->wsi);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
  connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr));
  conn->finish = true;
  lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

size_t cds_sim_conn_waiting(const struct cds_sim_conn *conn) {
  return conn->out.length - conn->out_sent;
}

void cds_sim_conn_send(struct cds_sim_conn *conn, const void *data, size_t length) {
  if (length == 0) return;
  if (conn->out_sent > 65536 && conn->out_sent > conn->out.length / 2) {
    memmove(conn->out.data, conn->out.data + conn->out_sent, cds_sim_conn_waiting(conn));
    conn->out.length -= conn->out_sent;
    conn->out_sent = 0;
  }
  if (cds_buf_append(&conn->out, data, length) != CDS_OK) cds_sim_conn_end(conn, 0);
  lws_callback_on_writable(conn->wsi);
}

static bool write_some(struct cds_sim_conn *conn, size_t length) {
  if (lws_write(conn->wsi, (unsigned char *)conn->out.data + conn->out_sent, length, LWS_WRITE_RAW) < 0) return false;
  conn->out_sent += length;
  return true;
}

static bool write_slowly(struct cds_sim_conn *conn) {
  int64_t now = cds_clock_mono_ms();
  if (now < conn->slow_due) return true; /* the tick asks again */
  conn->slow_due = now + conn->slow_ms;
  return write_some(conn, 1);
}

bool cds_sim_conn_write(struct cds_sim_conn *conn, bool *empty) {
  *empty = false;
  if (conn->slow_ms > 0 && cds_sim_conn_waiting(conn) > 0) return write_slowly(conn);
  while (cds_sim_conn_waiting(conn) > 0 && !lws_send_pipe_choked(conn->wsi)) {
    size_t left = cds_sim_conn_waiting(conn);
    if (!write_some(conn, left < RECORD ? left : RECORD)) return false;
  }
  if (cds_sim_conn_waiting(conn) > 0 || lws_partial_buffered(conn->wsi)) {
    lws_callback_on_writable(conn->wsi);
    return true;
  }
  cds_buf_reset(&conn->out);
  conn->out_sent = 0;
  *empty = true;
  return !conn->finish;
}

int64_t cds_sim_conn_tick(struct cds_sim_conn *conn, int64_t mono_ms) {
  if (conn->deadline != 0 && mono_ms >= conn->deadline)
    lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
  if (conn->slow_ms == 0 || cds_sim_conn_waiting(conn) == 0) return 100;
  if (mono_ms >= conn->slow_due) lws_callback_on_writable(conn->wsi);
  int64_t left = conn->slow_due - mono_ms;
  return left < 0 ? 0 : left < 100 ? left : 100;
}
