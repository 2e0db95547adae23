/* SPDX-License-Identifier: MIT
 * The simulator's reader of HTTP requests. */
#include "simulator/http.h"

#include "base/alloc.h"

#include "tap.h"

static const char good[] = "GET /api/v1/reports?feedID=0x%30&timestamp=12&x HTTP/1.1\r\nHost: a\r\n"
                           "AUTHORIZATION:  key \r\nConnection: close\r\nContent-Length: 3\r\n\r\nabcNEXT";

static void whole(void) {
  struct cds_sim_request request;
  size_t total = 0;
  int status;
  is_number(cds_sim_request_length(good, strlen(good), &total), 0, "a whole request");
  is_number(total, strlen(good) - 4, "ends where the next one starts");
  is_number(cds_sim_request_parse(&request, good, total), 0, "is read");
  is_string(request.method, "GET", "method");
  is_string(request.target, "/api/v1/reports?feedID=0x%30&timestamp=12&x", "the target as it was sent");
  is_string(request.path, "/api/v1/reports", "path");
  ok(request.body_length == 3 && memcmp(request.body, "abc", 3) == 0, "body");
  is_string(cds_sim_request_header(&request, "authorization"), "key",
            "a header, whatever its case, without its blanks");
  ok(cds_sim_request_header(&request, "Upgrade") == NULL, "a header that was not sent");
  ok(!request.keep_alive, "Connection: close");
  char *value = cds_sim_request_query(&request, "feedID", &status);
  is_string(value ? value : "", "0x0", "an argument, decoded");
  cds_free(value);
  value = cds_sim_request_query(&request, "timestamp", &status);
  is_string(value ? value : "", "12", "the next argument");
  cds_free(value);
  ok(cds_sim_request_query(&request, "feed", &status) == NULL && status == 0, "an absent argument");
  cds_sim_request_clear(&request);
}

static void every_prefix(void) {
  size_t total, whole_length = strlen(good) - 4;
  int wrong = 0;
  for (size_t length = 0; length < whole_length; length++) {
    char *part = cds_strndup(good, length);
    wrong += !part || cds_sim_request_length(part, length, &total) != -1;
    cds_free(part);
  }
  is_number(wrong, 0, "every prefix needs more bytes");
}

static void refused(const char *text, size_t length, int expected, const char *name) {
  struct cds_sim_request request;
  size_t total = 0;
  int status = cds_sim_request_length(text, length, &total);
  if (status == 0) status = cds_sim_request_parse(&request, text, total);
  is_number(status, expected, name);
  if (status == 0) cds_sim_request_clear(&request);
}

static void bad(void) {
#define REFUSED(text, expected, name) refused(text, sizeof(text) - 1, expected, name)
  REFUSED("GET /\r\n\r\n", 400, "no version");
  REFUSED("GET / HTTP/2.0\r\n\r\n", 400, "another version");
  REFUSED("get / HTTP/1.1\r\n\r\n", 400, "a lower-case method");
  REFUSED("GET x HTTP/1.1\r\n\r\n", 400, "a target without a slash");
  REFUSED("GET /\x80 HTTP/1.1\r\n\r\n", 400, "a target beyond ASCII");
  REFUSED("GET /\0 HTTP/1.1\r\n\r\n", 400, "a 0 byte");
  REFUSED("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "a header without a colon");
  REFUSED("GET / HTTP/1.1\r\na b: c\r\n\r\n", 400, "a blank in a header's name");
  REFUSED("GET / HTTP/1.1\r\na: b\nc\r\n\r\n", 400, "a line feed in a header");
  REFUSED("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400, "a length that is no number");
  REFUSED("GET / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", 413, "a long body");
  REFUSED("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501, "a chunked body");
  REFUSED("\r\n\r\n", 400, "nothing");
  static char head[CDS_SIM_MAX_HEAD + 2];
  memset(head, 'A', sizeof head - 1);
  refused(head, sizeof head - 1, 431, "a head without an end");
}

static void bad_escapes(void) {
  static const char *const queries[] = {"%", "%1", "%zz", "%00", "%0d", "%ff"};
  for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
    struct cds_sim_request request = {.query = ""};
    char query[16];
    int status = 0;
    snprintf(query, sizeof query, "a=%s", queries[i]);
    request.query = query;
    ok(cds_sim_request_query(&request, "a", &status) == NULL && status == 400, "the escape %s is refused", queries[i]);
  }
}

int main(void) {
  whole();
  every_prefix();
  bad();
  bad_escapes();
  return done();
}
