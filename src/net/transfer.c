/* SPDX-License-Identifier: MIT
 * A request's options and headers for libcurl, signed again when its connection stands. */
#include "net/transfer.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "net/auth.h"
#include "net/journey.h"
#include "net/rest_error.h"

#define HEADER_LINE_TEXT 128 /* of the signature and timestamp lines; both are shorter */

struct cds_transfer {
  const struct cds_curl *curl;
  CURL *easy;
  const struct cds_rest_options *options;
  char origin[CDS_REST_ORIGIN_TEXT];
  struct curl_slist *lines;
  struct curl_slist *timestamp_line, *signature_line; /* nodes of lines */
  struct cds_rest_result result;
};

static const struct cds_url *url_of(const struct cds_exchange *exchange) {
  return exchange->url != NULL ? exchange->url : exchange->transfer->options->url;
}

/* ---- request headers ---- */

/* Appends and returns the new node, or NULL. */
static struct curl_slist *add_line(struct cds_transfer *transfer, const char *line) {
  struct curl_slist *lines = transfer->curl->slist_append(transfer->lines, line);
  if (lines == NULL) return NULL;
  transfer->lines = lines;
  while (lines->next != NULL) lines = lines->next;
  return lines;
}

static struct curl_slist *add_header(struct cds_transfer *transfer, const char *name, const char *value) {
  char line[CDS_MAX_CREDENTIAL_BYTES + 8192];
  if (*value == 0) /* libcurl's notation for a header without a value */
    snprintf(line, sizeof line, "%s;", name);
  else snprintf(line, sizeof line, "%s: %s", name, value);
  return add_line(transfer, line);
}

static bool is_signed(const struct cds_exchange *exchange) {
  return exchange->post == NULL && !exchange->anonymous;
}

static bool add_signature(struct cds_exchange *exchange) {
  struct cds_transfer *transfer = exchange->transfer;
  const struct cds_rest_options *options = transfer->options;
  struct cds_auth auth = {0};
  if (cds_auth_sign(&auth, cds_exchange_method(exchange), exchange->target, options->api_key, options->api_secret,
                    cds_service_clock_now_ms(options->clock), NULL) != CDS_OK)
    return false;
  transfer->timestamp_line = add_header(transfer, CDS_HEADER_TIMESTAMP, auth.timestamp);
  transfer->signature_line = add_header(transfer, CDS_HEADER_SIGNATURE, auth.signature);
  return transfer->timestamp_line != NULL && transfer->signature_line != NULL &&
         add_header(transfer, CDS_HEADER_KEY, options->api_key) != NULL;
}

static bool add_bearer(struct cds_transfer *transfer, const char *token) {
  char value[CDS_MAX_TOKEN_BYTES + 16];
  int length = snprintf(value, sizeof value, "Bearer %s", token);
  return (size_t)length < sizeof value && add_header(transfer, CDS_HEADER_KEY, value) != NULL;
}

static bool add_headers(struct cds_exchange *exchange) {
  struct cds_transfer *transfer = exchange->transfer;
  const struct cds_rest_options *options = transfer->options;
  for (size_t i = 0; i < options->header_count; i++)
    if (add_header(transfer, options->headers[i].name, options->headers[i].value) == NULL) return false;
  if (add_header(transfer, "Accept", "application/json") == NULL) return false;
  if (is_signed(exchange)) return add_signature(exchange);
  if (exchange->bearer != NULL && !add_bearer(transfer, exchange->bearer)) return false;
  if (exchange->post == NULL) return true;
  const char *type = exchange->form ? "application/x-www-form-urlencoded" : "application/json";
  return add_header(transfer, "Content-Type", type) != NULL &&
         add_line(transfer, "Expect:") != NULL; /* a large body waits for no interim answer */
}

#if LIBCURL_VERSION_NUM >= 0x075000
static bool rewrite_line(struct curl_slist *line, const char *name, const char *value) {
  char text[HEADER_LINE_TEXT];
  int length = snprintf(text, sizeof text, "%s: %s", name, value);
  if (length < 0 || strlen(line->data) != (size_t)length) return false;
  memcpy(line->data, text, (size_t)length);
  return true;
}

/* Runs when the connection stands and the request is about to be written: connecting may have taken as long as a
 * signature is good for, so the request is signed again here, in place. */
static int sign_again(void *context, char *remote_ip, char *local_ip, int remote_port, int local_port) {
  struct cds_exchange *exchange = context;
  struct cds_transfer *transfer = exchange->transfer;
  const struct cds_rest_options *options = transfer->options;
  struct cds_auth auth = {0};
  (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
  if (!is_signed(exchange)) return CURL_PREREQFUNC_OK;
  if (cds_auth_sign(&auth, cds_exchange_method(exchange), exchange->target, options->api_key, options->api_secret,
                    cds_service_clock_now_ms(options->clock), NULL) != CDS_OK ||
      !rewrite_line(transfer->timestamp_line, CDS_HEADER_TIMESTAMP, auth.timestamp) ||
      !rewrite_line(transfer->signature_line, CDS_HEADER_SIGNATURE, auth.signature))
    return CURL_PREREQFUNC_ABORT;
  return CURL_PREREQFUNC_OK;
}
#endif

/* ---- what comes in ---- */

static size_t on_header(char *data, size_t size, size_t count, void *context) {
  struct cds_exchange *exchange = context;
  struct cds_rest_result *result = &exchange->transfer->result;
  size_t length = size * count;
  result->header_bytes += length;
  if (result->header_bytes > CDS_MAX_HEADER_BYTES) {
    result->excess = "headers";
    return 0;
  }
  if (length >= 5 && memcmp(data, "HTTP/", 5) == 0) { /* a new answer: the one before was interim */
    cds_buf_reset(&exchange->headers);
    return length;
  }
  if (length > 0 && (data[0] == '\r' || data[0] == '\n')) return length;
  result->append_status = cds_buf_append(&exchange->headers, data, length);
  return result->append_status == CDS_OK ? length : 0;
}

static bool is_success(const struct cds_transfer *transfer) {
  long status = 0;
  transfer->curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  return status == 200;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
  struct cds_exchange *exchange = context;
  struct cds_rest_result *result = &exchange->transfer->result;
  if (exchange->listener != NULL && is_success(exchange->transfer))
    return exchange->listener->take(exchange->listener->context, data, size * count) ? size * count : 0;
  result->append_status = cds_buf_append(&exchange->body, data, size * count);
  if (result->append_status == CDS_E_DECODE) result->excess = "body";
  return result->append_status == CDS_OK ? size * count : 0;
}

/* ---- one transfer's options; each returns 0 when all were taken ---- */

#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 0
#endif

/* A program that the script starts must not hold our connections open; libcurl 7.88 leaves that out. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)context, (void)purpose;
  int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  if (SOCK_CLOEXEC == 0) (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

/* Never 0, by which libcurl means no bound, or one of its own. */
static long milliseconds(double seconds) {
  return (long)ceil(seconds * 1000);
}

static int set_security(const struct cds_curl *curl, CURL *easy, const struct cds_rest_options *options) {
  const struct cds_tls *tls = &options->tls;
  long verify = !tls->insecure_skip_verify;
  int failed = 0;
#if LIBCURL_VERSION_NUM >= 0x075500
  failed |= (int)curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  failed |= (int)curl->easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  failed |= (int)curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* another host must not get our signature */
  failed |= (int)curl->easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify * 2);
  if (tls->ca_file != NULL || tls->ca_path != NULL) { /* in place of the system's, which NULL switches off */
    failed |= (int)curl->easy_setopt(easy, CURLOPT_CAINFO, tls->ca_file);
    failed |= (int)curl->easy_setopt(easy, CURLOPT_CAPATH, tls->ca_path);
  }
  if (tls->cert_file != NULL) {
    failed |= (int)curl->easy_setopt(easy, CURLOPT_SSLCERT, tls->cert_file);
    failed |= (int)curl->easy_setopt(easy, CURLOPT_SSLKEY, tls->key_file);
  }
  if (options->proxy != NULL) failed |= (int)curl->easy_setopt(easy, CURLOPT_PROXY, options->proxy);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  return failed;
}

static int set_request(const struct cds_curl *curl, CURL *easy, struct cds_exchange *exchange, const char *url) {
  struct cds_transfer *transfer = exchange->transfer;
  const struct cds_rest_options *options = transfer->options;
  int failed = 0;
  failed |= (int)curl->easy_setopt(easy, CURLOPT_URL, url);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* what is signed is what is sent */
  if (exchange->post != NULL) {
    failed |= (int)curl->easy_setopt(easy, CURLOPT_POST, 1L);
    failed |= (int)curl->easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->post);
    failed |= (int)curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->post_length);
  } else failed |= (int)curl->easy_setopt(easy, exchange->head ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1L);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->lines);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_USERAGENT, CDS_USER_AGENT);
  bool ends = exchange->listener == NULL;
  if (ends) failed |= (int)curl->easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  failed |= (int)curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  /* Rather share an HTTP/2 connection than open another. Only TLS says at once (ALPN) whether that can be; without it
   * libcurl would wait for the first answer. */
  failed |= (int)curl->easy_setopt(easy, CURLOPT_PIPEWAIT, (long)url_of(exchange)->tls);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, ends ? milliseconds(options->timeout) : 0L);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options->connect_timeout));
  if (ends) failed |= (int)curl->easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)CDS_MAX_ANSWER_BYTES);
  /* A service that has moved is to be found by the next attempt, not when libcurl's own memory ends. */
  failed |= (int)curl->easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  failed |= (int)curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a cancel must not wait for a slow resolver */
#endif
  return failed;
}

static int set_callbacks(const struct cds_curl *curl, CURL *easy, struct cds_exchange *exchange) {
  int failed = 0;
  failed |= (int)curl->easy_setopt(easy, CURLOPT_PRIVATE, exchange);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->transfer->result.reason);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
#if LIBCURL_VERSION_NUM >= 0x075000
  failed |= (int)curl->easy_setopt(easy, CURLOPT_PREREQFUNCTION, sign_again);
  failed |= (int)curl->easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
#endif
  return failed;
}

/* ---- its life ---- */

void cds_transfer_free(struct cds_transfer *transfer) {
  if (transfer == NULL) return;
  if (transfer->easy != NULL) transfer->curl->easy_cleanup(transfer->easy);
  transfer->curl->slist_free_all(transfer->lines);
  cds_free(transfer);
}

static bool prepare(struct cds_exchange *exchange) {
  struct cds_transfer *transfer = exchange->transfer;
  const char *origin = transfer->origin;
  cds_rest_origin(transfer->origin, url_of(exchange));
  size_t size = strlen(origin) + strlen(exchange->target) + 1;
  char *url = cds_malloc(size);
  const struct cds_curl *curl = transfer->curl;
  CURL *easy = transfer->easy = curl->easy_init();
  bool ready = url != NULL && easy != NULL && add_headers(exchange);
  if (ready) {
    snprintf(url, size, "%s%s", origin, exchange->target);
    ready = (set_request(curl, easy, exchange, url) | set_security(curl, easy, transfer->options) |
             set_callbacks(curl, easy, exchange)) == 0;
    if (ready && exchange->journey != NULL) ready = cds_journey_prepare(curl, easy) == 0;
  }
  cds_free(url);
  return ready;
}

bool cds_transfer_begin(struct cds_exchange *exchange, const struct cds_curl *curl,
                        const struct cds_rest_options *options) {
  exchange->transfer = cds_calloc(1, sizeof *exchange->transfer);
  if (exchange->transfer == NULL) return false;
  exchange->transfer->curl = curl;
  exchange->transfer->options = options;
  if (prepare(exchange)) return true;
  cds_transfer_free(exchange->transfer);
  exchange->transfer = NULL;
  return false;
}

CURL *cds_transfer_easy(const struct cds_transfer *transfer) {
  return transfer->easy;
}

struct cds_exchange *cds_transfer_of(const struct cds_curl *curl, CURL *easy) {
  struct cds_exchange *exchange = NULL;
  curl->easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&exchange);
  return exchange;
}

static void read_info(struct cds_exchange *exchange, const struct cds_curl *curl, CURL *easy) {
  struct cds_rest_result *result = &exchange->transfer->result;
  long status = 0, connects = 0;
  curl_off_t total = 0, pretransfer = 0, start = 0;
  curl->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl->easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
  curl->easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &total);
  curl->easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
  curl->easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &start);
  curl->easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result->verify_result);
  curl->easy_getinfo(easy, CURLINFO_OS_ERRNO, &result->os_error);
  exchange->received_at_ms = cds_clock_wall_ms();
  exchange->elapsed = (double)total / 1e6;
  exchange->connections = (uint64_t)connects;
  exchange->http_status = (int)status;
  result->connected = pretransfer > 0;
  result->has_begun = start > 0;
}

void cds_transfer_finish(struct cds_exchange *exchange, CURLcode code) {
  const struct cds_transfer *transfer = exchange->transfer;
  read_info(exchange, transfer->curl, transfer->easy);
  if (exchange->journey != NULL) cds_journey_read(exchange->journey, transfer->curl, transfer->easy, code);
  exchange->status = cds_rest_error(&exchange->err, (int)code, &transfer->result, transfer->options, transfer->origin);
}
