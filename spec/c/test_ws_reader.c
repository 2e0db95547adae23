/* SPDX-License-Identifier: MIT
 * A connection whose frames are read here: from its first byte to its last, paused and resumed, with what is answered. */
#include "tap.h"

#include "base/limits.h"
#include "ws_client.h"

/* What the server does with a connection: sends `first` bytes of the text together with the handshake's answer, then the
 * rest, and then what `then` says. waits: the rest follows when the client has sent its first frame, and so has read the
 * answer alone. */
struct script {
  const char *bytes;
  size_t length, first;
  bool waits;
  void (*then)(struct script *script, int fd);
  struct ws_frame answer; /* the client's first frame after it */
  bool has_answer;
};

static void serve(struct ws_server *server, int number, int fd) {
  struct script *script = server->context;
  char bytes[4096];
  (void)number;
  if (!ws_read_request(server, fd)) return;
  size_t answer = ws_answer(bytes, sizeof bytes - script->first, server, "");
  memcpy(bytes + answer, script->bytes, script->first);
  ws_send_raw(fd, bytes, answer + script->first);
  if (script->waits && !ws_read_frame(fd, &script->answer)) return;
  ws_send_raw(fd, script->bytes + script->first, script->length - script->first);
  if (script->then != NULL) script->then(script, fd);
  else ws_wait_end(fd);
}

static void run(struct ws_client *client, struct script *script) {
  struct ws_server *server = ws_start(serve, script);
  client->pings_at_once = script->waits;
  ws_client_run(client, server, false);
  ws_stop(server);
}

/* ---- messages ---- */

static const char frames[] = "\x81\x05"
                             "first\x02\x02"
                             "se\x89\x02?!\x80\x04"
                             "cond\x82\x05third";

static void test_every_beginning(void) {
  unsigned wrong = 0, late = 0;
  for (size_t first = 0; first < sizeof frames; first++) {
    struct script script = {.bytes = frames, .length = sizeof frames - 1, .first = first};
    struct ws_client client = {.expected = strlen("firstsecondthird")};
    run(&client, &script);
    wrong += client.messages != 3 || strcmp(client.seen, "firstsecondthird") != 0;
    late += client.is_late;
  }
  is_number(wrong, 0, "all is read once, however much comes with the handshake's answer");
  is_number(late, 0, "without anything else having to come");
}

static void pause_at_once(struct ws_client *client, const char *data, size_t length) {
  (void)data, (void)length;
  if (client->messages == 1) {
    cds_ws_pause(client->ws, true);
    cds_ws_timer(client->ws, 0.02);
  }
}

static int seen_while_paused;

static void resume(struct ws_client *client) {
  seen_while_paused = client->messages;
  client->on_timer = NULL;
  cds_ws_timer(client->ws, WS_IO_TIMEOUT_MS / 1000);
  cds_ws_pause(client->ws, false);
}

static void test_pause(void) {
  struct script script = {.bytes = frames, .length = sizeof frames - 1, .waits = true};
  struct ws_client client = {.expected = strlen("firstsecondthird"), .on_message = pause_at_once, .on_timer = resume};
  run(&client, &script);
  is_number(seen_while_paused, 1, "nothing is told while it is paused, though more has been read");
  is_string(client.seen, "firstsecondthird", "and the rest once it is resumed");
}

/* ---- what the client answers ---- */

static void read_answer(struct script *script, int fd) {
  script->has_answer = ws_read_frame(fd, &script->answer);
  ws_wait_end(fd);
}

static void read_answer_and_end(struct script *script, int fd) {
  script->has_answer = ws_read_frame(fd, &script->answer);
  ws_send_message(fd, "end");
  ws_wait_end(fd);
}

static void test_pings(void) {
  static const char pings[] = "\x89\x01"
                              "1\x89\x01"
                              "2\x89\x03"
                              "3rd";
  struct script script = {.bytes = pings, .length = sizeof pings - 1, .waits = true, .then = read_answer_and_end};
  struct ws_client client = {.expected = 3};
  run(&client, &script);
  ok(script.has_answer && script.answer.opcode == WS_PONG && script.answer.masked && script.answer.length == 3 &&
       memcmp(script.answer.payload, "3rd", 3) == 0,
     "of three pings at once the last one is answered");
  is_string(client.seen, "end", "and reading goes on");
}

/* A client that is freed takes leave. */
static void test_farewell(void) {
  static const char end[] = "\x81\x03"
                            "end";
  struct script script = {.bytes = end, .length = sizeof end - 1, .waits = true, .then = read_answer};
  struct ws_client client = {.expected = 3};
  run(&client, &script);
  ok(script.has_answer && script.answer.opcode == WS_CLOSE && script.answer.length == 2 &&
       (script.answer.payload[0] << 8 | script.answer.payload[1]) == 1000,
     "the client closes with 1000");
}

static void closes(const char *bytes, size_t length, int code, const char *reason) {
  struct script script = {.bytes = bytes, .length = length, .waits = true, .then = read_answer};
  struct ws_client client = {.expected = SIZE_MAX};
  run(&client, &script);
  int got = script.answer.length >= 2 ? script.answer.payload[0] << 8 | script.answer.payload[1] : 0;
  ok(script.has_answer && script.answer.opcode == WS_CLOSE && got == code, "the client closes with %d: %d", code, got);
  is_string(client.end.message, reason, reason);
  is_number(client.end.status, CDS_E_NETWORK, "which is of the network's errors");
  is_number(client.messages, 0, "and tells of no message");
}

#define CLOSES(bytes, code, reason) closes(bytes, sizeof bytes - 1, code, reason)

static void test_ends(void) {
  CLOSES("\x88\x05\x03\xf4"
         "bye",
         1012, "the service closed the connection (1012: bye)");
  CLOSES("\x88\x02\x03\xe8", 1000, "the service closed the connection (1000)");
  CLOSES("\x88\x00", 1000, "the service closed the connection");
  CLOSES("\xc1\x01x\x81\x01y", 1002, "the service sent a frame with reserved bits: the connection was closed (1002)");
  CLOSES("\x81\x02\xc3\x28\x81\x01y", 1007,
         "the service sent a text that is no UTF-8: the connection was closed (1007)");
  CLOSES("\x01\x01\xc3\x80\x01\x28", 1007,
         "the service sent a text that is no UTF-8: the connection was closed (1007)");
}

static void test_too_large(void) {
  size_t length = 10 + CDS_MAX_MESSAGE_BYTES + 1;
  char *bytes = calloc(1, length);
  memcpy(bytes, "\x82\x7f", 2);
  for (int i = 0; i < 8; i++) bytes[2 + i] = (char)((uint64_t)(CDS_MAX_MESSAGE_BYTES + 1) >> 8 * (7 - i));
  closes(bytes, length, 1009, "a message over 1048576 bytes: the connection was closed (1009)");
  free(bytes);
}

static void test_letters_in_pieces(void) {
  static const char pieces[] = "\x01\x01\xc3\x80\x01\xa4";
  struct script script = {.bytes = pieces, .length = sizeof pieces - 1, .waits = true};
  struct ws_client client = {.expected = 2};
  run(&client, &script);
  is_string(client.seen, "\xc3\xa4", "a letter may come in two frames");
}

/* ---- the end of the connection ---- */

static void hang_up(struct script *script, int fd) {
  (void)script, (void)fd;
}

static void reset(struct script *script, int fd) {
  (void)script;
  ws_reset(fd);
}

static void test_loss(void (*how)(struct script *script, int fd), const char *name) {
  struct script script = {.bytes = frames, .length = sizeof frames - 1, .waits = true, .then = how};
  struct ws_client client = {.expected = SIZE_MAX};
  run(&client, &script);
  ok(client.is_closed && !client.is_late, "%s ends the connection", name);
  is_string(client.end.message, "the connection was lost", name);
}

static void test_hang_up(void) {
  struct script script = {.bytes = frames, .length = sizeof frames - 1, .waits = true, .then = hang_up};
  struct ws_client client = {.expected = SIZE_MAX};
  run(&client, &script);
  is_string(client.seen, "firstsecondthird", "what came before the peer's end is told");
}

int main(void) {
  test_every_beginning();
  test_pause();
  test_pings();
  test_farewell();
  test_ends();
  test_too_large();
  test_letters_in_pieces();
  test_hang_up();
  test_loss(hang_up, "a peer that hangs up");
  test_loss(reset, "a reset");
  return done();
}
