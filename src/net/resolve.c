/* SPDX-License-Identifier: MIT
 * Name resolution. libwebsockets would do it too, but keeps the reason of a failure to itself. */
#define _GNU_SOURCE
#include "net/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* RFC 6761: localhost is the loopback interface, also where no /etc/hosts says so (bare containers). libcurl does
 * the same. */
static enum cds_status resolve_localhost(struct cds_addresses *out) {
  strcpy(out->text[0], "127.0.0.1");
  strcpy(out->text[1], "::1");
  out->count = 2;
  return CDS_OK;
}

bool cds_resolve_numeric(struct cds_addresses *out, const char *host) {
  struct in6_addr ignored; /* room for both kinds */
  if (inet_pton(AF_INET, host, &ignored) != 1 && inet_pton(AF_INET6, host, &ignored) != 1) return false;
  if (strlen(host) >= sizeof out->text[0]) return false;
  strcpy(out->text[0], host);
  out->count = 1;
  return true;
}

enum cds_status cds_resolve(struct cds_addresses *out, const char *host, struct cds_error *err) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
  out->count = 0;
  int failed = getaddrinfo(host, NULL, &hints, &found);
  if (failed != 0 && strcasecmp(host, "localhost") == 0) return resolve_localhost(out);
  if (failed != 0) return cds_error_set(err, CDS_E_NETWORK, "cannot resolve \"%s\": %s", host, gai_strerror(failed));
  for (const struct addrinfo *at = found; at != NULL && out->count < CDS_MAX_ADDRESSES; at = at->ai_next) {
    char *text = out->text[out->count];
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof out->text[0], NULL, 0, NI_NUMERICHOST) == 0) out->count++;
  }
  freeaddrinfo(found);
  if (out->count == 0) return cds_error_set(err, CDS_E_NETWORK, "cannot resolve \"%s\": no address", host);
  return CDS_OK;
}
