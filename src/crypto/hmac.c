/* SPDX-License-Identifier: MIT
 * Hashes and request signatures with OpenSSL 3. */
#include "crypto/hmac.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/hex.h"

/* OpenSSL refuses NULL even where nothing is read. */
static const void *not_null(const void *data) {
  return data ? data : "";
}

enum cds_status cds_sha256(uint8_t out[32], const void *data, size_t length) {
  return EVP_Digest(not_null(data), length, out, NULL, EVP_sha256(), NULL) == 1 ? CDS_OK : CDS_E_MEMORY;
}

enum cds_status cds_hmac_sha256(uint8_t out[32], const void *key, size_t key_length, const void *data, size_t length) {
  size_t written = 0;
  unsigned char *mac =
    EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, not_null(key), key_length, not_null(data), length, out, 32, &written);
  return mac && written == 32 ? CDS_OK : CDS_E_MEMORY;
}

/* The string that is signed, owned by the caller; NULL when memory ran out. */
static char *string_to_sign(size_t *length, const char *method, const char *path, const uint8_t body_hash[32],
                            const char *api_key, int64_t timestamp_ms) {
  char body_hex[65];
  cds_hex_encode(body_hex, body_hash, 32);
  body_hex[64] = 0;
  size_t size = strlen(method) + strlen(path) + strlen(api_key) + sizeof body_hex + 32;
  char *text = cds_malloc(size);
  if (!text) return NULL;
  int written = snprintf(text, size, "%s %s %s %s %" PRId64, method, path, body_hex, api_key, timestamp_ms);
  *length = (size_t)written;
  return text;
}

enum cds_status cds_sign_request(char out[65], const char *method, const char *path, const void *body,
                                 size_t body_length, const char *api_key, const char *secret, size_t secret_length,
                                 int64_t timestamp_ms) {
  uint8_t hash[32], mac[32];
  enum cds_status status = cds_sha256(hash, body, body_length);
  if (status != CDS_OK) return status;
  size_t length = 0;
  char *text = string_to_sign(&length, method, path, hash, api_key, timestamp_ms);
  if (!text) return CDS_E_MEMORY;
  status = cds_hmac_sha256(mac, secret, secret_length, text, length);
  cds_free(text);
  if (status != CDS_OK) return status;
  cds_hex_encode(out, mac, sizeof mac);
  out[64] = 0;
  return CDS_OK;
}

bool cds_equal_secret(const void *a, const void *b, size_t length) {
  return CRYPTO_memcmp(a, b, length) == 0;
}
