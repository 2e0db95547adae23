/* SPDX-License-Identifier: MIT
 * Times of the decoding stages, in nanoseconds: medians and ranges of interleaved runs. Asserts nothing.
 * With arguments STAGE COUNT it runs that stage so many times, for bench/check.lua. */
#include "base/clock.h"
#include "codec/decimal.h"
#include "codec/hex.h"
#include "codec/message.h"
#include "envelope.h"
#include "order/seen.h"

#define RUNS 11
#define LOOPS 20000
#define SIGNATURES 2

static char message[ENVELOPE_MAX];
static size_t message_length;
static struct sample report;
static char report_hex[2 * SAMPLE_MAX];
static uint8_t price[32];
static volatile uint64_t sink; /* keeps the compiler from dropping the work */

static void bench_hex(void) {
  static uint8_t out[SAMPLE_MAX];
  sink += cds_hex_decode(out, report_hex, 2 * report.length) + out[0];
}

static void bench_envelope(void) {
  struct cds_envelope envelope;
  if (cds_envelope_parse(&envelope, message, message_length, NULL) == CDS_OK) sink += envelope.full_report_length;
}

static void bench_message(void) {
  struct cds_envelope envelope;
  struct cds_report *decoded;
  if (cds_envelope_parse(&envelope, message, message_length, NULL) != CDS_OK) return;
  if (cds_envelope_report(&decoded, &envelope, NULL) == CDS_OK) sink += decoded->observations_timestamp;
  cds_report_unref(decoded);
}

static void bench_report(void) {
  struct cds_report *decoded;
  if (cds_report_from_hex(&decoded, report_hex, 2 * report.length, NULL) == CDS_OK)
    sink += decoded->observations_timestamp;
  cds_report_unref(decoded);
}

static void bench_double(void) {
  sink += (uint64_t)cds_decimal_to_double(price, true, 18);
}

static void bench_text(void) {
  char text[CDS_DECIMAL_TEXT];
  sink += cds_decimal_format(text, price, true, 18);
}

static void bench_tag(void) {
  sink += cds_seen_tag(sink, message, message_length);
}

static struct stage {
  const char *name;
  void (*run)(void);
  double ns[RUNS];
} stages[] = {
  {.name = "hex decode alone", .run = bench_hex},      {.name = "envelope alone", .run = bench_envelope},
  {.name = "message to report", .run = bench_message}, {.name = "hex to report", .run = bench_report},
  {.name = "decimal to double", .run = bench_double},  {.name = "decimal to text", .run = bench_text},
  {.name = "tag of a message", .run = bench_tag},
};

#define STAGES (sizeof stages / sizeof stages[0])

static void prepare(void) {
  uint8_t blob[SAMPLE_MAX];
  size_t length = sample_blob(blob, cds_schema_find(3));
  for (size_t i = 6; i < 9; i++) { /* prices like a real one: 87656.309944707825 */
    sample_put(blob + 32 * i, UINT64_C(13868845502579168648));
    blob[32 * i + 22] = 0x12;
    blob[32 * i + 23] = 0x8f;
  }
  memcpy(price, blob + 32 * 6, sizeof price);
  sample_put(blob + 32, 1734131277);
  sample_put(blob + 64, 1734131277);
  sample_report(&report, blob, length, SIGNATURES);
  cds_hex_encode(report_hex, report.bytes, report.length);
  message_length = envelope_message(message, &report, blob, 1734131277, 1734131277);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int run_one(const char *name, long count) {
  for (size_t i = 0; i < STAGES; i++) {
    if (strcmp(stages[i].name, name) != 0) continue;
    while (count-- > 0) stages[i].run();
    return 0;
  }
  return 1;
}

int main(int argc, char **argv) {
  prepare();
  if (argc == 3) return run_one(argv[1], atol(argv[2]));
  for (size_t run = 0; run < RUNS; run++) {
    for (size_t i = 0; i < STAGES; i++) {
      int64_t start = cds_clock_mono_ns();
      for (int loop = 0; loop < LOOPS; loop++) stages[i].run();
      stages[i].ns[run] = (double)(cds_clock_mono_ns() - start) / LOOPS;
    }
  }
  printf("codec: v3 report of %zu bytes, message of %zu bytes; ns each, median (least to most) of %d runs of %d\n",
         report.length, message_length, RUNS, LOOPS);
  for (size_t i = 0; i < STAGES; i++) {
    qsort(stages[i].ns, RUNS, sizeof(double), ascending);
    printf("  %-20s %8.1f  (%.1f to %.1f)\n", stages[i].name, stages[i].ns[RUNS / 2], stages[i].ns[0],
           stages[i].ns[RUNS - 1]);
  }
  return 0;
}
