/* SPDX-License-Identifier: MIT
 * The simulator's random walk: pinned values, since every origin and machine must agree; bounds; continuity. */
#include "simulator/walk.h"

#include "tap.h"

#define DAY 1795392000ull

static int64_t magnitude(int64_t value) {
  return value < 0 ? -value : value;
}

/* A change here changes every history that a seed stands for. */
static void pinned(void) {
  is_number(cds_sim_walk(1, 0), 44712758064LL, "key 1, position 0");
  is_number(cds_sim_walk(1, DAY * CDS_SIM_STEPS), -194892674796LL, "key 1, a day's start");
  is_number(cds_sim_walk(1, DAY * CDS_SIM_STEPS + 1), -194892684616LL, "key 1, one step later");
  is_number(cds_sim_walk(2, UINT32_MAX * (uint64_t)CDS_SIM_STEPS), 188370171133LL, "key 2, the last second of 32 bits");
}

static void bounded(void) {
  int64_t widest = 0;
  for (uint64_t i = 0; i < 200000; i++) {
    int64_t value = magnitude(cds_sim_walk(i % 50, i * 997 * CDS_SIM_STEPS + i));
    if (value > widest) widest = value;
  }
  ok(widest > CDS_SIM_WALK_UNIT / 10, "goes beyond 10 %%");
  ok(widest < CDS_SIM_WALK_UNIT / 2, "stays within 50 %%");
}

static void continuous(void) {
  int64_t second = 0, step = 0;
  for (uint64_t i = 0; i < 20000; i++) {
    uint64_t position = (DAY + i) * CDS_SIM_STEPS;
    int64_t here = cds_sim_walk(7, position);
    int64_t move = magnitude(cds_sim_walk(7, position + CDS_SIM_STEPS) - here);
    if (move > second) second = move;
    move = magnitude(cds_sim_walk(7, position + 1) - here);
    if (move > step) step = move;
  }
  ok(second > 0 && second < CDS_SIM_WALK_UNIT / 100, "moves by less than 1 %% a second");
  ok(step > 0 && step < second, "and by less than that a step");
}

static void mixed(void) {
  int ones = 0;
  for (uint64_t i = 0; i < 1000; i++) ones += __builtin_popcountll(cds_sim_hash(i, 5) ^ cds_sim_hash(i + 1, 5));
  ok(ones > 31000 && ones < 33000, "neighbouring arguments change half of the hash's bits");
  ok(cds_sim_hash(1, 2) != cds_sim_hash(2, 1), "the hash's arguments have an order");
}

int main(void) {
  pinned();
  bounded();
  continuous();
  mixed();
  return done();
}
