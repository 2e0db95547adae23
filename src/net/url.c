/* SPDX-License-Identifier: MIT
 * Reads endpoint URLs, strictly: what is not plainly an endpoint is refused with the reason. */
#include "net/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/limits.h"

#define MAX_HOST 253

static const struct scheme {
  const char *prefix;
  bool tls;
} schemes[] = {{"https://", true}, {"http://", false}, {"wss://", true}, {"ws://", false}};

/* One URL being read; the text itself never goes into a message, it may hold a password by mistake. */
struct parse {
  const char *option;
  struct cds_error *err;
};

static enum cds_status refuse(const struct parse *parse, const char *reason) {
  return cds_error_set(parse->err, CDS_E_CONFIG, "%s: %s; expected https://host[:port][/path]", parse->option, reason);
}

static const struct scheme *find_scheme(const char *text) {
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
    if (strncasecmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) return &schemes[i];
  return NULL;
}

static enum cds_status check_characters(const struct parse *parse, const char *text) {
  if (strlen(text) > CDS_MAX_URL_BYTES) return refuse(parse, "the URL is too long");
  for (const char *at = text; *at != 0; at++) {
    if (*at <= ' ' || *at > '~') return refuse(parse, "the URL has a space, control or non-ASCII character");
    if (strchr("\"<>\\^`{|}", *at) != NULL) return refuse(parse, "the URL has a character that no URL may have");
  }
  if (strchr(text, '?') != NULL) return refuse(parse, "the URL has a query");
  if (strchr(text, '#') != NULL) return refuse(parse, "the URL has a fragment");
  return CDS_OK;
}

static bool is_host(const char *host, size_t length, const char *extra) {
  static const char alphanumeric[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (length == 0 || length > MAX_HOST) return false;
  for (size_t i = 0; i < length; i++)
    if (strchr(alphanumeric, host[i]) == NULL && strchr(extra, host[i]) == NULL) return false;
  return true;
}

/* text is the digits after ':', end its end. */
static bool read_port(uint16_t *port, const char *text, const char *end) {
  unsigned long value = 0;
  if (text == end || end - text > 5) return false;
  for (; text < end; text++) {
    if (*text < '0' || *text > '9') return false;
    value = value * 10 + (unsigned long)(*text - '0');
  }
  *port = (uint16_t)value;
  return value >= 1 && value <= UINT16_MAX;
}

static enum cds_status read_authority(struct cds_url *url, const char *text, const char *end,
                                      const struct parse *parse) {
  const char *host_end, *colon;
  bool bracketed = *text == '[';
  if (memchr(text, '@', (size_t)(end - text)) != NULL) return refuse(parse, "the URL has a user name or password");
  if (bracketed) {
    text++;
    host_end = memchr(text, ']', (size_t)(end - text));
    colon = host_end == NULL ? NULL : host_end + 1;
    if (host_end == NULL || !is_host(text, (size_t)(host_end - text), ":."))
      return refuse(parse, "the IPv6 address is malformed");
  } else {
    colon = memchr(text, ':', (size_t)(end - text));
    host_end = colon == NULL ? end : colon;
    if (!is_host(text, (size_t)(host_end - text), "-._")) return refuse(parse, "the host name is missing or malformed");
  }
  if (colon != NULL && colon != end && (*colon != ':' || !read_port(&url->port, colon + 1, end)))
    return refuse(parse, "the port is not a number from 1 to 65535");
  url->host = cds_strndup(text, (size_t)(host_end - text));
  return url->host == NULL ? cds_error_set(parse->err, CDS_E_MEMORY, "out of memory") : CDS_OK;
}

enum cds_status cds_url_parse(struct cds_url *out, const char *text, const char *option, struct cds_error *err) {
  struct parse parse = {option, err};
  *out = (struct cds_url){0};
  const struct scheme *scheme = find_scheme(text);
  if (scheme == NULL) return refuse(&parse, "the URL does not begin with https://, wss://, http:// or ws://");
  enum cds_status status = check_characters(&parse, text);
  if (status != CDS_OK) return status;
  const char *authority = text + strlen(scheme->prefix);
  const char *path = authority + strcspn(authority, "/");
  size_t path_length = strlen(path);
  while (path_length > 0 && path[path_length - 1] == '/') path_length--;
  out->tls = scheme->tls;
  out->port = scheme->tls ? 443 : 80;
  status = read_authority(out, authority, path, &parse);
  if (status != CDS_OK) return status;
  out->base = cds_strndup(path, path_length);
  if (out->base != NULL) return CDS_OK;
  cds_url_clear(out);
  return cds_error_set(err, CDS_E_MEMORY, "out of memory");
}

void cds_url_clear(struct cds_url *url) {
  cds_free(url->host);
  cds_free(url->base);
  *url = (struct cds_url){0};
}

void cds_url_host_port(char out[CDS_HOST_PORT_TEXT], const struct cds_url *url) {
  bool ipv6 = strchr(url->host, ':') != NULL;
  snprintf(out, CDS_HOST_PORT_TEXT, "%s%s%s:%u", ipv6 ? "[" : "", url->host, ipv6 ? "]" : "", (unsigned)url->port);
}
