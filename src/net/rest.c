/* SPDX-License-Identifier: MIT
 * One signed request after another over a libcurl multi handle, which keeps the connections. */
#include "net/rest.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "net/auth.h"
#include "net/rest_error.h"

#define HEADER_LINE_TEXT 128 /* of the signature and timestamp lines; both are shorter */

struct cds_rest {
  CURLM *multi;
  struct cds_rest_options options;
};

struct cds_transfer {
  CURL *easy;
  struct cds_rest *rest;
  char origin[CDS_REST_ORIGIN_TEXT];
  struct curl_slist *lines;
  struct curl_slist *timestamp_line, *signature_line; /* nodes of lines */
  struct cds_rest_result result;
};

/* ---- one-time start of libcurl ---- */

static CURLcode global_code;

static void init_curl(void) {
  global_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum cds_status cds_rest_new(struct cds_rest **out, const struct cds_rest_options *options, struct cds_error *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  *out = NULL;
  pthread_once(&once, init_curl);
  if (global_code != CURLE_OK)
    return cds_error_set(err, CDS_E_MEMORY, "libcurl could not start: %s", curl_easy_strerror(global_code));
  struct cds_rest *rest = cds_calloc(1, sizeof *rest);
  if (rest == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  rest->options = *options;
  rest->multi = curl_multi_init();
  if (rest->multi == NULL || curl_multi_wakeup(rest->multi) != CURLM_OK) { /* one that nothing wakes would hang */
    cds_rest_free(rest);
    return cds_error_set(err, CDS_E_MEMORY, "libcurl could not start: memory or descriptors ran out");
  }
  *out = rest;
  return CDS_OK;
}

void cds_rest_free(struct cds_rest *rest) {
  if (rest == NULL) return;
  if (rest->multi != NULL) curl_multi_cleanup(rest->multi);
  cds_free(rest);
}

void cds_rest_origin(char out[CDS_REST_ORIGIN_TEXT], const struct cds_url *url) {
  char host[CDS_HOST_PORT_TEXT];
  cds_url_host_port(host, url);
  snprintf(out, CDS_REST_ORIGIN_TEXT, "%s%s", url->tls ? "https://" : "http://", host);
}

const char *cds_exchange_method(const struct cds_exchange *exchange) {
  return exchange->post != NULL ? "POST" : exchange->head ? "HEAD" : "GET";
}

static const struct cds_url *url_of(const struct cds_exchange *exchange) {
  return exchange->url != NULL ? exchange->url : exchange->transfer->rest->options.url;
}

/* ---- request headers ---- */

/* Appends and returns the new node, or NULL. */
static struct curl_slist *add_line(struct cds_transfer *transfer, const char *line) {
  struct curl_slist *lines = curl_slist_append(transfer->lines, line);
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

static bool add_signature(struct cds_exchange *exchange, struct cds_error *err) {
  struct cds_transfer *transfer = exchange->transfer;
  const struct cds_rest_options *options = &transfer->rest->options;
  struct cds_auth auth = {0};
  if (cds_auth_sign(&auth, cds_exchange_method(exchange), exchange->target, options->api_key, options->api_secret,
                    cds_clock_wall_ms(), err) != CDS_OK)
    return false;
  transfer->timestamp_line = add_header(transfer, CDS_HEADER_TIMESTAMP, auth.timestamp);
  transfer->signature_line = add_header(transfer, CDS_HEADER_SIGNATURE, auth.signature);
  return transfer->timestamp_line != NULL && transfer->signature_line != NULL &&
         add_header(transfer, CDS_HEADER_KEY, options->api_key) != NULL;
}

static bool add_headers(struct cds_exchange *exchange, struct cds_error *err) {
  struct cds_transfer *transfer = exchange->transfer;
  const struct cds_rest_options *options = &transfer->rest->options;
  for (size_t i = 0; i < options->header_count; i++)
    if (add_header(transfer, options->headers[i].name, options->headers[i].value) == NULL) return false;
  if (add_header(transfer, "Accept", "application/json") == NULL) return false;
  if (is_signed(exchange)) return add_signature(exchange, err);
  if (exchange->post == NULL) return true;
  return add_header(transfer, "Content-Type", "application/json") != NULL &&
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
  const struct cds_rest_options *options = &transfer->rest->options;
  struct cds_auth auth = {0};
  (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
  if (!is_signed(exchange)) return CURL_PREREQFUNC_OK;
  if (cds_auth_sign(&auth, cds_exchange_method(exchange), exchange->target, options->api_key, options->api_secret,
                    cds_clock_wall_ms(), NULL) != CDS_OK ||
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

static size_t on_body(char *data, size_t size, size_t count, void *context) {
  struct cds_exchange *exchange = context;
  struct cds_rest_result *result = &exchange->transfer->result;
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

static long milliseconds(double seconds) {
  return seconds < 0.001 ? 1 : (long)(seconds * 1000);
}

static int set_security(CURL *easy, const struct cds_rest_options *options) {
  const struct cds_tls *tls = &options->tls;
  long verify = !tls->insecure_skip_verify;
  int failed = 0;
#if LIBCURL_VERSION_NUM >= 0x075500
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  failed |= (int)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* another host must not get our signature */
  failed |= (int)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify * 2);
  if (tls->ca_file != NULL || tls->ca_path != NULL) { /* in place of the system's, which NULL switches off */
    failed |= (int)curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca_file);
    failed |= (int)curl_easy_setopt(easy, CURLOPT_CAPATH, tls->ca_path);
  }
  if (tls->cert_file != NULL) {
    failed |= (int)curl_easy_setopt(easy, CURLOPT_SSLCERT, tls->cert_file);
    failed |= (int)curl_easy_setopt(easy, CURLOPT_SSLKEY, tls->key_file);
  }
  if (options->proxy != NULL) failed |= (int)curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  return failed;
}

static int set_request(CURL *easy, struct cds_exchange *exchange, const char *url) {
  struct cds_transfer *transfer = exchange->transfer;
  const struct cds_rest_options *options = &transfer->rest->options;
  int failed = 0;
  failed |= (int)curl_easy_setopt(easy, CURLOPT_URL, url);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* what is signed is what is sent */
  if (exchange->post != NULL) {
    failed |= (int)curl_easy_setopt(easy, CURLOPT_POST, 1L);
    failed |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->post);
    failed |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->post_length);
  } else failed |= (int)curl_easy_setopt(easy, exchange->head ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1L);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->lines);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_USERAGENT, CDS_USER_AGENT);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  /* Rather share an HTTP/2 connection than open another. Only TLS says at once (ALPN) whether that can be; without it
   * libcurl would wait for the first answer. */
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, (long)url_of(exchange)->tls);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(options->timeout));
  failed |= (int)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options->connect_timeout));
  failed |= (int)curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)CDS_MAX_ANSWER_BYTES);
  /* A service that has moved is to be found by the next attempt, not when libcurl's own memory ends. */
  failed |= (int)curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  failed |= (int)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a cancel must not wait for a slow resolver */
#endif
  return failed;
}

static int set_callbacks(CURL *easy, struct cds_exchange *exchange) {
  int failed = 0;
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->transfer->result.reason);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
#if LIBCURL_VERSION_NUM >= 0x075000
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, sign_again);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
#endif
  return failed;
}

/* ---- the life of an exchange ---- */

static void free_transfer(struct cds_transfer *transfer) {
  if (transfer == NULL) return;
  if (transfer->easy != NULL) curl_easy_cleanup(transfer->easy);
  curl_slist_free_all(transfer->lines);
  cds_free(transfer);
}

static bool prepare(struct cds_exchange *exchange, struct cds_error *err) {
  struct cds_transfer *transfer = exchange->transfer;
  const char *origin = transfer->origin;
  cds_rest_origin(transfer->origin, url_of(exchange));
  size_t size = strlen(origin) + strlen(exchange->target) + 1;
  char *url = cds_malloc(size);
  transfer->easy = curl_easy_init();
  bool ready = url != NULL && transfer->easy != NULL && add_headers(exchange, err);
  if (ready) {
    snprintf(url, size, "%s%s", origin, exchange->target);
    ready = (set_request(transfer->easy, exchange, url) | set_security(transfer->easy, &transfer->rest->options) |
             set_callbacks(transfer->easy, exchange)) == 0;
  }
  cds_free(url);
  return ready && curl_multi_add_handle(transfer->rest->multi, transfer->easy) == CURLM_OK;
}

enum cds_status cds_rest_start(struct cds_rest *rest, struct cds_exchange *exchange, struct cds_error *err) {
  cds_exchange_clear(exchange);
  cds_buf_init(&exchange->headers, CDS_MAX_HEADER_BYTES);
  cds_buf_init(&exchange->body, CDS_MAX_ANSWER_BYTES);
  exchange->transfer = cds_calloc(1, sizeof *exchange->transfer);
  if (exchange->transfer != NULL) {
    exchange->transfer->rest = rest;
    if (prepare(exchange, err)) return CDS_OK;
  }
  free_transfer(exchange->transfer);
  exchange->transfer = NULL;
  return cds_error_set(err, CDS_E_MEMORY, "the request could not be made: out of memory");
}

void cds_rest_wait(struct cds_rest *rest, int timeout_ms) {
  int running;
  /* a handle just added makes the poll return at once */
  CURLMcode code = curl_multi_poll(rest->multi, NULL, 0, timeout_ms, NULL);
  if (code == CURLM_OK) code = curl_multi_perform(rest->multi, &running);
  if (code != CURLM_OK) /* memory or descriptors ran out: do not spin until that passes */
    poll(NULL, 0, 10);
}

void cds_rest_wake(struct cds_rest *rest) {
  curl_multi_wakeup(rest->multi);
}

static void read_info(struct cds_exchange *exchange, CURL *easy) {
  struct cds_rest_result *result = &exchange->transfer->result;
  long status = 0, connects = 0;
  curl_off_t total = 0, pretransfer = 0, start = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
  curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &total);
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
  curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &start);
  curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result->verify_result);
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &result->os_error);
  exchange->received_at_ms = cds_clock_wall_ms();
  exchange->elapsed = (double)total / 1e6;
  exchange->connections = (uint64_t)connects;
  exchange->http_status = (int)status;
  result->connected = pretransfer > 0;
  result->has_begun = start > 0;
}

struct cds_exchange *cds_rest_take_done(struct cds_rest *rest) {
  CURLMsg *message;
  struct cds_exchange *exchange = NULL;
  int left;
  do {
    message = curl_multi_info_read(rest->multi, &left);
    if (message == NULL) return NULL;
  } while (message->msg != CURLMSG_DONE);
  CURL *easy = message->easy_handle;
  CURLcode code = message->data.result;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&exchange);
  read_info(exchange, easy);
  exchange->status =
    cds_rest_error(&exchange->err, (int)code, &exchange->transfer->result, &rest->options, exchange->transfer->origin);
  cds_rest_cancel(rest, exchange); /* the handle is done with */
  return exchange;
}

void cds_rest_cancel(struct cds_rest *rest, struct cds_exchange *exchange) {
  if (exchange->transfer == NULL) return;
  curl_multi_remove_handle(rest->multi, exchange->transfer->easy);
  free_transfer(exchange->transfer);
  exchange->transfer = NULL;
}

void cds_exchange_clear(struct cds_exchange *exchange) {
  cds_buf_clear(&exchange->headers);
  cds_buf_clear(&exchange->body);
  exchange->status = CDS_OK;
  exchange->http_status = 0;
  exchange->elapsed = 0;
  exchange->connections = 0;
  exchange->received_at_ms = 0;
  cds_error_clear(&exchange->err);
}
