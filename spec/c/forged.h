/* SPDX-License-Identifier: MIT
 * Messages whose reports are signed, by those who may or by others. */
#ifndef FORGED_H
#define FORGED_H

#include "signed.h"
#include "stream_fixture.h"

static bool forges; /* set while no other thread makes messages */

static const char *signed_message(unsigned feed, uint32_t number) {
  static _Thread_local char text[ENVELOPE_MAX];
  static _Thread_local struct sample sample;
  uint8_t blob[SAMPLE_MAX] = {0};
  struct cds_feed_id id = feed_number(feed);
  struct cds_report *report;
  memcpy(blob, id.bytes, sizeof id.bytes);
  sample_put(blob + 32, base_time + number);
  sample_put(blob + 64, base_time + number);
  sample_put(blob + 192, forges);
  sample_report(&sample, blob, 9 * 32, 2);
  if (cds_report_from_bytes(&report, sample.bytes, sample.length, NULL) != CDS_OK) abort();
  for (size_t i = 0; i < 2; i++) signed_sign(report, i, forges ? 20 + i : i);
  memcpy(sample.bytes, report->bytes, sample.length);
  cds_report_unref(report);
  write_message(text, &id, &sample, base_time + number, base_time + number);
  return text;
}

/* The fixture's streams verify: of four signers two must have signed. */
static struct cds_signer_registry *forged_begin(struct fixture *fixture) {
  signed_init();
  tap_kept_blocks = 1; /* the curve's tables */
  struct cds_signer_set set = signed_set(4, 1);
  fixture->config.stream.signers = cds_signer_registry_new(&set);
  return fixture->config.stream.signers;
}

static void forged_end(struct cds_signer_registry *signers) {
  cds_signer_registry_unref(signers);
  secp256k1_context_destroy(signed_curve);
}

#endif
