/* SPDX-License-Identifier: MIT
 * One connection's bytes, in and out, apart from what they mean. */
#ifndef CDS_SIM_CONN_H
#define CDS_SIM_CONN_H

#include "base/buf.h"

#define CDS_SIM_MAX_OUT (48u << 20) /* bytes one connection may have waiting, page and huge answers included */

struct lws;

struct cds_sim_conn {
  struct lws *wsi;
  bool finish;      /* end the connection once everything is sent */
  int64_t deadline; /* monotonic ms: end the connection then; 0: none */
  struct cds_buf in, out;
  size_t out_sent;
  int64_t slow_ms, slow_due; /* one byte each so often, 0: as fast as it goes; when the next one is due */
};

void cds_sim_conn_open(struct cds_sim_conn *conn, struct lws *wsi);
void cds_sim_conn_clear(struct cds_sim_conn *conn);

/* Takes bytes in; false: there is no use for them, or no room, and the connection ends. */
bool cds_sim_conn_receive(struct cds_sim_conn *conn, const void *data, size_t length);
void cds_sim_conn_take(struct cds_sim_conn *conn, size_t length); /* so many of those received were used */

void cds_sim_conn_send(struct cds_sim_conn *conn, const void *data, size_t length);
size_t cds_sim_conn_waiting(const struct cds_sim_conn *conn); /* bytes to send */

/* Writes what goes; false: the connection is to be closed. *empty: all is sent. */
bool cds_sim_conn_write(struct cds_sim_conn *conn, bool *empty);

void cds_sim_conn_patience(struct cds_sim_conn *conn, int64_t ms);   /* ends then, whatever waits; 0: never */
void cds_sim_conn_end(struct cds_sim_conn *conn, int64_t within_ms); /* once all is sent, and no later than that */
void cds_sim_conn_reset(struct cds_sim_conn *conn);                  /* at once, by a TCP reset */

void cds_sim_conn_slow(struct cds_sim_conn *conn, int64_t ms); /* a byte each so often, 0: a second; -1: no more */

/* Does what is due; returns the ms until more is, at most 100. */
int64_t cds_sim_conn_tick(struct cds_sim_conn *conn, int64_t mono_ms);

#endif
