/* SPDX-License-Identifier: MIT
 * The target of a link's request, and the version that it asks for. */
#include "stream/link_target.h"

#include <string.h>

#include "base/trace.h"

const struct cds_feed_id *cds_link_finer_feed(const struct cds_link_plan *plan) {
  for (size_t i = 0; i < plan->feed_count; i++)
    if (cds_feed_id_resolution(&plan->feeds[i]) != CDS_RESOLUTION_SECONDS) return &plan->feeds[i];
  return NULL;
}

bool cds_link_speaks_v2(const struct cds_link_plan *plan) {
  if (plan->stream->protocol == CDS_PROTOCOL_AUTO) return cds_link_finer_feed(plan) != NULL;
  return plan->stream->protocol == CDS_PROTOCOL_V2;
}

enum cds_status cds_link_target(struct cds_buf *target, const struct cds_link_plan *plan, size_t host) {
  const char *base = plan->config->ws[host].base;
  cds_buf_reset(target);
  enum cds_status status =
    cds_buf_printf(target, "%s/api/%s/ws?feedIDs=", base, cds_link_speaks_v2(plan) ? "v2" : "v1");
  for (size_t i = 0; status == CDS_OK && i < plan->feed_count; i++) {
    char text[CDS_FEED_ID_TEXT + 1];
    cds_feed_id_format(text, &plan->feeds[i]);
    status = cds_buf_printf(target, "%s%s", i > 0 ? "," : "", text);
  }
  return status;
}

size_t cds_link_longest_target(const struct cds_link_plan *plan) {
  size_t base = 0;
  for (size_t i = 0; i < plan->config->ws_count; i++) {
    size_t length = strlen(plan->config->ws[i].base);
    base = length > base ? length : base;
  }
  return base + 64 + plan->feed_count * (CDS_FEED_ID_TEXT + 1);
}

void cds_link_trace(const struct cds_link_plan *plan, size_t host, const char *target, const char *origin) {
  char name[CDS_HOST_PORT_TEXT];
  if (!cds_trace_is_on()) return;
  cds_url_host_port(name, &plan->config->ws[host]);
  cds_trace("> %s handshake: GET %.400s%s%s, signed (key and signature are not shown)", name, target,
            *origin != 0 ? ", origin " : "", origin);
}
