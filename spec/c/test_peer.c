/* SPDX-License-Identifier: MIT
 * What waits for one peer of the server: how much may, for how long, and what becomes of it where its connection breaks or
 * takes a part. */
#include <libwebsockets.h>
#include <malloc.h>
#include <sys/ioctl.h>

#include "base/alloc.h"
#include "web_path.h"

static char bytes[1000000];
static struct cds_web_request request;

static int ask(void) {
  int fd = say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  bool there = false;
  for (int i = 0; i < TURNS && !there; i++) {
    steps(1);
    there = cds_web_take(server, &request);
  }
  ok(there, "a request comes in");
  return fd;
}

static bool sends(const char *data, size_t length) {
  return cds_web_send(server, request.id, data, length, true);
}

/* ---- how much ---- */

static void test_bounds(void) {
  static char large[CDS_WEB_MAX_WAITING + 1];
  for (int more = 0; more <= 1; more++) {
    begin(NULL);
    int fd = ask(), open = open_now();
    ok(sends(large, 1), "a byte waits");
    is_number(sends(large, CDS_WEB_MAX_WAITING - 1 + (size_t)more), more == 0, "with it so many may, and not one more");
    steps(20);
    is_number(open_now(), open - more, "where they are too many the connection ends at once");
    close(fd);
    end();
  }
  begin(NULL);
  int fd = ask();
  ok(sends(large, sizeof large), "a first answer may be as long as it likes");
  close(fd);
  end();
}

/* Some always wait, and each byte for a while only: in all they are more than may wait at once. Of a server with a gate
 * libwebsockets takes a piece as a whole, of another one by parts. */
static void test_much(struct cds_web_gate *gate) {
  enum { PIECE = 100000, PIECES = 40, AHEAD = 6 };
  static char got[PIECE];
  size_t taken = 0, wrong = 0;
  begin(gate);
  int fd = ask(), sent = 0;
  for (; sent < AHEAD; sent++) wrong += !sends(bytes, PIECE);
  for (; sent < PIECES; sent++) {
    size_t until = (size_t)(sent - AHEAD + 1) * PIECE;
    for (int i = 0; i < TURNS && taken < until; i++) {
      steps(1);
      taken += take(fd, got, until - taken < sizeof got ? until - taken : sizeof got);
    }
    wrong += !sends(bytes, PIECE);
  }
  is_number(wrong, 0, "who reads is sent what comes, however much that is");
  for (int i = 0; i < TURNS && taken < (size_t)PIECES * PIECE; i++) {
    steps(1);
    taken += take(fd, got, sizeof got);
  }
  is_number(taken, PIECES * PIECE, "and gets it all");
  close(fd);
  end();
}

static void test_memory(void) {
  begin(NULL);
  int fd = ask(), open = open_now();
  cds_alloc_fail_after(0);
  ok(!sends("answer", 6), "without memory nothing is sent");
  cds_alloc_fail_after(-1);
  ok(!sends("", 0), "then or later");
  steps(20);
  is_number(open_now(), open - 1, "and the connection ends at once");
  close(fd);
  end();
}

/* ---- the room of a request ---- */

static atomic_long in_use; /* bytes that libwebsockets has */

static void *allocate(void *old, size_t size, const char *reason) {
  (void)reason;
  if (old != NULL) atomic_fetch_sub(&in_use, (long)malloc_usable_size(old));
  if (size == 0) {
    free(old);
    return NULL;
  }
  void *memory = realloc(old, size);
  if (memory != NULL) atomic_fetch_add(&in_use, (long)malloc_usable_size(memory));
  return memory;
}

static void test_room(void) {
  begin(new_gate(NULL, 0));
  int fd = ask();
  long before = atomic_load(&in_use);
  ok(sends("begin", 5), "an answer that goes on");
  ok(before - atomic_load(&in_use) >= CDS_WEB_MAX_SIGNED_HEADERS, "keeps no room for the request: %ld of %ld bytes",
     before - atomic_load(&in_use), before);
  close(fd);
  end();
}

/* ---- how long ---- */

/* Each piece that is taken gives the next one its time. */
static void test_progress(void) {
  static char got[60000];
  begin(NULL);
  int fd = ask(), open = open_now();
  ok(sends(bytes, sizeof bytes), "a large answer");
  steps(20);
  for (int i = 0; i < 8; i++) {
    pass(CDS_WEB_PATIENCE - 1);
    if (open_now() != open || take(fd, got, sizeof got) == 0) ok(false, "it ended after %d", i);
    steps(20);
  }
  is_number(open_now(), open, "who reads slowly is waited for");
  pass(CDS_WEB_PATIENCE - 1);
  is_number(open_now(), open, "and who stops for a while");
  pass(1);
  is_number(open_now(), open - 1, "which is then over");
  close(fd);
  end();
}

/* Where all was taken, and then nothing more is. */
static void test_stop(void) {
  int waiting = 0, sent = 0;
  begin(NULL);
  int fd = ask(), open = open_now();
  while (sent < 10000000 && waiting == sent && sends(bytes, 1000)) {
    sent += 1000;
    steps(5);
    if (ioctl(fd, FIONREAD, &waiting) != 0) ok(false, "how much waits to be read");
  }
  is_number(waiting, sent - 1000, "until the connection takes no more all goes out");
  pass(CDS_WEB_PATIENCE - 1);
  is_number(open_now(), open, "what is left has its time");
  pass(1);
  is_number(open_now(), open - 1, "and no more");
  close(fd);
  end();
}

/* libwebsockets has the rest of what was taken in part. */
static void test_part(void) {
  char got[16];
  for (int is_last = 0; is_last <= 1; is_last++) {
    begin(NULL);
    int fd = ask(), open = open_now();
    most_sent = 5;
    of_send = (struct system_fault){.after = 1, .times = 1 << 30, .reason = EAGAIN};
    ok(cds_web_send(server, request.id, "0123456789", 10, is_last == 0), "ten bytes");
    steps(20);
    is_number(take(fd, got, sizeof got), 5, "of which five go out");
    pass(CDS_WEB_PATIENCE - 1);
    is_number(open_now(), open, "the others have their time");
    if (is_last == 1) {
      of_send = (struct system_fault){0};
      steps(20);
      is_number(take(fd, got, sizeof got), 5, "and come");
      ok(memcmp(got, "56789", 5) == 0, "as they are");
    } else {
      pass(1);
    }
    is_number(open_now(), open - 1, "then it is over");
    close(fd);
    end();
  }
}

/* ---- a connection that breaks ---- */

static void test_broken(void) {
  char got[8];
  begin(NULL);
  int fd = ask(), open = open_now();
  ok(sends("begin", 5), "a beginning");
  steps(20);
  is_number(take(fd, got, sizeof got), 5, "comes");
  of_send = (struct system_fault){.times = 1, .reason = EPIPE};
  ok(sends("x", 1), "more");
  steps(20);
  is_number(of_send.times, 0, "does not");
  is_number(open_now(), open - 1, "which ends it at once");
  ok(!sends("y", 1), "and is told");
  close(fd);
  end();
}

int main(void) {
  lws_set_allocator(allocate);
  test_bounds();
  test_much(NULL);
  test_much(new_gate(NULL, 0));
  test_memory();
  test_room();
  test_progress();
  test_stop();
  test_part();
  test_broken();
  return done();
}
