/* SPDX-License-Identifier: MIT
 * What a server with a gate reads of a request: queries, and what says who has sent it, up to their bounds; and where
 * nothing listens any more. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "entries.h"
#include "tap.h"
#include "web/gate.h"
#include "web/local.h"
#include "web/server.h"

#define LIMIT_MS 60000 /* for a hang */

static struct cds_web_server *server;

static void begin(const char *key) {
  struct cds_web_gate *gate;
  struct cds_error err;
  if (!ok(cds_web_gate_new(&gate, key, key != NULL ? "secret" : NULL, &err) == CDS_OK &&
            cds_web_server_new(&server, "127.0.0.1", 0, gate, &err) == CDS_OK,
          "a server listens"))
    exit(done());
}

static void step(void) {
  bool ready;
  if (cds_web_step(server, NULL, 0, 20, &ready, NULL) != CDS_OK) ok(false, "a step");
}

static int send_request(const char *text) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)cds_web_port(server))};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
      send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
    ok(false, "a request is sent");
  return fd;
}

static bool takes(struct cds_web_request *request) {
  int64_t until_ms = cds_clock_mono_ms() + LIMIT_MS;
  while (cds_clock_mono_ms() < until_ms) {
    if (cds_web_take(server, request)) return true;
    step();
  }
  return false;
}

/* ---- queries ---- */

static void reads(const char *target, const char *path, const char *query, const char *both) {
  struct cds_web_request request;
  char text[8192];
  snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
  int fd = send_request(text);
  if (!ok(takes(&request), "a request comes in")) return;
  is_string(request.path, path, "its path");
  is_string(request.query, query, "its query");
  is_string(request.target, both, "both");
  is_number(request.refusal, 0, "nobody has to sign");
  close(fd);
}

static void test_queries(void) {
  char long_one[5000] = "/p?q=";
  begin(NULL);
  reads("/", "/", "", "/");
  reads("/a?b=c", "/a", "b=c", "/a?b=c");
  reads("/a?b=c&d=e&f=g", "/a", "b=c&d=e&f=g", "/a?b=c&d=e&f=g");
  reads("/a?b", "/a", "b", "/a?b");
  reads("/a%2Fb?c=%26", "/a/b", "c=&", "/a/b?c=&");
  memset(long_one + 5, 'x', 4000);
  reads(long_one, "/p", long_one + 3, long_one);
  cds_web_server_free(server);
}

/* Where memory runs out the query is "" with the target. */
static void test_short_memory(void) {
  char long_one[400], text[500];
  snprintf(long_one, sizeof long_one, "/a?b=%0300d&d=e", 0);
  snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", long_one);
  begin(NULL);
  for (int after = 0; after < 4; after++) {
    struct cds_web_request request;
    cds_alloc_fail_after(after);
    int fd = send_request(text);
    bool there = takes(&request);
    cds_alloc_fail_after(-1);
    ok(there, "it comes in, whatever memory there is");
    is_string(request.path, "/a", "its path");
    ok((request.query[0] == 0 && request.target[0] == 0) || strcmp(request.target, long_one) == 0,
       "what is told of its query is the whole: %s", request.target);
    close(fd);
  }
  cds_web_server_free(server);
}

/* ---- who asks ---- */

/* A request with a key, a timestamp and a signature of so many letters. */
static void is_told(const char *method, size_t key, size_t timestamp, size_t signature, int expected,
                    const char *reason) {
  static const char one[] = "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111";
  char text[2048], letters[300];
  struct cds_web_request request;
  memset(letters, 'k', sizeof letters);
  snprintf(text, sizeof text,
           "%s /a HTTP/1.1\r\nHost: x\r\nAuthorization: %.*s\r\nX-Authorization-Timestamp: %.*s\r\n"
           "X-Authorization-Signature-SHA256: %.*s\r\n\r\n",
           method, (int)key, letters, (int)timestamp, one, (int)signature, one);
  int fd = send_request(text);
  if (!ok(takes(&request), "a request comes in")) return;
  is_string(request.method, strcmp(method, "POST") == 0 ? "" : method, "its method");
  is_number(request.refusal, expected, "it is refused");
  is_string(request.reason, reason, "for that reason");
  close(fd);
}

static void test_credentials(void) {
  static const char missing[] = "missing authorization headers", unknown[] = "unknown API key",
                    late[] = "timestamp outside of the 5 second window";
  char key[256];
  memset(key, 'k', 255);
  key[255] = 0;
  begin(key);
  is_told("GET", 255, 13, 64, 401, late);
  is_told("HEAD", 255, 13, 64, 401, late);
  is_told("POST", 255, 13, 64, 0, ""); /* what has no method here is not looked at */
  is_told("GET", 254, 13, 64, 401, unknown);
  is_told("GET", 256, 13, 64, 400, missing); /* it is longer than any key is read */
  is_told("GET", 0, 13, 64, 400, missing);
  is_told("GET", 255, 0, 64, 400, missing);
  is_told("GET", 255, 23, 64, 400, "malformed X-Authorization-Timestamp");
  is_told("GET", 255, 24, 64, 400, missing);
  is_told("GET", 255, 13, 0, 400, missing);
  is_told("GET", 255, 13, 71, 400, "malformed X-Authorization-Signature-SHA256");
  is_told("GET", 255, 13, 72, 400, missing);
  cds_web_server_free(server);
}

/* ---- the socket of a path ---- */

static struct cds_web_local local;
static struct cds_error err;

static int connect_path(const char *path) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  strcpy(to.sun_path, path);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
  close(fd);
  return -1;
}

static void refused(const char *path, enum cds_status expected, const char *words) {
  int open = count_entries("/proc/self/fd");
  err.status = CDS_OK;
  is_number(cds_web_local_open(&local, path, &err), expected, words);
  is_number(err.status, expected, "which is told");
  ok(strstr(err.message, words) != NULL, "in words: %s", err.message);
  is_number(local.fd, -1, "there is nothing to close");
  is_number(count_entries("/proc/self/fd"), open, "no descriptor is left");
  cds_web_local_close(&local);
}

static void test_paths(const char *folder) {
  char path[200], words[300];
  struct stat found;
  size_t used = (size_t)snprintf(path, sizeof path, "%s/", folder);
  memset(path + used, 'x', sizeof path - used);
  path[107] = 0;
  is_number(cds_web_local_open(&local, path, &err), CDS_OK, "the longest path");
  ok(lstat(path, &found) == 0 && S_ISSOCK(found.st_mode), "is a socket's");
  int fd = connect_path(path), accepted = cds_web_local_accept(&local);
  ok(fd >= 0 && accepted >= 0, "where one connects");
  close(fd);
  close(accepted);
  is_number(cds_web_local_accept(&local), -1, "nobody else does");
  snprintf(words, sizeof words, "cannot listen on %s: another process listens there", path);
  struct cds_web_local first = local;
  refused(path, CDS_E_NETWORK, words);
  ok(lstat(path, &found) == 0, "its socket stays");
  cds_web_local_close(&first);
  cds_web_local_close(&first);
  ok(lstat(path, &found) != 0, "and goes when it is closed");
  path[107] = 'x', path[108] = 0;
  refused(path, CDS_E_CONFIG, "the path of a socket has 1 to 107 bytes");
  refused("", CDS_E_CONFIG, "the path of a socket has 1 to 107 bytes");
  snprintf(path, sizeof path, "%s/no/socket", folder);
  snprintf(words, sizeof words, "cannot listen on %s: No such file or directory", path);
  refused(path, CDS_E_NETWORK, words);
  snprintf(path, sizeof path, "%s/file", folder);
  FILE *file = fopen(path, "w");
  ok(file != NULL && fclose(file) == 0, "a file");
  snprintf(words, sizeof words, "%s is there, and no socket", path);
  refused(path, CDS_E_CONFIG, words);
  strcat(path, "/socket");
  snprintf(words, sizeof words, "cannot listen on %s: Not a directory", path);
  refused(path, CDS_E_NETWORK, words);
}

/* No program that is started has its descriptors, and they may be any. */
static void test_descriptors(const char *folder) {
  char path[200];
  struct stat found;
  snprintf(path, sizeof path, "%s/zero", folder);
  int input = dup(0);
  close(0);
  is_number(cds_web_local_open(&local, path, &err), CDS_OK, "a socket");
  is_number(local.fd, 0, "by the first descriptor");
  int fd = connect_path(path), accepted = cds_web_local_accept(&local);
  ok((fcntl(local.fd, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(local.fd, F_GETFL) & O_NONBLOCK) != 0, "it never waits");
  ok((fcntl(accepted, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(accepted, F_GETFL) & O_NONBLOCK) != 0, "nor do others");
  close(fd);
  close(accepted);
  cds_web_local_close(&local);
  ok(lstat(path, &found) != 0 && fcntl(0, F_GETFD) < 0, "and is closed");
  dup2(input, 0);
  close(input);
}

/* What somebody else has put in its place is not removed. */
static void test_replaced(const char *folder) {
  char path[200], away[200];
  struct stat found;
  snprintf(path, sizeof path, "%s/socket", folder);
  snprintf(away, sizeof away, "%s/away", folder);
  is_number(cds_web_local_open(&local, path, &err), CDS_OK, "a socket");
  ok(rename(path, away) == 0, "which is moved away");
  FILE *file = fopen(path, "w");
  ok(file != NULL && fclose(file) == 0, "has a file in its place");
  cds_web_local_close(&local);
  ok(lstat(path, &found) == 0 && S_ISREG(found.st_mode), "which stays");
  ok(unlink(path) == 0, "until it is removed");
  is_number(connect_path(away), -1, "nobody listens at what was moved");
  ok(rename(away, path) == 0, "what is left of it");
  is_number(cds_web_local_open(&local, path, &err), CDS_OK, "is replaced");
  cds_web_local_close(&local);
}

static void test_many(const char *folder) {
  enum { MANY = CDS_WEB_MAX_CONNECTIONS + 3 };
  char path[200], byte;
  int fds[MANY], closed = 0;
  snprintf(path, sizeof path, "%s/many", folder);
  is_number(cds_web_server_new(&server, path, CDS_WEB_LOCAL, NULL, &err), CDS_OK, "a server listens at a path");
  for (int i = 0; i < MANY; i++) {
    fds[i] = connect_path(path);
    step();
  }
  int64_t until_ms = cds_clock_mono_ms() + LIMIT_MS;
  while (closed < 3 && cds_clock_mono_ms() < until_ms) {
    step();
    closed = 0;
    for (int i = 0; i < MANY; i++) closed += recv(fds[i], &byte, 1, MSG_DONTWAIT) == 0;
  }
  is_number(closed, 3, "those that are too many are closed, and no others");
  for (int i = 0; i < MANY; i++) close(fds[i]);
  cds_web_server_free(server);
  is_number(connect_path(path), -1, "it is gone");
}

int main(void) {
  char folder[] = "/tmp/cds-web-XXXXXX", command[64];
  test_queries();
  test_short_memory();
  test_credentials();
  if (!ok(mkdtemp(folder) != NULL, "a folder")) return done();
  test_paths(folder);
  test_descriptors(folder);
  test_replaced(folder);
  test_many(folder);
  snprintf(command, sizeof command, "rm -r %s", folder);
  ok(system(command) == 0, "which is removed");
  return done();
}
