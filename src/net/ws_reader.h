/* SPDX-License-Identifier: MIT
 * Reads an open WebSocket connection in blocks. Before 4.4, libwebsockets parses a server's frames byte by byte, which
 * costs more than all else that is done with a report; and every version reads one TLS record at a time from the socket.
 *
 * libwebsockets keeps the connection: its handshake, TLS session, writes, timers and end. Once the handshake is done, its
 * flow control stops it from reading, and a duplicate of the descriptor tells when there is something to read from the
 * same session. What libwebsockets has read beyond the handshake by then lies in its own buffers: in that case, and where
 * there is no memory or descriptor, nothing is taken over and it goes on reading, as slowly as ever. */
#ifndef CDS_WS_READER_H
#define CDS_WS_READER_H

#include <libwebsockets.h>
#include <openssl/ssl.h>

#include "net/frame.h"

struct cds_ws_reader_handler { /* called while it reads; none after cds_ws_reader_stop */
  /* A message's part. False: the connection is being ended, and nothing more is read. */
  bool (*part)(void *context, const struct cds_frame *part);
  void (*pong)(void *context, const void *payload, size_t length);
  void (*peer_close)(void *context, const uint8_t *payload, size_t length);
  void (*fault)(void *context, const char *fault); /* of a frame; the reader ends the connection with 1002 */
};

struct cds_ws_reader {
  const struct cds_ws_reader_handler *handler;
  void *context;
  /* private */
  struct lws *wsi;   /* the connection; NULL: nothing was taken over */
  struct lws *watch; /* the descriptor's duplicate; NULL once libwebsockets has closed it */
  SSL *ssl;          /* the connection's; NULL: it is not encrypted */
  int fd;            /* the connection's */
  struct cds_frame_reader frames;
  uint8_t *bytes; /* read, and at from … to not looked at yet */
  size_t from, to;
  bool is_paused;
  bool is_over;           /* nothing more is read */
  bool is_ending;         /* libwebsockets ends the connection: it is not asked for anything more */
  bool is_reading;        /* a handler is being called */
  bool has_pong, has_end; /* to be written: the answer to the last ping, the close frame */
  bool waits_for_answer;  /* to our close frame; otherwise it is the last that is done */
  unsigned end_code;
  size_t pong_length;
  uint8_t pong[CDS_FRAME_MAX_CONTROL];
  bool is_due; /* it is to go on with what has been read already, of which no descriptor tells */
  struct lws_sorted_usec_list sul;
};

/* The handshake is done, and libwebsockets is in that very callback. Takes over, or leaves everything as it is. */
void cds_ws_reader_start(struct cds_ws_reader *reader, struct lws *wsi);

bool cds_ws_reader_has(const struct cds_ws_reader *reader, const struct lws *wsi); /* did it take that over? */

/* A duplicate of the descriptor tells of something to read: LWS_CALLBACK_RAW_RX_FILE. Non-zero: close the duplicate. */
int cds_ws_reader_readable(struct cds_ws_reader *reader, const struct lws *watch);

/* Before each lws_service: goes on with what has been read already. True when there was something: that is not to wait. */
bool cds_ws_reader_go_on(struct cds_ws_reader *reader);

void cds_ws_reader_watch_closed(struct cds_ws_reader *reader, const struct lws *watch);

/* The connection has an end that libwebsockets has noticed: reads what came before it. */
void cds_ws_reader_finish(struct cds_ws_reader *reader);

/* Stops or resumes reading, in the middle of what has been read as well. */
void cds_ws_reader_pause(struct cds_ws_reader *reader, bool pause);

/* Sends a close frame with this code, and then ends the connection; waits_for_answer: when the peer has answered. */
void cds_ws_reader_close(struct cds_ws_reader *reader, unsigned code, bool waits_for_answer);

bool cds_ws_reader_has_to_write(const struct cds_ws_reader *reader);

/* The socket is writable, and there is something to write. Non-zero: give up the connection. */
int cds_ws_reader_write(struct cds_ws_reader *reader);

/* The connection is gone, or going. Idempotent. */
void cds_ws_reader_stop(struct cds_ws_reader *reader);

#endif
