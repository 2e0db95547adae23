/* SPDX-License-Identifier: MIT
 * A sequence is made, grows and goes, with and without memory for it. */
#include "order_fixture.h"

/* Buckets of the index for what may be held. */
static size_t buckets(enum cds_order order, size_t max_held, size_t bytes) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  limits.order = order;
  limits.max_held = max_held;
  limits.max_held_bytes = bytes;
  ok(cds_sequence_init(&seq, 1, 7, &limits), "a sequence");
  size_t count = seq.index.mask + 1;
  cds_sequence_clear(&seq);
  return count;
}

static void test_index(void) {
  const size_t one = sizeof(struct cds_held);
  is_number(buckets(CDS_ORDER_FEED, 100, 1000 * one), 128, "as many as reports may be held");
  is_number(buckets(CDS_ORDER_FEED, 1000, 20 * one), 32, "or have room");
  is_number(buckets(CDS_ORDER_ARRIVAL, 4, 100 * one), 128, "where only entries are kept their room counts alone");
}

static void test_no_memory(void) {
  const struct cds_sequence_limits limits = cds_sequence_default_limits();
  const long before = blocks_alive();
  bool made = false;
  long fails = 0;
  for (; !made && fails < 20; fails++) {
    cds_alloc_fail_one(fails);
    made = cds_sequence_init(&seq, 2, 7, &limits);
    cds_alloc_fail_after(-1);
    if (!made) ok(blocks_alive() == before && seq.feeds == NULL && seq.count == 0, "allocation %ld: none", fails);
  }
  ok(made && fails == 5, "an index, a list and two feeds");
  cds_sequence_clear(&seq);
  is_number(blocks_alive(), before, "all of it goes");
}

static void test_growth(void) {
  set_up(NULL);
  take(A, 100, 100, 1);
  const struct cds_feed *first = seq.feeds[0];
  const long before = blocks_alive();
  static const size_t too_many[] = {SIZE_MAX / sizeof(void *) + 1, SIZE_MAX}; /* checkers refuse to be asked for less */
  for (size_t i = 0; i < 2; i++) ok(!cds_sequence_grow(&seq, too_many[i]), "no memory for %zu", too_many[i]);
  long fails = 0;
  bool grown = false;
  for (; !grown && fails < 20; fails++) {
    cds_alloc_fail_one(fails);
    grown = cds_sequence_grow(&seq, 5);
    cds_alloc_fail_after(-1);
    if (!grown) ok(seq.count == 2 && blocks_alive() == before, "allocation %ld: as before", fails);
    ok(seq.feeds[0] == first && seq.feeds[0]->release.newest == 100, "what was there stays");
  }
  ok(grown && fails == 5 && seq.count == 5, "three more feeds");
  for (size_t slot = 0; slot < 5; slot++) is_number(seq.feeds[slot]->release.per_second, 1, "of seconds");
  cds_sequence_clear(&seq);
}

static void test_start_of_all(void) {
  set_up(NULL);
  cds_sequence_start(&seq, 0, 0, now_ms);
  is_number(seq.feeds[0]->release.newest, 0, "nothing lies before the first second");
  cds_sequence_clear(&seq);
}

int main(void) {
  test_index();
  test_no_memory();
  test_growth();
  test_start_of_all();
  return done();
}
