/* SPDX-License-Identifier: MIT
 * What becomes of open clients when the process ends, or forks: each part in a process of its own. */
#include "client/at_exit.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context/threads.h"
#include "tap.h"

#define LIMIT_S 60 /* for a hang */

/* Runs a part in a process of its own, which ends by exit(0) unless the part ends it. */
static void in_process(void (*part)(void), int expected, const char *name) {
  int status = -1;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    alarm(LIMIT_S);
    part();
    exit(0);
  }
  bool good = child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == expected;
  if (!ok(good, "%s", name)) printf("#   it ended with the status 0x%x\n", (unsigned)status);
}

static void nothing(struct cds_client *client) {
  (void)client;
}

static void begin(struct cds_client *client, void (*close)(struct cds_client *)) {
  *client = (struct cds_client){.forks = cds_client_forks(), .close = close, .destroy = nothing};
  atomic_init(&client->refs, 1);
}

static void add(struct cds_client *client) {
  if (!cds_at_exit_add(client)) _exit(10);
}

/* ---- the order of the handlers ---- */

/* After OpenSSL's own handler nothing of it can be made any more. */
static void use_openssl(struct cds_client *client) {
  SSL_CTX *context = SSL_CTX_new(TLS_method());
  (void)client;
  if (context == NULL) _exit(9);
  SSL_CTX_free(context);
}

static void end_before_openssl(void) {
  static struct cds_client client;
  begin(&client, use_openssl);
  add(&client);
  use_openssl(&client); /* makes OpenSSL begin, if nobody has */
  if (ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED)) == NULL) _exit(8);
}

/* ---- what is closed, and who holds it ---- */

static struct cds_client three[3];
static int closed;

static void count(struct cds_client *client) {
  if (atomic_load(&client->refs) != 2) _exit(8); /* the owner's, and the handler's for the time of the call */
  if (client->next_open != NULL || client->previous_open != NULL) _exit(7);
  if (client != &three[closed == 0 ? 2 : 0]) _exit(6);
  if (++closed == 2) _exit(atomic_load(&three[2].refs) == 1 ? 3 : 5);
}

static void close_two_of_three(void) {
  for (int i = 0; i < 3; i++) {
    begin(&three[i], count);
    add(&three[i]);
  }
  cds_at_exit_remove(&three[1]);
}

static void refuse(struct cds_client *client) {
  (void)client;
  _exit(5);
}

static void hold_a_foreign_one(void) {
  static struct cds_client client;
  begin(&client, refuse);
  client.forks--;
  add(&client);
}

/* ---- threads ---- */

static atomic_bool begun_to_close, thread_done;

static void begin_to_close(struct cds_client *client) {
  (void)client;
  atomic_store(&begun_to_close, true);
}

static void *be_late(void *unused) {
  while (!atomic_load(&begun_to_close)) sched_yield();
  usleep(100000);
  atomic_store(&thread_done, true);
  cds_threads_ends();
  return unused;
}

static void check_thread(void) {
  if (!atomic_load(&thread_done)) _exit(8);
}

static void leave_a_thread(void) {
  static struct cds_client client;
  pthread_t thread;
  begin(&client, begin_to_close);
  atexit(check_thread);
  add(&client);
  cds_threads_starts();
  if (pthread_create(&thread, NULL, be_late, NULL) != 0 || pthread_detach(thread) != 0) _exit(2);
}

static void *come_and_go(void *unused) {
  struct cds_client own;
  (void)unused;
  begin(&own, refuse);
  for (int i = 0; i < 20000; i++) {
    add(&own);
    cds_at_exit_remove(&own);
    if (own.next_open != NULL || own.previous_open != NULL) _exit(4);
  }
  return NULL;
}

/* Whatever is left in the list refuses. */
static void add_at_once(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    if (pthread_create(&threads[i], NULL, come_and_go, NULL) != 0) _exit(2);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

/* ---- forks ---- */

static atomic_bool stop;

static void *come_and_go_on(void *unused) {
  while (!atomic_load(&stop)) come_and_go(unused);
  return NULL;
}

static bool is_child;

/* Before a checker looks for leaks, which counts the parent's threads as the child's own and finds none of them. */
static void end_child(void) {
  if (is_child) _exit(0);
}

/* A child uses the list at once, and at its end does not wait for the parent's threads. */
static void use_after_fork(const struct cds_client *before) {
  static struct cds_client own;
  alarm(LIMIT_S);
  is_child = true;
  if (!cds_client_is_foreign(before)) _exit(5);
  begin(&own, nothing);
  add(&own);
  if (cds_client_is_foreign(&own)) _exit(6);
  cds_threads_wait(2000 * LIMIT_S);
  exit(0);
}

static void fork_with_threads(void) {
  pthread_t thread;
  static struct cds_client first;
  begin(&first, nothing);
  if (atexit(end_child) != 0) _exit(4); /* called after the list's own handler */
  add(&first);
  cds_threads_starts(); /* one that is the parent's, and goes on */
  if (pthread_create(&thread, NULL, come_and_go_on, NULL) != 0) _exit(2);
  for (int i = 0; i < 8; i++) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) use_after_fork(&first);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) _exit(3);
  }
  atomic_store(&stop, true);
  pthread_join(thread, NULL);
  cds_at_exit_remove(&first); /* the parent can still use it */
  cds_threads_ends();
}

int main(void) {
  in_process(end_before_openssl, 0, "clients are closed before OpenSSL ends");
  in_process(close_two_of_three, 3, "those that are open are closed at the end, with a reference more, and no other");
  in_process(hold_a_foreign_one, 0, "a client of another process is left alone");
  in_process(leave_a_thread, 0, "a thread that is late is waited for");
  in_process(add_at_once, 0, "clients that come and go at once leave nothing behind");
  in_process(fork_with_threads, 0, "a child finds the list free, and none of the threads");
  return done();
}
