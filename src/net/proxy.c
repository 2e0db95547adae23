/* SPDX-License-Identifier: MIT
 * Proxy settings. The upper-case HTTP_PROXY is not read, as in libcurl: a web server sets it from a request header. */
#include "net/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *first_set(const char *const names[], size_t count) {
  for (size_t i = 0; i < count; i++) {
    const char *value = getenv(names[i]);
    if (value != NULL && *value != 0) return value;
  }
  return "";
}

static const char *from_environment(bool tls) {
  static const char *const secure[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
  static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
  return tls ? first_set(secure, sizeof secure / sizeof *secure) : first_set(plain, sizeof plain / sizeof *plain);
}

/* Does one no_proxy entry cover the host? "example.com" and ".example.com" cover it and all names below. */
static bool covers(const char *entry, size_t length, const char *host) {
  if (length > 0 && *entry == '.') {
    entry++;
    length--;
  }
  size_t host_length = strlen(host);
  if (length == 0 || host_length < length || strncasecmp(host + host_length - length, entry, length) != 0) return false;
  return host_length == length || host[host_length - length - 1] == '.';
}

static bool excluded(const char *host) {
  static const char *const names[] = {"no_proxy", "NO_PROXY"};
  const char *list = first_set(names, 2);
  if (strcmp(list, "*") == 0) return true;
  while (*list != 0) {
    list += strspn(list, ", \t");
    size_t length = strcspn(list, ", \t");
    if (covers(list, length, host)) return true;
    list += length;
  }
  return false;
}

enum cds_status cds_proxy_for(char out[CDS_MAX_PROXY_TEXT], const struct cds_url *url, const char *setting,
                              struct cds_error *err) {
  const char *text = setting;
  out[0] = 0;
  if (text == NULL) text = excluded(url->host) ? "" : from_environment(url->tls);
  if (*text == 0) return CDS_OK;
  const char *scheme = strstr(text, "://");
  if (scheme != NULL) {
    if (strncasecmp(text, "http://", 7) != 0)
      return cds_error_set(err, CDS_E_CONFIG, "proxy: expected http://[user:password@]host:port");
    text = scheme + 3;
  }
  size_t length = strcspn(text, "/");
  if (length == 0 || length + sizeof ":1080" > CDS_MAX_PROXY_TEXT)
    return cds_error_set(err, CDS_E_CONFIG, "proxy: expected http://[user:password@]host:port");
  const char *at = memchr(text, '@', length), *host = at != NULL ? at + 1 : text;
  size_t host_length = length - (size_t)(host - text);
  const char *address_end = *host == '[' ? memchr(host, ']', host_length) : NULL; /* an IPv6 address has colons */
  if (address_end != NULL) host_length -= (size_t)(address_end - host), host = address_end;
  bool has_port = memchr(host, ':', host_length) != NULL;
  snprintf(out, CDS_MAX_PROXY_TEXT, "%.*s%s", (int)length, text, has_port ? "" : ":1080"); /* libcurl's default port */
  return CDS_OK;
}

const char *cds_proxy_name(const char *proxy) {
  const char *at = strrchr(proxy, '@');
  return at != NULL ? at + 1 : proxy;
}
