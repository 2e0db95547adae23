/* SPDX-License-Identifier: MIT
 * Connections that follow on what was delivered, or trail behind what is held. */
#include "tap.h"

#include "order/links.h"

static struct cds_held first = {.time = 10}, second = {.time = 20};
static struct cds_hold hold = {.head = &first, .tail = &second, .count = 2};

static bool takes_part(const struct cds_links *links, uint64_t bit) {
  return ((links->joined | links->trailing) & bit) != 0;
}

static void is_sound(const struct cds_links *links, int64_t newest) {
  const char *wrong = cds_links_check(links, &hold, newest);
  is_string(wrong == NULL ? "sound" : wrong, "sound", "invariants");
}

static void test_bits(void) {
  is_number(cds_links_bit(0), 1, "the first connection's bit");
  ok(cds_links_bit(63) == UINT64_C(1) << 63, "the last one's");
  is_number(cds_links_bit(64), 1, "numbers begin anew");
}

static void test_join(void) {
  struct cds_links links = {0};
  ok(!takes_part(&links, 1) && !cds_links_is_joined(&links, 1), "none takes part");
  ok(!cds_links_one_keeps_up(&links, INT64_MIN), "or keeps up");
  cds_links_join(&links, 1 | 4, 30);
  ok(cds_links_is_joined(&links, 1) && cds_links_is_joined(&links, 4) && !cds_links_is_joined(&links, 2), "two joined");
  ok(takes_part(&links, 4) && !takes_part(&links, 2), "and take part");
  is_number(cds_links_reached(&links, 1), 30, "how far one has come");
  is_number(cds_links_reached(&links, 4), 30, "the other");
  is_number(cds_links_reached(&links, 2), 0, "not between them");
  cds_links_join(&links, 4, 35);
  ok(cds_links_one_keeps_up(&links, 35) && !cds_links_one_keeps_up(&links, 36), "the last one keeps up with 35");
  cds_links_unjoin(&links, 4);
  ok(!cds_links_is_joined(&links, 4) && cds_links_is_joined(&links, 1), "one that left out something");
  ok(cds_links_one_keeps_up(&links, 30) && !cds_links_one_keeps_up(&links, 31), "does not keep up, the first one does");
  is_sound(&links, 30);
  is_string(cds_links_check(&links, &hold, 29), "a joined connection is beyond what was delivered", "invariant");
}

static void test_trail(void) {
  struct cds_links links = {0};
  cds_links_join(&links, 2, 5);
  cds_links_move_to(&links, &hold, 2, &first);
  ok(!cds_links_is_joined(&links, 2) && takes_part(&links, 2), "a connection trails");
  ok(cds_links_position(&links, &hold, 2) == &first && cds_links_position(&links, &hold, 1) == NULL, "there");
  is_sound(&links, 5);
  cds_links_move_to(&links, &hold, 2, &second);
  ok(cds_links_position(&links, &hold, 2) == &second && first.at == 0 && second.at == 2, "and moves on");
  cds_links_join(&links, 2 | 8, 50);
  ok(!cds_links_is_joined(&links, 2) && cds_links_is_joined(&links, 8), "it joins not before its report is delivered");
  cds_links_leave_entry(&links, &second);
  ok(cds_links_position(&links, &hold, 2) == NULL && !takes_part(&links, 2), "which then is not held any more");
  second.at = 0;
  cds_links_move_to(&links, &hold, 1, &second);
  cds_links_let_go(&links, &hold, 1);
  ok(second.at == 0 && !takes_part(&links, 1), "one that broke is nowhere");
  cds_links_let_go(&links, &hold, 8);
  ok(!takes_part(&links, 8), "joined or not");
  is_sound(&links, 50);
}

static void test_check(void) {
  struct cds_links links = {.trailing = 1};
  is_string(cds_links_check(&links, &hold, 0), "a connection trails behind nothing", "invariant");
  first.at = 1;
  is_sound(&links, 0);
  second.at = 1;
  is_string(cds_links_check(&links, &hold, 0), "a connection's latest report is two reports", "invariant");
  second.at = 4;
  is_string(cds_links_check(&links, &hold, 0), "a connection trails behind nothing", "invariant");
  links.trailing |= 4;
  is_sound(&links, 0);
  links.joined = 2;
  is_sound(&links, 0);
  links.joined = 2 | 4;
  is_string(cds_links_check(&links, &hold, 0), "a connection is joined and trails", "invariant");
  first.at = second.at = 0;
}

int main(void) {
  first.next = &second;
  second.prev = &first;
  test_bits();
  test_join();
  test_trail();
  test_check();
  return done();
}
