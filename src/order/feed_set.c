/* SPDX-License-Identifier: MIT
 * Open addressing over the ids' last bytes, which are as good as random in real feed ids; the multiplication spreads
 * those of people who count 1, 2, 3. */
#include "order/feed_set.h"

#include <string.h>

#include "base/alloc.h"
#include "codec/abi.h"

static size_t home(const struct cds_feed_set *set, const struct cds_feed_id *id) {
  uint64_t tail = cds_load_u64(id->bytes + sizeof id->bytes - sizeof tail);
  return (size_t)((tail * 0x9e3779b97f4a7c15u) >> 32) & set->mask;
}

/* The table's place of the id: where it is, or where it would go. */
static size_t probe(const struct cds_feed_set *set, const struct cds_feed_id *id) {
  size_t at = home(set, id);
  while (set->table[at] != 0 && cds_feed_id_compare(&set->ids[set->table[at] - 1], id) != 0) at = (at + 1) & set->mask;
  return at;
}

enum cds_status cds_feed_set_init(struct cds_feed_set *set, const struct cds_feed_id *ids, size_t count) {
  *set = (struct cds_feed_set){0};
  if (cds_feed_set_reserve(set, count) != CDS_OK) return CDS_E_MEMORY;
  for (size_t i = 0; i < count; i++)
    if (cds_feed_set_find(set, &ids[i]) == CDS_NO_SLOT) cds_feed_set_put(set, set->count, &ids[i]);
  return CDS_OK;
}

static void index_slot(struct cds_feed_set *set, size_t slot) {
  set->table[probe(set, &set->ids[slot])] = (uint32_t)(slot + 1);
}

static void index_all(struct cds_feed_set *set) {
  memset(set->table, 0, (set->mask + 1) * sizeof *set->table);
  for (size_t slot = 0; slot < set->count; slot++) index_slot(set, slot);
}

enum cds_status cds_feed_set_reserve(struct cds_feed_set *set, size_t count) {
  size_t size = 4;
  while (size < count * 2) size *= 2;
  if (set->table != NULL && count <= set->room) return CDS_OK;
  uint32_t *table = cds_calloc(size, sizeof *table);
  struct cds_feed_id *ids = table != NULL ? cds_realloc(set->ids, count * sizeof *ids) : NULL;
  if (ids == NULL) {
    cds_free(table);
    return CDS_E_MEMORY;
  }
  cds_free(set->table);
  set->ids = ids;
  set->table = table;
  set->mask = size - 1;
  set->room = count;
  index_all(set);
  return CDS_OK;
}

void cds_feed_set_put(struct cds_feed_set *set, size_t slot, const struct cds_feed_id *id) {
  set->ids[slot] = *id;
  if (slot < set->count) {
    index_all(set); /* an entry cannot be taken out of the table alone */
    return;
  }
  set->count++;
  index_slot(set, slot);
}

void cds_feed_set_clear(struct cds_feed_set *set) {
  cds_free(set->ids);
  cds_free(set->table);
  *set = (struct cds_feed_set){0};
}

size_t cds_feed_set_find(const struct cds_feed_set *set, const struct cds_feed_id *id) {
  uint32_t found = set->table[probe(set, id)];
  return found == 0 ? CDS_NO_SLOT : found - 1u;
}
