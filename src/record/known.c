/* SPDX-License-Identifier: MIT
 * A growing table of feeds. */
#include "record/known.h"

#include "base/alloc.h"

#define MAX_FEEDS 16384

static bool grow(struct cds_known *known) {
  size_t room = known->room ? 2 * known->room : 16;
  struct cds_known_feed *feeds = cds_realloc(known->feeds, room * sizeof *feeds);
  if (!feeds) return false;
  known->feeds = feeds;
  known->room = room;
  return true;
}

struct cds_known_feed *cds_known_find(const struct cds_known *known, const struct cds_feed_id *id) {
  size_t slot = cds_feed_set_find(&known->set, id);
  return slot == CDS_NO_SLOT ? NULL : &known->feeds[slot];
}

struct cds_known_feed *cds_known_get(struct cds_known *known, const struct cds_feed_id *id) {
  struct cds_known_feed *feed = cds_known_find(known, id);
  size_t slot = known->set.count;
  if (feed) return feed;
  if (slot == MAX_FEEDS || (slot == known->room && !grow(known))) return NULL;
  if (cds_feed_set_reserve(&known->set, known->room) != CDS_OK) return NULL;
  cds_feed_set_put(&known->set, slot, id);
  known->feeds[slot] = (struct cds_known_feed){.is_unwanted = known->wants_named_only};
  return &known->feeds[slot];
}

bool cds_known_init(struct cds_known *known, const struct cds_feed_id *ids, size_t count) {
  *known = (struct cds_known){0};
  bool good = cds_feed_set_init(&known->set, NULL, 0) == CDS_OK;
  for (size_t i = 0; good && i < count; i++) good = cds_known_get(known, &ids[i]) != NULL;
  known->wants_named_only = count > 0;
  if (!good) cds_known_clear(known);
  return good;
}

void cds_known_clear(struct cds_known *known) {
  for (size_t i = 0; i < known->set.count; i++) cds_report_unref(known->feeds[i].latest);
  cds_free(known->feeds);
  cds_feed_set_clear(&known->set);
  *known = (struct cds_known){0};
}

bool cds_known_wants(const struct cds_known *known, const struct cds_feed_id *id) {
  const struct cds_known_feed *feed = cds_known_find(known, id);
  return feed ? !feed->is_unwanted : !known->wants_named_only;
}

size_t cds_known_wanted(const struct cds_known *known) {
  size_t count = 0;
  for (size_t i = 0; i < known->set.count; i++) count += !known->feeds[i].is_unwanted;
  return count;
}
