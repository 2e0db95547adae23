/* SPDX-License-Identifier: MIT
 * Hashes against published vectors, and the request signature against the openssl command. */
#include "crypto/hmac.h"

#include "base/alloc.h"
#include "codec/hex.h"
#include "tap.h"

#define FEED_A "0x000359843a543ee2fe414dc14c7e7920ef10f4372990b79d6361cdc0dd1ba782"
#define FEED_B "0x00037da06d56d083fe599397a4769a042d63aa73dc4ef57709d31e9971a5b439"
#define BARE "/api/v1/reports/bulk?feedIDs=" FEED_A "," FEED_B "&timestamp=1734131277"
#define ENCODED "/api/v1/reports/bulk?feedIDs=" FEED_A "%2C" FEED_B "&timestamp=1734131277"
#define KEY "simulator-key"
#define SECRET "simulator-secret"

static void hex_of(char out[65], const uint8_t bytes[32]) {
  cds_hex_encode(out, bytes, 32);
  out[64] = 0;
}

static void check_hmac(const char *key, size_t key_length, const char *data, size_t length, const char *expected,
                       const char *name) {
  uint8_t mac[32];
  char text[65] = "";
  if (ok(cds_hmac_sha256(mac, key, key_length, data, length) == CDS_OK, "%s", name)) hex_of(text, mac);
  is_string(text, expected, name);
}

static void test_hashes(void) {
  uint8_t hash[32];
  char text[65];
  is_number(cds_sha256(hash, "abc", 3), CDS_OK, "SHA-256 of abc");
  hex_of(text, hash);
  is_string(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "is FIPS 180's");
  is_number(cds_sha256(hash, NULL, 0), CDS_OK, "SHA-256 of nothing");
  hex_of(text, hash);
  is_string(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "is the known value");
  /* RFC 4231, test cases 1, 2 and 6; then an empty key and message */
  char key[131];
  memset(key, 0x0b, 20);
  check_hmac(key, 20, "Hi There", 8, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
             "RFC 4231 case 1");
  check_hmac("Jefe", 4, "what do ya want for nothing?", 28,
             "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "RFC 4231 case 2");
  memset(key, 0xaa, sizeof key);
  check_hmac(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54,
             "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", "RFC 4231 case 6");
  check_hmac(NULL, 0, NULL, 0, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
             "empty key and message");
}

/* Runs a shell command and takes the first `length` characters it prints; false when it prints fewer. */
static bool run(char *out, size_t length, const char *command) {
  FILE *pipe = popen(command, "r");
  if (!pipe) return false;
  size_t got = fread(out, 1, length, pipe);
  out[got] = 0;
  char rest[256];
  while (fread(rest, 1, sizeof rest, pipe) > 0) continue;
  return pclose(pipe) == 0 && got == length;
}

/* The signature as the openssl command computes it; the texts hold no quotes. */
static bool openssl_signature(char out[65], const char *method, const char *path, const char *body, long long time) {
  char command[1024], hash[65];
  snprintf(command, sizeof command, "printf '%%s' '%s' | openssl dgst -sha256 -r", body);
  if (!run(hash, 64, command)) return false;
  snprintf(command, sizeof command, "printf '%%s' '%s %s %s %s %lld' | openssl dgst -sha256 -hmac '%s' -r", method,
           path, hash, KEY, time, SECRET);
  return run(out, 64, command);
}

static const struct {
  const char *name, *method, *path, *body;
  long long time;
  const char *signature; /* computed once with the commands above */
} requests[] = {
  {"bare commas", "GET", BARE, "", 1734131277123, "1a2fff3e3503ef7b8a4695c38a18f9eb18752e927646d635e37d814e083e3c83"},
  {"encoded commas", "GET", ENCODED, "", 1734131277123,
   "9fac5a843bef0ccf72293a036ebf1f96f40a43f80d1eeda4a79f233f3f1867db"},
  {"a body", "POST", "/api/v1/x", "{\"a\":1}", 1, "710967166fa7aa6542709911a39c4377604b62e78f8bb734c43257f9ace42f56"},
};

static void test_signatures(void) {
  char version[5];
  bool have_openssl = run(version, 4, "openssl version 2>/dev/null");
  for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
    char out[65] = "", expected[65] = "";
    enum cds_status status = cds_sign_request(out, requests[i].method, requests[i].path, requests[i].body,
                                              strlen(requests[i].body), KEY, SECRET, strlen(SECRET), requests[i].time);
    is_number(status, CDS_OK, requests[i].name);
    is_string(out, requests[i].signature, "the signature is the known one");
    if (!have_openssl) {
      skip("the signature is the openssl command's", "no openssl command here");
      continue;
    }
    ok(openssl_signature(expected, requests[i].method, requests[i].path, requests[i].body, requests[i].time),
       "the openssl command runs");
    is_string(out, expected, "the signature is the openssl command's");
  }
}

static void test_long_path(void) {
  static char path[70000];
  memset(path, 'p', sizeof path - 1);
  char one[65], other[65];
  is_number(cds_sign_request(one, "GET", path, NULL, 0, KEY, SECRET, strlen(SECRET), INT64_MIN), CDS_OK,
            "a path of 70,000 bytes");
  path[69998] = 'q';
  is_number(cds_sign_request(other, "GET", path, NULL, 0, KEY, SECRET, strlen(SECRET), INT64_MIN), CDS_OK,
            "another one");
  ok(strcmp(one, other) != 0, "is signed to its last byte");
  cds_alloc_fail_after(0);
  enum cds_status status = cds_sign_request(one, "GET", path, NULL, 0, KEY, SECRET, strlen(SECRET), 1);
  cds_alloc_fail_after(-1);
  is_number(status, CDS_E_MEMORY, "no memory is told");
}

int main(void) {
  test_hashes();
  test_signatures();
  test_long_path();
  ok(cds_equal_secret("abc", "abc", 3) && !cds_equal_secret("abc", "abd", 3), "secrets are compared");
  return done();
}
