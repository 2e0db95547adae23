/* SPDX-License-Identifier: MIT
 * Puts the simulator together, runs it and takes it apart. */
#include "simulator/simulator.h"

#include "base/alloc.h"
#include "simulator/again.h"
#include "simulator/auth.h"
#include "simulator/message.h"
#include "simulator/oracles.h"
#include "simulator/presign.h"
#include "simulator/server.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
  struct cds_sim sim;
  struct cds_sim_certificate certificate;
  struct cds_buf oracles; /* JSON */
  char directory[PATH_MAX], ca_file[PATH_MAX + 16];
  bool own_directory;
  void (*on_ready)(const struct cds_sim_ready *ready, void *context);
  void *context;
};

/* Where it is to be served in its own time. */
static enum cds_status open_timeline(struct cds_sim *sim, struct cds_error *err) {
  const struct cds_sim_options *options = sim->options;
  const struct cds_sim_replay *replay = &sim->source.replay;
  if (!options->replay_loops && options->replay_speed <= 0) return CDS_OK;
  for (size_t i = 0; options->replay_loops && i < replay->record_count; i++)
    if (!cds_sim_again_is_possible(&replay->records[i]))
      return cds_error_set(err, CDS_E_CONFIG, "recorded report %zu has a schema that is not known here: it cannot loop",
                           i + 1);
  double speed = options->replay_speed > 0 ? options->replay_speed : 1;
  return cds_sim_timeline_init(&sim->source.timeline, replay, speed, options->replay_loops, cds_sim_now_ms(sim), err);
}

static enum cds_status open_recording(struct cds_sim *sim, struct cds_error *err) {
  struct cds_sim_replay *replay = &sim->source.replay;
  enum cds_status status = cds_sim_replay_load(replay, sim->options->replays, sim->options->replay_count, err);
  if (status == CDS_OK) status = open_timeline(sim, err);
  if (status != CDS_OK) return status;
  char(*texts)[CDS_SIM_ID_TEXT + 1] = cds_calloc(replay->feed_count, sizeof *texts);
  const char **ids = cds_calloc(replay->feed_count, sizeof *ids);
  status = texts && ids ? CDS_OK : cds_error_set(err, CDS_E_MEMORY, "no memory for the recording's feeds");
  for (size_t i = 0; status == CDS_OK && i < replay->feed_count; i++) {
    const uint8_t *id = replay->records[replay->feeds[i].by_file[0]].id;
    snprintf(texts[i], 3, "0x");
    for (size_t j = 0; j < 32; j++) snprintf(texts[i] + 2 + 2 * j, 3, "%02x", id[j]);
    ids[i] = texts[i];
  }
  if (status == CDS_OK)
    status = cds_sim_feeds_list(&sim->source.feeds, sim->options->seed, ids, replay->feed_count, false, err);
  cds_free(texts);
  cds_free(ids);
  return status;
}

static enum cds_status open_source(struct cds_sim *sim, struct cds_error *err) {
  const struct cds_sim_options *options = sim->options;
  struct cds_sim_source *source = &sim->source;
  enum cds_status status;
  if (options->fast_count > 0 && (options->fast_rate < 1 || options->fast_rate > 1000))
    return cds_error_set(err, CDS_E_CONFIG, "fast feeds' rate must be 1 to 1000");
  if (options->rate < 1 || options->rate > 1000) return cds_error_set(err, CDS_E_CONFIG, "rate must be 1 to 1000");
  source->rate =
    (unsigned)(options->fast_count > 0 && options->fast_rate > options->rate ? options->fast_rate : options->rate);
  if (options->replays) status = open_recording(sim, err);
  else if (options->feeds)
    status = cds_sim_feeds_list(&source->feeds, options->seed, options->feeds, options->feed_count, true, err);
  else status = cds_sim_feeds_default(&source->feeds, options->seed, options->feed_count, options->ms_count, err);
  for (size_t i = 0; status == CDS_OK && i < source->feeds.count; i++) {
    source->feeds.list[i].rate = (unsigned)(i < options->fast_count ? options->fast_rate : options->rate);
    source->feeds.list[i].irregular = i + options->irregular >= source->feeds.count;
  }
  if (status == CDS_OK)
    status = cds_sim_signer_init(&source->signer, options->seed, options->oracles, options->signers, err);
  if (status != CDS_OK) return status;
  sim->down = cds_calloc(options->origin_count + 1, sizeof *sim->down);
  if (!sim->down) return cds_error_set(err, CDS_E_MEMORY, "no memory for the origins");
  return cds_sim_messages_open(sim, err);
}

static enum cds_status permit(struct cds_sim_account *account, const struct cds_sim *sim, const struct cds_sim_key *key,
                              struct cds_error *err) {
  account->key = key->key;
  account->secret = key->secret;
  if (!key->feeds) return CDS_OK;
  account->permitted = cds_calloc(sim->source.feeds.count, sizeof *account->permitted);
  if (!account->permitted) return cds_error_set(err, CDS_E_MEMORY, "no memory for the keys");
  for (size_t i = 0; i < key->feed_count; i++) {
    uint8_t id[32];
    bool good = cds_sim_id_parse(id, key->feeds[i], strlen(key->feeds[i]));
    long index = good ? cds_sim_feeds_find(&sim->source.feeds, id) : -1;
    if (index < 0)
      return cds_error_set(err, CDS_E_CONFIG, "key %.60s: \"%.80s\" is none of the service's feeds", key->key,
                           key->feeds[i]);
    account->permitted[index] = true;
  }
  return CDS_OK;
}

static enum cds_status open_accounts(struct cds_sim *sim, struct cds_error *err) {
  const struct cds_sim_options *options = sim->options;
  if (options->key_count < 1) return cds_error_set(err, CDS_E_CONFIG, "there must be at least one key");
  sim->accounts = cds_calloc(options->key_count, sizeof *sim->accounts);
  if (!sim->accounts) return cds_error_set(err, CDS_E_MEMORY, "no memory for the keys");
  for (size_t i = 0; i < options->key_count; i++) {
    enum cds_status status = permit(&sim->accounts[i], sim, &options->keys[i], err);
    if (status != CDS_OK) return status;
  }
  return CDS_OK;
}

static enum cds_status open_outages(struct cds_sim *sim, struct cds_error *err) {
  for (size_t i = 0; i < sim->options->outage_count; i++) {
    unsigned from, to;
    char after;
    const char *text = sim->options->outages[i];
    if (sscanf(text, "%10u:%10u%c", &from, &to, &after) != 2 || from > to || from <= CDS_SIM_GENESIS)
      return cds_error_set(err, CDS_E_CONFIG, "an outage must be FROM:TO, Unix seconds, not %.40s", text);
    if (!cds_sim_outage(&sim->source, from, to))
      return cds_error_set(err, CDS_E_CONFIG, "at most %d outages", CDS_SIM_MAX_PAUSES);
  }
  return CDS_OK;
}

static enum cds_status open_faults(struct cds_sim *sim, struct cds_error *err) {
  for (size_t i = 0; i < sim->options->fault_count; i++) {
    const char *text = sim->options->faults[i];
    enum cds_status status = cds_sim_faults_add(&sim->faults, text, strlen(text), err);
    if (status != CDS_OK) return status;
  }
  return CDS_OK;
}

static enum cds_status open_certificate(struct run *run, struct cds_error *err) {
  const struct cds_sim_options *options = run->sim.options;
  if (options->plain) return CDS_OK;
  const char *temporary = getenv("TMPDIR");
  int n = options->certificate_dir ? snprintf(run->directory, sizeof run->directory, "%s", options->certificate_dir)
                                   : snprintf(run->directory, sizeof run->directory, "%s/simulator-XXXXXX",
                                              temporary && *temporary ? temporary : "/tmp");
  if (n < 0 || (size_t)n >= sizeof run->directory)
    return cds_error_set(err, CDS_E_CONFIG, "the certificate directory's name is too long");
  if (!options->certificate_dir) {
    if (!mkdtemp(run->directory))
      return cds_error_set(err, CDS_E_CONFIG, "cannot make the directory %.200s: %s", run->directory, strerror(errno));
    run->own_directory = true;
  }
  snprintf(run->ca_file, sizeof run->ca_file, "%s/ca.pem", run->directory);
  enum cds_status status = cds_sim_certificate_init(&run->certificate, options->certificate, err);
  if (status == CDS_OK) status = cds_sim_certificate_write(&run->certificate, run->ca_file, err);
  return status;
}

static enum cds_status open_oracles(struct run *run, struct cds_error *err) {
  cds_buf_init(&run->oracles, 4096);
  if (cds_sim_oracles(&run->oracles, &run->sim.source.signer) == CDS_OK) return CDS_OK;
  return cds_error_set(err, CDS_E_MEMORY, "no memory for the oracles' addresses");
}

/* The name that clients connect to; the certificate is for localhost. */
static void host_name(char *out, size_t size, const char *host) {
  if (strcmp(host, "127.0.0.1") == 0 || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
    snprintf(out, size, "localhost");
  else snprintf(out, size, strchr(host, ':') ? "[%s]" : "%s", host);
}

static void listening(int port, void *context) {
  struct run *run = context;
  bool plain = run->sim.options->plain;
  char host[160], rest_url[200], ws_url[200];
  host_name(host, sizeof host, run->sim.options->host);
  snprintf(rest_url, sizeof rest_url, "%s://%s:%d", plain ? "http" : "https", host, port);
  snprintf(ws_url, sizeof ws_url, "%s://%s:%d", plain ? "ws" : "wss", host, port);
  struct cds_sim_ready ready = {port, rest_url, ws_url, plain ? NULL : run->ca_file, run->oracles.data};
  run->on_ready(&ready, run->context);
}

static void take_apart(struct run *run) {
  struct cds_sim *sim = &run->sim;
  if (run->own_directory) {
    remove(run->ca_file);
    rmdir(run->directory);
  }
  cds_sim_certificate_clear(&run->certificate);
  cds_buf_clear(&run->oracles);
  for (size_t i = 0; sim->accounts && i < sim->options->key_count; i++) cds_free(sim->accounts[i].permitted);
  cds_sim_messages_clear(sim);
  cds_free(sim->accounts);
  cds_free(sim->down);
  cds_sim_source_clear(&sim->source);
  cds_free(run);
}

enum cds_status cds_sim_run(const struct cds_sim_options *options, volatile bool *stop,
                            void (*on_ready)(const struct cds_sim_ready *ready, void *context), void *context,
                            struct cds_error *err) {
  struct run *run = cds_calloc(1, sizeof *run);
  if (!run) return cds_error_set(err, CDS_E_MEMORY, "no memory for the simulator");
  struct cds_sim *sim = &run->sim;
  sim->options = options;
  sim->stop = stop;
  run->on_ready = on_ready;
  run->context = context;
  enum cds_status status = open_source(sim, err);
  if (status == CDS_OK) status = open_accounts(sim, err);
  if (status == CDS_OK) status = open_outages(sim, err);
  if (status == CDS_OK) status = open_faults(sim, err);
  if (status == CDS_OK) status = open_certificate(run, err);
  if (status == CDS_OK) status = open_oracles(run, err);
  if (status == CDS_OK && !options->replays)
    status = cds_sim_presign(&sim->source, options->presign, cds_sim_now_ms(sim), stop, err);
  if (status == CDS_OK && !*stop)
    status = cds_sim_serve(sim, options->plain ? NULL : &run->certificate, listening, run, err);
  take_apart(run);
  return status;
}
