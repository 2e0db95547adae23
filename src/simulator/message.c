/* SPDX-License-Identifier: MIT
 * Messages, each made and framed once for all connections. */
#include "simulator/message.h"

#include "base/alloc.h"
#include "simulator/frame.h"

#define MAX_FRAME (4u << 20)

enum cds_status cds_sim_messages_open(struct cds_sim *sim, struct cds_error *err) {
  size_t count = sim->source.feeds.count * CDS_SIM_PROTOCOLS, longest = sim->source.replay.longest;
  if (longest < CDS_SIM_MAX_REPORT) longest = CDS_SIM_MAX_REPORT;
  sim->hex = cds_malloc(2 * longest);
  sim->slots = cds_calloc(count, sizeof *sim->slots);
  if (!sim->hex || !sim->slots) return cds_error_set(err, CDS_E_MEMORY, "no memory for the feeds' messages");
  for (size_t i = 0; i < count; i++) cds_buf_init(&sim->slots[i].frame, MAX_FRAME);
  return CDS_OK;
}

void cds_sim_messages_clear(struct cds_sim *sim) {
  for (size_t i = 0; sim->slots && i < sim->source.feeds.count * CDS_SIM_PROTOCOLS; i++)
    cds_buf_clear(&sim->slots[i].frame);
  cds_free(sim->slots);
  cds_free(sim->hex);
}

bool cds_sim_is_recorded(const struct cds_sim *sim) {
  return sim->source.replay.record_count > 0;
}

bool cds_sim_make_message(struct cds_buf *out, struct cds_sim *sim, size_t feed, uint64_t number,
                          enum cds_sim_protocol protocol) {
  struct cds_sim_report report;
  struct cds_buf body;
  bool good = true;
  cds_sim_get_sent(&report, &sim->source, feed, number);
  cds_buf_init(&body, MAX_FRAME);
  enum cds_status status = cds_buf_append(&body, "{\"report\":", 10);
  if (status == CDS_OK) status = cds_sim_report_json(&body, sim, &report, protocol == CDS_SIM_V2);
  if (status == CDS_OK) status = cds_buf_append(&body, "}", 1);
  cds_buf_reset(out);
  if (status == CDS_OK) cds_sim_frame(out, CDS_SIM_FINAL | CDS_SIM_BINARY, body.data, body.length, &good);
  cds_buf_clear(&body);
  return good && status == CDS_OK;
}

const struct cds_buf *cds_sim_message(struct cds_sim *sim, size_t feed, uint64_t number,
                                      enum cds_sim_protocol protocol) {
  struct cds_sim_slot *slot = &sim->slots[feed * CDS_SIM_PROTOCOLS + protocol];
  if (slot->used && slot->number == number) return &slot->frame;
  slot->used = cds_sim_make_message(&slot->frame, sim, feed, number, protocol);
  slot->number = number;
  return slot->used ? &slot->frame : NULL;
}
