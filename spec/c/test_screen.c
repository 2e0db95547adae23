/* SPDX-License-Identifier: MIT
 * The option `verify` against reports whose signatures are good, but that hold something nobody signed. */
#include "signed.h"
#include "stream_fixture.h"

/* With room for bytes that belong to no part. */
#define TAIL_MAX 2048
#define TEXT_MAX (ENVELOPE_MAX + 2 * TAIL_MAX)

static char unknown[TEXT_MAX], longest[TEXT_MAX], too_long[TEXT_MAX], plain[TEXT_MAX];

/* A signed report of the feed that was observed at `signed_second`, in an envelope that says `told_second`. */
static void write_signed(char out[TEXT_MAX], const struct cds_feed_id *feed, uint32_t signed_second,
                         uint32_t told_second, size_t tail) {
  struct sample sample;
  uint8_t blob[9 * CDS_WORD] = {0};
  struct cds_report *report;
  memcpy(blob, feed->bytes, CDS_WORD);
  sample_put(blob + 1 * CDS_WORD, signed_second);
  sample_put(blob + 2 * CDS_WORD, signed_second);
  sample_report(&sample, blob, sizeof blob, 2);
  sample.length += tail;
  if (cds_report_from_bytes(&report, sample.bytes, sample.length, NULL) != CDS_OK) abort();
  for (size_t i = 0; i < 2; i++) signed_sign(report, i, i);
  memcpy(sample.bytes, report->bytes, sample.length);
  cds_report_unref(report);
  write_message(out, feed, &sample, told_second, told_second);
}

static void serve(struct ws_server *server, int number, int fd) {
  (void)number;
  if (!ws_accept(server, fd)) return;
  ws_send_message(fd, unknown);
  ws_send_message(fd, too_long);
  ws_send_message(fd, longest);
  ws_send_message(fd, plain);
  ws_attend(fd);
}

static struct cds_feed_id feed_of_version(uint8_t version) {
  struct cds_feed_id feed = feed_number(1);
  feed.bytes[1] = version;
  return feed;
}

static void open_verifying(struct fixture *fixture, struct cds_signer_registry *signers) {
  const struct cds_feed_id feeds[] = {feed_number(1), feed_of_version(255)};
  struct cds_error err = {0};
  begin(fixture, serve, NULL);
  fixture->config.stream.signers = signers;
  struct cds_stream_config config = fixture->config.stream;
  if (cds_client_new(&fixture->client, &fixture->config, &err) != CDS_OK ||
      cds_stream_open(&fixture->stream, fixture->client, feeds, 2, &config, &err) != CDS_OK)
    abort();
}

static void test_unsigned(struct cds_signer_registry *signers) {
  struct fixture fixture;
  struct seen_events seen = {0};
  open_verifying(&fixture, signers);
  is_number(take_in_order(&fixture, &seen, 2, 2), 2, "what was signed whole is delivered, with a short tail too");
  is_number(stats_of(&fixture).unverified, 2, "and what was not is counted, not delivered");
  ok(strstr(seen.all_text, "UnknownSchema: version 255") != NULL, "a time that only the envelope has: %s",
     seen.last_warning);
  finish(&fixture);
}

/* One event a second tells of many: each kind first, on a stream of its own. */
static void test_tail_told(struct cds_signer_registry *signers) {
  struct fixture fixture;
  struct seen_events seen = {0};
  memcpy(unknown, too_long, sizeof unknown);
  open_verifying(&fixture, signers);
  is_number(take_in_order(&fixture, &seen, 2, 2), 2, "a tail");
  ok(strstr(seen.all_text, "UnsignedBytes: 1025 bytes") != NULL, "is told: %s", seen.last_warning);
  finish(&fixture);
}

static void test_without_verify(void) {
  struct fixture fixture;
  open_verifying(&fixture, NULL);
  for (size_t i = 0; i < 4; i++) {
    struct cds_error err = {0};
    struct cds_report *report = next_report(&fixture, NULL, &err);
    ok(report != NULL, "a stream that does not verify takes report %zu", i + 1);
    cds_report_unref(report);
  }
  finish(&fixture);
}

int main(void) {
  const struct cds_feed_id known = feed_number(1), not_known = feed_of_version(255);
  signed_init();
  tap_kept_blocks = 1; /* the curve's tables */
  struct cds_signer_set set = signed_set(4, 1);
  struct cds_signer_registry *signers = cds_signer_registry_new(&set);
  write_signed(unknown, &not_known, 1600000000, base_time, 0);
  write_signed(too_long, &known, base_time + 1, base_time + 1, CDS_MAX_UNSIGNED_BYTES + 1);
  write_signed(longest, &known, base_time + 2, base_time + 2, CDS_MAX_UNSIGNED_BYTES);
  write_signed(plain, &known, base_time + 3, base_time + 3, 0);
  test_without_verify();
  test_unsigned(signers);
  test_tail_told(signers);
  cds_signer_registry_unref(signers);
  secp256k1_context_destroy(signed_curve);
  return done();
}
