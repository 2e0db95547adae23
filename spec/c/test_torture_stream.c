/* SPDX-License-Identifier: MIT
 * A stream from open to close, each of its allocations failing once. Where the memory comes back, the stream goes on:
 * a message may be lost and is counted, an attempt to connect is repeated. Where it does not, the stream ends with a
 * MemoryError or cannot be opened. */
#include "signed.h"
#include "stream_fixture.h"
#include "torture.h"

#define MESSAGES 4 /* of one connection; a lost one is followed by others */

static void serve(struct ws_server *server, int number, int fd) {
  if (!ws_accept(server, fd)) return;
  for (uint32_t i = 0; i < MESSAGES; i++) {
    const char *text = next_message(1, (uint32_t)number * MESSAGES + i);
    size_t half = strlen(text) / 2; /* in two fragments, so that the message is put together */
    if (!ws_send(fd, WS_TEXT, false, text, half)) return;
    if (!ws_send(fd, WS_CONTINUATION, true, text + half, strlen(text) - half)) return;
  }
  ws_attend(fd);
}

/* As serve, but ends every connection, so that a client that can take nothing in runs out of attempts. */
static void serve_and_end(struct ws_server *server, int number, int fd) {
  if (!ws_accept(server, fd)) return;
  for (uint32_t i = 0; i < MESSAGES; i++) ws_send_message(fd, next_message(1, (uint32_t)number * MESSAGES + i));
}

/* ---- verification ---- */

static char forged[ENVELOPE_MAX], genuine[MESSAGES][ENVELOPE_MAX];

static void write_signed(char out[ENVELOPE_MAX], uint32_t number, bool is_forged) {
  struct sample sample;
  uint8_t blob[SAMPLE_MAX];
  struct cds_feed_id feed = feed_number(1);
  struct cds_report *report;
  size_t length = sample_blob(blob, cds_schema_find(3));
  memcpy(blob, feed.bytes, 32);
  sample_put(blob + 32, base_time + number);
  sample_put(blob + 64, base_time + number);
  sample_report(&sample, blob, length, 2);
  if (cds_report_from_bytes(&report, sample.bytes, sample.length, NULL) != CDS_OK) abort();
  for (size_t i = 0; i < 2; i++) signed_sign(report, i, is_forged ? 20 + i : i);
  memcpy(sample.bytes, report->bytes, sample.length);
  cds_report_unref(report);
  write_message(out, &feed, &sample, base_time + number, base_time + number);
}

static struct cds_signer_registry *make_signers(void) {
  signed_init();
  tap_kept_blocks = 1; /* the curve's tables */
  struct cds_signer_set set = signed_set(4, 1);
  write_signed(forged, 1, true);
  for (uint32_t i = 0; i < MESSAGES; i++) write_signed(genuine[i], i + 2, false);
  return cds_signer_registry_new(&set);
}

static void serve_signed(struct ws_server *server, int number, int fd) {
  (void)number;
  if (!ws_accept(server, fd) || !ws_send_message(fd, forged)) return;
  for (uint32_t i = 0; i < MESSAGES; i++)
    if (!ws_send_message(fd, genuine[i])) return;
  ws_attend(fd);
}

static ws_serve *script;
static double max_reconnects;
static struct cds_signer_registry *signers;

/* The first report, or why there is none. */
static enum cds_status read_one(struct fixture *fixture) {
  struct cds_error err = {0};
  struct cds_report *report = next_report(fixture, NULL, &err);
  if (report != NULL) {
    bool is_forged = signers != NULL && report->observations_timestamp == base_time + 1;
    cds_report_unref(report);
    return is_forged ? CDS_E_VERIFICATION : CDS_OK;
  }
  /* every message was lost for want of memory, and counted so, before the server hung up too often */
  if (err.status == CDS_E_NETWORK && stats_of(fixture).decode_errors > 0) return CDS_E_MEMORY;
  return err.status;
}

static enum cds_status run_stream(void) {
  struct fixture fixture;
  struct cds_error err = {0};
  struct cds_feed_id feed = feed_number(1);
  cds_alloc_fail_after(-1);
  begin(&fixture, script, NULL);
  fixture.config.stream.max_reconnects = max_reconnects;
  fixture.config.stream.signers = signers;
  struct cds_stream_config config = fixture.config.stream;
  torture_arm();
  enum cds_status status = cds_client_new(&fixture.client, &fixture.config, &err);
  if (status == CDS_OK) status = cds_stream_open(&fixture.stream, fixture.client, &feed, 1, &config, &err);
  if (status == CDS_OK) status = read_one(&fixture);
  finish(&fixture);
  return status;
}

int main(void) {
  script = serve;
  max_reconnects = INFINITY;
  torture("a stream, one failure", cds_alloc_fail_one, run_stream, TORTURE_MAY_GO_ON);
  script = serve_and_end;
  max_reconnects = 2;
  torture("a stream, no memory from then on", cds_alloc_fail_after, run_stream, TORTURE_MAY_GO_ON);
  script = serve_signed;
  max_reconnects = INFINITY;
  signers = make_signers();
  torture("a stream that verifies, one failure", cds_alloc_fail_one, run_stream, TORTURE_MAY_GO_ON);
  cds_signer_registry_unref(signers);
  secp256k1_context_destroy(signed_curve);
  return done();
}
