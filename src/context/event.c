/* SPDX-License-Identifier: MIT
 * Events and their bounded queue. */
#include "context/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

const char *cds_link_state_name(enum cds_link_state state) {
  static const char *const names[] = {"connecting", "connected", "disconnected", "reconnecting", "failed"};
  return (size_t)state < sizeof names / sizeof *names ? names[state] : "";
}

struct cds_event *cds_event_new(enum cds_event_kind kind) {
  struct cds_event *event = cds_calloc(1, sizeof *event);
  if (event == NULL) return NULL;
  event->kind = kind;
  event->at_ms = cds_clock_wall_ms();
  return event;
}

struct cds_event *cds_event_log(enum cds_log_level level, const char *format, ...) {
  struct cds_event *event = cds_event_new(CDS_EVENT_LOG);
  if (event == NULL) return NULL;
  char line[sizeof event->message];
  struct cds_error escaped; /* its message is the line with control characters escaped */
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  cds_error_set(&escaped, CDS_E_API, "%s", line);
  event->level = level;
  snprintf(event->message, sizeof event->message, "%s", escaped.message);
  return event;
}

void cds_event_free(struct cds_event *event) {
  if (event == NULL) return;
  cds_free(event->method);
  cds_free(event->url);
  cds_free(event->headers);
  cds_free(event);
}

void cds_event_push(struct cds_event_queue *queue, struct cds_event *event) {
  if (queue->count == CDS_MAX_EVENTS) {
    cds_event_free(cds_event_pop(queue));
    queue->dropped++;
  }
  event->next = NULL;
  if (queue->tail == NULL) queue->head = event;
  else queue->tail->next = event;
  queue->tail = event;
  queue->count++;
}

struct cds_event *cds_event_pop(struct cds_event_queue *queue) {
  struct cds_event *event = queue->head;
  if (event == NULL) return NULL;
  queue->head = event->next;
  if (queue->head == NULL) queue->tail = NULL;
  queue->count--;
  event->next = NULL;
  return event;
}

void cds_event_clear(struct cds_event_queue *queue) {
  struct cds_event *event;
  while ((event = cds_event_pop(queue)) != NULL) cds_event_free(event);
  queue->dropped = 0;
}
