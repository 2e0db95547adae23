/* SPDX-License-Identifier: MIT
 * A strict reader of HTTP/1.1 requests: anything odd is refused. */
#define _GNU_SOURCE /* memmem */
#include "simulator/http.h"

#include "base/alloc.h"
#include "codec/hex.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The value of Content-Length, 0 when absent, -1 when malformed, -2 when the body is chunked. */
static long body_length(const char *head, const char *end) {
  static const char name[] = "\r\ncontent-length:", chunked[] = "\r\ntransfer-encoding:";
  long length = 0;
  for (const char *at = head; (at = memchr(at, '\r', (size_t)(end - at))) != NULL && at < end; at++) {
    if (strncasecmp(at, chunked, strlen(chunked)) == 0) return -2;
    if (strncasecmp(at, name, strlen(name)) != 0) continue;
    const char *digits = at + strlen(name);
    digits += strspn(digits, " ");
    size_t count = strspn(digits, "0123456789");
    if (count == 0 || count > 9 || digits[count] != '\r') return -1;
    length = strtol(digits, NULL, 10);
  }
  return length;
}

static bool is_target(const char *text) {
  if (*text != '/') return false;
  for (; *text; text++)
    if (*text <= ' ' || *text > '~') return false;
  return true;
}

static bool parse_request_line(struct cds_sim_request *out, char *line) {
  char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
  if (!version) return false;
  *target++ = 0;
  *version++ = 0;
  if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0) return false;
  size_t letters = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  if (letters == 0 || letters > 16 || line[letters] || !is_target(target)) return false;
  out->method = line;
  out->target = target;
  out->keep_alive = version[7] == '1';
  return true;
}

static bool parse_header(struct cds_sim_request *out, char *line) {
  char *colon = strchr(line, ':');
  if (!colon || colon == line || out->header_count == CDS_SIM_MAX_HEADERS) return false;
  *colon++ = 0;
  if (line[strcspn(line, " \t")]) return false;
  colon += strspn(colon, " \t");
  size_t length = strlen(colon);
  while (length > 0 && (colon[length - 1] == ' ' || colon[length - 1] == '\t')) colon[--length] = 0;
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)colon[i] < ' ' && colon[i] != '\t') return false;
  out->headers[out->header_count++] = (struct cds_sim_header){line, colon};
  return true;
}

static bool parse_head(struct cds_sim_request *out, char *head, char *end) {
  bool first = true;
  for (char *line = head; line < end;) {
    char *stop = strstr(line, "\r\n");
    if (!stop) return false; /* a 0 byte in the head */
    *stop = 0;
    if (!(first ? parse_request_line(out, line) : parse_header(out, line))) return false;
    first = false;
    line = stop + 2;
  }
  return !first;
}

static bool finish(struct cds_sim_request *out) {
  size_t path_length = strcspn(out->target, "?");
  out->path = cds_strndup(out->target, path_length);
  out->query = out->target[path_length] ? out->target + path_length + 1 : "";
  const char *connection = cds_sim_request_header(out, "Connection");
  if (connection && strcasecmp(connection, "close") == 0) out->keep_alive = false;
  return out->path != NULL;
}

int cds_sim_request_length(const char *data, size_t length, size_t *total) {
  const char *end = length ? memmem(data, length, "\r\n\r\n", 4) : NULL;
  if (!end) return length > CDS_SIM_MAX_HEAD ? 431 : -1;
  size_t head = (size_t)(end - data) + 4;
  if (head > CDS_SIM_MAX_HEAD) return 431;
  long body = body_length(data, end + 2);
  if (body < 0) return body == -2 ? 501 : 400;
  if ((size_t)body > CDS_SIM_MAX_BODY) return 413;
  *total = head + (size_t)body;
  return length < *total ? -1 : 0;
}

int cds_sim_request_parse(struct cds_sim_request *out, const char *data, size_t length) {
  *out = (struct cds_sim_request){.text = cds_strndup(data, length)};
  char *end = out->text ? memmem(out->text, length, "\r\n\r\n", 4) : NULL;
  int status = 500;
  if (end) {
    out->body = end + 4;
    out->body_length = length - (size_t)(out->body - out->text);
    status = !parse_head(out, out->text, end + 2) ? 400 : finish(out) ? 0 : 500;
  }
  if (status != 0) cds_sim_request_clear(out);
  return status;
}

void cds_sim_request_clear(struct cds_sim_request *request) {
  cds_free(request->path);
  cds_free(request->text);
  *request = (struct cds_sim_request){0};
}

const char *cds_sim_request_header(const struct cds_sim_request *request, const char *name) {
  for (size_t i = 0; i < request->header_count; i++)
    if (strcasecmp(request->headers[i].name, name) == 0) return request->headers[i].value;
  return NULL;
}

/* Decodes in place; false for a bad escape or a character that no value of this service holds. */
static bool percent_decode(char *text) {
  char *out = text;
  for (const char *in = text; *in; in++) {
    if (*in == '%') {
      uint8_t byte;
      if (!in[1] || !in[2] || cds_hex_decode(&byte, in + 1, 2) != 2 || byte < ' ' || byte > '~') return false;
      *out++ = (char)byte;
      in += 2;
    } else {
      *out++ = *in;
    }
  }
  *out = 0;
  return true;
}

char *cds_sim_request_query(const struct cds_sim_request *request, const char *name, int *status) {
  size_t name_length = strlen(name);
  *status = 0;
  for (const char *at = request->query; *at;) {
    size_t length = strcspn(at, "&");
    if (strncmp(at, name, name_length) == 0 && at[name_length] == '=') {
      char *value = cds_strndup(at + name_length + 1, length - name_length - 1);
      *status = !value ? 500 : percent_decode(value) ? 0 : 400;
      if (*status == 0) return value;
      cds_free(value);
      return NULL;
    }
    at += length + (at[length] == '&');
  }
  return NULL;
}
