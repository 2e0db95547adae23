/* SPDX-License-Identifier: MIT
 * Takes a connection over from libwebsockets, reads it, and writes what its frames ask for. */
#include "net/ws_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"

#define BLOCK (16 * 1024)  /* bytes: a whole TLS record */
#define BLOCKS_AT_ONCE 16  /* before timers and others have their turn */
#define BLOCKS_AT_END 1024 /* 16 MiB: more than a socket holds */
#define LONG_MS 1000000
#define CLOSE_SECONDS 1      /* for a close frame to be written, where the peer does not read */
#define CLOSE_WAIT_US 200000 /* for the peer to go after it */

/* ---- taking over ---- */

/* Nothing is left of what libwebsockets read with the handshake's answer, or it would not wait in poll now. */
static bool has_read_all(const struct lws *wsi) {
  return lws_service_adjust_timeout(lws_get_context(wsi), LONG_MS, 0) > 0;
}

static struct lws *watch_duplicate(struct lws *wsi) {
  lws_sock_file_fd_type duplicate = {.filefd = fcntl(lws_get_socket_fd(wsi), F_DUPFD_CLOEXEC, 0)};
  if (duplicate.filefd < 0) return NULL;
  struct lws *watch = lws_adopt_descriptor_vhost(lws_get_vhost(wsi), LWS_ADOPT_RAW_FILE_DESC, duplicate,
                                                 lws_get_protocol(wsi)->name, NULL);
  if (watch == NULL) close(duplicate.filefd);
  return watch;
}

void cds_ws_reader_start(struct cds_ws_reader *reader, struct lws *wsi) {
  const struct cds_ws_reader_handler *handler = reader->handler;
  void *context = reader->context;
  uint8_t *bytes = has_read_all(wsi) ? cds_malloc(BLOCK) : NULL;
  struct lws *watch = bytes != NULL ? watch_duplicate(wsi) : NULL;
  if (watch == NULL) {
    cds_free(bytes);
    return;
  }
  *reader = (struct cds_ws_reader){.handler = handler,
                                   .context = context,
                                   .wsi = wsi,
                                   .watch = watch,
                                   .ssl = lws_get_ssl(wsi),
                                   .fd = lws_get_socket_fd(wsi),
                                   .bytes = bytes};
  if (reader->ssl != NULL) SSL_set_read_ahead(reader->ssl, 1);
  lws_rx_flow_control(wsi, 0);
}

bool cds_ws_reader_has(const struct cds_ws_reader *reader, const struct lws *wsi) {
  return wsi != NULL && reader->wsi == wsi;
}

void cds_ws_reader_stop(struct cds_ws_reader *reader) {
  if (reader->wsi == NULL) return;
  if (reader->watch != NULL) lws_set_timeout(reader->watch, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
  lws_sul_cancel(&reader->sul);
  cds_free(reader->bytes);
  reader->bytes = NULL;
  reader->wsi = reader->watch = NULL;
}

/* ---- what frames ask for ---- */

/* libwebsockets may be ending it already. */
static void end_soon(struct cds_ws_reader *reader) {
  reader->is_over = true;
  if (!reader->is_ending) lws_set_timeout(reader->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void cds_ws_reader_close(struct cds_ws_reader *reader, unsigned code, bool waits_for_answer) {
  if (reader->is_ending || reader->has_end) return;
  reader->end_code = code;
  reader->has_end = true;
  reader->waits_for_answer = waits_for_answer;
  if (!waits_for_answer) lws_set_timeout(reader->wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_SECONDS);
  lws_callback_on_writable(reader->wsi);
}

bool cds_ws_reader_has_to_write(const struct cds_ws_reader *reader) {
  return reader->has_end || reader->has_pong;
}

static void waited_enough(struct lws_sorted_usec_list *sul) {
  struct cds_ws_reader *reader = lws_container_of(sul, struct cds_ws_reader, sul);
  lws_set_timeout(reader->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

/* libwebsockets sends the close frame, as its interface has none to be sent, and sees the peer go. An answer that is
 * waited for comes behind what the peer has sent before, so that it is read here. */
static int write_end(struct cds_ws_reader *reader) {
  reader->has_end = false;
  lws_close_reason(reader->wsi, (enum lws_close_status)reader->end_code, NULL, 0);
  if (!reader->waits_for_answer) {
    lws_sul_schedule(lws_get_context(reader->wsi), 0, &reader->sul, waited_enough, CLOSE_WAIT_US);
    lws_rx_flow_control(reader->wsi, 1);
  }
  return -1;
}

static int write_pong(struct cds_ws_reader *reader) {
  unsigned char frame[LWS_PRE + CDS_FRAME_MAX_CONTROL];
  reader->has_pong = false;
  memcpy(frame + LWS_PRE, reader->pong, reader->pong_length);
  return lws_write(reader->wsi, frame + LWS_PRE, reader->pong_length, LWS_WRITE_PONG) < 0 ? -1 : 0;
}

int cds_ws_reader_write(struct cds_ws_reader *reader) {
  return reader->has_end ? write_end(reader) : write_pong(reader);
}

/* Of several pings the last one need be answered only. */
static void answer_ping(struct cds_ws_reader *reader, const struct cds_frame *ping) {
  reader->pong_length = ping->length;
  memcpy(reader->pong, ping->data, ping->length);
  reader->has_pong = true;
  lws_callback_on_writable(reader->wsi);
}

static void fail(struct cds_ws_reader *reader, const char *fault) {
  reader->handler->fault(reader->context, fault);
  if (reader->waits_for_answer) end_soon(reader);
  else cds_ws_reader_close(reader, LWS_CLOSE_STATUS_PROTOCOL_ERR, false);
  reader->is_over = true;
}

/* Answered with its own code, unless it answers ours. */
static void on_close(struct cds_ws_reader *reader, const struct cds_frame *frame) {
  unsigned code = frame->length >= 2 ? (unsigned)frame->data[0] << 8 | frame->data[1] : LWS_CLOSE_STATUS_NORMAL;
  reader->handler->peer_close(reader->context, frame->data, frame->length);
  if (reader->waits_for_answer) end_soon(reader);
  else cds_ws_reader_close(reader, code, false);
  reader->is_over = true;
}

static void handle(struct cds_ws_reader *reader, const struct cds_frame *frame) {
  switch (frame->kind) {
  case CDS_FRAME_NOTHING: return;
  case CDS_FRAME_PART: reader->is_over = !reader->handler->part(reader->context, frame) || reader->is_over; return;
  case CDS_FRAME_PING: answer_ping(reader, frame); return;
  case CDS_FRAME_PONG: reader->handler->pong(reader->context, frame->data, frame->length); return;
  case CDS_FRAME_CLOSE: on_close(reader, frame); return;
  case CDS_FRAME_FAULT: fail(reader, frame->fault); return;
  }
}

/* ---- reading ---- */

static bool may_read(const struct cds_ws_reader *reader) {
  return reader->wsi != NULL && !reader->is_paused && !reader->is_over;
}

static void look_at_bytes(struct cds_ws_reader *reader) {
  struct cds_frame frame;
  while (reader->from < reader->to && may_read(reader)) {
    reader->from += cds_frame_read(&frame, &reader->frames, reader->bytes + reader->from, reader->to - reader->from);
    handle(reader, &frame);
  }
}

/* Bytes read; 0: there are none for now, negative: there will be none. */
static int read_encrypted(const struct cds_ws_reader *reader) {
  ERR_clear_error();
  int got = SSL_read(reader->ssl, reader->bytes, BLOCK);
  if (got > 0) return got;
  int reason = SSL_get_error(reader->ssl, got);
  return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static int read_plain(const struct cds_ws_reader *reader) {
  ssize_t got = recv(reader->fd, reader->bytes, BLOCK, MSG_DONTWAIT);
  if (got > 0) return (int)got;
  return got < 0 && errno == EAGAIN ? 0 : -1;
}

/* True when bytes have come. */
static bool read_block(struct cds_ws_reader *reader) {
  int got = reader->ssl != NULL ? read_encrypted(reader) : read_plain(reader);
  if (got < 0) end_soon(reader);
  reader->from = 0;
  reader->to = got > 0 ? (size_t)got : 0;
  return got > 0;
}

/* Does OpenSSL hold bytes of which the socket does not tell any more? */
static bool holds_more(const struct cds_ws_reader *reader) {
  return reader->ssl != NULL && SSL_has_pending(reader->ssl) == 1;
}

/* What was read before first. At the end of a connection the socket is asked until it has nothing more; otherwise it
 * tells by its descriptor. True when there may be more than `most` blocks of it. */
static bool read_blocks(struct cds_ws_reader *reader, int most, bool is_end) {
  bool is_more = true;
  reader->is_reading = true;
  look_at_bytes(reader);
  for (int i = 0; i < most && is_more && may_read(reader); i++) {
    is_more = read_block(reader);
    look_at_bytes(reader);
    is_more = is_more && (is_end || holds_more(reader));
  }
  reader->is_reading = false;
  return is_more;
}

static void read_all(struct cds_ws_reader *reader) {
  reader->is_due = false;
  bool is_more = read_blocks(reader, BLOCKS_AT_ONCE, false);
  reader->is_due = is_more && may_read(reader);
}

bool cds_ws_reader_go_on(struct cds_ws_reader *reader) {
  if (!reader->is_due || !may_read(reader)) return false;
  read_all(reader);
  return true;
}

int cds_ws_reader_readable(struct cds_ws_reader *reader, const struct lws *watch) {
  if (reader->watch != watch || reader->is_over) return -1;
  read_all(reader);
  return 0;
}

void cds_ws_reader_watch_closed(struct cds_ws_reader *reader, const struct lws *watch) {
  if (reader->watch == watch) reader->watch = NULL;
}

void cds_ws_reader_finish(struct cds_ws_reader *reader) {
  reader->is_ending = true;
  (void)read_blocks(reader, BLOCKS_AT_END, true);
}

void cds_ws_reader_pause(struct cds_ws_reader *reader, bool pause) {
  reader->is_paused = pause;
  if (reader->watch != NULL) lws_rx_flow_control(reader->watch, pause ? 0 : 1);
  reader->is_due = !pause;
}
