/* SPDX-License-Identifier: MIT
 * A recording's lines behind a head: a replay gives reports or says what is wrong, ends, and what it gave is read back
 * the same when it is recorded again. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codec/message.h"
#include "fuzz.h"
#include "record/line.h"
#include "record/parse.h"
#include "record/replay.h"

static const char head[] = CDS_RECORDING_START ",\"version\":1,\"feeds\":[]}\n";

static void check_again(const struct cds_report *report) {
  struct cds_buf out;
  struct cds_error err;
  struct cds_record_line line;
  struct cds_report *again;
  cds_buf_init(&out, 4 << 20);
  MUST(cds_record_report(&out, report) == CDS_OK);
  MUST(cds_record_parse(&line, out.data, out.length - 1, &err) == CDS_OK && line.kind == CDS_RECORD_REPORT);
  MUST(cds_envelope_report(&again, &line.envelope, &err) == CDS_OK);
  MUST(again->length == report->length && memcmp(again->bytes, report->bytes, report->length) == 0);
  MUST((int64_t)line.received_at_ms == report->received_at_ms && line.backfilled == report->backfilled);
  MUST(again->observations_time == report->observations_time && again->valid_from_time == report->valid_from_time);
  cds_report_unref(again);
  cds_buf_clear(&out);
}

static void replay_all(struct cds_replay *replay) {
  struct cds_report *report;
  struct cds_error err;
  enum cds_pop pop;
  size_t steps = 0;
  while ((pop = cds_replay_pop(&report, replay, &err)) != CDS_POP_END) {
    struct cds_event *event = cds_replay_take_event(replay);
    if (event) MUST(memchr(event->message, 0, sizeof event->message) != NULL);
    cds_event_free(event);
    MUST(++steps < 1000000);
    if (pop != CDS_POP_REPORT) continue;
    check_again(report);
    cds_report_unref(report);
  }
  MUST(err.status != CDS_OK && err.message[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int file = -1;
  static char path[64];
  const char *paths[] = {path};
  struct cds_error err;
  struct cds_replay *replay;
  if (file < 0) file = memfd_create("recording", MFD_CLOEXEC);
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  MUST(ftruncate(file, 0) == 0 && pwrite(file, head, sizeof head - 1, 0) == (ssize_t)sizeof head - 1);
  MUST(pwrite(file, data, size, (off_t)sizeof head - 1) == (ssize_t)size);
  const struct cds_replay_options options = {.to_ms = UINT64_MAX};
  MUST(cds_replay_open(&replay, paths, 1, &options, &err) == CDS_OK);
  replay_all(replay);
  cds_replay_free(replay);
  return 0;
}
