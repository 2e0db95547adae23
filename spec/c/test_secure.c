/* SPDX-License-Identifier: MIT
 * TLS over a socket, against OpenSSL's own server in this thread: names and authorities, what goes by parts and is to be
 * gone on with, each end and its words, and what is given back. Real servers are met by
 * spec/integration/relay_tls_spec.lua. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif

#include "relay/secure.h"

#include <dlfcn.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "system_faults.h"
#include "tap.h"
#include "tls_peer.h"

#define RECORD 16384
#define MANY (1u << 20)
#define NO_PROTOCOL 1120 /* a number of OpenSSL's that has words of ours */

/* ---- faults ---- */

static struct system_fault of_send, of_recv;
static size_t most_sent = SIZE_MAX; /* at a time */
static int send_flags;

SYSTEM_CALL ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  send_flags = flags;
  if (system_fails(&of_send)) return -1;
  return syscall(SYS_sendto, fd, bytes, length < most_sent ? length : most_sent, flags, NULL, 0);
}

SYSTEM_CALL ssize_t recv(int fd, void *out, size_t size, int flags) {
  if (system_fails(&of_recv)) return -1;
  ssize_t count = syscall(SYS_recvfrom, fd, out, size, flags, NULL, NULL);
  if (count >= 0) errno = EIO; /* which says nothing where nothing failed */
  return count;
}

/* OpenSSL may have no memory for: */
static struct system_fault of_method, of_bio, of_ssl, of_host;

/* It says so in its queue, too. */
static bool lacks_memory(struct system_fault *fault) {
  if (!system_fails(fault)) return false;
  ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
  return true;
}

SYSTEM_CALL BIO_METHOD *BIO_meth_new(int type, const char *name) {
  BIO_METHOD *(*next)(int, const char *);
  *(void **)&next = dlsym(RTLD_NEXT, "BIO_meth_new");
  return lacks_memory(&of_method) ? NULL : next(type, name);
}

SYSTEM_CALL BIO *BIO_new(const BIO_METHOD *method) {
  BIO *(*next)(const BIO_METHOD *);
  *(void **)&next = dlsym(RTLD_NEXT, "BIO_new");
  return lacks_memory(&of_bio) ? NULL : next(method);
}

SYSTEM_CALL SSL *SSL_new(SSL_CTX *context) {
  SSL *(*next)(SSL_CTX *);
  *(void **)&next = dlsym(RTLD_NEXT, "SSL_new");
  return lacks_memory(&of_ssl) ? NULL : next(context);
}

SYSTEM_CALL int X509_VERIFY_PARAM_set1_host(X509_VERIFY_PARAM *param, const char *name, size_t length) {
  int (*next)(X509_VERIFY_PARAM *, const char *, size_t);
  *(void **)&next = dlsym(RTLD_NEXT, "X509_VERIFY_PARAM_set1_host");
  return lacks_memory(&of_host) ? 0 : next(param, name, length);
}

/* It may want to write where it is to read, which no peer here makes it do. */
static struct system_fault of_reading;

SYSTEM_CALL int SSL_get_error(const SSL *ssl, int result) {
  int (*next)(const SSL *, int);
  *(void **)&next = dlsym(RTLD_NEXT, "SSL_get_error");
  return system_fails(&of_reading) ? SSL_ERROR_WANT_WRITE : next(ssl, result);
}

/* Blocks of OpenSSL's, which other threads have none of. */
static long alive;

static void *allocate(size_t size, const char *file, int line) {
  (void)file, (void)line;
  void *block = malloc(size);
  alive += block != NULL;
  return block;
}

static void release(void *block, const char *file, int line) {
  (void)file, (void)line;
  alive -= block != NULL;
  free(block);
}

static void *reallocate(void *block, size_t size, const char *file, int line) {
  (void)file, (void)line;
  if (block == NULL) return allocate(size, file, line);
  return realloc(block, size);
}

/* ---- both ends ---- */

static struct cds_error err;
static SSL *peer;
static int ends[2]; /* ours and the peer's */

static struct cds_security *trusting(const char *ca_file) {
  const struct cds_tls tls = {.ca_file = ca_file};
  struct cds_security *security = NULL;
  if (cds_security_open(&security, &tls, &err) != CDS_OK) abort();
  return security;
}

/* A connection to this host, whose security goes with it. */
static struct cds_secure *begin_with(struct cds_security *security, const char *host) {
  struct cds_secure *secure = NULL;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) abort();
  peer = peer_new(ends[1]);
  if (cds_secure_open(&secure, security, ends[0], host, &err) != CDS_OK) abort();
  cds_security_unref(security);
  return secure;
}

static struct cds_secure *begin(const char *host) {
  return begin_with(trusting(peer_ca_file), host);
}

static void leave(void) {
  if (ends[1] >= 0) close(ends[1]);
  ends[1] = -1;
}

static void end(struct cds_secure *secure) {
  cds_secure_free(secure);
  SSL_free(peer);
  leave();
  close(ends[0]);
  ERR_clear_error();
}

static size_t moved;
static int left_behind; /* steps after which this thread's queue was not empty */

static enum cds_secure_wait stepped(enum cds_secure_wait wait) {
  left_behind += ERR_peek_error() != 0;
  ERR_clear_error();
  if ((wait == CDS_SECURE_FAILED) != (err.status == CDS_E_NETWORK)) abort();
  if ((wait == CDS_SECURE_DONE) != (moved > 0)) abort();
  return wait;
}

static enum cds_secure_wait greet(struct cds_secure *secure) {
  cds_error_clear(&err);
  enum cds_secure_wait wait = cds_secure_handshake(secure, &err);
  moved = wait == CDS_SECURE_DONE;
  return stepped(wait);
}

static enum cds_secure_wait put(struct cds_secure *secure, const char *data, size_t length) {
  moved = 7;
  cds_error_clear(&err);
  return stepped(cds_secure_send(&moved, secure, data, length, &err));
}

static char came[RECORD];

static enum cds_secure_wait get(struct cds_secure *secure) {
  moved = 7;
  cds_error_clear(&err);
  return stepped(cds_secure_receive(&moved, secure, came, sizeof came, &err));
}

/* Both take steps in turn until ours has no other. */
static enum cds_secure_wait meet(struct cds_secure *secure) {
  enum cds_secure_wait wait = CDS_SECURE_TO_READ;
  for (int i = 0; i < 100 && (wait == CDS_SECURE_TO_READ || wait == CDS_SECURE_TO_WRITE); i++) {
    wait = greet(secure);
    peer_step(peer);
  }
  return wait;
}

static struct cds_secure *met(void) {
  struct cds_secure *secure = begin("localhost");
  if (meet(secure) != CDS_SECURE_DONE || get(secure) != CDS_SECURE_TO_READ) abort();
  return secure;
}

static bool is_told(const char *text) {
  char bytes[256];
  size_t length = peer_read(peer, bytes, sizeof bytes);
  return length == strlen(text) && memcmp(bytes, text, length) == 0;
}

static bool is_come(struct cds_secure *secure, const char *text) {
  return get(secure) == CDS_SECURE_DONE && moved == strlen(text) && memcmp(came, text, moved) == 0;
}

/* ---- tests ---- */

static void test_words(void) {
  struct cds_secure *secure = begin("localhost");
  is_number(greet(secure), CDS_SECURE_TO_READ, "a handshake waits for the server");
  is_number(meet(secure), CDS_SECURE_DONE, "and is done");
  is_number(get(secure), CDS_SECURE_TO_READ, "nothing has come, whatever the server sent of its own");
  ok(put(secure, "question", 8) == CDS_SECURE_DONE && moved == 8 && is_told("question"), "words go out");
  ok((send_flags & MSG_NOSIGNAL) != 0, "without a signal");
  peer_write(peer, "answer");
  ok(is_come(secure, "answer"), "and come in");
  is_number(get(secure), CDS_SECURE_TO_READ, "once");
  end(secure);
}

static void test_names(void) {
  static const struct {
    const char *host, *asked, *refused;
  } names[] = {
    {"localhost", "localhost", NULL},
    {"127.0.0.1", "", NULL},
    {"::1", "", NULL},
    {"other.example", "other.example", "ostname mismatch"},
    {"1.example", "1.example", "ost"},
    {"127.0.0.2", "", "IP address mismatch"},
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct cds_secure *secure = begin(names[i].host);
    enum cds_secure_wait wait = meet(secure);
    if (names[i].refused == NULL) ok(wait == CDS_SECURE_DONE, "a certificate is for %s", names[i].host);
    else
      ok(wait == CDS_SECURE_FAILED && strncmp(err.message, "the connection by TLS ended: ", 29) == 0 &&
           strstr(err.message, names[i].refused),
         "or not for %s: %s", names[i].host, err.message);
    is_string(peer_asked, names[i].asked, "it is asked for by its name, where that is one");
    end(secure);
  }
}

static void test_strangers(void) {
  struct cds_secure *secure = begin_with(trusting(NULL), "localhost");
  ok(meet(secure) == CDS_SECURE_FAILED && strstr(err.message, "signed certificate"), "nobody knows it: %s",
     err.message);
  end(secure);
  secure = begin("localhost");
  SSL_set_verify(peer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  is_number(meet(secure), CDS_SECURE_DONE, "a server that asks for a certificate");
  ok(get(secure) == CDS_SECURE_FAILED && strstr(err.message, "certificate required"), "does not know us: %s",
     err.message);
  end(secure);
}

static void test_greeting_by_parts(void) {
  struct cds_secure *secure = begin("localhost");
  most_sent = 100;
  of_send = (struct system_fault){.after = 1, .times = 1, .reason = EAGAIN};
  is_number(greet(secure), CDS_SECURE_TO_WRITE, "a handshake waits until it can write");
  of_send = (struct system_fault){.times = 1, .reason = EINTR};
  is_number(greet(secure), CDS_SECURE_TO_WRITE, "an interruption is no end");
  of_recv = (struct system_fault){.times = 1, .reason = EINTR};
  is_number(greet(secure), CDS_SECURE_TO_READ, "nor is it when it reads");
  is_number(meet(secure), CDS_SECURE_DONE, "it goes on where it was");
  most_sent = SIZE_MAX;
  end(secure);
}

/* As much as the sockets take, then what is left, which may lie elsewhere meanwhile. */
static void test_sending_by_parts(void) {
  static char data[MANY], copy[MANY], got[MANY + 1];
  struct cds_secure *secure = met();
  size_t sent = 0, taken = 0, step, turns = 0;
  for (size_t i = 0; i < MANY; i++) data[i] = (char)(i * 31 + i / 251);
  ok(put(secure, data, MANY) == CDS_SECURE_DONE && moved == RECORD, "a record goes at a time");
  sent += moved;
  while (put(secure, data + sent, MANY - sent) == CDS_SECURE_DONE && sent + moved < MANY) sent += moved;
  ok(sent < MANY && moved == 0 && put(secure, data + sent, MANY - sent) == CDS_SECURE_TO_WRITE,
     "until no more can be written");
  memcpy(copy, data, MANY);
  while (sent < MANY && turns++ < MANY) {
    while ((step = peer_read(peer, got + taken, sizeof got - taken)) > 0) taken += step;
    (void)put(secure, copy + sent, MANY - sent);
    sent += moved;
  }
  while ((step = peer_read(peer, got + taken, sizeof got - taken)) > 0) taken += step;
  ok(taken == MANY && memcmp(got, data, MANY) == 0, "all of it comes once and in order");
  end(secure);
}

static void test_ends(void) {
  struct cds_secure *secure = met();
  (void)SSL_shutdown(peer);
  is_number(get(secure), CDS_SECURE_ENDED, "the server says that nothing more comes");
  end(secure);

  secure = met();
  leave();
  ok(get(secure) == CDS_SECURE_FAILED && strcmp(err.message, "the server ended the connection") == 0,
     "or goes without a word: %s", err.message);
  end(secure);

  secure = met();
  of_recv = (struct system_fault){.times = 1, .reason = ECONNRESET};
  ok(get(secure) == CDS_SECURE_FAILED &&
       strcmp(err.message, "the connection by TLS ended: Connection reset by peer") == 0,
     "the system tells why: %s", err.message);
  end(secure);

  secure = met();
  of_send = (struct system_fault){.times = 1, .reason = EAGAIN};
  is_number(put(secure, "x", 1), CDS_SECURE_TO_WRITE, "what could not be written");
  leave();
  ok(put(secure, "x", 1) == CDS_SECURE_FAILED && strcmp(err.message, "the connection by TLS ended: Broken pipe") == 0,
     "may never be: %s", err.message);
  end(secure);
}

static void test_no_greeting(void) {
  char greeting[4096];
  static const unsigned char goodbye[] = {21, 3, 3, 0, 2, 1, 0}; /* the alert close_notify, a warning */
  struct cds_secure *secure = begin("localhost");
  is_number(greet(secure), CDS_SECURE_TO_READ, "a greeting");
  ok(read(ends[1], greeting, sizeof greeting) > 0, "that is heard");
  leave();
  ok(greet(secure) == CDS_SECURE_FAILED && strcmp(err.message, "the server ended the connection") == 0,
     "may have no answer: %s", err.message);
  end(secure);

  secure = begin("localhost");
  if (greet(secure) != CDS_SECURE_TO_READ || write(ends[1], goodbye, sizeof goodbye) != (ssize_t)sizeof goodbye)
    abort();
  is_number(greet(secure), CDS_SECURE_ENDED, "or goodbye for one");
  end(secure);

  secure = begin("localhost");
  static const char words[] = "-ERR this is no TLS\r\n";
  if (greet(secure) != CDS_SECURE_TO_READ || write(ends[1], words, sizeof words - 1) != (ssize_t)sizeof words - 1)
    abort();
  ok(greet(secure) == CDS_SECURE_FAILED && strncmp(err.message, "the connection by TLS ended: ", 29) == 0 &&
       strlen(err.message) > 29,
     "or one that is no TLS: %s", err.message);
  ERR_raise(ERR_LIB_SSL, NO_PROTOCOL);
  ok(greet(secure) == CDS_SECURE_FAILED && !strstr(err.message, "ALPN"),
     "then there is no other step, and what failed elsewhere is no reason: %s", err.message);
  end(secure);
}

/* What failed elsewhere in this thread does not count. */
static void test_others(void) {
  struct cds_secure *secure = begin("localhost");
  ERR_raise(ERR_LIB_SSL, NO_PROTOCOL);
  is_number(greet(secure), CDS_SECURE_TO_READ, "another's failure is none of a handshake");
  is_number(meet(secure), CDS_SECURE_DONE, "which is done");
  ERR_raise(ERR_LIB_SSL, NO_PROTOCOL);
  is_number(get(secure), CDS_SECURE_TO_READ, "nor of what is received");
  ERR_raise(ERR_LIB_SSL, NO_PROTOCOL);
  of_send = (struct system_fault){.times = 1, .reason = EAGAIN};
  is_number(put(secure, "x", 1), CDS_SECURE_TO_WRITE, "nor of what is sent");
  ok(put(secure, "x", 1) == CDS_SECURE_DONE && is_told("x"), "it is sent");
  end(secure);
}

static void test_new_keys(void) {
  struct cds_secure *secure = met();
  if (SSL_key_update(peer, SSL_KEY_UPDATE_REQUESTED) != 1) abort();
  peer_step(peer);
  is_number(get(secure), CDS_SECURE_TO_READ, "the server wants other keys");
  of_reading = (struct system_fault){.times = 1};
  is_number(get(secure), CDS_SECURE_TO_WRITE, "who reads may have to write");
  ok(put(secure, "new", 3) == CDS_SECURE_DONE && is_told("new"), "with other keys");
  peer_write(peer, "keys");
  ok(is_come(secure, "keys"), "for either");
  end(secure);
}

/* Who has once met a server does not let it begin anew. */
static void test_renegotiation(void) {
  char byte;
  struct cds_secure *secure = begin("localhost");
  if (SSL_set_max_proto_version(peer, TLS1_2_VERSION) != 1) abort();
  is_number(meet(secure), CDS_SECURE_DONE, "an older TLS");
  if (SSL_renegotiate(peer) != 1 || SSL_do_handshake(peer) != 1) abort();
  is_number(get(secure), CDS_SECURE_TO_READ, "a handshake in between");
  size_t length = 0;
  ok(SSL_read_ex(peer, &byte, 1, &length) == 0 && ERR_GET_REASON(ERR_peek_error()) == SSL_R_NO_RENEGOTIATION,
     "is refused");
  end(secure);
}

static void is_no_security(const struct cds_tls *tls, enum cds_status status, const char *words) {
  struct cds_security *security = (struct cds_security *)&err;
  cds_error_clear(&err);
  ok(cds_security_open(&security, tls, &err) == status && !security && err.status == status &&
       strstr(err.message, words),
     "no TLS: %s", err.message);
  ok(ERR_peek_error() == 0, "it leaves nothing behind");
  ERR_clear_error();
}

static void test_files(void) {
  const struct cds_tls none = {.ca_file = "/nonexistent"}, other = {.ca_file = "/proc/self/status"};
  is_no_security(&none, CDS_E_CONFIG, "tls.ca_file: cannot read \"/nonexistent\"");
  is_no_security(&other, CDS_E_CONFIG, "authorities of \"/proc/self/status\" do not load: ");
}

/* OpenSSL has 127 types of BIO to give to all of a process. */
static void test_many(void) {
  int type = BIO_get_new_index();
  for (int i = 0; i < 10; i++) {
    struct cds_security *security = trusting(NULL);
    cds_security_unref(security);
  }
  is_number(BIO_get_new_index(), type + 1, "no kind of connection is taken from the process for each setting of TLS");
}

static void is_no_connection(struct cds_security *security) {
  long before = alive;
  struct cds_secure *secure = (struct cds_secure *)&err;
  cds_error_clear(&err);
  ok(cds_secure_open(&secure, security, 0, "localhost", &err) == CDS_E_MEMORY && !secure &&
       err.status == CDS_E_MEMORY && strcmp(err.message, "no memory for TLS") == 0,
     "no connection: %s", err.message);
  ok(ERR_peek_error() == 0 && alive == before, "it leaves nothing behind");
  ERR_clear_error();
}

static void test_memory(void) {
  const struct cds_tls tls = {.ca_file = peer_ca_file};
  cds_alloc_fail_after(0);
  is_no_security(&tls, CDS_E_MEMORY, "no memory for TLS");
  cds_alloc_fail_after(-1);
  of_method = (struct system_fault){.times = 1};
  is_no_security(&tls, CDS_E_MEMORY, "no memory for TLS");
  struct cds_security *security = trusting(peer_ca_file);
  struct cds_secure *secure = NULL;
  if (cds_secure_open(&secure, security, 0, "localhost", &err) != CDS_OK) abort();
  cds_secure_free(secure); /* the name that is expected stays */
  cds_alloc_fail_after(0);
  is_no_connection(security);
  cds_alloc_fail_after(-1);
  struct system_fault *const faults[] = {&of_host, &of_ssl, &of_bio};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    *faults[i] = (struct system_fault){.times = 1};
    is_no_connection(security);
  }
  cds_security_unref(security);
  cds_security_unref(NULL);
  cds_secure_free(NULL);
}

#define TIMES 20

/* What OpenSSL keeps for good it has by the first time. */
static void test_given_back(void) {
  long before = 0;
  for (int i = -1; i < TIMES; i++) {
    if (i == 0) before = alive;
    cds_security_unref(trusting(peer_ca_file));
  }
  ok(alive < before + TIMES, "what connections have in common is given back");
  for (int i = -1; i < TIMES; i++) {
    if (i == 0) before = alive;
    end(met());
  }
  ok(alive < before + TIMES, "and what they have of their own");
}

int main(void) {
  if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1) return 1; /* before OpenSSL allocates at all */
  size_t before = system_open_files();
  peer_setup();
  for (int i = 0; i < ERR_NUM_ERRORS; i++) ERR_raise(ERR_LIB_SSL, NO_PROTOCOL); /* has memory for each then */
  ERR_clear_error();
  test_words();
  test_names();
  test_strangers();
  test_greeting_by_parts();
  test_sending_by_parts();
  test_ends();
  test_no_greeting();
  test_others();
  test_new_keys();
  test_renegotiation();
  test_files();
  test_many();
  test_memory();
  test_given_back();
  is_number(left_behind, 0, "no step left its failure behind");
  is_number(system_open_files(), before, "no descriptor stays open");
  peer_teardown();
  return done();
}
