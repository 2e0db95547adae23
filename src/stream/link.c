/* SPDX-License-Identifier: MIT
 * A link's thread. */
#include "stream/link.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "context/threads.h"
#include "stream/link_machine.h"

#define AWAY_MS 5 /* so long, or twice that, the one who led is waited for */

/* Who does the link's work. */
enum lead {
  LEAD_OWN,   /* its own thread */
  LEAD_ASKED, /* that, which is to lend it */
  LEAD_LENT,  /* nobody: its own thread waits, and looks now and then whether it is wanted */
  LEAD_TAKEN  /* another thread */
};

struct cds_link {
  pthread_t thread;
  struct cds_link_machine machine; /* the thread's own, once it runs */
  pthread_mutex_t mu;              /* taken last: nothing is called under it but cds_ws_wake */
  pthread_cond_t has_ended;        /* on the monotonic clock */
  /* guarded by mu */
  struct cds_ws *ws; /* NULL before and after the thread has one: kept alive while another thread wakes it */
  bool exited;
  double latency_ms;
  enum lead lead;
  unsigned leads;           /* so often it was taken, modulo 2^32 */
  bool is_asleep;           /* its own thread: it is told when the lead, which takes long, is given back */
  pthread_cond_t is_wanted; /* its own thread; on the monotonic clock */
};

/* ---- the thread ---- */

static void set_ws(struct cds_link *link, struct cds_ws *ws) {
  pthread_mutex_lock(&link->mu);
  link->ws = ws;
  pthread_mutex_unlock(&link->mu);
}

static bool service(struct cds_link *link) {
  bool goes_on = cds_ws_service(link->machine.ws);
  cds_link_machine_settle(&link->machine);
  return goes_on;
}

static struct timespec moment(int64_t ms) {
  return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

/* mu is held. */
static void wait_away(struct cds_link *link) {
  struct timespec until = moment(cds_clock_mono_ms() + AWAY_MS);
  pthread_cond_timedwait(&link->is_wanted, &link->mu, &until);
}

/* mu is held. Until this thread is wanted, or nobody has led for a while. Who leads again and again tells nobody, and is
 * looked after by the clock; who has waited as leader for so long that it is no matter wakes this thread in the end. */
static void wait_for_leaders(struct cds_link *link) {
  while (link->lead == LEAD_LENT || link->lead == LEAD_TAKEN) {
    unsigned before = link->leads;
    bool was_taken = link->lead == LEAD_TAKEN;
    if (link->is_asleep) pthread_cond_wait(&link->is_wanted, &link->mu);
    else wait_away(link);
    bool is_same = link->leads == before;
    link->is_asleep = link->lead == LEAD_TAKEN && was_taken && is_same;
    if (link->lead == LEAD_LENT && !was_taken && is_same) link->lead = LEAD_OWN;
  }
  link->is_asleep = false;
}

/* mu is held. */
static void lend(struct cds_link *link) {
  link->lead = LEAD_LENT;
  pthread_mutex_unlock(&link->mu);
  link->machine.plan.handler->lent(link->machine.plan.context);
  pthread_mutex_lock(&link->mu);
  wait_for_leaders(link);
}

static void keep_up(struct cds_link *link) {
  if (cds_link_machine_make_ws(&link->machine) != CDS_OK) return;
  struct cds_ws *ws = link->machine.ws;
  set_ws(link, ws); /* wakes from before this came to nothing: the start asks whether it is over */
  cds_link_machine_start(&link->machine);
  while (service(link)) {
    pthread_mutex_lock(&link->mu);
    link->latency_ms = cds_ws_ping_latency_ms(ws);
    if (link->lead == LEAD_ASKED) lend(link);
    pthread_mutex_unlock(&link->mu);
  }
  set_ws(link, NULL);
  cds_ws_free(ws);
}

static void *run(void *argument) {
  struct cds_link *link = argument;
  const struct cds_link_plan plan = link->machine.plan;
  keep_up(link);
  plan.handler->gone(plan.context, plan.index);
  pthread_mutex_lock(&link->mu);
  link->exited = true;
  pthread_cond_broadcast(&link->has_ended);
  pthread_mutex_unlock(&link->mu);
  plan.handler->release(plan.context); /* may free the link */
  cds_threads_ends();
  return NULL;
}

static int create_thread(struct cds_link *link) {
  cds_threads_starts();
  int failed = cds_threads_create(&link->thread, run, link);
  if (failed) cds_threads_ends();
  return failed;
}

/* ---- its life ---- */

static bool make_condition(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  if (pthread_condattr_init(&attributes) != 0) return false;
  bool made =
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(condition, &attributes) == 0;
  pthread_condattr_destroy(&attributes);
  return made;
}

static struct cds_link *new_link(const struct cds_link_plan *plan) {
  struct cds_link *link = cds_calloc(1, sizeof *link);
  if (link == NULL) return NULL;
  link->latency_ms = -1;
  bool has_mutex = pthread_mutex_init(&link->mu, NULL) == 0;
  bool has_end = has_mutex && make_condition(&link->has_ended);
  bool has_both = has_end && make_condition(&link->is_wanted);
  if (has_both && cds_link_machine_init(&link->machine, plan)) return link;
  if (has_both) pthread_cond_destroy(&link->is_wanted);
  if (has_end) pthread_cond_destroy(&link->has_ended);
  if (has_mutex) pthread_mutex_destroy(&link->mu);
  cds_free(link);
  return NULL;
}

enum cds_status cds_link_start(struct cds_link **out, const struct cds_link_plan *plan, struct cds_error *err) {
  *out = NULL;
  struct cds_link *link = new_link(plan);
  if (link == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  if (create_thread(link) != 0) {
    cds_link_free(link);
    return cds_error_set(err, CDS_E_MEMORY, "no thread to be had for a connection");
  }
  *out = link;
  return CDS_OK;
}

void cds_link_wake(struct cds_link *link) {
  pthread_mutex_lock(&link->mu);
  if (link->ws != NULL) cds_ws_wake(link->ws);
  pthread_mutex_unlock(&link->mu);
}

/* ---- another thread's lead ---- */

bool cds_link_take_lead(struct cds_link *link) {
  pthread_mutex_lock(&link->mu);
  bool can_lead = link->ws != NULL && link->lead == LEAD_LENT;
  if (can_lead) {
    link->lead = LEAD_TAKEN;
    link->leads++;
  } else if (link->ws != NULL && link->lead == LEAD_OWN) {
    link->lead = LEAD_ASKED;
    cds_ws_wake(link->ws);
  }
  pthread_mutex_unlock(&link->mu);
  return can_lead;
}

void cds_link_lead(struct cds_link *link, double seconds) {
  cds_ws_service_for(link->machine.ws, seconds);
  cds_link_machine_settle(&link->machine);
}

void cds_link_give_back(struct cds_link *link) {
  pthread_mutex_lock(&link->mu);
  link->latency_ms = cds_ws_ping_latency_ms(link->ws);
  link->lead = LEAD_LENT;
  if (link->is_asleep) pthread_cond_signal(&link->is_wanted);
  pthread_mutex_unlock(&link->mu);
}

static bool wait_for_exit(struct cds_link *link, int64_t until_ms) {
  struct timespec until = moment(until_ms);
  int waited = 0;
  pthread_mutex_lock(&link->mu);
  while (!link->exited && waited != ETIMEDOUT) waited = pthread_cond_timedwait(&link->has_ended, &link->mu, &until);
  bool exited = link->exited;
  pthread_mutex_unlock(&link->mu);
  return exited;
}

void cds_link_join(struct cds_link *link, int64_t until_ms) {
  if (wait_for_exit(link, until_ms)) pthread_join(link->thread, NULL);
  else pthread_detach(link->thread);
}

bool cds_link_has_exited(struct cds_link *link) {
  pthread_mutex_lock(&link->mu);
  bool exited = link->exited;
  pthread_mutex_unlock(&link->mu);
  return exited;
}

double cds_link_latency_ms(struct cds_link *link) {
  pthread_mutex_lock(&link->mu);
  double latency_ms = link->latency_ms;
  pthread_mutex_unlock(&link->mu);
  return latency_ms;
}

void cds_link_free(struct cds_link *link) {
  if (link == NULL) return;
  cds_link_machine_clear(&link->machine);
  pthread_cond_destroy(&link->is_wanted);
  pthread_cond_destroy(&link->has_ended);
  pthread_mutex_destroy(&link->mu);
  cds_free(link);
}
