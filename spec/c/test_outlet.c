/* SPDX-License-Identifier: MIT
 * Reports and events on their way out, the descriptor in step with them, and when the sources are to stop. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "stream/parts.h"
#include "tap.h"

#define PLENTY ((size_t)1 << 20) /* bytes */

static struct cds_stream stream;
static int drained;

static void on_drained(struct cds_stream *of) {
  drained += of == &stream;
}

static void begin(enum cds_overflow overflow, size_t queue_size) {
  struct cds_error err;
  stream = (struct cds_stream){.core.config = {.overflow = overflow, .queue_size = queue_size}};
  pthread_mutex_init(&stream.core.mu, NULL);
  cds_outlet_be_closed(&stream);
  is_number(cds_outlet_fd(&stream), -1, "no descriptor before there is one");
  is_number(cds_outlet_init(&stream, 2, PLENTY, on_drained, &err), CDS_OK, "an outlet");
  drained = 0;
}

static void finish(void) {
  cds_outlet_clear(&stream);
  is_number(cds_outlet_fd(&stream), -1, "closed");
  pthread_mutex_destroy(&stream.core.mu);
}

static bool is_readable(void) {
  struct pollfd at = {.fd = cds_outlet_fd(&stream), .events = POLLIN};
  return poll(&at, 1, 0) == 1;
}

static struct cds_report *new_report(uint32_t number) {
  struct cds_report *report = cds_calloc(1, sizeof *report);
  report->refs = 1;
  report->observations_timestamp = number;
  return report;
}

/* As the stream's sources do. */
static void push(size_t slot, uint32_t number) {
  cds_stream_lock(&stream);
  struct cds_queue_node *gone = cds_outlet_push(&stream, cds_queue_node_new(new_report(number), slot));
  cds_outlet_settle(&stream);
  cds_stream_unlock(&stream);
  for (struct cds_queue_node *next; gone != NULL; gone = next) {
    next = gone->next;
    cds_queue_node_free(gone);
  }
}

/* The number of the next report; -1 when none waits, -2 at the end. */
static long long pop(void) {
  struct cds_report *report;
  enum cds_pop popped = cds_outlet_pop(&report, &stream, NULL);
  if (popped != CDS_POP_REPORT) return popped == CDS_POP_EMPTY ? -1 : -2;
  long long number = report->observations_timestamp;
  is_number(report->refs, 1, "a report of its own");
  cds_report_unref(report);
  return number;
}

static void test_descriptor(void) {
  begin(CDS_OVERFLOW_BLOCK, 10);
  ok(!is_readable() && pop() == -1, "nothing waits");
  push(0, 7);
  ok(is_readable(), "a report does");
  is_number(pop(), 7, "and is taken");
  ok(!is_readable(), "no more");
  cds_stream_emit(&stream, NULL);
  ok(!is_readable(), "no event is none");
  cds_stream_emit(&stream, cds_event_log(CDS_LOG_INFO, "a line"));
  ok(is_readable(), "an event waits");
  struct cds_event *event = cds_outlet_take_event(&stream);
  is_string(event->message, "a line", "and is taken");
  cds_event_free(event);
  ok(!is_readable() && cds_outlet_take_event(&stream) == NULL, "no more");
  finish();
}

static void test_log(void) {
  begin(CDS_OVERFLOW_BLOCK, 10);
  stream.core.config.log_level = CDS_LOG_WARN;
  cds_stream_log(&stream, CDS_LOG_INFO, "too low");
  ok(!is_readable(), "a line below the level is not kept");
  cds_stream_log(&stream, CDS_LOG_WARN, "%s %d", "line", 1);
  struct cds_event *event = cds_outlet_take_event(&stream);
  ok(event != NULL && event->level == CDS_LOG_WARN, "one of the level is");
  is_string(event->message, "line 1", "as it was made");
  cds_event_free(event);
  finish();
}

static void test_pause(void) {
  begin(CDS_OVERFLOW_BLOCK, 4);
  for (uint32_t i = 0; i < 3; i++) push(0, i);
  ok(!cds_outlet_is_paused(&stream), "three of four");
  push(1, 3);
  ok(cds_outlet_is_paused(&stream), "a full queue stops the sources");
  cds_outlet_resume(&stream);
  ok(cds_outlet_is_paused(&stream) && drained == 0, "as long as it is full");
  pop();
  ok(cds_outlet_is_paused(&stream) && drained == 0, "or nearly");
  pop();
  ok(!cds_outlet_is_paused(&stream) && drained == 1, "half of it lets them go on");
  pop();
  cds_outlet_resume(&stream);
  is_number(drained, 1, "which is told once");
  struct cds_stream_stats stats = {0};
  cds_outlet_stats(&stats, &stream);
  ok(stats.queue_length == 1 && stats.dropped == 0, "one waits still");
  finish();
}

static bool is_second(const void *context, size_t slot) {
  return context == &stream && slot == 1;
}

static void test_sift(void) {
  begin(CDS_OVERFLOW_BLOCK, 2);
  push(0, 1);
  push(0, 2);
  struct cds_queue_node *gone = cds_outlet_sift(&stream, is_second);
  ok(gone != NULL && gone->next != NULL && !is_readable(), "what is not wanted is taken out");
  cds_queue_node_free(gone->next);
  cds_queue_node_free(gone);
  ok(cds_outlet_is_paused(&stream), "the sources are told by another function");
  cds_outlet_resume(&stream);
  ok(!cds_outlet_is_paused(&stream) && drained == 1, "this one");
  push(1, 3);
  ok(cds_outlet_sift(&stream, is_second) == NULL && is_readable(), "what is wanted stays");
  struct cds_stream_stats stats = {0};
  cds_outlet_stats(&stats, &stream);
  ok(stats.dropped == 2 && stats.queue_length == 1, "both are counted");
  finish();
}

static size_t pages(size_t page, size_t most) {
  return cds_outlet_pages(&stream, page, most);
}

static void test_pages(void) {
  begin(CDS_OVERFLOW_BLOCK, 100);
  ok(pages(10, 20) == 10 && pages(10, 10) == 10, "as many as fit");
  is_number((long long)pages(10, 8), 8, "eight at most");
  is_number((long long)pages(200, 8), 1, "one at least");
  for (uint32_t i = 0; i < 50; i++) push(0, i);
  is_number((long long)pages(10, 8), 5, "fewer beside what waits");
  finish();
  begin(CDS_OVERFLOW_DROP_OLDEST, 100);
  is_number((long long)pages(50, 8), 8, "where nothing stops the sources, all");
  finish();
}

static void test_end(void) {
  const struct cds_error why = {.status = CDS_E_NETWORK, .message = "gone"};
  struct cds_error err = {0};
  struct cds_report *report;
  begin(CDS_OVERFLOW_BLOCK, 10);
  push(0, 1);
  cds_outlet_end(&stream, &why);
  is_number(pop(), 1, "what waits comes before the end");
  ok(is_readable(), "which can be seen");
  is_number(cds_outlet_pop(&report, &stream, &err), CDS_POP_END, "then comes the end");
  ok(err.status == CDS_E_NETWORK && strcmp(err.message, "gone") == 0, "with its reason");
  is_number(pop(), -2, "again and again");
  cds_outlet_discard(&stream);
  cds_outlet_pop(&report, &stream, &err);
  is_string(err.message, "gone", "the first reason stays");
  finish();
}

/* A closed stream's descriptor goes unless others may wait for it. */
static void test_discard(bool is_shared) {
  struct cds_error err = {0};
  struct cds_report *report;
  int fd = -1;
  begin(CDS_OVERFLOW_BLOCK, 10);
  for (uint32_t i = 0; i < 3; i++) push(0, i);
  if (is_shared) is_number(cds_outlet_share_fd(&fd, &stream, &err), CDS_OK, "shared");
  cds_outlet_discard(&stream);
  is_number(cds_outlet_pop(&report, &stream, &err), CDS_POP_END, "nothing waits any more");
  ok(err.status == CDS_E_CLOSED, "as the stream is closed: %s", err.message);
  is_number(cds_outlet_fd(&stream), fd, "its own descriptor is gone, and one of others stays");
  ok(!is_shared || is_readable(), "which shows the end");
  is_number(cds_outlet_share_fd(&fd, &stream, &err), CDS_OK, "it can be had later");
  ok(fd >= 0 && fd == cds_outlet_fd(&stream) && is_readable(), "and shows the end");
  cds_outlet_close_fd(&stream);
  is_number(cds_outlet_fd(&stream), -1, "the descriptor alone can be closed");
  finish();
}

static bool was_open;

static void *write_late(void *fd) {
  for (int i = 0; i < 10000; i++) sched_yield();
  was_open = fcntl(*(int *)fd, F_GETFD) >= 0;
  cds_notify_write(cds_core_notify(&stream), *(int *)fd);
  return NULL;
}

/* Another number than that of a file opened meanwhile would be written to. */
static void test_discard_under_a_writer(void) {
  pthread_t thread;
  begin(CDS_OVERFLOW_BLOCK, 10);
  cds_notify_promise(cds_core_notify(&stream));
  int fd = cds_notify_take(cds_core_notify(&stream));
  if (!ok(fd >= 0 && pthread_create(&thread, NULL, write_late, &fd) == 0, "a writer is late")) return;
  cds_outlet_discard(&stream);
  is_number(cds_outlet_fd(&stream), -1, "the descriptor is closed");
  pthread_join(thread, NULL);
  ok(was_open, "after it was written");
  finish();
}

static void test_share(void) {
  struct cds_error err;
  int fd, again;
  begin(CDS_OVERFLOW_BLOCK, 10);
  is_number(cds_outlet_share_fd(&fd, &stream, &err), CDS_OK, "shared");
  ok(fd == cds_outlet_fd(&stream) && !is_readable(), "nothing waits");
  ok(cds_outlet_share_fd(&again, &stream, &err) == CDS_OK && again == fd, "it stays the same");
  finish();
}

static void test_grow(void) {
  begin(CDS_OVERFLOW_LATEST, 10);
  ok(cds_outlet_grow(&stream, 3), "room for another feed");
  push(2, 1);
  push(2, 2);
  is_number(pop(), 2, "whose latest report waits");
  is_number(pop(), -1, "alone");
  finish();
}

/* The end alone, with nothing that waits, is to be seen. */
static void test_end_is_seen(void) {
  const struct cds_error why = {.status = CDS_E_NETWORK, .message = "gone"};
  begin(CDS_OVERFLOW_BLOCK, 10);
  ok(!is_readable(), "nothing waits");
  cds_outlet_end(&stream, &why);
  ok(is_readable(), "the end does");
  finish();
}

/* What nobody took goes with the outlet. */
static void test_untaken(void) {
  begin(CDS_OVERFLOW_LATEST, 10);
  for (uint32_t i = 0; i < 3; i++) push(i % 2, i);
  for (int i = 0; i < 2; i++) cds_stream_emit(&stream, cds_event_log(CDS_LOG_INFO, "a line"));
  finish();
}

static struct rlimit limit_descriptors(rlim_t most) {
  struct rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  const struct rlimit now = {most, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &now);
  return before;
}

static void test_nothing_left(void) {
  struct cds_error err = {0};
  int fd = 0;
  begin(CDS_OVERFLOW_BLOCK, 10);
  cds_outlet_discard(&stream);
  struct rlimit before = limit_descriptors(0);
  enum cds_status shared = cds_outlet_share_fd(&fd, &stream, &err);
  cds_outlet_be_closed(&stream);
  enum cds_status made = cds_outlet_init(&stream, 2, PLENTY, on_drained, &err);
  limit_descriptors(before.rlim_cur);
  ok(shared != CDS_OK && fd == -1, "no descriptor is left to share");
  ok(made != CDS_OK && cds_outlet_fd(&stream) == -1, "or for another outlet");
  finish();
  begin(CDS_OVERFLOW_BLOCK, 10);
  finish();
  pthread_mutex_init(&stream.core.mu, NULL);
  stream.core.config.overflow = CDS_OVERFLOW_LATEST;
  cds_alloc_fail_after(0);
  made = cds_outlet_init(&stream, 2, PLENTY, on_drained, &err);
  cds_alloc_fail_after(-1);
  ok(made == CDS_E_MEMORY && err.status == CDS_E_MEMORY, "no memory for a queue");
  finish();
}

int main(void) {
  test_end_is_seen();
  test_untaken();
  test_nothing_left();
  test_descriptor();
  test_log();
  test_pause();
  test_sift();
  test_pages();
  test_end();
  test_discard(false);
  test_discard(true);
  test_discard_under_a_writer();
  test_share();
  test_grow();
  return done();
}
