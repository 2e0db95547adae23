/* SPDX-License-Identifier: MIT
 * A list of calls: in order, whatever is taken out of it and from where. */
#include "rest/call_list.h"

#include "tap.h"

static struct cds_call calls[4];
static struct cds_call_list list, other;

/* Are these, by their numbers, in the list, and goes it on behind them? */
static bool holds(struct cds_call_list *of, const char *numbers) {
  struct cds_call *const *at = &of->head;
  for (; *numbers != 0; numbers++, at = &(*at)->next)
    if (*at != &calls[*numbers - '0']) return false;
  return *at == NULL && of->end == at;
}

static void fill(struct cds_call_list *of, const char *numbers) {
  cds_call_list_init(of);
  for (; *numbers != 0; numbers++) {
    calls[*numbers - '0'].next = &calls[*numbers - '0']; /* whatever was there */
    cds_call_list_append(of, &calls[*numbers - '0']);
  }
}

int main(void) {
  fill(&list, "");
  ok(holds(&list, ""), "an empty list");
  fill(&list, "0123");
  ok(holds(&list, "0123"), "calls in order");
  ok(cds_call_list_take(&list, &calls[1].next) == &calls[2] && holds(&list, "013"), "one is taken from the middle");
  ok(cds_call_list_take(&list, &list.head) == &calls[0] && holds(&list, "13"), "one from the beginning");
  ok(cds_call_list_take(&list, &calls[1].next) == &calls[3] && holds(&list, "1"), "one from the end");
  cds_call_list_append(&list, &calls[0]);
  ok(holds(&list, "10"), "behind which the next one comes");
  fill(&list, "0123");
  cds_call_list_remove(&list, &calls[3]);
  ok(holds(&list, "012"), "one is removed, wherever it is");
  cds_call_list_remove(&list, &calls[1]);
  ok(holds(&list, "02"), "another");
  cds_call_list_remove(&list, &calls[1]);
  ok(holds(&list, "02"), "once");
  cds_call_list_remove(&list, &calls[0]);
  cds_call_list_remove(&list, &calls[2]);
  ok(holds(&list, ""), "all of them");
  fill(&list, "01");
  fill(&other, "23");
  cds_call_list_move(&list, &other);
  ok(holds(&list, "0123") && holds(&other, ""), "all of another one move behind those");
  cds_call_list_move(&list, &other);
  ok(holds(&list, "0123") && holds(&other, ""), "or none");
  fill(&list, "");
  fill(&other, "1");
  cds_call_list_move(&list, &other);
  ok(holds(&list, "1") && holds(&other, ""), "to an empty one, too");
  return done();
}
