/* SPDX-License-Identifier: MIT
 * The fault language and the list of faults that wait for their moment. */
#include "simulator/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  REST = 1 << CDS_SIM_ON_REST,
  WS = 1 << CDS_SIM_ON_WS,
  LIVE = 1 << CDS_SIM_ON_LIVE,
  ACCEPT = 1 << CDS_SIM_ON_ACCEPT
};
static const char *const places[] = {"rest", "ws", "live", "accept"};

/* kinds: words with blanks between; the first is what is meant when none is given. */
static const struct rule {
  const char *name;
  enum cds_sim_action action;
  int where;
  long count, seconds; /* when not given */
  const char *kinds;
} rules[] = {
  {"status", CDS_SIM_STATUS, REST | WS, 0, 0, NULL},
  {"delay", CDS_SIM_DELAY, REST | WS | LIVE, 0, 0, NULL},
  {"cut", CDS_SIM_CUT, REST | ACCEPT, 0, 0, NULL},
  {"garbage", CDS_SIM_GARBAGE, REST | WS | LIVE | ACCEPT, 0, 0,
   "text cut other types nest members numbers escapes empty"},
  {"huge", CDS_SIM_HUGE, REST, 0, 0, NULL},
  {"silence", CDS_SIM_SILENCE, REST | WS | ACCEPT, 0, 0, NULL},
  {"slow", CDS_SIM_SLOW, REST | WS, 0, 0, NULL},
  {"redirect", CDS_SIM_REDIRECT, REST | WS, 0, 0, NULL},
  {"upgrade", CDS_SIM_UPGRADE, WS, 0, 0, "none key protocol"},
  {"page", CDS_SIM_PAGE_KIND, REST, 0, 0, "short empty repeat reorder"},
  {"lag", CDS_SIM_LAG, REST, 0, 5, NULL},
  {"fragment", CDS_SIM_FRAGMENT, WS | LIVE, 0, 0, NULL},
  {"close", CDS_SIM_CLOSE, WS | LIVE, 0, 0, NULL},
  {"drop", CDS_SIM_DROP, WS | LIVE | ACCEPT, 0, 0, NULL},
  {"reset", CDS_SIM_RESET, REST | WS | LIVE | ACCEPT, 0, 0, NULL},
  {"oversize", CDS_SIM_OVERSIZE, WS | LIVE, 0, 0, NULL},
  {"endless", CDS_SIM_ENDLESS, WS | LIVE, 0, 0, NULL},
  {"freeze", CDS_SIM_FREEZE, WS | LIVE, 0, 0, NULL},
  {"half", CDS_SIM_HALF, WS | LIVE, 0, 0, "freeze drop"},
  {"duplicate", CDS_SIM_DUPLICATE, WS | LIVE, 1, 0, NULL},
  {"reorder", CDS_SIM_REORDER, WS | LIVE, 0, 0, NULL},
  {"old", CDS_SIM_OLD, WS | LIVE, 0, 3600, NULL},
  {"future", CDS_SIM_FUTURE, WS | LIVE, 0, 86400, NULL},
  {"foreign", CDS_SIM_FOREIGN, WS | LIVE, 0, 0, NULL},
  {"skip", CDS_SIM_SKIP, WS | LIVE, 0, 1, NULL},
  {"corrupt", CDS_SIM_CORRUPT, WS | LIVE, 1, 0, "hex blob envelope feed cut price"},
  {"illegal", CDS_SIM_ILLEGAL, WS | LIVE, 0, 0, "masked reserved opcode control fragment continuation utf8 nested"},
  {"ping_flood", CDS_SIM_PING_FLOOD, WS | LIVE, 1000, 0, NULL},
  {"tiny", CDS_SIM_TINY, WS | LIVE, 5000, 0, NULL},
  {"stop_pongs", CDS_SIM_STOP_PONGS, WS | LIVE, 0, 0, NULL},
  {"quiet", CDS_SIM_QUIET, WS | LIVE, 0, 0, NULL},
};
#define RULES (sizeof rules / sizeof rules[0])

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
    {"count", &fault->count, 1, 1000000, "1 to 1000000"},
    {"seconds", &fault->seconds, 1, 100000000, "1 to 100000000"},
    {"within", &fault->within, 1, 1000, "1 to 1000"},
    {"pick", &fault->pick, 0, 1000000, "0 to 1000000"},
  };
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (strcmp(key, numbers[i].key) != 0) continue;
    return read_number(numbers[i].out, value, numbers[i].low, numbers[i].high) ? CDS_OK
                                                                               : wrong(err, key, numbers[i].expected);
  }
  return cds_error_set(err, CDS_E_CONFIG, "fault: there is no key %.40s", key);
}

static const struct rule *rule_of(enum cds_sim_action action) {
  for (size_t i = 0; i < RULES; i++)
    if (rules[i].action == action) return &rules[i];
  return NULL;
}

static enum cds_status set_action(struct cds_sim_fault *fault, const char *value, struct cds_error *err) {
  for (size_t i = 0; i < RULES; i++) {
    if (strcmp(value, rules[i].name) != 0) continue;
    fault->action = rules[i].action;
    return CDS_OK;
  }
  return cds_error_set(err, CDS_E_CONFIG, "fault: there is no action %.40s", value);
}

static enum cds_status set_place(struct cds_sim_fault *fault, const char *value, struct cds_error *err) {
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    if (strcmp(value, places[i]) != 0) continue;
    fault->on = (enum cds_sim_on)i;
    return CDS_OK;
  }
  return wrong(err, "on", "rest, ws, live or accept");
}

/* Is the word one of the blank separated list? */
static bool among(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *at = list; *at; at += strcspn(at, " "), at += *at == ' ')
    if (strcspn(at, " ") == length && memcmp(at, word, length) == 0) return true;
  return false;
}

/* Text that goes into an answer's header as it is. */
static bool header_text(const char *value, size_t size) {
  size_t length = strlen(value);
  for (size_t i = 0; i < length; i++)
    if (value[i] < ' ' || value[i] > '~') return false;
  return length > 0 && length < size;
}

static enum cds_status set_text(char *out, size_t size, const char *key, const char *value, const char *expected,
                                struct cds_error *err) {
  if (!header_text(value, size)) return wrong(err, key, expected);
  snprintf(out, size, "%s", value);
  return CDS_OK;
}

static enum cds_status set(struct cds_sim_fault *fault, const char *key, const char *value, struct cds_error *err) {
  if (strcmp(key, "action") == 0) return set_action(fault, value, err);
  if (strcmp(key, "on") == 0) return set_place(fault, value, err);
  if (strcmp(key, "origin") == 0)
    return set_text(fault->origin, sizeof fault->origin, key, value, "an origin's name", err);
  if (strcmp(key, "kind") == 0) return set_text(fault->kind, sizeof fault->kind, key, value, "a word", err);
  if (strcmp(key, "retry_after") == 0)
    return set_text(fault->retry_after, sizeof fault->retry_after, key, value, "seconds or an HTTP date", err);
  if (strcmp(key, "body") == 0) {
    if (strcmp(value, "html") != 0 && strcmp(value, "json") != 0 && strcmp(value, "empty") != 0)
      return wrong(err, key, "html, json or empty");
    fault->body = *value == 'h' ? CDS_SIM_BODY_HTML : *value == 'j' ? CDS_SIM_BODY_JSON : CDS_SIM_BODY_EMPTY;
  } else if (strcmp(key, "path") == 0) {
    if (*value != '/' || strlen(value) >= sizeof fault->path) return wrong(err, key, "a path that starts with /");
    snprintf(fault->path, sizeof fault->path, "%s", value);
  } else {
    return set_number(fault, key, value, err);
  }
  return CDS_OK;
}

static enum cds_status set_kind(struct cds_sim_fault *fault, const char *kinds, struct cds_error *err) {
  if (!kinds) return fault->kind[0] ? wrong(err, "kind", "left out with this action") : CDS_OK;
  if (fault->kind[0] && !among(kinds, fault->kind))
    return cds_error_set(err, CDS_E_CONFIG, "fault: kind must be one of %s", kinds);
  if (!fault->kind[0]) snprintf(fault->kind, sizeof fault->kind, "%.*s", (int)strcspn(kinds, " "), kinds);
  return CDS_OK;
}

/* Checks a step, and fills in what was not given. */
static enum cds_status check(struct cds_sim_fault *fault, bool has_on, struct cds_error *err) {
  if (!has_on) return wrong(err, "on", "given: rest, ws, live or accept");
  const struct rule *rule = rule_of(fault->action);
  if (!rule) return wrong(err, "action", "given");
  if (!(rule->where & 1 << fault->on))
    return cds_error_set(err, CDS_E_CONFIG, "fault: action %s does not go with on=%s", rule->name, places[fault->on]);
  if (fault->action == CDS_SIM_STATUS && fault->status == 0) return wrong(err, "status", "given with action=status");
  if (fault->action == CDS_SIM_REDIRECT && fault->status == 0) fault->status = 302;
  if (fault->path[0] && fault->on != CDS_SIM_ON_REST && fault->on != CDS_SIM_ON_WS)
    return wrong(err, "path", "left out but with on=rest and on=ws");
  if (fault->origin[0] && fault->on != CDS_SIM_ON_WS && fault->on != CDS_SIM_ON_LIVE)
    return wrong(err, "origin", "left out but with on=ws and on=live");
  if (fault->on == CDS_SIM_ON_ACCEPT && fault->times == 0) return wrong(err, "times", "1 or more with on=accept");
  if (fault->count == 0) fault->count = rule->count;
  if (fault->seconds == 0) fault->seconds = rule->seconds;
  return set_kind(fault, rule->kinds, err);
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

/* One step in place; its text is taken apart. */
static enum cds_status parse_step(struct cds_sim_fault *out, char *text, bool has_on, struct cds_error *err) {
  for (char *at = text; *at;) {
    size_t part = part_length(at);
    char *next = at + part + (at[part] == ','), *value = memchr(at, '=', part);
    at[part] = 0;
    if (!value) return cds_error_set(err, CDS_E_CONFIG, "fault: \"%.40s\" is not key=value", at);
    *value++ = 0;
    bool on = strcmp(at, "on") == 0;
    if (out->then && (on || strcmp(at, "times") == 0 || strcmp(at, "origin") == 0 || strcmp(at, "pick") == 0))
      return wrong(err, at, "given in the first step only");
    if (set(out, at, value, err) != CDS_OK) return CDS_E_CONFIG;
    has_on = has_on || on;
    at = next;
  }
  return check(out, has_on, err);
}

static struct cds_sim_fault blank(void) {
  return (struct cds_sim_fault){.times = 1, .bytes = 1, .code = 1001, .within = 5};
}

enum cds_status cds_sim_fault_parse(struct cds_sim_fault out[CDS_SIM_MAX_STEPS], size_t *steps, const char *text,
                                    size_t length, struct cds_error *err) {
  char copy[1024];
  *steps = 0;
  if (length >= sizeof copy || memchr(text, 0, length)) return cds_error_set(err, CDS_E_CONFIG, "fault: too long");
  memcpy(copy, text, length);
  copy[length] = 0;
  for (char *at = copy, *next; at; at = next) {
    next = strchr(at, ';');
    if (next) *next++ = 0;
    if (*steps == CDS_SIM_MAX_STEPS)
      return cds_error_set(err, CDS_E_CONFIG, "fault: at most %d steps", CDS_SIM_MAX_STEPS);
    struct cds_sim_fault *step = &out[*steps];
    *step = blank();
    step->then = *steps > 0;
    if (step->then) step->on = out[0].on;
    if (parse_step(step, at, step->then, err) != CDS_OK) return CDS_E_CONFIG;
    (*steps)++;
  }
  if (*steps > 1 && (out[0].on == CDS_SIM_ON_REST || out[0].on == CDS_SIM_ON_ACCEPT))
    return cds_error_set(err, CDS_E_CONFIG, "fault: only on=ws and on=live have steps");
  return CDS_OK;
}

static enum cds_status add_line(struct cds_sim_faults *faults, const char *line, size_t length, struct cds_error *err) {
  struct cds_sim_fault parsed[CDS_SIM_MAX_STEPS];
  size_t steps;
  if (cds_sim_fault_parse(parsed, &steps, line, length, err) != CDS_OK) return CDS_E_CONFIG;
  if (faults->count + steps > CDS_SIM_MAX_FAULTS)
    return cds_error_set(err, CDS_E_CONFIG, "fault: at most %d can wait", CDS_SIM_MAX_FAULTS);
  memcpy(faults->list + faults->count, parsed, steps * sizeof *parsed);
  faults->count += steps;
  return CDS_OK;
}

enum cds_status cds_sim_faults_add(struct cds_sim_faults *faults, const char *text, size_t length,
                                   struct cds_error *err) {
  size_t before = faults->count;
  while (length > 0) {
    const char *newline = memchr(text, '\n', length);
    size_t line = newline ? (size_t)(newline - text) : length, used = line + (newline != NULL);
    if (line > 0 && text[line - 1] == '\r') line--;
    if (line > 0 && add_line(faults, text, line, err) != CDS_OK) {
      faults->count = before;
      return CDS_E_CONFIG;
    }
    text += used;
    length -= used;
  }
  return CDS_OK;
}

static bool matches(const struct cds_sim_fault *fault, enum cds_sim_on on, const char *path, const char *origin) {
  return !fault->then && fault->on == on && strncmp(path, fault->path, strlen(fault->path)) == 0 &&
         (!fault->origin[0] || strcmp(fault->origin, origin) == 0);
}

size_t cds_sim_faults_take(struct cds_sim_fault out[CDS_SIM_MAX_STEPS], struct cds_sim_faults *faults,
                           enum cds_sim_on on, const char *path, const char *origin) {
  for (size_t i = 0; i < faults->count; i++) {
    struct cds_sim_fault *fault = &faults->list[i];
    if (!matches(fault, on, path, origin)) continue;
    size_t steps = 1;
    while (i + steps < faults->count && fault[steps].then) steps++;
    memcpy(out, fault, steps * sizeof *fault);
    if (fault->times == 0 || --fault->times > 0) return steps;
    memmove(fault, fault + steps, (faults->count - i - steps) * sizeof *fault);
    faults->count -= steps;
    return steps;
  }
  return 0;
}
