/* SPDX-License-Identifier: MIT
 * The two envelopes, on top of the scanner. A member's name counts as known only when it is spelt without escapes,
 * as the service spells it. */
#include "codec/json.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "codec/hex.h"
#include "codec/scan.h"

enum member {
  FEED_ID,
  FULL_REPORT,
  VALID_FROM,
  OBSERVATIONS,
  VALID_FROM_MS,
  OBSERVATIONS_MS,
  REPORT,
  REPORTS,
  NEXT_PAGE,
  UNKNOWN
};

static const struct {
  const char *name;
  size_t length;
} names[UNKNOWN] = {
#define NAME(text)                                                                                                     \
  { text, sizeof text - 1 }
  [FEED_ID] = NAME("feedID"),
  [FULL_REPORT] = NAME("fullReport"),
  [VALID_FROM] = NAME("validFromTimestamp"),
  [OBSERVATIONS] = NAME("observationsTimestamp"),
  [VALID_FROM_MS] = NAME("validFromTimestampMs"),
  [OBSERVATIONS_MS] = NAME("observationsTimestampMs"),
  [REPORT] = NAME("report"),
  [REPORTS] = NAME("reports"),
  [NEXT_PAGE] = NAME("nextPageTimestamp"),
#undef NAME
};

/* Which of the members first to last this name is. *seen has a bit for each one met before. */
static enum cds_status identify(enum member *out, unsigned *seen, const struct cds_slice *name, enum member first,
                                enum member last, struct cds_scan *scan) {
  *out = UNKNOWN;
  for (enum member i = first; i <= last; i++) {
    if (!cds_slice_is(name, names[i].name, names[i].length)) continue;
    *out = i;
    if (*seen & 1u << i) {
      scan->at = name->text;
      return cds_scan_fail(scan, "no member twice");
    }
    *seen |= 1u << i;
    break;
  }
  return CDS_OK;
}

static enum cds_status require(unsigned seen, enum member member, struct cds_scan *scan) {
  if (seen & 1u << member) return CDS_OK;
  scan->at--; /* the closing brace */
  return cds_error_decode(scan->err, (size_t)(scan->at - scan->start), names[member].name, "JSON: a member is missing");
}

static enum cds_status read_feed_id(struct cds_feed_id *out, struct cds_scan *scan) {
  static const char expected[] = "a feed id of 0x and 64 hex digits";
  struct cds_slice digits;
  enum cds_status status = cds_scan_hex(&digits, scan, expected);
  if (status != CDS_OK) return status;
  size_t good = digits.length == 64 ? cds_hex_decode(out->bytes, digits.text, 64) : 0;
  if (good == 64) return CDS_OK;
  scan->at = digits.text + good;
  return cds_scan_fail(scan, expected);
}

static enum cds_status read_full_report(struct cds_envelope *out, struct cds_scan *scan) {
  static const char expected[] = "0x and an even number of hex digits";
  struct cds_slice digits;
  enum cds_status status = cds_scan_hex(&digits, scan, expected);
  if (status != CDS_OK) return status;
  if (digits.length == 0 || digits.length % 2 != 0) {
    scan->at = digits.text + digits.length;
    return cds_scan_fail(scan, expected);
  }
  out->full_report = digits.text;
  out->full_report_length = digits.length;
  return CDS_OK;
}

static enum cds_status read_member(struct cds_envelope *out, enum member member, struct cds_scan *scan,
                                   unsigned depth) {
  switch (member) {
  case FEED_ID: return read_feed_id(&out->feed_id, scan);
  case FULL_REPORT: return read_full_report(out, scan);
  case VALID_FROM: return cds_scan_uint32(&out->has_valid_from_timestamp, &out->valid_from_timestamp, scan);
  case OBSERVATIONS: return cds_scan_uint32(&out->has_observations_timestamp, &out->observations_timestamp, scan);
  case VALID_FROM_MS: return cds_scan_uint64(&out->has_valid_from_ms, &out->valid_from_ms, scan);
  case OBSERVATIONS_MS: return cds_scan_uint64(&out->has_observations_ms, &out->observations_ms, scan);
  default: return cds_scan_skip(scan, depth);
  }
}

/* One report object, in which `depth` levels of nesting are left. others: who reads members that are not the
 * envelope's; NULL: nobody. */
static enum cds_status read_report(struct cds_envelope *out, struct cds_scan *scan, unsigned depth,
                                   const struct cds_envelope_others *others) {
  *out = (struct cds_envelope){0};
  enum cds_status status = cds_scan_expect(scan, '{', "a report object");
  bool more = true, first = true;
  unsigned seen = 0;
  while (status == CDS_OK) {
    struct cds_slice name;
    enum member member;
    status = cds_scan_member(&more, &name, &first, scan);
    if (status == CDS_OK && !more) break;
    if (status == CDS_OK) status = identify(&member, &seen, &name, FEED_ID, OBSERVATIONS_MS, scan);
    if (status != CDS_OK) break;
    status =
      member == UNKNOWN && others ? others->read(others->context, &name, scan) : read_member(out, member, scan, depth);
  }
  if (status == CDS_OK) status = require(seen, FEED_ID, scan);
  if (status == CDS_OK) status = require(seen, FULL_REPORT, scan);
  return status;
}

enum cds_status cds_envelope_parse(struct cds_envelope *out, const char *text, size_t length, struct cds_error *err) {
  struct cds_scan scan;
  cds_scan_init(&scan, text, length, err);
  enum cds_status status = cds_scan_expect(&scan, '{', "an object");
  bool more = true, first = true;
  unsigned seen = 0;
  while (status == CDS_OK) {
    struct cds_slice name;
    enum member member = UNKNOWN;
    status = cds_scan_member(&more, &name, &first, &scan);
    if (status == CDS_OK && !more) break;
    if (status == CDS_OK) status = identify(&member, &seen, &name, REPORT, REPORT, &scan);
    if (status != CDS_OK) break;
    status = member == REPORT ? read_report(out, &scan, CDS_MAX_JSON_DEPTH - 2, NULL)
                              : cds_scan_skip(&scan, CDS_MAX_JSON_DEPTH - 1);
  }
  if (status == CDS_OK) status = require(seen, REPORT, &scan);
  if (status == CDS_OK) status = cds_scan_end(&scan);
  return status;
}

enum cds_status cds_envelope_read(struct cds_envelope *out, const char *text, size_t length,
                                  const struct cds_envelope_others *others, struct cds_error *err) {
  struct cds_scan scan;
  cds_scan_init(&scan, text, length, err);
  enum cds_status status = read_report(out, &scan, CDS_MAX_JSON_DEPTH - 1, others);
  return status == CDS_OK ? cds_scan_end(&scan) : status;
}

static enum cds_status grow(struct cds_envelope_list *list, size_t *capacity, struct cds_error *err) {
  if (list->count < *capacity) return CDS_OK;
  size_t wanted = *capacity > 0 ? 2 * *capacity : 8;
  struct cds_envelope *items = cds_realloc(list->items, wanted * sizeof *items);
  if (!items) return cds_error_set(err, CDS_E_MEMORY, "no memory for %zu reports", wanted);
  list->items = items;
  *capacity = wanted;
  return CDS_OK;
}

static enum cds_status read_reports(struct cds_envelope_list *out, struct cds_scan *scan) {
  enum cds_status status = cds_scan_expect(scan, '[', "an array of reports");
  bool more = true, first = true;
  size_t capacity = 0;
  while (status == CDS_OK) {
    status = cds_scan_element(&more, &first, scan);
    if (status == CDS_OK && !more) break;
    if (status == CDS_OK) status = grow(out, &capacity, scan->err);
    if (status == CDS_OK) status = read_report(&out->items[out->count], scan, CDS_MAX_JSON_DEPTH - 3, NULL);
    if (status == CDS_OK) out->count++;
  }
  return status;
}

static enum cds_status read_list(struct cds_envelope_list *out, struct cds_scan *scan) {
  enum cds_status status = cds_scan_expect(scan, '{', "an object");
  bool more = true, first = true;
  unsigned seen = 0;
  while (status == CDS_OK) {
    struct cds_slice name;
    enum member member = UNKNOWN;
    status = cds_scan_member(&more, &name, &first, scan);
    if (status == CDS_OK && !more) break;
    if (status == CDS_OK) status = identify(&member, &seen, &name, REPORTS, NEXT_PAGE, scan);
    if (status != CDS_OK) break;
    if (member == REPORTS) {
      status = read_reports(out, scan);
    } else if (member == NEXT_PAGE) {
      status = cds_scan_uint32(&out->has_next_page_timestamp, &out->next_page_timestamp, scan);
    } else {
      status = cds_scan_skip(scan, CDS_MAX_JSON_DEPTH - 1);
    }
  }
  if (status == CDS_OK) status = require(seen, REPORTS, scan);
  if (status == CDS_OK) status = cds_scan_end(scan);
  return status;
}

enum cds_status cds_envelope_list_parse(struct cds_envelope_list *out, const char *text, size_t length,
                                        struct cds_error *err) {
  struct cds_scan scan;
  *out = (struct cds_envelope_list){0};
  cds_scan_init(&scan, text, length, err);
  enum cds_status status = read_list(out, &scan);
  if (status != CDS_OK) cds_envelope_list_clear(out);
  return status;
}

void cds_envelope_list_clear(struct cds_envelope_list *list) {
  cds_free(list->items);
  *list = (struct cds_envelope_list){0};
}
