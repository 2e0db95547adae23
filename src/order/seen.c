/* SPDX-License-Identifier: MIT
 * A ring in order of arrival, and an open-addressing table of the same tags. */
#include "order/seen.h"

#include "base/alloc.h"

#include <string.h>

__extension__ typedef unsigned __int128 wide;

void cds_seen_clear(struct cds_seen *seen) {
  cds_free(seen->ring);
  cds_free(seen->table);
  *seen = (struct cds_seen){0};
}

static uint64_t fold(uint64_t a, uint64_t b) {
  wide product = (wide)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t read64(const uint8_t *bytes) {
  uint64_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

/* The next of the secrets that a seed stands for (SplitMix64): every bit of it depends on every bit of the seed. */
static uint64_t next_secret(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* Both factors of every product are masked by a secret: with a constant that is known, a text could make the factor 0,
 * and so the tag forget what came before, the seed too. */
uint64_t cds_seen_tag(uint64_t seed, const void *data, size_t length) {
  uint64_t secret[6];
  for (size_t i = 0; i < 6; i++) secret[i] = next_secret(&seed);
  const uint8_t *at = data, *end = at + length;
  uint64_t a = secret[0], b = secret[1]; /* two lanes, so that the multiplications overlap */
  for (; end - at >= 32; at += 32) {
    a = fold(read64(at) ^ a, read64(at + 8) ^ secret[2]);
    b = fold(read64(at + 16) ^ b, read64(at + 24) ^ secret[3]);
  }
  uint8_t rest[32] = {0};
  memcpy(rest, at, (size_t)(end - at));
  a = fold(read64(rest) ^ a, read64(rest + 8) ^ secret[2]);
  b = fold(read64(rest + 16) ^ b, read64(rest + 24) ^ secret[3]);
  uint64_t tag = fold(a ^ secret[4], b ^ length ^ secret[5]);
  return tag != 0 ? tag : 1;
}

static size_t table_mask(const struct cds_seen *seen) {
  return seen->capacity * 2 - 1;
}

static size_t probe(const struct cds_seen *seen, uint64_t tag) {
  size_t at = (size_t)tag & table_mask(seen);
  while (seen->table[at] != 0 && seen->table[at] != tag) at = (at + 1) & table_mask(seen);
  return at;
}

bool cds_seen_has(const struct cds_seen *seen, uint64_t tag) {
  return seen->count > 0 && seen->table[probe(seen, tag)] == tag;
}

/* Takes a tag out of the table and moves its followers up, so that no probe meets a hole before its tag. */
static void table_remove(struct cds_seen *seen, uint64_t tag) {
  size_t mask = table_mask(seen), hole = probe(seen, tag);
  for (size_t at = (hole + 1) & mask; seen->table[at] != 0; at = (at + 1) & mask) {
    size_t home = (size_t)seen->table[at] & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    seen->table[hole] = seen->table[at];
    hole = at;
  }
  seen->table[hole] = 0;
}

void cds_seen_forget_to(struct cds_seen *seen, int64_t time) {
  if (time > seen->all_after) seen->all_after = time;
}

static void forget_oldest(struct cds_seen *seen) {
  table_remove(seen, seen->ring[seen->first].tag);
  cds_seen_forget_to(seen, seen->ring[seen->first].time);
  seen->first = (seen->first + 1) & (seen->capacity - 1);
  seen->count--;
}

static bool grow(struct cds_seen *seen) {
  struct cds_seen bigger = {.capacity = seen->capacity == 0 ? CDS_SEEN_START : seen->capacity * 2};
  if (bigger.capacity > CDS_SEEN_MAX) return false;
  bigger.ring = cds_calloc(bigger.capacity, sizeof *bigger.ring);
  bigger.table = cds_calloc(bigger.capacity * 2, sizeof *bigger.table);
  if (bigger.ring == NULL || bigger.table == NULL) {
    cds_seen_clear(&bigger);
    return false;
  }
  for (size_t i = 0; i < seen->count; i++) {
    const struct cds_seen_tag *old = &seen->ring[(seen->first + i) & (seen->capacity - 1)];
    cds_seen_add(&bigger, old->tag, old->time);
  }
  if (seen->count > 0) bigger.all_after = seen->all_after;
  cds_seen_clear(seen);
  *seen = bigger;
  return true;
}

bool cds_seen_covers(const struct cds_seen *seen, int64_t time) {
  return seen->count > 0 && time > seen->all_after;
}

bool cds_seen_reserve(struct cds_seen *seen, size_t tags, int64_t time, int64_t keep) {
  while (seen->count + tags > seen->capacity) {
    int64_t oldest = seen->count > 0 ? seen->ring[seen->first].time : time;
    if (oldest < keep) forget_oldest(seen);
    else if (grow(seen)) continue;
    else if (oldest < time) forget_oldest(seen);
    else return false;
  }
  return true;
}

void cds_seen_add(struct cds_seen *seen, uint64_t tag, int64_t time) {
  size_t at = probe(seen, tag);
  if (seen->table[at] == tag) return;
  seen->table[at] = tag;
  if (seen->count == 0) seen->all_after = time;
  seen->ring[(seen->first + seen->count++) & (seen->capacity - 1)] = (struct cds_seen_tag){tag, time};
}
