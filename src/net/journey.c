/* SPDX-License-Identifier: MIT
 * libcurl's times and its words about the certificate. */
#include "net/journey.h"

#include <stdio.h>
#include <string.h>

const char *cds_stage_name(enum cds_stage stage) {
  static const char *const names[] = {"name", "tcp", "tls", "answer", "done"};
  return (size_t)stage < sizeof names / sizeof *names ? names[stage] : "";
}

int cds_journey_prepare(const struct cds_curl *curl, CURL *easy) {
  return (int)curl->easy_setopt(easy, CURLOPT_CERTINFO, 1L);
}

static double seconds(const struct cds_curl *curl, CURL *easy, CURLINFO info) {
  curl_off_t value = 0;
  curl->easy_getinfo(easy, info, &value);
  return (double)value / 1e6;
}

static enum cds_stage stage_of(const struct cds_journey *journey, CURLcode code) {
  switch (code) {
  case CURLE_OK: return CDS_STAGE_DONE;
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY: return CDS_STAGE_NAME;
  case CURLE_COULDNT_CONNECT: return CDS_STAGE_TCP;
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE: return CDS_STAGE_TLS;
  default: break;
  }
  if (journey->tcp_s <= 0) return journey->name_s <= 0 ? CDS_STAGE_NAME : CDS_STAGE_TCP;
  return journey->sent_s <= 0 ? CDS_STAGE_TLS : CDS_STAGE_ANSWER;
}

/* "Name:text" -> the text, or NULL when the line is another one. */
static const char *value_of(const char *line, const char *name) {
  size_t length = strlen(name);
  return strncmp(line, name, length) == 0 && line[length] == ':' ? line + length + 1 : NULL;
}

static void read_line(struct cds_journey *out, const struct cds_curl *curl, const char *line) {
  const char *value;
  if ((value = value_of(line, "Subject")) != NULL) snprintf(out->subject, sizeof out->subject, "%s", value);
  if ((value = value_of(line, "Issuer")) != NULL) snprintf(out->issuer, sizeof out->issuer, "%s", value);
  if ((value = value_of(line, "X509v3 Subject Alternative Name")) != NULL)
    snprintf(out->names, sizeof out->names, "%s", value);
  if ((value = value_of(line, "Start date")) != NULL) out->valid_from = (int64_t)curl->getdate(value, NULL);
  if ((value = value_of(line, "Expire date")) != NULL) out->valid_until = (int64_t)curl->getdate(value, NULL);
}

/* The first one of the chain is the peer's. */
static void read_certificate(struct cds_journey *out, const struct cds_curl *curl, CURL *easy) {
  struct curl_certinfo *chain = NULL;
  out->valid_from = out->valid_until = -1;
  if (curl->easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL || chain->num_of_certs < 1)
    return;
  out->has_certificate = true;
  for (const struct curl_slist *line = chain->certinfo[0]; line != NULL; line = line->next)
    read_line(out, curl, line->data);
}

void cds_journey_read(struct cds_journey *out, const struct cds_curl *curl, CURL *easy, CURLcode code) {
  char *address = NULL;
  *out = (struct cds_journey){0};
  out->name_s = seconds(curl, easy, CURLINFO_NAMELOOKUP_TIME_T);
  out->tcp_s = seconds(curl, easy, CURLINFO_CONNECT_TIME_T);
  out->tls_s = seconds(curl, easy, CURLINFO_APPCONNECT_TIME_T);
  out->sent_s = seconds(curl, easy, CURLINFO_PRETRANSFER_TIME_T);
  out->total_s = seconds(curl, easy, CURLINFO_TOTAL_TIME_T);
  out->stage = stage_of(out, code);
  if (curl->easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address != NULL)
    snprintf(out->address, sizeof out->address, "%s", address);
  read_certificate(out, curl, easy);
}
