/* SPDX-License-Identifier: MIT
 * The gate of a server at its bounds, by a clock that stands: times, lengths, letters, and lists of feeds. */
#include "web/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "crypto/hmac.h"
#include "tap.h"

#define NOW_MS INT64_C(1700000000123)
#define MOST_TARGET (256 * 1024)

/* The program's definition comes before the C library's. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *out) {
  (void)id;
  *out = (struct timespec){.tv_sec = NOW_MS / 1000, .tv_nsec = NOW_MS % 1000 * 1000000};
  return 0;
}

static struct cds_web_gate *gate;
static struct cds_error err;

static void begin(const char *key, const char *secret) {
  if (!ok(cds_web_gate_new(&gate, key, secret, &err) == CDS_OK, "a gate")) exit(done());
}

static struct cds_web_credentials sign(const char *target, int64_t at_ms) {
  struct cds_web_credentials out = {.key = "key"};
  char signature[65];
  snprintf(out.timestamp, sizeof out.timestamp, "%lld", (long long)at_ms);
  if (cds_sign_request(signature, "GET", target, "", 0, "key", "secret", 6, at_ms) != CDS_OK) exit(1);
  memcpy(out.signature, signature, sizeof signature);
  return out;
}

static void answers(const char *target, const struct cds_web_credentials *credentials, int expected,
                    const char *words) {
  const char *reason = "";
  is_number(cds_web_gate_check(gate, "GET", target, credentials, &reason), expected, words);
  if (expected != 0) is_string(reason, words, "for that reason");
}

/* ---- signatures ---- */

static void test_window(void) {
  static const char late[] = "timestamp outside of the 5 second window";
  static const int64_t good[] = {0, 5000, -5000}, bad[] = {5001, -5001, 60000, -NOW_MS + 1};
  begin("key", "secret");
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    struct cds_web_credentials it = sign("/a", NOW_MS + good[i]);
    answers("/a", &it, 0, "five seconds either way are good");
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct cds_web_credentials it = sign("/a", NOW_MS + bad[i]);
    answers("/a", &it, 401, late);
  }
  struct cds_web_credentials it = sign("/a", NOW_MS);
  strcpy(it.timestamp, "1234567890123456");
  answers("/a", &it, 401, late);
  strcpy(it.timestamp, "00001700000000123");
  answers("/a", &it, 400, "malformed X-Authorization-Timestamp");
  strcpy(it.timestamp, "-1700000000123");
  answers("/a", &it, 400, "malformed X-Authorization-Timestamp");
  strcpy(it.timestamp, "1700000000123 ");
  answers("/a", &it, 400, "malformed X-Authorization-Timestamp");
  cds_web_gate_free(gate);
}

static void test_parts(void) {
  static const char missing[] = "missing authorization headers";
  struct cds_web_credentials it = sign("/a", NOW_MS), without = it;
  begin("key", "secret");
  answers("/a", &it, 0, "all is there");
  without.key[0] = 0;
  answers("/a", &without, 400, missing);
  without = it, without.timestamp[0] = 0;
  answers("/a", &without, 400, missing);
  without = it, without.signature[0] = 0;
  answers("/a", &without, 400, missing);
  without = it, strcpy(without.timestamp, "5");
  answers("/a", &without, 401, "timestamp outside of the 5 second window");
  without = it, strcpy(without.signature, "5");
  answers("/a", &without, 400, "malformed X-Authorization-Signature-SHA256");
  cds_web_gate_free(gate);
}

static void test_keys(void) {
  static const char *const others[] = {"ke", "key2", "kez", "Key", "k"};
  begin("key", "secret");
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    struct cds_web_credentials it = sign("/a", NOW_MS);
    strcpy(it.key, others[i]);
    answers("/a", &it, 401, "unknown API key");
  }
  cds_web_gate_free(gate);
}

static void test_signatures(void) {
  static const char malformed[] = "malformed X-Authorization-Signature-SHA256";
  struct cds_web_credentials it = sign("/a", NOW_MS), other = it;
  begin("key", "secret");
  for (size_t i = 0; i < 64; i++) { /* each digit counts, in either case */
    other = it;
    other.signature[i] = other.signature[i] == '0' ? '1' : '0';
    const char *reason = "";
    if (cds_web_gate_check(gate, "GET", "/a", &other, &reason) != 401 || strcmp(reason, "signature mismatch") != 0)
      ok(false, "digit %zu does not count", i);
  }
  for (char *at = it.signature; *at; at++)
    if (*at >= 'a') *at = (char)(*at - 32);
  answers("/a", &it, 0, "capital digits are digits");
  strcat(it.signature, "0");
  answers("/a", &it, 400, malformed);
  it.signature[63] = 0;
  answers("/a", &it, 400, malformed);
  strcat(it.signature, "g");
  answers("/a", &it, 400, malformed);
  cds_web_gate_free(gate);
}

/* Where each comma may have been escaped it is so in all places, up to so many bytes. */
static void test_commas(void) {
  begin("key", "secret");
  struct cds_web_credentials it = sign("/a%2Cb%2c", NOW_MS);
  answers("/a,b,", &it, 401, "signature mismatch");
  it = sign("%2C/%2C%2C", NOW_MS);
  answers(",/,,", &it, 0, "each of them");
  it = sign("/a", NOW_MS);
  answers("/a,", &it, 401, "signature mismatch");
  for (size_t length = MOST_TARGET; length <= MOST_TARGET + 1; length++) {
    char *text = calloc(1, MOST_TARGET + 2), *escaped = calloc(1, MOST_TARGET + 4);
    memset(text, 'a', length - 3);
    snprintf(escaped, MOST_TARGET + 4, "%s%%2C", text);
    strcat(text, ",");
    it = sign(escaped, NOW_MS);
    answers(text, &it, length == MOST_TARGET ? 0 : 401, length == MOST_TARGET ? "the longest" : "signature mismatch");
    free(text);
    free(escaped);
  }
  cds_web_gate_free(gate);
}

static void test_open(void) {
  const struct cds_web_credentials none = {.key = ""}, it = {.key = "x", .timestamp = "x", .signature = "x"};
  begin(NULL, NULL);
  answers("/a", &none, 0, "where nobody has to sign, who does not comes in");
  answers("/a", &it, 0, "and whoever does");
  cds_web_gate_free(gate);
  cds_web_gate_free(NULL);
}

/* ---- feeds ---- */

#define FEEDS 20

static const char *id_of(int number) {
  static char text[FEEDS + 1][80];
  snprintf(text[number], sizeof text[number], "0x0003%060d", number);
  return text[number];
}

static void begin_feeds(void) {
  begin(NULL, NULL);
  for (int i = 0; i < FEEDS; i++)
    if (cds_web_gate_add(gate, id_of(i), &err) != CDS_OK) ok(false, "feed %d is added", i);
  is_number((long long)cds_web_gate_count(gate), FEEDS, "so many feeds");
}

static void wants(const char *query, unsigned expected, const char *words) {
  const char *reason = "";
  bool *wanted;
  unsigned found = 0;
  is_number(cds_web_gate_feeds(gate, query, &wanted, &reason), 0, words);
  for (int i = 0; i < FEEDS && wanted != NULL; i++) found |= (wanted[i] ? 1u : 0) << i;
  is_number(found, expected, "those and no others");
  cds_free(wanted);
}

static void is_refused(const char *query, int expected, const char *words) {
  const char *reason = "";
  bool *wanted;
  is_number(cds_web_gate_feeds(gate, query, &wanted, &reason), expected, query);
  is_string(reason, words, "for that reason");
  ok(wanted == NULL, "and gives none");
}

static void test_feeds(void) {
  char query[4096];
  begin_feeds();
  snprintf(query, sizeof query, "feedIDs=%s", id_of(0));
  wants(query, 1, "the first one");
  snprintf(query, sizeof query, "&&x&y=&feedIDs=%s,%s&feedIDs=%s", id_of(19), id_of(7), id_of(1));
  wants(query, 1u << 19 | 1u << 7, "the first list of several");
  snprintf(query, sizeof query, "feedIDs=%s,%s", id_of(3), id_of(3));
  wants(query, 1u << 3, "one that is named twice");
  size_t used = (size_t)snprintf(query, sizeof query, "feedIDs=");
  for (int i = 0; i < FEEDS; i++)
    used += (size_t)snprintf(query + used, sizeof query - used, "%s%s", i > 0 ? "," : "", id_of(i));
  wants(query, (1u << FEEDS) - 1, "all of them");
  snprintf(query, sizeof query, "feedIDs=%s", id_of(20));
  is_refused(query, 401, "this relay does not have that feed");
  snprintf(query, sizeof query, "feedIDs=,%s", id_of(1));
  is_refused(query, 400, "malformed feed id");
  snprintf(query, sizeof query, "feedIDs=%s,%s", id_of(20), "0x");
  is_refused(query, 401, "this relay does not have that feed");
  is_refused("feedIDs=", 400, "malformed feed id");
  is_refused("feedIDs", 400, "missing feedIDs");
  is_refused("feedID=1&feedIDsx=2&eedIDs=3", 400, "missing feedIDs");
  snprintf(query, sizeof query, "feedIDz=%s", id_of(1));
  is_refused(query, 400, "missing feedIDs");
  is_refused("", 400, "missing feedIDs");
  cds_alloc_fail_after(0);
  snprintf(query, sizeof query, "feedIDs=%s", id_of(0));
  is_refused(query, 503, "out of memory");
  is_number(cds_web_gate_add(gate, id_of(20), &err), CDS_E_MEMORY, "without memory none is added");
  is_number(err.status, CDS_E_MEMORY, "which is told");
  cds_alloc_fail_after(-1);
  is_number((long long)cds_web_gate_count(gate), FEEDS, "and there are as many");
  cds_web_gate_free(gate);
}

static void test_none(void) {
  char query[128];
  begin(NULL, NULL);
  snprintf(query, sizeof query, "feedIDs=%s", id_of(0));
  is_refused(query, 400, "missing feedIDs"); /* there is none to be asked for */
  is_number(cds_web_gate_add(gate, "0x", &err), CDS_E_FEED_ID, "what is no id is not added");
  is_number((long long)cds_web_gate_count(gate), 0, "none is there");
  cds_web_gate_free(gate);
}

static void test_memory(void) {
  for (long after = 0; after < 3; after++) {
    err.status = CDS_OK;
    cds_alloc_fail_after(after);
    is_number(cds_web_gate_new(&gate, "key", "secret", &err), CDS_E_MEMORY, "without memory there is no gate");
    cds_alloc_fail_after(-1);
    ok(gate == NULL && err.status == CDS_E_MEMORY, "none at all, which is told");
    is_string(err.message, "out of memory", "in words");
  }
}

int main(void) {
  test_window();
  test_parts();
  test_keys();
  test_signatures();
  test_commas();
  test_open();
  test_feeds();
  test_none();
  test_memory();
  return done();
}
