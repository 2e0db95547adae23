/* SPDX-License-Identifier: MIT
 * What a stream's script wants, changed while it runs. By the script's thread. */
#ifndef CDS_SUBSCRIBE_H
#define CDS_SUBSCRIBE_H

#include "codec/feed_id.h"

struct cds_stream;

/* Changes the feeds without loss for those that stay. Ids that are there (not there) already are passed over. New feeds
 * begin with their next report. Reports of feeds that go are not delivered any more, those that wait are dropped and
 * counted so. The connections follow in the background; when the service refuses them, the old ones go on, the feeds
 * that were added since are taken out again, and events tell. What is asked for while that is under way comes next.
 * CDS_E_CONFIG, and nothing changed: too many feeds or connections, or none left. The error of a stream that is over. */
CDS_MUST_CHECK enum cds_status cds_stream_subscribe(struct cds_stream *stream, const struct cds_feed_id *feeds,
                                                    size_t feed_count, struct cds_error *err);
CDS_MUST_CHECK enum cds_status cds_stream_unsubscribe(struct cds_stream *stream, const struct cds_feed_id *feeds,
                                                      size_t feed_count, struct cds_error *err);

#endif
