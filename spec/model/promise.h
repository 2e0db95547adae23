/* SPDX-License-Identifier: MIT
 * What docs/streams.md promises of one feed, in a few lines and without the order's own notions: each report once, times
 * that never go back, or every report as it arrives, and at the end every report since the first delivered or told as
 * lost, which nothing is without a cause. */
#ifndef PROMISE_H
#define PROMISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROMISE_RANGES 32

/* Reports are numbered in the service's order. */
struct promise {
  uint32_t delivered; /* a bit each */
  uint32_t arrived;   /* over a connection */
  int first;          /* the first one to be had; -1: not known yet */
  int64_t newest;     /* time delivered */
  bool by_arrival;    /* order = "arrival" */
  bool has_cause;     /* REST refused, or gave no answer for too long, or is not asked */
  size_t range_count;
  int64_t from[PROMISE_RANGES], to[PROMISE_RANGES];
  const char *wrong; /* what was broken first */
};

static void promise_break(struct promise *promise, const char *what) {
  if (promise->wrong == NULL) promise->wrong = what;
}

static void promise_begin(struct promise *promise, int first) {
  *promise = (struct promise){
    .first = first, .newest = INT64_MIN, .has_cause = promise->has_cause, .by_arrival = promise->by_arrival};
}

static void promise_deliver(struct promise *promise, int number, int64_t time, int made) {
  if (number >= made) promise_break(promise, "a report was delivered before it was made");
  if ((promise->delivered >> number & 1) != 0) promise_break(promise, "a report was delivered twice");
  if (time < promise->newest && !promise->by_arrival) promise_break(promise, "a time went back");
  if (promise->first < 0) promise->first = number;
  promise->delivered |= 1u << number;
  promise->newest = time;
}

/* It came over a connection, and that has been dealt with. */
static void promise_arrive(struct promise *promise, int number) {
  promise->arrived |= 1u << number;
  bool is_delivered = (promise->delivered >> number & 1) != 0;
  if (promise->by_arrival && number >= promise->first && !is_delivered)
    promise_break(promise, "a report was not delivered when it arrived");
}

static void promise_lose(struct promise *promise, int64_t from, int64_t to) {
  if (from > to) promise_break(promise, "a lost range is upside down");
  if (!promise->has_cause) promise_break(promise, "something was told as lost that could be had");
  if (promise->range_count == PROMISE_RANGES) promise_break(promise, "too many lost ranges");
  else {
    promise->from[promise->range_count] = from;
    promise->to[promise->range_count++] = to;
  }
}

/* Everything works again, and has come to rest. only_arrived: of others nothing has shown that they are missing. */
static void promise_judge(struct promise *promise, const int64_t *times, int count, bool only_arrived) {
  for (int number = promise->first; number >= 0 && number < count; number++) {
    bool is_told = only_arrived && (promise->arrived >> number & 1) == 0;
    for (size_t i = 0; i < promise->range_count; i++)
      is_told = is_told || (times[number] >= promise->from[i] && times[number] <= promise->to[i]);
    if ((promise->delivered >> number & 1) == 0 && !is_told)
      promise_break(promise, "a report is missing, and nobody said so");
  }
}

#endif
