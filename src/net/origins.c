/* SPDX-License-Identifier: MIT
 * Reading the list of origins. Each name goes back to the service in a header, so only plain ones are taken. */
#include "net/origins.h"

#include <string.h>

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static void trim(const char **text, size_t *length) {
  while (*length > 0 && is_blank(**text)) (*text)++, (*length)--;
  while (*length > 0 && is_blank((*text)[*length - 1])) (*length)--;
}

static void strip_braces(const char **text, size_t *length) {
  trim(text, length);
  if (*length > 0 && **text == '{') (*text)++, (*length)--;
  if (*length > 0 && (*text)[*length - 1] == '}') (*length)--;
}

/* Visible ASCII, and nothing that means something in a list. */
static bool is_plain(const char *name, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (name[i] <= ' ' || name[i] > '~' || strchr("{}\"\\;", name[i]) != NULL) return false;
  return length < CDS_MAX_ORIGIN_TEXT;
}

bool cds_origins_has(const struct cds_origins *origins, const char *name) {
  for (size_t i = 0; i < origins->count; i++)
    if (strcmp(origins->names[i], name) == 0) return true;
  return false;
}

static bool add(struct cds_origins *out, const char *text, size_t length) {
  char name[CDS_MAX_ORIGIN_TEXT] = "";
  trim(&text, &length);
  if (!is_plain(text, length)) return false;
  memcpy(name, text, length);
  if (length == 0 || cds_origins_has(out, name)) return true;
  if (out->count == CDS_MAX_ORIGINS) return false;
  memcpy(out->names[out->count++], name, sizeof name);
  return true;
}

bool cds_origins_parse(struct cds_origins *out, const char *value, size_t length) {
  bool all = true;
  *out = (struct cds_origins){0};
  strip_braces(&value, &length);
  while (length > 0) {
    const char *comma = memchr(value, ',', length);
    size_t part = comma != NULL ? (size_t)(comma - value) : length;
    all = add(out, value, part) && all;
    size_t step = comma != NULL ? part + 1 : part;
    value += step;
    length -= step;
  }
  return all;
}
