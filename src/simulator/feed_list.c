/* SPDX-License-Identifier: MIT
 * Feed ids of requests. */
#include "simulator/feed_list.h"

#include "base/alloc.h"

#include <string.h>

int cds_sim_find_feed(struct cds_sim *sim, const struct cds_sim_account *account, const char *text, size_t length,
                      size_t *feed, const char **message) {
  uint8_t id[32];
  *message = "malformed feed ID";
  if (!cds_sim_id_parse(id, text, length)) return 400;
  long index = cds_sim_feeds_find(&sim->source.feeds, id);
  *message = "feed does not exist or is not permitted";
  if (index < 0 || (account->permitted && !account->permitted[index])) return 401;
  *feed = (size_t)index;
  return 0;
}

static bool contains(const size_t *list, size_t count, size_t feed) {
  for (size_t i = 0; i < count; i++)
    if (list[i] == feed) return true;
  return false;
}

int cds_sim_read_feeds(struct cds_sim *sim, const struct cds_sim_account *account, const char *list, size_t **feeds,
                       size_t *count, const char **message) {
  *count = 0;
  *message = "out of memory";
  *feeds = cds_calloc(sim->source.feeds.count, sizeof **feeds);
  if (!*feeds) return 500;
  int status = 0;
  for (const char *at = list; status == 0; at++) {
    size_t length = strcspn(at, ","), feed = 0;
    status = cds_sim_find_feed(sim, account, at, length, &feed, message);
    if (status == 0 && !contains(*feeds, *count, feed)) (*feeds)[(*count)++] = feed;
    at += length;
    if (!*at) break;
  }
  if (status == 0) return 0;
  cds_free(*feeds);
  *feeds = NULL;
  return status;
}
