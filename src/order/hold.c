/* SPDX-License-Identifier: MIT
 * A sorted list, and buckets chained through its entries: holding allocates nothing beyond the entry. */
#include "order/hold.h"

#include "base/alloc.h"

bool cds_hold_index_init(struct cds_hold_index *index, size_t expected) {
  size_t size = 16;
  while (size < expected && size < CDS_MAX_QUEUE_SIZE) size *= 2;
  *index = (struct cds_hold_index){.buckets = cds_calloc(size, sizeof(struct cds_held_tag *)), .mask = size - 1};
  return index->buckets != NULL;
}

void cds_hold_index_clear(struct cds_hold_index *index) {
  cds_free(index->buckets);
  *index = (struct cds_hold_index){0};
}

static struct cds_held_tag **bucket(const struct cds_hold_index *index, uint64_t tag) {
  return &index->buckets[(size_t)tag & index->mask];
}

struct cds_held *cds_hold_find(const struct cds_hold_index *index, size_t slot, uint64_t tag) {
  if (tag == 0) return NULL;
  for (const struct cds_held_tag *at = *bucket(index, tag); at != NULL; at = at->next)
    if (at->tag == tag && at->held->slot == slot) return at->held;
  return NULL;
}

size_t cds_held_bytes(const struct cds_held *held) {
  return sizeof *held + (held->node != NULL ? cds_queue_node_bytes(held->node) : 0);
}

static void index_add(struct cds_hold_index *index, struct cds_held *held) {
  index->count++;
  index->bytes += cds_held_bytes(held);
  for (size_t i = 0; i < 2; i++) {
    struct cds_held_tag *tag = &held->tags[i];
    tag->held = held;
    if (tag->tag == 0) continue;
    struct cds_held_tag **first = bucket(index, tag->tag);
    tag->next = *first;
    *first = tag;
  }
}

static void index_remove(struct cds_hold_index *index, struct cds_held *held) {
  index->count--;
  index->bytes -= cds_held_bytes(held);
  for (size_t i = 0; i < 2; i++) {
    if (held->tags[i].tag == 0) continue;
    struct cds_held_tag **at = bucket(index, held->tags[i].tag);
    while (*at != &held->tags[i]) at = &(*at)->next;
    *at = held->tags[i].next;
  }
}

void cds_hold_put(struct cds_hold *hold, struct cds_hold_index *index, struct cds_held *held, struct cds_held *after) {
  struct cds_held *before = after != NULL ? after : hold->tail;
  while (before != NULL && before->time > held->time) before = before->prev;
  held->prev = before;
  held->next = before != NULL ? before->next : hold->head;
  if (held->prev != NULL) held->prev->next = held;
  else hold->head = held;
  if (held->next != NULL) held->next->prev = held;
  else hold->tail = held;
  hold->count++;
  hold->bytes += cds_held_bytes(held);
  index_add(index, held);
}

void cds_hold_remove(struct cds_hold *hold, struct cds_hold_index *index, struct cds_held *held) {
  if (held->prev != NULL) held->prev->next = held->next;
  else hold->head = held->next;
  if (held->next != NULL) held->next->prev = held->prev;
  else hold->tail = held->prev;
  hold->count--;
  hold->bytes -= cds_held_bytes(held);
  index_remove(index, held);
}

struct cds_held *cds_hold_position(const struct cds_hold *hold, uint64_t link_bit) {
  struct cds_held *held = hold->tail;
  while (held != NULL && (held->at & link_bit) == 0) held = held->prev;
  return held;
}
