/* SPDX-License-Identifier: MIT
 * What can happen in a history, and the feeds and rules that histories are made with. */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_REPORTS 16

/* clang-format off */
enum step {
  MAKE,               /* the service makes the next report */
  ARRIVE_A, ARRIVE_B, /* the next one on the way arrives */
  AGAIN_A, AGAIN_B,   /* the last one that arrived does so again */
  LOSE_A, LOSE_B,     /* the next one on the way is left out */
  DOUBT_A, DOUBT_B,   /* it arrives, and cannot be read */
  BREAK_A, BREAK_B, COME_A, COME_B, /* a connection */
  ASK,
  PAGE_FULL, PAGE_SHORT, PAGE_TWICE, PAGE_SWAPPED, /* an answer: with all; with some; each twice; in another order */
  PAGE_LAGS, PAGE_EARLIER, /* without the newest: nothing more than before; as of the time of the question */
  PAGE_FAILS, PAGE_FAILS_LATE, PAGE_CUT, PAGE_REFUSED, /* late, cut: with its first report */
  EXPIRE,    /* the five minutes are over */
  FORGET,    /* the feed is taken out and put back, once */
  TAKE_OVER, /* connection B was on trial, and replaces A */
  STEPS
};
/* clang-format on */

struct scenario {
  const char *name;
  int64_t times[MAX_REPORTS], valid_from[MAX_REPORTS]; /* valid_from 0: the time after the one before */
  int count, before, after; /* reports; so many come over connection A before a history, so many are made after it */
  int page;                 /* a short page has so many */
  bool is_proven;           /* a validity shows each report that a connection leaves out */
  bool has_no_backfill;     /* and B is on trial */
  size_t max_held;
  int start;                /* the stream begins with this report's second, over REST; -1: with what comes */
  const enum step *prelude; /* what has happened before, ended by STEPS */
  int per_second;           /* times in a second, which is what REST knows */
  size_t most_a_page;       /* REST gives no more at once; 0: it does */
  bool by_arrival;          /* order = "arrival" */
};

/* A reconnect, and a report behind what may be missing; then REST is asked. */
static const enum step in_a_gap[] = {BREAK_A, BREAK_B, MAKE, COME_A, COME_B, MAKE, ARRIVE_A, ASK, STEPS};

/* A page is under way for a gap that a connection has filled; another gap is open. */
static const enum step in_a_second_gap[] = {BREAK_B, MAKE,    COME_B, MAKE,   ARRIVE_B, ASK,      ARRIVE_A, ARRIVE_A,
                                            BREAK_A, BREAK_B, MAKE,   COME_A, MAKE,     ARRIVE_A, STEPS};

/* The same on one connection, and longer. */
static const enum step in_a_long_gap[] = {BREAK_A, BREAK_B, MAKE, MAKE, MAKE, MAKE, COME_A, MAKE, ARRIVE_A, ASK, STEPS};

#define BY_ONE                                                                                                         \
  { 101, 102, 103, 104, 105, 106, 107, 108, 109, 110 }
#define BY_TWO                                                                                                         \
  { 101, 102, 102, 103, 103, 104, 105 }
#define VALID_BY_TWO                                                                                                   \
  { 0, 0, 102, 0, 103, 0, 0 }
#define BY_THREE                                                                                                       \
  { 101, 101, 102, 102, 102, 103, 104 }
/* Ten times a second: three, four and two reports in one of REST's seconds. */
#define BY_TENTHS                                                                                                      \
  { 1001, 1004, 1008, 1010, 1013, 1015, 1019, 1022, 1024 }
#define BY_TWO_TENTHS                                                                                                  \
  { 1001, 1004, 1004, 1005, 1010, 1012, 1015 }
#define VALID_BY_TWO_TENTHS                                                                                            \
  { 0, 0, 1004, 0, 0, 0, 0 }
#define OWN                                                                                                            \
  { 101, 103, 105, 106, 108, 111 }

/* clang-format off */
static const struct scenario scenarios[] = {
  /* name                           times     valid from    reports page proven no backfill hold start prelude */
  {"one a second",                  BY_ONE,   {0},            6, 1, 2, 2, true,  false, 100, -1, NULL, 1, 0, false},
  {"one a second, known to be so",  BY_ONE,   {0},           10, 6, 2, 2, true,  false, 100, -1, NULL, 1, 0, false},
  {"one a second, in a gap",        BY_ONE,   {0},            7, 1, 2, 2, true,  false,   2, -1, in_a_gap, 1, 0, false},
  {"two of a second",               BY_TWO,   VALID_BY_TWO,   7, 1, 2, 3, false, false, 100, -1, NULL, 1, 0, false},
  {"two of a second, in a gap",     BY_TWO,   VALID_BY_TWO,   7, 1, 2, 3, false, false, 100, -1, in_a_gap, 1, 0, false},
  {"two of a second, then quiet",   BY_TWO,   VALID_BY_TWO,   5, 1, 0, 3, false, false, 100, -1, NULL, 1, 0, false},
  {"a hold of one, then quiet",     BY_TWO,   VALID_BY_TWO,   5, 1, 0, 3, false, false,   1, -1, in_a_gap, 1, 0, false},
  {"two of a second, in a 2nd gap", BY_TWO,   VALID_BY_TWO,   7, 1, 2, 3, false, false, 100, -1, in_a_second_gap, 1, 0, false},
  {"one a second, 1 held, quiet",   BY_ONE,   {0},            5, 1, 0, 2, true,  false,   1, -1, in_a_gap, 1, 0, false},
  {"all of two seconds",            BY_THREE, {0, 101, 0, 102, 102, 0, 0}, 7, 1, 2, 4, false, false, 100, -1, NULL, 1, 0, false},
  {"irregular",                     {101, 103, 104, 107, 109, 110}, {0}, 6, 1, 2, 2, true, false, 100, -1, NULL, 1, 0, false},
  {"valid from its own second",     OWN,      OWN,            6, 1, 2, 2, false, false, 100, -1, NULL, 1, 0, false},
  {"a hold of one",                 BY_TWO,   VALID_BY_TWO,   6, 1, 2, 3, false, false,   1, -1, NULL, 1, 0, false},
  {"a start in the past",           BY_TWO,   VALID_BY_TWO,   6, 0, 2, 3, false, false, 100,  1, NULL, 1, 0, false},
  {"on trial without backfill",     BY_ONE,   {0},            6, 1, 2, 2, true,  true,    2, -1, NULL, 1, 0, false},
  {"tenths of a second",            BY_TENTHS, {0},           6, 1, 2, 5, true,  false, 100, -1, NULL, 10, 0, false},
  {"tenths, known to be so, in a gap", BY_TENTHS, {0},        9, 5, 2, 5, true,  false,   2, -1, in_a_gap, 10, 0, false},
  {"two of a tenth",                BY_TWO_TENTHS, VALID_BY_TWO_TENTHS, 7, 1, 2, 5, false, false, 100, -1, NULL, 10, 0, false},
  {"tenths, a start in the past",   BY_TENTHS, {0},           6, 0, 2, 5, true,  false, 100,  1, NULL, 10, 0, false},
  {"more of a second than a page has", BY_TENTHS, {0},        8, 1, 1, 2, true,  false, 100, -1, in_a_long_gap, 10, 2, false},
  {"by arrival, one a second",      BY_ONE,   {0},            6, 1, 2, 2, true,  false, 100, -1, NULL, 1, 0, true},
  {"by arrival, two of a second",   BY_TWO,   VALID_BY_TWO,   7, 1, 2, 3, false, false, 100, -1, NULL, 1, 0, true},
  {"by arrival, in a long gap",     BY_TENTHS, {0},           8, 1, 1, 5, true,  false, 100, -1, in_a_long_gap, 10, 0, true},
  {"by arrival, without backfill",  BY_ONE,   {0},            6, 1, 2, 2, true,  true,    2, -1, NULL, 1, 0, true},
};
/* clang-format on */

#endif
