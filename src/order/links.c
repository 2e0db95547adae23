/* SPDX-License-Identifier: MIT
 * Connections as bits. */
#include "order/links.h"

uint64_t cds_links_bit(unsigned link) {
  return (uint64_t)1 << (link % CDS_SEQUENCE_LINKS);
}

bool cds_links_is_joined(const struct cds_links *links, uint64_t bit) {
  return (links->joined & bit) != 0;
}

int64_t cds_links_reached(const struct cds_links *links, uint64_t bit) {
  return links->reached[__builtin_ctzll(bit)];
}

bool cds_links_one_keeps_up(const struct cds_links *links, int64_t time) {
  for (uint64_t bits = links->joined; bits != 0; bits &= bits - 1)
    if (links->reached[__builtin_ctzll(bits)] >= time) return true;
  return false;
}

void cds_links_join(struct cds_links *links, uint64_t bits, int64_t time) {
  bits &= ~links->trailing;
  links->joined |= bits;
  for (; bits != 0; bits &= bits - 1) links->reached[__builtin_ctzll(bits)] = time;
}

void cds_links_leave_entry(struct cds_links *links, const struct cds_held *held) {
  links->trailing &= ~held->at;
}

struct cds_held *cds_links_position(const struct cds_links *links, const struct cds_hold *hold, uint64_t bit) {
  return (links->trailing & bit) != 0 ? cds_hold_position(hold, bit) : NULL;
}

void cds_links_let_go(struct cds_links *links, struct cds_hold *hold, uint64_t bit) {
  struct cds_held *at = cds_links_position(links, hold, bit);
  if (at != NULL) at->at &= ~bit;
  links->trailing &= ~bit;
  links->joined &= ~bit;
}

void cds_links_move_to(struct cds_links *links, struct cds_hold *hold, uint64_t bit, struct cds_held *held) {
  cds_links_let_go(links, hold, bit);
  held->at |= bit;
  links->trailing |= bit;
}

void cds_links_unjoin(struct cds_links *links, uint64_t bit) {
  links->joined &= ~bit;
}

const char *cds_links_check(const struct cds_links *links, const struct cds_hold *hold, int64_t newest) {
  uint64_t at = 0;
  for (const struct cds_held *held = hold->head; held != NULL; held = held->next) {
    if ((at & held->at) != 0) return "a connection's latest report is two reports";
    at |= held->at;
  }
  if (at != links->trailing) return "a connection trails behind nothing";
  if ((links->joined & links->trailing) != 0) return "a connection is joined and trails";
  for (uint64_t bits = links->joined; bits != 0; bits &= bits - 1)
    if (links->reached[__builtin_ctzll(bits)] > newest) return "a joined connection is beyond what was delivered";
  return NULL;
}
