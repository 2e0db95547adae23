/* SPDX-License-Identifier: MIT
 * Turns libcurl's failures into errors that name the real reason, and never a secret. */
#include "net/rest_error.h"

#include <openssl/x509_vfy.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "net/curl.h"
#include "net/proxy.h"

#define LONGEST_HEADER_LINE (100 * 1024) /* libcurl's bound */

_Static_assert(CDS_REST_REASON_TEXT >= CURL_ERROR_SIZE, "libcurl writes CURL_ERROR_SIZE bytes");

static enum cds_status certificate_error(struct cds_error *err, const struct cds_rest_result *result,
                                         const char *origin) {
  const char *reason = cds_tls_verify_reason(result->verify_result);
  if (strstr(result->reason, "target host") != NULL) /* libcurl compares names before it asks OpenSSL for its verdict */
    reason = "host name does not match certificate";
  else if (*reason == 0 || result->verify_result == X509_V_ERR_UNSPECIFIED) reason = result->reason;
  cds_error_set(err, CDS_E_NETWORK, "%s: TLS: %s", origin, reason);
  err->retryable = false; /* the same certificate will come again */
  return CDS_E_NETWORK;
}

/* A key, certificate or CA file of ours that OpenSSL does not like. */
static enum cds_status own_tls_error(struct cds_error *err, const char *reason, const char *origin) {
  cds_error_set(err, CDS_E_NETWORK, "%s: TLS: %s", origin, reason);
  err->retryable = false;
  return CDS_E_NETWORK;
}

/* The alert by which a server ends a handshake comes to us as text: OpenSSL's words, or its number where it has none. */
static enum cds_status handshake_error(struct cds_error *err, const char *reason, const char *origin) {
  bool no_protocol = strstr(reason, "no application protocol") != NULL || strstr(reason, "reason(1120)") != NULL;
  return cds_error_set(err, CDS_E_NETWORK, "%s: %s%s", origin, no_protocol ? "TLS: " : "",
                       no_protocol ? CDS_TLS_NO_PROTOCOL : reason);
}

static enum cds_status timeout_error(struct cds_error *err, const struct cds_rest_result *result,
                                     const struct cds_rest_options *options, const char *origin) {
  if (result->connected)
    return cds_error_set(err, CDS_E_TIMEOUT, "%s: no complete answer within %g s (timeout)", origin, options->timeout);
  double limit = options->connect_timeout < options->timeout ? options->connect_timeout : options->timeout;
  return cds_error_set(err, CDS_E_TIMEOUT, "%s: no connection within %g s (connect_timeout)", origin, limit);
}

static enum cds_status excess_error(struct cds_error *err, const char *part, const char *origin) {
  if (strcmp(part, "headers") == 0)
    return cds_error_set(err, CDS_E_DECODE, "%s: the answer's headers are longer than %u KiB", origin,
                         CDS_MAX_HEADER_BYTES / 1024);
  return cds_error_set(err, CDS_E_DECODE, "%s: the answer's body is larger than %u MiB", origin,
                       CDS_MAX_ANSWER_BYTES / (1024 * 1024));
}

static enum cds_status write_error(struct cds_error *err, const struct cds_rest_result *result, const char *origin) {
  if (result->excess != NULL) return excess_error(err, result->excess, origin);
  if (result->append_status == CDS_E_MEMORY)
    return cds_error_set(err, CDS_E_MEMORY, "%s: out of memory while an answer came in", origin);
  return cds_error_set(err, CDS_E_NETWORK, "%s: %s", origin, result->reason);
}

static enum cds_status proxy_error(struct cds_error *err, const char *origin) {
  return cds_error_set(err, CDS_E_NETWORK, "%s: the proxy's name could not be resolved, or its URL is not understood",
                       origin);
}

static enum cds_status connect_error(struct cds_error *err, const struct cds_rest_result *result,
                                     const struct cds_rest_options *options, const char *reason, const char *origin) {
  char proxy[CDS_MAX_PROXY_TEXT] = "";
  if (strstr(reason, "Unsupported proxy") != NULL) /* libcurl quotes the URL, password and all */
    return proxy_error(err, origin);
  if (result->os_error != 0) reason = strerror((int)result->os_error); /* refused or unreachable */
  if (options->url != NULL && cds_proxy_for(proxy, options->url, options->proxy, NULL) == CDS_OK && proxy[0] != 0)
    return cds_error_set(err, CDS_E_NETWORK, "%s: cannot connect to the proxy %s: %s", origin, cds_proxy_name(proxy),
                         reason);
  return cds_error_set(err, CDS_E_NETWORK, "%s: cannot connect: %s", origin, reason);
}

/* OpenSSL's code for an end without a farewell says no more than that. */
static enum cds_status receive_error(struct cds_error *err, const char *reason, const char *origin) {
  if (strstr(reason, "unexpected eof") == NULL) return cds_error_set(err, CDS_E_NETWORK, "%s: %s", origin, reason);
  return cds_error_set(err, CDS_E_NETWORK, "%s: the answer was cut short: the connection ended", origin);
}

/* libcurl before 8.6 has the same code for a header line that is too long for it. Then there is memory for another. */
static enum cds_status memory_error(struct cds_error *err, const struct cds_rest_result *result, const char *origin) {
  void *line = result->has_begun ? cds_malloc(LONGEST_HEADER_LINE) : NULL;
  cds_free(line);
  if (line != NULL) return excess_error(err, "headers", origin);
  return cds_error_set(err, CDS_E_MEMORY, "%s: out of memory", origin);
}

/* A socket or a file that was not to be had: libcurl tells the same for whatever reason. */
static bool may_want_descriptor(int code) {
  return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_CERTPROBLEM;
}

static const char *words_for(int code) {
  const struct cds_curl *curl;
  return cds_curl_load(&curl, NULL) == CDS_OK ? curl->easy_strerror((CURLcode)code) : "";
}

enum cds_status cds_rest_error(struct cds_error *err, int code, const struct cds_rest_result *result,
                               const struct cds_rest_options *options, const char *origin) {
  const char *reason = result->reason[0] != 0 ? result->reason : words_for(code);
  if (may_want_descriptor(code) && cds_tls_lacks_descriptors())
    return cds_error_set(err, CDS_E_MEMORY, "%s: cannot connect: too many open files", origin);
  switch ((CURLcode)code) {
  case CURLE_OK: return CDS_OK;
  case CURLE_OPERATION_TIMEDOUT: return timeout_error(err, result, options, origin);
  case CURLE_PEER_FAILED_VERIFICATION: return certificate_error(err, result, origin);
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CIPHER: return own_tls_error(err, reason, origin);
  case CURLE_SSL_CONNECT_ERROR: return handshake_error(err, reason, origin);
  case CURLE_FILESIZE_EXCEEDED: return excess_error(err, "body", origin);
  case CURLE_WRITE_ERROR: return write_error(err, result, origin);
  case CURLE_BAD_CONTENT_ENCODING:
    return cds_error_set(err, CDS_E_DECODE, "%s: the answer could not be decompressed: %s", origin, reason);
  case CURLE_COULDNT_CONNECT: return connect_error(err, result, options, reason, origin);
  case CURLE_PARTIAL_FILE: return cds_error_set(err, CDS_E_NETWORK, "%s: the answer was cut short: %s", origin, reason);
  case CURLE_RECV_ERROR: return receive_error(err, reason, origin);
#if LIBCURL_VERSION_NUM >= 0x080600
  case CURLE_TOO_LARGE: return excess_error(err, "headers", origin);
#endif
  case CURLE_OUT_OF_MEMORY: return memory_error(err, result, origin);
  case CURLE_ABORTED_BY_CALLBACK: /* signing, for lack of memory */
    return cds_error_set(err, CDS_E_MEMORY, "%s: the request could not be signed", origin);
  case CURLE_COULDNT_RESOLVE_PROXY: return proxy_error(err, origin);
  default: return cds_error_set(err, CDS_E_NETWORK, "%s: %s", origin, reason);
  }
}
