/* SPDX-License-Identifier: MIT
 * The per-feed watermark. */
#include "client/merge.h"

#include "base/alloc.h"

bool cds_merge_init(struct cds_merge *merge, size_t feed_count, uint64_t seed) {
  *merge = (struct cds_merge){.count = feed_count, .seed = seed};
  merge->feeds = cds_calloc(feed_count + 1, sizeof *merge->feeds);
  return merge->feeds != NULL;
}

void cds_merge_clear(struct cds_merge *merge) {
  for (size_t i = 0; merge->feeds != NULL && i < merge->count; i++) cds_seen_clear(&merge->feeds[i].seen);
  cds_free(merge->feeds);
  *merge = (struct cds_merge){0};
}

bool cds_merge_peek(const struct cds_merge *merge, size_t slot, uint64_t text_tag) {
  return cds_seen_has(&merge->feeds[slot].seen, text_tag);
}

static bool leaves_gap(const struct cds_watermark *feed, const struct cds_candidate *candidate) {
  return feed->started && candidate->has_valid_from_timestamp &&
         (int64_t)candidate->valid_from_timestamp > (int64_t)feed->newest + 1;
}

enum cds_verdict cds_merge_commit(bool *gap, struct cds_merge *merge, const struct cds_candidate *candidate,
                                  int64_t latest_possible) {
  struct cds_watermark *feed = &merge->feeds[candidate->slot];
  *gap = false;
  if (cds_seen_has(&feed->seen, candidate->blob_tag)) return CDS_VERDICT_DUPLICATE;
  uint32_t second = candidate->has_observations_timestamp ? candidate->observations_timestamp : feed->newest;
  if (feed->started && second < feed->newest) return CDS_VERDICT_OUT_OF_ORDER;
  if ((int64_t)second > latest_possible) return CDS_VERDICT_FUTURE;
  if (!cds_seen_reserve(&feed->seen, 2, second)) return CDS_VERDICT_TOO_MANY;
  cds_seen_add(&feed->seen, candidate->blob_tag, second);
  if (candidate->text_tag != 0) cds_seen_add(&feed->seen, candidate->text_tag, second);
  *gap = leaves_gap(feed, candidate);
  feed->newest = second;
  feed->started = true;
  return CDS_VERDICT_ACCEPT;
}
