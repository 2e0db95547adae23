/* SPDX-License-Identifier: MIT
 * The fault language and the list of faults that wait for their moment. */
#include "simulator/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  enum cds_sim_action action;
  bool rest, ws;
} actions[] = {
  {"status", CDS_SIM_STATUS, true, true},      {"delay", CDS_SIM_DELAY, true, false},
  {"cut", CDS_SIM_CUT, true, false},           {"garbage", CDS_SIM_GARBAGE, true, true},
  {"huge", CDS_SIM_HUGE, true, false},         {"silence", CDS_SIM_SILENCE, true, false},
  {"fragment", CDS_SIM_FRAGMENT, false, true}, {"close", CDS_SIM_CLOSE, false, true},
  {"drop", CDS_SIM_DROP, false, true},         {"oversize", CDS_SIM_OVERSIZE, false, true},
  {"freeze", CDS_SIM_FREEZE, false, true},     {"duplicate", CDS_SIM_DUPLICATE, false, true},
};

static enum cds_status wrong(struct cds_error *err, const char *key, const char *expected) {
  return cds_error_set(err, CDS_E_CONFIG, "fault: %s must be %s", key, expected);
}

static bool read_number(long *out, const char *value, long low, long high) {
  char *end;
  if (*value < '0' || *value > '9') return false;
  long number = strtol(value, &end, 10);
  if (*end || number < low || number > high) return false;
  *out = number;
  return true;
}

static enum cds_status set_number(struct cds_sim_fault *fault, const char *key, const char *value,
                                  struct cds_error *err) {
  const struct {
    const char *key;
    long *out, low, high;
    const char *expected;
  } numbers[] = {
    {"times", &fault->times, 0, 1000000000, "0 to 1000000000"},
    {"status", &fault->status, 200, 599, "200 to 599"},
    {"ms", &fault->ms, 0, 3600000, "0 to 3600000"},
    {"bytes", &fault->bytes, 1, 65535, "1 to 65535"},
    {"code", &fault->code, 1000, 4999, "1000 to 4999"},
    {"after", &fault->after, 0, 1000000000, "0 to 1000000000"},
  };
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (strcmp(key, numbers[i].key) != 0) continue;
    return read_number(numbers[i].out, value, numbers[i].low, numbers[i].high) ? CDS_OK
                                                                               : wrong(err, key, numbers[i].expected);
  }
  return cds_error_set(err, CDS_E_CONFIG, "fault: there is no key %.40s", key);
}

static enum cds_status set_action(struct cds_sim_fault *fault, const char *value, struct cds_error *err) {
  for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
    if (strcmp(value, actions[i].name) != 0) continue;
    fault->action = actions[i].action;
    return CDS_OK;
  }
  return cds_error_set(err, CDS_E_CONFIG, "fault: there is no action %.40s", value);
}

/* Text that goes into an answer's header as it is. */
static bool header_text(const char *value, size_t size) {
  size_t length = strlen(value);
  for (size_t i = 0; i < length; i++)
    if (value[i] < ' ' || value[i] > '~') return false;
  return length > 0 && length < size;
}

static enum cds_status set(struct cds_sim_fault *fault, const char *key, const char *value, struct cds_error *err) {
  if (strcmp(key, "action") == 0) return set_action(fault, value, err);
  if (strcmp(key, "on") == 0) {
    if (strcmp(value, "rest") != 0 && strcmp(value, "ws") != 0) return wrong(err, key, "rest or ws");
    fault->on = *value == 'r' ? CDS_SIM_ON_REST : CDS_SIM_ON_WS;
  } else if (strcmp(key, "body") == 0) {
    if (strcmp(value, "html") != 0 && strcmp(value, "json") != 0 && strcmp(value, "empty") != 0)
      return wrong(err, key, "html, json or empty");
    fault->body = *value == 'h' ? CDS_SIM_BODY_HTML : *value == 'j' ? CDS_SIM_BODY_JSON : CDS_SIM_BODY_EMPTY;
  } else if (strcmp(key, "retry_after") == 0) {
    if (!header_text(value, sizeof fault->retry_after)) return wrong(err, key, "seconds or an HTTP date");
    snprintf(fault->retry_after, sizeof fault->retry_after, "%s", value);
  } else if (strcmp(key, "path") == 0) {
    if (*value != '/' || strlen(value) >= sizeof fault->path) return wrong(err, key, "a path that starts with /");
    snprintf(fault->path, sizeof fault->path, "%s", value);
  } else {
    return set_number(fault, key, value, err);
  }
  return CDS_OK;
}

static enum cds_status check(const struct cds_sim_fault *fault, bool has_on, struct cds_error *err) {
  if (!has_on) return wrong(err, "on", "given, rest or ws");
  if (fault->action == CDS_SIM_NO_FAULT) return wrong(err, "action", "given");
  for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
    if (actions[i].action != fault->action) continue;
    if (fault->on == CDS_SIM_ON_REST ? !actions[i].rest : !actions[i].ws)
      return cds_error_set(err, CDS_E_CONFIG, "fault: action %s does not go with on=%s", actions[i].name,
                           fault->on == CDS_SIM_ON_REST ? "rest" : "ws");
  }
  if (fault->action == CDS_SIM_STATUS && fault->status == 0) return wrong(err, "status", "given with action=status");
  if (fault->path[0] && fault->on == CDS_SIM_ON_WS) return wrong(err, "path", "left out with on=ws");
  return CDS_OK;
}

/* An HTTP date holds a comma: in "Retry-After: Sun, 06 Nov …" a part without '=' belongs to the value before it. */
static size_t part_length(const char *text) {
  size_t length = strcspn(text, ",");
  while (text[length] == ',') {
    size_t next = strcspn(text + length + 1, ",");
    if (memchr(text + length + 1, '=', next) || next == 0) break;
    length += 1 + next;
  }
  return length;
}

enum cds_status cds_sim_fault_parse(struct cds_sim_fault *out, const char *text, size_t length, struct cds_error *err) {
  char copy[512];
  bool has_on = false;
  *out = (struct cds_sim_fault){.times = 1, .bytes = 1, .code = 1001};
  if (length >= sizeof copy || memchr(text, 0, length)) return cds_error_set(err, CDS_E_CONFIG, "fault: too long");
  memcpy(copy, text, length);
  copy[length] = 0;
  for (char *at = copy; *at;) {
    size_t part = part_length(at);
    char *next = at + part + (at[part] == ','), *value = memchr(at, '=', part);
    at[part] = 0;
    if (!value) return cds_error_set(err, CDS_E_CONFIG, "fault: \"%.40s\" is not key=value", at);
    *value++ = 0;
    if (set(out, at, value, err) != CDS_OK) return CDS_E_CONFIG;
    has_on = has_on || strcmp(at, "on") == 0;
    at = next;
  }
  return check(out, has_on, err);
}

enum cds_status cds_sim_faults_add(struct cds_sim_faults *faults, const char *text, size_t length,
                                   struct cds_error *err) {
  size_t before = faults->count;
  while (length > 0) {
    const char *newline = memchr(text, '\n', length);
    size_t line = newline ? (size_t)(newline - text) : length, used = line + (newline != NULL);
    if (line > 0 && text[line - 1] == '\r') line--;
    if (line > 0) {
      if (faults->count == CDS_SIM_MAX_FAULTS) {
        faults->count = before;
        return cds_error_set(err, CDS_E_CONFIG, "fault: at most %d can wait", CDS_SIM_MAX_FAULTS);
      }
      if (cds_sim_fault_parse(&faults->list[faults->count], text, line, err) != CDS_OK) {
        faults->count = before;
        return CDS_E_CONFIG;
      }
      faults->count++;
    }
    text += used;
    length -= used;
  }
  return CDS_OK;
}

void cds_sim_faults_take(struct cds_sim_fault *out, struct cds_sim_faults *faults, enum cds_sim_on on,
                         const char *path) {
  *out = (struct cds_sim_fault){0};
  for (size_t i = 0; i < faults->count; i++) {
    struct cds_sim_fault *fault = &faults->list[i];
    if (fault->on != on || strncmp(path, fault->path, strlen(fault->path)) != 0) continue;
    *out = *fault;
    if (fault->times == 0 || --fault->times > 0) return;
    memmove(fault, fault + 1, (faults->count - i - 1) * sizeof *fault);
    faults->count--;
    return;
  }
}
