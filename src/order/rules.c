/* SPDX-License-Identifier: MIT
 * The usual rules. */
#include "order/rules.h"

#include "base/limits.h"

struct cds_sequence_limits cds_sequence_default_limits(void) {
  return (struct cds_sequence_limits){.order = CDS_ORDER_FEED,
                                      .backfill = true,
                                      .max_held = 16384,
                                      .max_held_bytes = CDS_DEFAULT_QUEUE_BYTES / 4,
                                      .patience_ms = 1500,
                                      .delay_ms = 100,
                                      .probe_ms = 5000,
                                      .empty_delay_ms = 300,
                                      .max_empty = 4,
                                      .failed_delay_ms = 500,
                                      .max_failed_delay_ms = 10000,
                                      .max_retry_after_ms = 60000,
                                      .max_failing_ms = 300000,
                                      .max_gap_seconds = 3600,
                                      .page_limit = 500,
                                      .max_page_limit = 4000};
}
