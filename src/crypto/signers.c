/* SPDX-License-Identifier: MIT
 * Signer sets and their registry.
 *
 * A registry is an immutable snapshot behind an atomic pointer. A change publishes a new one and retires the old;
 * readers announce themselves in a counter, and what is retired is freed by the next change that sees none. */
#include "crypto/signers.h"

#include <string.h>

#include "base/alloc.h"
#include "codec/hex.h"

#define MAX_CONFIGURATIONS 1024

struct entry {
  uint8_t digest[CDS_DIGEST];
  struct cds_signer_set set;
};

struct snapshot {
  struct snapshot *older; /* the next of the retired ones */
  size_t count;
  struct entry entries[]; /* ascending by digest */
};

struct cds_signer_registry {
  unsigned refs;            /* atomic */
  unsigned readers;         /* atomic */
  struct snapshot *current; /* atomic, never NULL */
  struct snapshot *retired; /* the changing thread only */
  bool has_otherwise;
  struct cds_signer_set otherwise;
};

/* ---- sets ---- */

bool cds_address_parse(uint8_t out[CDS_ADDRESS], const char *text, size_t length) {
  if (length != CDS_ADDRESS_TEXT || text[0] != '0' || (text[1] | 0x20) != 'x') return false;
  return cds_hex_decode(out, text + 2, 2 * CDS_ADDRESS) == 2 * CDS_ADDRESS;
}

void cds_address_format(char out[CDS_ADDRESS_TEXT + 1], const uint8_t address[CDS_ADDRESS]) {
  memcpy(out, "0x", 2);
  cds_hex_encode(out + 2, address, CDS_ADDRESS);
  out[CDS_ADDRESS_TEXT] = 0;
}

static enum cds_status check_numbers(size_t count, int64_t f, struct cds_error *err) {
  if (f < 1)
    return cds_error_set(err, CDS_E_CONFIG, "f must be 1 or more, got %lld (FaultToleranceMustBePositive)",
                         (long long)f);
  if (count > CDS_MAX_SIGNATURES)
    return cds_error_set(err, CDS_E_CONFIG, "at most %d signers, got %zu (ExcessSigners)", CDS_MAX_SIGNATURES, count);
  if (f > CDS_MAX_SIGNATURES || count <= 3 * (size_t)f)
    return cds_error_set(err, CDS_E_CONFIG,
                         "more than 3 * f signers are needed: f is %lld, got %zu (InsufficientSigners)", (long long)f,
                         count);
  return CDS_OK;
}

int cds_signer_set_find(const struct cds_signer_set *set, const uint8_t address[CDS_ADDRESS]) {
  for (int i = 0; i < set->count; i++)
    if (memcmp(set->addresses[i], address, CDS_ADDRESS) == 0) return i;
  return -1;
}

enum cds_status cds_signer_set_init(struct cds_signer_set *set, const uint8_t (*addresses)[CDS_ADDRESS], size_t count,
                                    int64_t f, struct cds_error *err) {
  static const uint8_t zero[CDS_ADDRESS];
  memset(set, 0, sizeof *set);
  enum cds_status status = check_numbers(count, f, err);
  if (status != CDS_OK) return status;
  for (size_t i = 0; i < count; i++) {
    char text[CDS_ADDRESS_TEXT + 1];
    cds_address_format(text, addresses[i]);
    if (memcmp(addresses[i], zero, CDS_ADDRESS) == 0)
      return cds_error_set(err, CDS_E_CONFIG, "signer %zu is the address zero (ZeroAddress)", i + 1);
    if (cds_signer_set_find(set, addresses[i]) >= 0)
      return cds_error_set(err, CDS_E_CONFIG, "signer %zu, %s, is there twice (NonUniqueSignatures)", i + 1, text);
    memcpy(set->addresses[set->count++], addresses[i], CDS_ADDRESS);
  }
  set->f = (uint8_t)f;
  set->active = true;
  return CDS_OK;
}

/* ---- snapshots ---- */

static struct snapshot *snapshot_new(size_t count) {
  struct snapshot *snapshot = cds_malloc(sizeof *snapshot + count * sizeof *snapshot->entries);
  if (snapshot) *snapshot = (struct snapshot){.count = count};
  return snapshot;
}

/* The digest's place, or where it would stand. */
static size_t place_of(bool *found, const struct snapshot *snapshot, const uint8_t digest[CDS_DIGEST]) {
  size_t low = 0, high = snapshot->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (memcmp(snapshot->entries[middle].digest, digest, CDS_DIGEST) < 0) low = middle + 1;
    else high = middle;
  }
  *found = low < snapshot->count && memcmp(snapshot->entries[low].digest, digest, CDS_DIGEST) == 0;
  return low;
}

/* A reader comes before it loads the pointer; so a change that published first and then sees no reader knows that
 * every later one gets the new snapshot. All four operations are in one total order. */
static const struct snapshot *enter(struct cds_signer_registry *registry) {
  __atomic_add_fetch(&registry->readers, 1, __ATOMIC_SEQ_CST);
  return __atomic_load_n(&registry->current, __ATOMIC_SEQ_CST);
}

static void leave(struct cds_signer_registry *registry) {
  __atomic_sub_fetch(&registry->readers, 1, __ATOMIC_SEQ_CST);
}

static void free_retired(struct cds_signer_registry *registry) {
  while (registry->retired) {
    struct snapshot *older = registry->retired->older;
    cds_free(registry->retired);
    registry->retired = older;
  }
}

static void publish(struct cds_signer_registry *registry, struct snapshot *next) {
  struct snapshot *old = __atomic_exchange_n(&registry->current, next, __ATOMIC_SEQ_CST);
  old->older = registry->retired;
  registry->retired = old;
  if (__atomic_load_n(&registry->readers, __ATOMIC_SEQ_CST) == 0) free_retired(registry);
}

/* ---- the registry ---- */

struct cds_signer_registry *cds_signer_registry_new(const struct cds_signer_set *otherwise) {
  struct cds_signer_registry *registry = cds_calloc(1, sizeof *registry);
  struct snapshot *empty = snapshot_new(0);
  if (!registry || !empty) {
    cds_free(registry);
    cds_free(empty);
    return NULL;
  }
  registry->refs = 1;
  registry->current = empty;
  registry->has_otherwise = otherwise != NULL;
  if (otherwise) registry->otherwise = *otherwise;
  return registry;
}

struct cds_signer_registry *cds_signer_registry_ref(struct cds_signer_registry *registry) {
  __atomic_fetch_add(&registry->refs, 1, __ATOMIC_RELAXED);
  return registry;
}

void cds_signer_registry_unref(struct cds_signer_registry *registry) {
  if (!registry || __atomic_sub_fetch(&registry->refs, 1, __ATOMIC_ACQ_REL) > 0) return;
  free_retired(registry);
  cds_free(registry->current);
  cds_free(registry);
}

/* Only the changing thread retires snapshots, so it may read the current one without announcing itself. */
enum cds_status cds_signer_registry_put(struct cds_signer_registry *registry, const uint8_t digest[CDS_DIGEST],
                                        const struct cds_signer_set *set, struct cds_error *err) {
  const struct snapshot *now = registry->current;
  bool found;
  size_t place = place_of(&found, now, digest);
  size_t after = place + found;
  if (!found && now->count == MAX_CONFIGURATIONS)
    return cds_error_set(err, CDS_E_CONFIG, "at most %d configurations", MAX_CONFIGURATIONS);
  struct snapshot *next = snapshot_new(now->count + !found);
  if (!next) return cds_error_set(err, CDS_E_MEMORY, "no memory for a signer configuration");
  memcpy(next->entries, now->entries, place * sizeof *next->entries);
  memcpy(next->entries[place].digest, digest, CDS_DIGEST);
  next->entries[place].set = *set;
  memcpy(next->entries + place + 1, now->entries + after, (now->count - after) * sizeof *next->entries);
  publish(registry, next);
  return CDS_OK;
}

enum cds_status cds_signer_registry_remove(bool *found, struct cds_signer_registry *registry,
                                           const uint8_t digest[CDS_DIGEST], struct cds_error *err) {
  const struct snapshot *now = registry->current;
  size_t place = place_of(found, now, digest);
  if (!*found) return CDS_OK;
  struct snapshot *next = snapshot_new(now->count - 1);
  if (!next) return cds_error_set(err, CDS_E_MEMORY, "no memory to remove a signer configuration");
  memcpy(next->entries, now->entries, place * sizeof *next->entries);
  memcpy(next->entries + place, now->entries + place + 1, (next->count - place) * sizeof *next->entries);
  publish(registry, next);
  return CDS_OK;
}

bool cds_signer_registry_find(struct cds_signer_set *set, struct cds_signer_registry *registry,
                              const uint8_t digest[CDS_DIGEST]) {
  bool found;
  const struct snapshot *snapshot = enter(registry);
  size_t place = place_of(&found, snapshot, digest);
  if (found) *set = snapshot->entries[place].set;
  leave(registry);
  if (!found && registry->has_otherwise) *set = registry->otherwise;
  return found || registry->has_otherwise;
}

bool cds_signer_registry_at(uint8_t digest[CDS_DIGEST], struct cds_signer_set *set,
                            struct cds_signer_registry *registry, size_t place) {
  const struct snapshot *snapshot = enter(registry);
  bool found = place < snapshot->count;
  if (found) {
    memcpy(digest, snapshot->entries[place].digest, CDS_DIGEST);
    *set = snapshot->entries[place].set;
  }
  leave(registry);
  return found;
}
