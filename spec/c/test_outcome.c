/* SPDX-License-Identifier: MIT
 * What a call of the order leaves to do: lists in their order, and lost ranges that are joined and counted. */
#include "tap.h"

#include "order/outcome.h"

static struct cds_sequence_out out;
static struct cds_lost_counts counts;

static void begin(void) {
  out = (struct cds_sequence_out){0};
  counts = (struct cds_lost_counts){0};
}

static void lose(size_t slot, int64_t from, int64_t to, enum cds_lost_reason reason) {
  const struct cds_lost lost = {.slot = slot, .per_second = 1, .from = from, .to = to, .reason = reason};
  cds_outcome_lose(&out, lost, &counts);
}

static void is_range(size_t i, size_t slot, int64_t from, int64_t to) {
  const struct cds_lost *lost = &out.lost[i];
  ok(lost->slot == slot && lost->from == from && lost->to == to, "range %zu: feed %zu, %lld to %lld", i, lost->slot,
     (long long)lost->from, (long long)lost->to);
}

static void counted(size_t told, uint64_t ranges, uint64_t ms) {
  is_number(out.lost_count, told, "ranges told");
  is_number(counts.ranges, ranges, "counted");
  is_number(counts.ms, ms, "with their milliseconds");
}

static void test_lists(void) {
  struct cds_queue_node nodes[3] = {{.slot = 0}, {.slot = 1}, {.slot = 2}};
  begin();
  nodes[0].next = &nodes[2];
  for (int i = 0; i < 2; i++) cds_outcome_deliver(&out, &nodes[i]);
  ok(out.deliver == &nodes[0] && nodes[0].next == &nodes[1] && nodes[1].next == NULL, "delivered in their order");
  ok(out.deliver_tail == &nodes[1], "to the last");
  cds_outcome_drop(&out, &nodes[2]);
  ok(out.drop == &nodes[2] && nodes[2].next == NULL, "one is dropped");
}

static void test_join(void) {
  begin();
  lose(3, 10, 19, CDS_LOST_FAILING);
  counted(1, 1, 10000);
  lose(3, 15, 24, CDS_LOST_FAILING);
  counted(1, 1, 15000);
  lose(3, 5, 12, CDS_LOST_FAILING);
  is_range(0, 3, 5, 24);
  counted(1, 1, 20000);
  lose(3, 7, 7, CDS_LOST_FAILING);
  is_range(0, 3, 5, 24);
  counted(1, 1, 20000);
  lose(3, 40, 40, CDS_LOST_LATE);
  is_range(1, 3, 40, 40);
  counted(2, 2, 21000);
  lose(3, 41, 41, CDS_LOST_TOO_LONG);
  is_range(1, 3, 40, 41);
  counted(2, 2, 22000);
  lose(3, 25, 25, CDS_LOST_FAILING);
  is_range(0, 3, 5, 25);
  counted(2, 2, 23000);
}

static void test_feeds(void) {
  begin();
  lose(0, 1, 1, CDS_LOST_LATE);
  lose(1, 2, 2, CDS_LOST_LATE);
  lose(0, 5, 5, CDS_LOST_FAILING);
  lose(1, 6, 6, CDS_LOST_FAILING);
  counted(4, 4, 4000);
  is_range(0, 0, 1, 1);
  is_range(1, 1, 2, 2);
  lose(1, 3, 3, CDS_LOST_LATE);
  is_range(1, 1, 2, 3);
  lose(2, 8, 8, CDS_LOST_LATE);
  counted(4, 5, 6000); /* of a third feed, which no call concerns: counted at least */
  is_range(3, 1, 6, 6);
}

static void test_units(void) {
  struct cds_lost lost = {.per_second = 1000, .from = 1700000000000, .to = 1700000000249};
  begin();
  cds_outcome_lose(&out, lost, &counts);
  counted(1, 1, 250);
  lost.open_ended = true;
  begin();
  cds_outcome_lose(&out, lost, &counts);
  counted(1, 1, 0);
  begin();
  lose(0, 5, 6, CDS_LOST_REFUSED);
  cds_outcome_lose(&out, (struct cds_lost){.per_second = 1, .from = 7, .to = 7, .open_ended = true}, &counts);
  counted(1, 1, 0);
  ok(out.lost[0].open_ended, "whose end is not known");
  lose(0, 8, 8, CDS_LOST_REFUSED);
  ok(out.lost[0].open_ended, "nor when another joins it");
  counted(1, 1, 0);
}

static void test_words(void) {
  is_string(cds_lost_reason_text(CDS_LOST_REFUSED), "the service refused to answer for it", "refused");
  is_string(cds_lost_reason_text(CDS_LOST_FAILING), "REST failed for too long", "failing");
  is_string(cds_lost_reason_text(CDS_LOST_TOO_LONG), "the gap was too long", "too long");
  is_string(cds_lost_reason_text(CDS_LOST_NO_MEMORY), "no room to remember it", "no memory");
  is_string(cds_lost_reason_text(CDS_LOST_BACKFILL_OFF), "backfill is off", "off");
  is_string(cds_lost_reason_text(CDS_LOST_LATE), "a report came after one of a later time", "late");
  is_string(cds_lost_reason_text(CDS_LOST_TOO_MANY), "REST gives no more reports of one second", "too many");
}

int main(void) {
  test_lists();
  test_join();
  test_feeds();
  test_units();
  test_words();
  return done();
}
