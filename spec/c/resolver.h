/* SPDX-License-Identifier: MIT
 * A resolver in place of the system's, for this whole program: the names are the test's own, an answer can change, be a
 * failure, or not come for as long as the test likes. The program's definition comes before the C library's, for the
 * engine and for libcurl alike. */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RESOLVER_NAMES 8
#define RESOLVER_ADDRESSES 4
#define RESOLVER_PATIENCE_S 300 /* nothing blocks for longer, whatever a test forgets */

struct resolver_name {
  const char *name;
  int failure;                               /* EAI_…, 0: the addresses */
  const char *addresses[RESOLVER_ADDRESSES]; /* numeric */
  bool is_blocked;                           /* no answer until that ends */
  int asked, waiting;                        /* how often it was asked for; how many wait for an answer now */
};

static struct {
  pthread_mutex_t mu;
  pthread_cond_t changed;
  struct resolver_name names[RESOLVER_NAMES];
} resolver = {.mu = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* resolver.mu is held. */
static struct resolver_name *resolver_find(const char *name) {
  for (size_t i = 0; i < RESOLVER_NAMES; i++)
    if (resolver.names[i].name != NULL && strcmp(resolver.names[i].name, name) == 0) return &resolver.names[i];
  return NULL;
}

/* Sets what a name stands for from now on: a failure, or up to two addresses. */
static void resolver_set(const char *name, int failure, const char *first, const char *second) {
  pthread_mutex_lock(&resolver.mu);
  struct resolver_name *at = resolver_find(name);
  for (size_t i = 0; at == NULL && i < RESOLVER_NAMES; i++)
    if (resolver.names[i].name == NULL) at = &resolver.names[i];
  if (at == NULL) abort();
  at->name = name;
  at->failure = failure;
  at->addresses[0] = first;
  at->addresses[1] = second;
  pthread_mutex_unlock(&resolver.mu);
}

/* The name has one address, and is not answered, or is again. */
__attribute__((unused)) static void resolver_block(const char *name, bool is_blocked) {
  resolver_set(name, 0, "127.0.0.1", NULL);
  pthread_mutex_lock(&resolver.mu);
  resolver_find(name)->is_blocked = is_blocked;
  pthread_cond_broadcast(&resolver.changed);
  pthread_mutex_unlock(&resolver.mu);
}

__attribute__((unused)) static int resolver_asked(const char *name) {
  pthread_mutex_lock(&resolver.mu);
  const struct resolver_name *at = resolver_find(name);
  int asked = at != NULL ? at->asked : 0;
  pthread_mutex_unlock(&resolver.mu);
  return asked;
}

__attribute__((unused)) static int resolver_waiting(const char *name) {
  pthread_mutex_lock(&resolver.mu);
  int waiting = resolver_find(name)->waiting;
  pthread_mutex_unlock(&resolver.mu);
  return waiting;
}

/* Lets everybody go who still waits for the name, and waits until they have gone. */
__attribute__((unused)) static void resolver_release(const char *name) {
  resolver_block(name, false);
  pthread_mutex_lock(&resolver.mu);
  while (resolver_find(name)->waiting > 0) pthread_cond_wait(&resolver.changed, &resolver.mu);
  pthread_mutex_unlock(&resolver.mu);
}

/* ---- in place of the C library's ---- */

static struct addrinfo *resolver_entry(const char *address, const char *service, const struct addrinfo *hints) {
  struct {
    struct addrinfo info;
    struct sockaddr_storage at;
  } *entry = calloc(1, sizeof *entry);
  if (entry == NULL) abort();
  struct sockaddr_in *v4 = (struct sockaddr_in *)&entry->at;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&entry->at;
  in_port_t port = htons((uint16_t)(service != NULL ? atoi(service) : 0));
  bool is_v4 = inet_pton(AF_INET, address, &v4->sin_addr) == 1;
  if (!is_v4 && inet_pton(AF_INET6, address, &v6->sin6_addr) != 1) {
    free(entry);
    return NULL;
  }
  if (is_v4) v4->sin_port = port;
  else v6->sin6_port = port;
  entry->at.ss_family = is_v4 ? AF_INET : AF_INET6;
  entry->info = (struct addrinfo){.ai_family = entry->at.ss_family,
                                  .ai_socktype = hints != NULL ? hints->ai_socktype : SOCK_STREAM,
                                  .ai_protocol = IPPROTO_TCP,
                                  .ai_addrlen = is_v4 ? sizeof *v4 : sizeof *v6,
                                  .ai_addr = (struct sockaddr *)&entry->at};
  return &entry->info;
}

/* resolver.mu is held; it is free while the answer is blocked. */
static struct resolver_name resolver_wait(struct resolver_name *at) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += RESOLVER_PATIENCE_S;
  at->asked++;
  at->waiting++;
  int waited = 0;
  while (at->is_blocked && waited == 0) waited = pthread_cond_timedwait(&resolver.changed, &resolver.mu, &until);
  at->waiting--;
  pthread_cond_broadcast(&resolver.changed);
  return *at;
}

static bool resolver_is_wanted(const struct addrinfo *entry, const struct addrinfo *hints) {
  return hints == NULL || hints->ai_family == AF_UNSPEC || hints->ai_family == entry->ai_family;
}

__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **out) {
  struct resolver_name answer = {.failure = EAI_NONAME, .addresses = {name}};
  struct addrinfo **end = out;
  *out = NULL;
  pthread_mutex_lock(&resolver.mu);
  struct resolver_name *at = name != NULL ? resolver_find(name) : NULL;
  if (at != NULL) answer = resolver_wait(at);
  pthread_mutex_unlock(&resolver.mu);
  if (at != NULL && answer.failure != 0) return answer.failure;
  for (size_t i = 0; i < RESOLVER_ADDRESSES && answer.addresses[i] != NULL; i++) {
    struct addrinfo *entry = resolver_entry(answer.addresses[i], service, hints);
    if (entry == NULL || !resolver_is_wanted(entry, hints)) {
      free(entry);
      continue;
    }
    *end = entry;
    end = &entry->ai_next;
  }
  return *out != NULL ? 0 : EAI_NONAME;
}

__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *list) {
  while (list != NULL) {
    struct addrinfo *next = list->ai_next;
    free(list);
    list = next;
  }
}

#endif
