/* SPDX-License-Identifier: MIT
 * Reports of the simulator, read by the library's decoder and recovered by libsecp256k1: each side checks the other. */
#include "codec/report.h"
#include "crypto/keccak.h"
#include "simulator/presign.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "tap.h"

#define SECOND 1795444013u

static struct cds_sim_source source;

static size_t ms_feeds; /* of the first ones */

static bool open_source(uint64_t seed, size_t feeds, unsigned rate) {
  struct cds_error err = {0};
  memset(&source, 0, sizeof source);
  source.rate = rate;
  return cds_sim_feeds_default(&source.feeds, seed, feeds, ms_feeds, &err) == CDS_OK &&
         cds_sim_signer_init(&source.signer, seed, 4, 2, &err) == CDS_OK;
}

static struct cds_report *decode(size_t feed, uint64_t number, struct cds_sim_report *made) {
  struct cds_report *report = NULL;
  struct cds_error err = {0};
  cds_sim_get(made, &source, feed, number);
  if (cds_report_from_bytes(&report, made->full, made->length, &err) != CDS_OK) printf("# %s\n", err.message);
  return report;
}

static bool is_negative(const struct cds_report *report, const char *field) {
  int index = cds_schema_field(report->schema, field, strlen(field));
  return index >= 0 && cds_report_word(report, (size_t)index)[0] == 0xff;
}

/* Orders two signed words. */
static int compare(const struct cds_report *report, const char *a, const char *b) {
  uint8_t x[32], y[32];
  memcpy(x, cds_report_word(report, (size_t)cds_schema_field(report->schema, a, strlen(a))), 32);
  memcpy(y, cds_report_word(report, (size_t)cds_schema_field(report->schema, b, strlen(b))), 32);
  x[0] ^= 0x80;
  y[0] ^= 0x80;
  return memcmp(x, y, 32);
}

static void every_schema(void) {
  unsigned seen = 0;
  for (size_t feed = 0; feed < 14; feed++) {
    struct cds_sim_report made;
    struct cds_report *report = decode(feed, SECOND, &made);
    if (!ok(report != NULL, "%s decodes", source.feeds.list[feed].name)) continue;
    seen |= 1u << report->version;
    ok(report->version == source.feeds.list[feed].version && report->blob.length == 32 * report->schema->field_count,
       "version %u has exactly its schema's words", report->version);
    is_number(report->observations_timestamp, SECOND, "observed at its second");
    if (report->has_valid_from_timestamp) is_number(report->valid_from_timestamp, SECOND, "valid from that second");
    ok(memcmp(report->feed_id.bytes, source.feeds.list[feed].id, 32) == 0, "the feed's id");
    is_number(report->rs.length, 2, "two signatures");
    cds_report_unref(report);
  }
  is_number(seen, 0x7ffe, "versions 1 to 14 were there");
}

static void prices(void) {
  int crossed = 0, negative = 0, positive = 0;
  for (uint64_t i = 0; i < 300; i++) {
    struct cds_sim_report made;
    struct cds_report *report = decode(0, SECOND + i * 3600, &made); /* v3 */
    if (!report) continue;
    crossed += compare(report, "bid", "benchmark_price") > 0 || compare(report, "benchmark_price", "ask") > 0;
    cds_report_unref(report);
    report = decode(3, SECOND - i * 86400, &made); /* v5, about zero */
    if (!report) continue;
    negative += is_negative(report, "rate");
    positive += !is_negative(report, "rate");
    cds_report_unref(report);
  }
  is_number(crossed, 0, "bid <= benchmark price <= ask");
  ok(negative > 0 && positive > 0, "a rate takes both signs");
}

static void same_everywhere(void) {
  uint8_t first[CDS_SIM_MAX_REPORT];
  struct cds_sim_report report;
  cds_sim_get(&report, &source, 5, SECOND);
  size_t length = report.length;
  memcpy(first, report.full, length);
  cds_sim_source_clear(&source);
  ok(open_source(1, 26, 100), "another run, another rate");
  cds_sim_get(&report, &source, 5, SECOND * 100ull);
  ok(report.length == length && memcmp(first, report.full, length) == 0, "gives the same first report of a second");
  cds_sim_get(&report, &source, 5, SECOND * 100ull + 1);
  ok(report.observed == SECOND && memcmp(first, report.full, length) != 0, "the second's next report is another");
  cds_sim_source_clear(&source);
  ok(open_source(2, 26, 1), "another seed");
  cds_sim_get(&report, &source, 5, SECOND);
  ok(memcmp(first + 256, report.full + 256, 224) != 0, "gives other values");
}

static bool recovers(const struct cds_sim_report *report, size_t blob, size_t index) {
  uint8_t input[128], digest[32], hash[32], compact[64], text[65];
  size_t text_length = sizeof text;
  const uint8_t *rs = report->full + 256 + blob + 32, *ss = rs + 3 * 32;
  cds_keccak256(input, report->full + 256, blob);
  memcpy(input + 32, report->full, 96);
  cds_keccak256(digest, input, 128);
  memcpy(compact, rs + 32 * index, 32);
  memcpy(compact + 32, ss + 32 * index, 32);
  secp256k1_ecdsa_recoverable_signature signature;
  secp256k1_pubkey key;
  if (!secp256k1_ecdsa_recoverable_signature_parse_compact(source.signer.curve, &signature, compact,
                                                           report->full[192 + index]) ||
      !secp256k1_ecdsa_recover(source.signer.curve, &key, &signature, digest))
    return false;
  secp256k1_ec_pubkey_serialize(source.signer.curve, text, &text_length, &key, SECP256K1_EC_UNCOMPRESSED);
  cds_keccak256(hash, text + 1, 64);
  for (size_t i = 0; i < source.signer.oracles; i++)
    if (memcmp(source.signer.address[i], hash + 12, 20) == 0) return true;
  return false;
}

static void signatures(void) {
  int good = 0;
  bool differ = false;
  uint8_t before[32] = {0};
  for (uint64_t i = 0; i < 20; i++) {
    struct cds_sim_report report;
    cds_sim_get(&report, &source, 0, SECOND + i);
    good += recovers(&report, 288, 0) + recovers(&report, 288, 1);
    differ = differ || memcmp(before, report.full + 32, 32) != 0;
    memcpy(before, report.full + 32, 32);
  }
  is_number(good, 40, "all signatures recover to the oracles' addresses");
  ok(differ, "epoch and round change");
  is_number(source.signer.config_digest[1], 6, "the config digest has its prefix");
}

static void presigned(void) {
  struct cds_error err = {0};
  bool stop = false;
  struct cds_sim_report report;
  uint8_t first[CDS_SIM_MAX_REPORT];
  source.rate = 10;
  is_number(cds_sim_presign(&source, 1, (int64_t)SECOND * 1000, &stop, &err), CDS_OK, "a second is signed ahead");
  is_number(source.presigned.count, 10, "ten reports of each feed");
  uint64_t number = source.presigned.first + 3;
  cds_sim_get(&report, &source, 7, number);
  memcpy(first, report.full, report.length);
  source.presigned.count = 0; /* switches the cache off, its memory stays */
  cds_sim_get(&report, &source, 7, number);
  ok(memcmp(first, report.full, report.length) == 0, "and is what would have been signed when due");
  stop = true;
  uint8_t *data = source.presigned.data;
  is_number(cds_sim_presign(&source, 1, (int64_t)SECOND * 1000, &stop, &err), CDS_OK, "stops when told to");
  ok(source.presigned.data == data, "without a new cache");
  is_number(cds_sim_presign(&source, 3600000, 0, &stop, &err), CDS_E_CONFIG, "refuses to take gigabytes");
}

static void numbers(void) {
  source.rate = 10;
  is_number(cds_sim_seek(&source, 0, 5), CDS_SIM_GENESIS * 10ull, "nothing before the beginning");
  is_number(cds_sim_seek(&source, 0, SECOND), SECOND * 10ull, "a second's first number");
  is_number(cds_sim_end(&source, 0, SECOND * 1000ll), SECOND * 10ull + 1,
            "the first report of a second is due at once");
  is_number(cds_sim_end(&source, 0, SECOND * 1000ll + 99), SECOND * 10ull + 1, "the next not before a tenth");
  is_number(cds_sim_end(&source, 0, SECOND * 1000ll + 100), SECOND * 10ull + 2, "but then");
  is_number(cds_sim_end(&source, 0, 1000), 0, "none in 1970");
}

static void pauses(void) {
  uint8_t before[CDS_SIM_MAX_REPORT];
  struct cds_sim_report report;
  source.rate = 1;
  is_number(cds_sim_pause(&source, SECOND + 10, 3), SECOND + 10, "a pause begins when it is told to");
  ok(cds_sim_exists(&source, 0, SECOND + 9) && !cds_sim_exists(&source, 0, SECOND + 10) &&
       !cds_sim_exists(&source, 0, SECOND + 12) && cds_sim_exists(&source, 0, SECOND + 13),
     "there are no reports in it");
  is_number(cds_sim_valid_from(&source, 0, SECOND + 13), SECOND + 10, "the first one after it covers it");
  cds_sim_get(&report, &source, 0, SECOND + 60);
  memcpy(before, report.full, report.length);
  cds_sim_send_ahead(&source, SECOND + 60);
  cds_sim_send_ahead(&source, SECOND + 64);
  is_number(cds_sim_pause(&source, SECOND + 58, 2), SECOND + 65, "a pause makes way for reports that are out");
  cds_sim_get(&report, &source, 0, SECOND + 60);
  ok(memcmp(before, report.full, report.length) == 0, "which stay what they are");
  is_number(cds_sim_pause(&source, SECOND + 40, 2), SECOND + 40, "one that ends well before them does not");
  size_t made = 3;
  while (cds_sim_pause(&source, SECOND + 1000, 1) > 0 && made < 100) made++;
  is_number(made, CDS_SIM_MAX_PAUSES, "there is room for so many");
}

/* Windows of a millisecond feed touch each other, whatever its rate. */
static bool touches(size_t feed, uint64_t first, uint64_t count) {
  uint64_t next = 0;
  size_t made = 0;
  for (uint64_t number = first; number < first + count; number++) {
    if (!cds_sim_exists(&source, feed, number)) continue;
    struct cds_sim_report report;
    cds_sim_get(&report, &source, feed, number);
    if (next != 0 && report.valid_from != next) return false;
    if (report.valid_from > report.observed) return false;
    next = report.observed + 1;
    made++;
  }
  return made > 2;
}

static void milliseconds(void) {
  cds_sim_source_clear(&source);
  ms_feeds = 28;
  ok(open_source(1, 28, 1000), "a source of millisecond feeds, at 1,000 a second");
  for (size_t feed = 0; feed < 14; feed++) {
    struct cds_sim_report made;
    struct cds_report *report = decode(feed, SECOND * 1000ull + 123, &made);
    if (!ok(report != NULL, "%s decodes", source.feeds.list[feed].name)) continue;
    ok(report->resolution == CDS_RESOLUTION_MILLISECONDS && report->blob.length == 32 * report->schema->field_count,
       "v%u in milliseconds", report->version);
    is_number(report->observations_time, SECOND * 1000ull + 123, "observed at its millisecond");
    if (report->has_valid_from_timestamp)
      is_number(report->valid_from_time, SECOND * 1000ull + 123, "valid from that millisecond");
    cds_report_unref(report);
  }
  source.feeds.list[1].rate = 7;
  source.feeds.list[2].rate = 1;
  source.feeds.list[3].irregular = true;
  source.feeds.list[3].rate = 2;
  ok(touches(0, SECOND * 1000ull, 1100), "windows touch at 1,000 a second");
  ok(touches(1, SECOND * 1000ull, 5000), "at 7 a second");
  ok(touches(2, SECOND * 1000ull, 5000), "at 1 a second");
  ok(touches(3, SECOND * 1000ull, 30000), "where seconds are left out");
  ok(cds_sim_outage(&source, SECOND + 10, SECOND + 20) && touches(1, SECOND * 1000ull, 40000), "over an outage");
  ok(cds_sim_outage(&source, SECOND + 100, SECOND + 1099), "an outage of a thousand seconds");
  is_number(cds_sim_valid_from(&source, 0, (SECOND + 1100) * 1000ull), (SECOND + 800) * 1000ull,
            "is covered for five minutes only");
  is_number(cds_sim_valid_from(&source, 0, (SECOND + 1100) * 1000ull + 1), (SECOND + 1100) * 1000ull + 1,
            "and the next report goes on from it");
}

int main(void) {
  ok(open_source(1, 26, 1), "a source of 26 feeds");
  every_schema();
  prices();
  signatures();
  numbers();
  presigned();
  pauses();
  source.rate = 1;
  same_everywhere();
  milliseconds();
  cds_sim_source_clear(&source);
  return done();
}
