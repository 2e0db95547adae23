/* SPDX-License-Identifier: MIT
 * The clock, the origins, the counters and the JSON of one report. */
#include "simulator/service.h"

#include "base/clock.h"
#include "codec/hex.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t cds_sim_now_ms(const struct cds_sim *sim) {
  return cds_clock_wall_ms() + (int64_t)(sim->options->clock_offset * 1000);
}

int64_t cds_sim_gate_ms(const struct cds_sim *sim) {
  return cds_sim_now_ms(sim) + sim->skew_ms;
}

void cds_sim_http_date(char out[40], const struct cds_sim *sim) {
  static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  time_t now = (time_t)(cds_sim_gate_ms(sim) / 1000);
  struct tm t = {0};
  gmtime_r(&now, &t);
  snprintf(out, 40, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon,
           (t.tm_year + 1900) % 10000, t.tm_hour, t.tm_min, t.tm_sec);
}

bool cds_sim_find_origin(const struct cds_sim *sim, const char *name, size_t *origin) {
  *origin = 0;
  for (size_t i = 0; name && i < sim->options->origin_count; i++) {
    if (strcmp(sim->options->origins[i], name) != 0) continue;
    *origin = i;
    return true;
  }
  return name == NULL;
}

static unsigned long long in_unit(const struct cds_sim_report *report, uint64_t time, bool in_ms) {
  if (report->feed->in_ms == in_ms) return time;
  return in_ms ? time * 1000 : time / 1000;
}

enum cds_status cds_sim_report_json(struct cds_buf *out, struct cds_sim *sim, const struct cds_sim_report *report,
                                    bool in_ms) {
  const char *unit = in_ms ? "Ms" : "";
  cds_hex_encode(sim->hex, report->full, report->length);
  enum cds_status status = cds_buf_printf(out, "{\"feedID\":\"%s\",\"fullReport\":\"0x", report->feed->text);
  if (status == CDS_OK) status = cds_buf_append(out, sim->hex, 2 * report->length);
  if (status != CDS_OK) return status;
  return cds_buf_printf(out, "\",\"validFromTimestamp%s\":%llu,\"observationsTimestamp%s\":%llu}", unit,
                        in_unit(report, report->valid_from, in_ms), unit, in_unit(report, report->observed, in_ms));
}

void cds_sim_count(struct cds_sim *sim, enum cds_sim_endpoint endpoint, int status) {
  for (size_t i = 0; i < CDS_SIM_COUNTED_STATUSES; i++) {
    if (sim->stats.requests[endpoint][i].status != status && sim->stats.requests[endpoint][i].status != 0) continue;
    sim->stats.requests[endpoint][i].status = status;
    sim->stats.requests[endpoint][i].count++;
    return;
  }
}
