/* SPDX-License-Identifier: MIT
 * HTTP header lines, as hostile as everything else from the network. */
#include "net/http_header.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "net/curl.h"

#define MAX_DATE_TEXT 64
#define MAX_DATE 253402300799 /* the end of the year 9999: HTTP's dates have four digits for it */

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool cds_http_header(const char **value, size_t *length, const char *headers, const char *name) {
  size_t name_length = strlen(name);
  for (const char *line = headers; line != NULL && *line != 0;) {
    const char *end = line + strcspn(line, "\n");
    if ((size_t)(end - line) > name_length && line[name_length] == ':' && strncasecmp(line, name, name_length) == 0) {
      const char *start = line + name_length + 1;
      while (start < end && is_blank(*start)) start++;
      while (end > start && is_blank(end[-1])) end--;
      *value = start;
      *length = (size_t)(end - start);
      return true;
    }
    line = *end == 0 ? end : end + 1;
  }
  return false;
}

static bool read_date(double *seconds, const char *text, size_t length) {
  char copy[MAX_DATE_TEXT];
  if (length >= sizeof copy) return false;
  memcpy(copy, text, length);
  copy[length] = 0;
  const struct cds_curl *curl;
  if (cds_curl_load(&curl, NULL) != CDS_OK) return false;
  time_t time = curl->getdate(copy, NULL); /* whatever the locale */
  if (time < 0 || time > MAX_DATE) return false;
  *seconds = (double)time;
  return true;
}

bool cds_http_date(double *seconds, const char *headers) {
  const char *text;
  size_t length;
  return cds_http_header(&text, &length, headers, "Date") && read_date(seconds, text, length);
}

static bool read_seconds(double *seconds, const char *text, size_t length, double most) {
  double value = 0;
  if (length == 0) return false;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = fmin(value * 10 + (text[i] - '0'), most);
  }
  *seconds = value;
  return true;
}

bool cds_http_retry_after(double *seconds, const char *headers, int64_t now_ms) {
  const char *text;
  size_t length;
  double at, now = (double)now_ms / 1000;
  if (!cds_http_header(&text, &length, headers, "Retry-After")) return false;
  if (read_seconds(seconds, text, length, CDS_MAX_RETRY_AFTER)) return true;
  if (memchr(text, ',', length) == NULL ||
      !read_date(&at, text, length)) /* every HTTP date has a comma or is obsolete */
    return false;
  double server_now;
  if (cds_http_date(&server_now, headers)) now = server_now;
  *seconds = fmin(fmax(at - now, 0), CDS_MAX_RETRY_AFTER);
  return true;
}

/* One directive of Cache-Control; false when nothing may be kept. */
static bool read_directive(double *max_age, const char *text, size_t length) {
  static const char name[] = "max-age=";
  size_t skip = sizeof name - 1;
  while (length > 0 && is_blank(*text)) text++, length--;
  while (length > 0 && is_blank(text[length - 1])) length--;
  if (length == 8 && (strncasecmp(text, "no-store", 8) == 0 || strncasecmp(text, "no-cache", 8) == 0)) return false;
  if (length < skip || strncasecmp(text, name, skip) != 0) return true;
  return read_seconds(max_age, text + skip, length - skip, CDS_MAX_KEEP_SECONDS);
}

double cds_http_keep_seconds(const char *headers) {
  const char *text;
  size_t length;
  double max_age = 0, age = 0;
  if (!cds_http_header(&text, &length, headers, "Cache-Control")) return 0;
  for (const char *end = text + length; text < end;) {
    const char *comma = memchr(text, ',', (size_t)(end - text));
    size_t part = (size_t)((comma != NULL ? comma : end) - text);
    if (!read_directive(&max_age, text, part)) return 0;
    text += comma != NULL ? part + 1 : part;
  }
  if (cds_http_header(&text, &length, headers, "Age") && !read_seconds(&age, text, length, CDS_MAX_KEEP_SECONDS))
    return 0;
  return fmax(max_age - age, 0);
}
