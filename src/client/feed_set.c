/* SPDX-License-Identifier: MIT
 * Open addressing over the ids' last bytes, which are as good as random in real feed ids; the multiplication spreads
 * those of people who count 1, 2, 3. */
#include "client/feed_set.h"

#include "base/alloc.h"

#include <string.h>

static size_t home(const struct cds_feed_set *set, const struct cds_feed_id *id) {
  uint64_t tail;
  memcpy(&tail, id->bytes + sizeof id->bytes - sizeof tail, sizeof tail);
  return (size_t)((tail * 0x9e3779b97f4a7c15u) >> 32) & set->mask;
}

/* The table's place of the id: where it is, or where it would go. */
static size_t probe(const struct cds_feed_set *set, const struct cds_feed_id *id) {
  size_t at = home(set, id);
  while (set->table[at] != 0 && cds_feed_id_compare(&set->ids[set->table[at] - 1], id) != 0) at = (at + 1) & set->mask;
  return at;
}

enum cds_status cds_feed_set_init(struct cds_feed_set *set, const struct cds_feed_id *ids, size_t count) {
  size_t size = 4;
  while (size < count * 2) size *= 2;
  *set = (struct cds_feed_set){.mask = size - 1};
  set->ids = cds_calloc(count + 1, sizeof *set->ids);
  set->table = cds_calloc(size, sizeof *set->table);
  if (set->ids == NULL || set->table == NULL) {
    cds_feed_set_clear(set);
    return CDS_E_MEMORY;
  }
  for (size_t i = 0; i < count; i++) {
    size_t at = probe(set, &ids[i]);
    if (set->table[at] != 0) continue;
    set->ids[set->count++] = ids[i];
    set->table[at] = (uint32_t)set->count;
  }
  return CDS_OK;
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
