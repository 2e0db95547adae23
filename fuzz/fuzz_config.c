/* SPDX-License-Identifier: MIT
 * The texts of a configuration: URLs, credentials, headers, proxies.
 * Input: lines, in the order in which LLVMFuzzerTestOneInput takes them. */
#define _GNU_SOURCE /* memmem */
#include <strings.h>

#include "base/alloc.h"
#include "context/config.h"
#include "fuzz.h"
#include "net/proxy.h"

#define SECRET "s3cr3t-"

static bool has_line_end(const char *text) {
  return strpbrk(text, "\r\n") != NULL;
}

/* What is accepted can be written down again and is then the same URL. */
static void check_url(const struct cds_url *url) {
  char authority[CDS_HOST_PORT_TEXT], text[CDS_MAX_URL_BYTES + CDS_HOST_PORT_TEXT];
  struct cds_url again;
  struct cds_error err;
  MUST(url->host[0] != 0 && url->port != 0 && !has_line_end(url->host) && !has_line_end(url->base));
  MUST(url->base[0] == 0 || (url->base[0] == '/' && url->base[strlen(url->base) - 1] != '/'));
  cds_url_host_port(authority, url);
  snprintf(text, sizeof text, "%s%s%s", url->tls ? "wss://" : "http://", authority, url->base);
  if (strlen(text) <= CDS_MAX_URL_BYTES) {
    MUST(cds_url_parse(&again, text, "again", &err) == CDS_OK);
    MUST(again.tls == url->tls && again.port == url->port && strcmp(again.host, url->host) == 0 &&
         strcmp(again.base, url->base) == 0);
    cds_url_clear(&again);
  }
}

static void read_url(struct cds_url *out, const char *text) {
  struct cds_error err;
  enum cds_status status = cds_url_parse(out, text, "rest_url", &err);
  if (status == CDS_OK) {
    check_url(out);
    return;
  }
  fuzz_check_error(&err, status);
  MUST(status == CDS_E_CONFIG && out->host == NULL && out->base == NULL);
}

/* ---- proxies ---- */

/* In place of setenv, which keeps every value for ever. */
static char proxy_variable[1024] = "https_proxy=", none_variable[1024] = "no_proxy=";

static void set_environment(const char *proxy, const char *none) {
  snprintf(proxy_variable, sizeof proxy_variable, "https_proxy=%s", proxy);
  snprintf(none_variable, sizeof none_variable, "no_proxy=%s", none);
  putenv(proxy_variable);
  putenv(none_variable);
}

/* good: the setting passed the configuration's check, and must do here. */
static void check_proxy(const struct cds_url *url, const char *setting, bool good) {
  char out[CDS_MAX_PROXY_TEXT];
  struct cds_error err;
  enum cds_status status = cds_proxy_for(out, url, setting, &err);
  if (status != CDS_OK) {
    fuzz_check_error(&err, status);
    MUST(status == CDS_E_CONFIG && (!good || strlen(setting) + 16 > sizeof out));
    return;
  }
  MUST(strlen(out) < sizeof out && strchr(out, '/') == NULL);
  if (!good || out[0] == 0) return;
  /* what follows the user must be a host and a port */
  const char *at = strchr(out, '@'), *port = strrchr(out, ':');
  char text[CDS_MAX_PROXY_TEXT + 8];
  struct cds_url proxy;
  snprintf(text, sizeof text, "http://%s", at != NULL ? at + 1 : out);
  MUST(cds_url_parse(&proxy, text, "proxy", &err) == CDS_OK);
  MUST(port != NULL && port[1] != 0 && port[1 + strspn(port + 1, "0123456789")] == 0);
  cds_url_clear(&proxy);
}

/* ---- the whole ---- */

static char *take(char *text) { /* into the library's memory */
  char *copy = cds_strdup(text);
  free(text);
  return copy;
}

static char *secret_of(char *line) {
  size_t size = strlen(line) + sizeof SECRET;
  char *secret = cds_malloc(size);
  MUST(secret != NULL);
  snprintf(secret, size, SECRET "%s", line);
  free(line);
  return secret;
}

static void check_accepted(const struct cds_config *config) {
  MUST(!has_line_end(config->api_key) && !has_line_end(config->api_secret) && config->api_key[0] != 0);
  for (size_t i = 0; i < config->header_count; i++) {
    const struct cds_header *header = &config->headers[i];
    MUST(header->name[0] != 0 && strpbrk(header->name, " :\r\n\t") == NULL && !has_line_end(header->value));
    MUST(strncasecmp(header->name, "X-Authorization", 15) != 0 || header->name[15] != '-');
    MUST(strcasecmp(header->name, "Authorization") != 0 && strcasecmp(header->name, "Host") != 0);
  }
}

static void check_config(struct cds_config *config) {
  struct cds_error err;
  enum cds_status status = cds_config_check(config, &err);
  if (status == CDS_OK) check_accepted(config);
  else {
    fuzz_check_error(&err, status);
    MUST(status == CDS_E_CONFIG && strstr(err.message, SECRET) == NULL);
  }
  if (config->rest.host == NULL) return;
  check_proxy(&config->rest, config->proxy, status == CDS_OK);
  check_proxy(&config->rest, NULL, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cds_config config;
  if (memmem(data, size, SECRET, sizeof SECRET - 1) != NULL) return 0; /* or a header's name could hold the secret */
  cds_config_init(&config);
  char *rest = fuzz_line(&data, &size), *ws = fuzz_line(&data, &size);
  read_url(&config.rest, rest);
  read_url(&config.ws[0], ws);
  config.ws_count = 1;
  config.api_key = take(fuzz_line(&data, &size));
  config.api_secret = secret_of(fuzz_line(&data, &size));
  config.proxy = take(fuzz_line(&data, &size));
  char *proxy = fuzz_line(&data, &size), *none = fuzz_line(&data, &size);
  set_environment(proxy, none);
  config.headers = cds_calloc(2, sizeof *config.headers);
  MUST(config.headers != NULL);
  for (; config.header_count < 2 && size > 0; config.header_count++) {
    config.headers[config.header_count].name = take(fuzz_line(&data, &size));
    config.headers[config.header_count].value = secret_of(fuzz_line(&data, &size));
  }
  check_config(&config);
  cds_config_clear(&config);
  free(rest), free(ws), free(proxy), free(none);
  return 0;
}
