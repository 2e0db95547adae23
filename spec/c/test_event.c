/* SPDX-License-Identifier: MIT
 * Events and their bounded queue. */
#include "tap.h"

#include "base/alloc.h"
#include "context/event.h"

static void test_queue(void) {
  struct cds_event_queue queue = {0};
  bool ordered = true;
  ok(cds_event_pop(&queue) == NULL, "an empty queue gives nothing");
  for (int i = 0; i < CDS_MAX_EVENTS + 10; i++) cds_event_push(&queue, cds_event_log(CDS_LOG_INFO, "%d", i));
  is_number(queue.count, CDS_MAX_EVENTS, "the queue is bounded");
  is_number(queue.dropped, 10, "what was dropped is counted");
  for (int i = 10; i < CDS_MAX_EVENTS + 10; i++) {
    char expected[16];
    struct cds_event *event = cds_event_pop(&queue);
    snprintf(expected, sizeof expected, "%d", i);
    ordered = ordered && event != NULL && strcmp(event->message, expected) == 0;
    cds_event_free(event);
  }
  ok(ordered, "the newest remain, in order");
  ok(cds_event_pop(&queue) == NULL && queue.tail == NULL, "and it is empty again");
  cds_event_push(&queue, cds_event_log(CDS_LOG_INFO, "x"));
  cds_event_push(&queue, cds_event_log(CDS_LOG_INFO, "y"));
  struct cds_event *event = cds_event_pop(&queue);
  ok(strcmp(event->message, "x") == 0 && event->next == NULL && queue.count == 1, "one of two, by itself");
  cds_event_free(event);
  cds_event_clear(&queue);
  ok(queue.head == NULL && queue.count == 0 && queue.dropped == 0, "cleared");
}

static void test_log(void) {
  char text[1000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = 0;
  struct cds_event *event = cds_event_log(CDS_LOG_WARN, "a%sb", "\r\n\x1b[31m");
  ok(event->kind == CDS_EVENT_LOG && event->level == CDS_LOG_WARN && event->at_ms > 0, "kind, level and time");
  ok(strchr(event->message, '\n') == NULL && strchr(event->message, '\x1b') == NULL, "no control characters: %s",
     event->message);
  cds_event_free(event);
  event = cds_event_log(CDS_LOG_WARN, "%s", text);
  is_number(strlen(event->message), sizeof event->message - 1, "a long line is cut");
  cds_event_free(event);
  cds_alloc_fail_after(0);
  event = cds_event_log(CDS_LOG_WARN, "x");
  cds_alloc_fail_after(-1);
  ok(event == NULL, "no memory, no event");
  cds_event_free(NULL);
  event = cds_event_new(CDS_EVENT_RESPONSE);
  ok(event != NULL && event->kind == CDS_EVENT_RESPONSE, "an event of an answer");
  event->method = cds_strdup("GET"), event->url = cds_strdup("https://h/"), event->headers = cds_strdup("A: b");
  cds_event_free(event); /* with its texts, or the leak checker tells */
}

int main(void) {
  test_queue();
  test_log();
  static const char *const states[] = {"connecting", "connected", "disconnected", "reconnecting", "failed", ""};
  for (int i = 0; i <= CDS_LINK_FAILED + 1; i++)
    is_string(cds_link_state_name((enum cds_link_state)i), states[i], "state name");
  is_string(cds_link_state_name((enum cds_link_state)99), "", "no such state");
  return done();
}
