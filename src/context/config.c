/* SPDX-License-Identifier: MIT
 * Defaults and checks of a client's options. */
#include "context/config.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

#define MAX_HEADERS 32
#define MAX_HEADERS_TEXT 4096 /* names and values together */

void cds_config_init(struct cds_config *config) {
  *config = (struct cds_config){
    .timeout = 30,
    .connect_timeout = 5,
    .max_retries = 3,
    .retry_delay = 0.5,
    .retry_max_delay = 10,
    .rate_limit = 10,
    .breaker_failures = 5,
    .breaker_cooldown = 10,
    .stream = {.ping_interval = 5,
               .pong_timeout = 5,
               .max_reconnects = INFINITY,
               .reconnect_delay = 0.2,
               .reconnect_max_delay = 10,
               .queue_size = 4096,
               .queue_bytes = CDS_DEFAULT_QUEUE_BYTES,
               .overflow = CDS_OVERFLOW_BLOCK,
               .order = CDS_ORDER_FEED,
               .log_level = CDS_LOG_INFO,
               .feeds_per_connection = 100,
               .backfill = true},
  };
}

static bool has_control(const char *text) {
  for (; *text != 0; text++)
    if ((unsigned char)*text < ' ' || *text == 0x7f) return true;
  return false;
}

/* Printable ASCII without spaces: a header value that also stands alone in the signed text. */
static bool is_visible_ascii(const char *text) {
  for (; *text != 0; text++)
    if (*text <= ' ' || *text > '~') return false;
  return true;
}

static enum cds_status check_credential(const char *text, const char *option, bool visible_only,
                                        struct cds_error *err) {
  if (text == NULL || *text == 0)
    return cds_error_set(err, CDS_E_CONFIG, "%s: missing; expected the text given with the account", option);
  if (strlen(text) > CDS_MAX_CREDENTIAL_BYTES)
    return cds_error_set(err, CDS_E_CONFIG, "%s: longer than %d bytes", option, CDS_MAX_CREDENTIAL_BYTES);
  if (has_control(text) || (visible_only && !is_visible_ascii(text)))
    return cds_error_set(err, CDS_E_CONFIG, "%s: has a %scontrol character (a line end copied along?)", option,
                         visible_only ? "space, non-ASCII or " : "");
  return CDS_OK;
}

static bool is_token(const char *name) {
  static const char token[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'*+-.^_`|~";
  return *name != 0 && name[strspn(name, token)] == 0;
}

/* The headers that carry the protocol itself. A trailing '-' marks a prefix. */
static bool is_reserved(const char *name) {
  static const char *const reserved[] = {
    "Authorization", "X-Authorization-",  "X-Cll-", "Host",       "Connection",      "Upgrade",
    "User-Agent",    "Sec-WebSocket-",    "Expect", "Trailer",    "Accept-Encoding", "Content-Length",
    "Content-Type",  "Transfer-Encoding", "TE",     "Keep-Alive", "HTTP2-Settings",  "Proxy-",
  };
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
    size_t length = strlen(reserved[i]);
    bool prefix = reserved[i][length - 1] == '-';
    if (prefix ? strncasecmp(name, reserved[i], length) == 0 : strcasecmp(name, reserved[i]) == 0) return true;
  }
  return false;
}

static enum cds_status check_header(const struct cds_header *header, struct cds_error *err) {
  if (header->name == NULL || !is_token(header->name))
    return cds_error_set(err, CDS_E_CONFIG,
                         "headers: a name is empty or has a character that header names may not have");
  if (is_reserved(header->name))
    return cds_error_set(err, CDS_E_CONFIG, "headers: %s is set by the library and cannot be given", header->name);
  if (header->value == NULL || has_control(header->value))
    return cds_error_set(err, CDS_E_CONFIG, "headers: the value of %s has a control character", header->name);
  return CDS_OK;
}

static enum cds_status check_headers(const struct cds_config *config, struct cds_error *err) {
  size_t total = 0;
  if (config->header_count > MAX_HEADERS)
    return cds_error_set(err, CDS_E_CONFIG, "headers: expected at most %d", MAX_HEADERS);
  for (size_t i = 0; i < config->header_count; i++) {
    enum cds_status status = check_header(&config->headers[i], err);
    if (status != CDS_OK) return status;
    total += strlen(config->headers[i].name) + strlen(config->headers[i].value);
  }
  if (total > MAX_HEADERS_TEXT)
    return cds_error_set(err, CDS_E_CONFIG, "headers: expected at most %d bytes in all", MAX_HEADERS_TEXT);
  return CDS_OK;
}

static enum cds_status check_urls(const struct cds_config *config, struct cds_error *err) {
  if (config->rest.host == NULL) return cds_error_set(err, CDS_E_CONFIG, "rest_url: missing");
  if (config->ws_count == 0 || config->ws_count > CDS_MAX_ORIGINS)
    return cds_error_set(err, CDS_E_CONFIG, "ws_url: expected 1 to %d URLs", CDS_MAX_ORIGINS);
  for (size_t i = 0; i < config->ws_count; i++)
    if (config->ws[i].host == NULL) return cds_error_set(err, CDS_E_CONFIG, "ws_url: missing");
  return CDS_OK;
}

/* Checks what follows the user name and password, which never go into a message. These end at the first '@' and hold
 * nothing that would end them earlier for another reader (net/proxy.c, libcurl): such characters must be %-encoded. */
static enum cds_status check_proxy(const char *proxy, struct cds_error *err) {
  static const char scheme[] = "http://";
  size_t length = sizeof scheme - 1;
  if (proxy == NULL || *proxy == 0) return CDS_OK;
  if (strncasecmp(proxy, scheme, length) != 0 || !is_visible_ascii(proxy) || strlen(proxy) > CDS_MAX_URL_BYTES)
    return cds_error_set(err, CDS_E_CONFIG, "proxy: expected http://[user:password@]host:port");
  const char *authority = proxy + length, *at = authority + strcspn(authority, "/?#@");
  char text[CDS_MAX_URL_BYTES + 1];
  struct cds_url url;
  memcpy(text, scheme, length);
  strcpy(text + length, *at == '@' ? at + 1 : authority);
  enum cds_status status = cds_url_parse(&url, text, "proxy", err);
  if (status == CDS_OK && *url.base != 0)
    status = cds_error_set(err, CDS_E_CONFIG, "proxy: has a path; expected http://[user:password@]host:port");
  cds_url_clear(&url);
  return status;
}

enum cds_status cds_config_check(const struct cds_config *config, struct cds_error *err) {
  struct cds_tls tls = cds_config_tls(config);
  enum cds_status status = check_credential(config->api_key, "api_key", true, err);
  if (status == CDS_OK) status = check_credential(config->api_secret, "api_secret", false, err);
  if (status == CDS_OK) status = check_urls(config, err);
  if (status == CDS_OK) status = check_headers(config, err);
  if (status == CDS_OK) status = check_proxy(config->proxy, err);
  if (status == CDS_OK) status = cds_tls_check(&tls, err);
  return status;
}

struct cds_tls cds_config_tls(const struct cds_config *config) {
  return (struct cds_tls){
    .ca_file = config->ca_file,
    .ca_path = config->ca_path,
    .cert_file = config->cert_file,
    .key_file = config->key_file,
    .insecure_skip_verify = config->insecure_skip_verify,
  };
}

struct cds_rest_options cds_config_rest(const struct cds_config *config) {
  return (struct cds_rest_options){
    .url = &config->rest,
    .api_key = config->api_key,
    .api_secret = config->api_secret,
    .timeout = config->timeout,
    .connect_timeout = config->connect_timeout,
    .headers = config->headers,
    .header_count = config->header_count,
    .tls = cds_config_tls(config),
    .proxy = config->proxy,
  };
}

static void free_secret_text(char *text) {
  if (text != NULL) cds_free_secret(text, strlen(text));
}

void cds_config_clear(struct cds_config *config) {
  cds_free(config->api_key);
  free_secret_text(config->api_secret);
  cds_url_clear(&config->rest);
  cds_url_clear(&config->prices);
  for (size_t i = 0; i < CDS_MAX_ORIGINS; i++) cds_url_clear(&config->ws[i]);
  for (size_t i = 0; i < config->header_count; i++) {
    cds_free(config->headers[i].name);
    free_secret_text(config->headers[i].value); /* people put tokens into headers */
  }
  cds_free(config->headers);
  cds_free(config->ca_file);
  cds_free(config->ca_path);
  cds_free(config->cert_file);
  cds_free(config->key_file);
  free_secret_text(config->proxy); /* may hold a password */
  *config = (struct cds_config){0};
}
