/* SPDX-License-Identifier: MIT
 * Signatures made ahead: the history is known in advance, so a load run can pay for its signatures before it starts. */
#include "simulator/presign.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MAX_THREADS 8
#define MAX_CACHE ((uint64_t)1 << 30)
#define SAMPLE 100 /* signatures timed for the estimate */

struct job {
  const struct cds_sim_source *source;
  struct cds_sim_presigned *cache;
  const volatile bool *stop;
  uint64_t offset, stride; /* this thread does reports offset, offset + stride, … of the cache */
};

static void sign_one(uint8_t *out, const struct cds_sim_source *source, size_t feed, uint64_t number) {
  uint8_t context[96], blob[32 * CDS_SIM_MAX_BLOB_WORDS];
  struct cds_sim_signatures signatures;
  struct cds_sim_report times;
  size_t length = cds_sim_make_blob(context, blob, &times, source, feed, number);
  cds_sim_sign(&signatures, &source->signer, context, blob, length);
  for (size_t i = 0; i < signatures.count; i++, out += 65) {
    memcpy(out, signatures.r[i], 32);
    memcpy(out + 32, signatures.s[i], 32);
    out[64] = signatures.v[i];
  }
}

static void *work(void *argument) {
  const struct job *job = argument;
  size_t feeds = job->source->feeds.count;
  uint64_t total = job->cache->count * feeds;
  for (uint64_t i = job->offset; i < total && !*job->stop; i += job->stride)
    if (cds_sim_exists(job->source, (size_t)(i % feeds), job->cache->first + i / feeds))
      sign_one(job->cache->data + i * job->source->signer.signers * 65, job->source, (size_t)(i % feeds),
               job->cache->first + i / feeds);
  return NULL;
}

/* The first job runs on the caller's thread; a thread that cannot be made is run there too. */
static void run_jobs(struct job *jobs, size_t count) {
  pthread_t threads[MAX_THREADS];
  bool started[MAX_THREADS] = {false};
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (size_t i = 1; i < count; i++) started[i] = pthread_create(&threads[i], NULL, work, &jobs[i]) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  work(&jobs[0]);
  for (size_t i = 1; i < count; i++) {
    if (started[i]) pthread_join(threads[i], NULL);
    else work(&jobs[i]);
  }
}

static size_t thread_count(void) {
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online < 1 ? 1 : online > MAX_THREADS ? MAX_THREADS : (size_t)online;
}

static int64_t estimate_ms(const struct cds_sim_source *source, uint64_t reports) {
  uint8_t out[CDS_SIM_MAX_SIGNERS * 65];
  int64_t start = cds_clock_mono_ns();
  for (uint64_t i = 0; i < SAMPLE; i++) sign_one(out, source, 0, (uint64_t)CDS_SIM_GENESIS * source->rate + i);
  int64_t each = (cds_clock_mono_ns() - start) / SAMPLE;
  return (int64_t)(reports * (uint64_t)each / 1000000 / thread_count());
}

enum cds_status cds_sim_presign(struct cds_sim_source *source, unsigned seconds, int64_t now_ms,
                                const volatile bool *stop, struct cds_error *err) {
  if (seconds == 0) return CDS_OK;
  uint64_t reports = (uint64_t)seconds * source->rate * source->feeds.count;
  uint64_t size = reports * source->signer.signers * 65;
  if (size > MAX_CACHE)
    return cds_error_set(err, CDS_E_CONFIG, "signing %u seconds ahead needs more than 1 GiB", seconds);
  struct cds_sim_presigned cache = {0};
  cache.data = cds_malloc((size_t)size);
  if (!cache.data) return cds_error_set(err, CDS_E_MEMORY, "no memory for signatures made ahead");
  int64_t first_ms = now_ms + estimate_ms(source, reports) * 3 / 2 + 1500, start_ms = cds_clock_mono_ms();
  cache.first = (uint64_t)(first_ms / 1000) * source->rate;
  cache.count = (uint64_t)seconds * source->rate;
  struct job jobs[MAX_THREADS];
  size_t threads = thread_count();
  for (size_t i = 0; i < threads; i++) jobs[i] = (struct job){source, &cache, stop, i, threads};
  run_jobs(jobs, threads);
  while (!*stop && now_ms + cds_clock_mono_ms() - start_ms < first_ms) usleep(20000);
  if (*stop) {
    cds_free(cache.data);
    return CDS_OK;
  }
  source->presigned = cache;
  return CDS_OK;
}
