/* SPDX-License-Identifier: MIT
 * Verification beside the bare recoveries of libsecp256k1: CPU time and ratios of interleaved runs. Asserts
 * nothing. With an argument it verifies a report of 6 signatures so many times, for bench/check.lua. */
#include <stdio.h>
#include <time.h>

#include "signed.h"

#define RUNS 21
#define LOOPS 60

static volatile unsigned sink; /* keeps the compiler from dropping the work */

struct job {
  size_t signatures;
  struct cds_report *report;
  struct cds_signer_registry *registry;
  uint8_t digest[32];
};

static void bare(const struct job *job) {
  for (size_t i = 0; i < job->signatures; i++) {
    secp256k1_ecdsa_recoverable_signature signature;
    secp256k1_pubkey key;
    uint8_t r_s[64];
    memcpy(r_s, job->report->bytes + job->report->rs.offset + 32 * i, 32);
    memcpy(r_s + 32, job->report->bytes + job->report->ss.offset + 32 * i, 32);
    int v = job->report->bytes[6 * 32 + i];
    sink += (unsigned)secp256k1_ecdsa_recoverable_signature_parse_compact(signed_curve, &signature, r_s, v);
    sink += (unsigned)secp256k1_ecdsa_recover(signed_curve, &key, &signature, job->digest) + key.data[0];
  }
}

static void ours(const struct job *job) {
  if (cds_verify_report(job->registry, job->report).reason != CDS_VERIFIED) abort();
}

static double cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double microseconds(void (*run)(const struct job *), const struct job *job) {
  double start = cpu_ns();
  for (int loop = 0; loop < LOOPS; loop++) run(job);
  return (cpu_ns() - start) / LOOPS / 1000;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static struct job begin(size_t signatures, struct cds_signer_set *set) {
  struct job job = {signatures, signed_report(signatures), cds_signer_registry_new(NULL), {0}};
  *set = signed_set(3 * signatures - 2, (int64_t)signatures - 1);
  if (!job.registry || cds_signer_registry_put(job.registry, job.report->bytes, set, NULL) != CDS_OK) abort();
  cds_report_digest(job.digest, job.report);
  return job;
}

static void end(const struct job *job) {
  cds_signer_registry_unref(job->registry);
  cds_report_unref(job->report);
}

static void verify(long count) {
  struct cds_signer_set set;
  struct job job = begin(6, &set);
  while (count-- > 0) ours(&job);
  end(&job);
}

static void measure(size_t signatures) {
  struct cds_signer_set set;
  struct job job = begin(signatures, &set);
  double bare_us[RUNS], ours_us[RUNS], ratio[RUNS];
  microseconds(ours, &job); /* warms up */
  for (size_t i = 0; i < RUNS; i++) {
    bare_us[i] = microseconds(bare, &job);
    ours_us[i] = microseconds(ours, &job);
    ratio[i] = ours_us[i] / bare_us[i];
  }
  qsort(bare_us, RUNS, sizeof *bare_us, ascending);
  qsort(ours_us, RUNS, sizeof *ours_us, ascending);
  qsort(ratio, RUNS, sizeof *ratio, ascending);
  printf("  %zu of %u signers: %8.1f us, bare recoveries %8.1f us, ratio %.3f (%.3f to %.3f)\n", signatures, set.count,
         ours_us[RUNS / 2], bare_us[RUNS / 2], ratio[RUNS / 2], ratio[0], ratio[RUNS - 1]);
  end(&job);
}

int main(int argc, char **argv) {
  signed_init();
  if (argc == 2) verify(atol(argv[1]));
  else {
    printf("verification of a v3 report; us of CPU each, median of %d runs of %d\n", RUNS, LOOPS);
    measure(2);
    measure(6);
  }
  secp256k1_context_destroy(signed_curve);
  return 0;
}
