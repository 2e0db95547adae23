/* SPDX-License-Identifier: MIT
 * Pages are made a few milliseconds at a time, so that a long one does not hold up the streams. A page holds whole
 * seconds: where a second has more reports than the limit allows, it is sent whole, or no page could ever pass it. */
#include "simulator/page.h"

#include "base/clock.h"

#include <string.h>

#define SLICE_NS 3000000
#define MAX_PAGE (8u << 20) /* bytes after which a page ends early */

static bool is_kind(const struct cds_sim_exchange *exchange, const char *kind) {
  return exchange->fault.action == CDS_SIM_PAGE_KIND && strcmp(exchange->fault.kind, kind) == 0;
}

void cds_sim_page_start(struct cds_sim_page *page, const struct cds_sim_exchange *exchange, size_t feed, uint32_t start,
                        uint64_t end, size_t limit) {
  *page = (struct cds_sim_page){.busy = true, .feed = feed, .limit = limit};
  page->next = cds_sim_seek(&exchange->sim->source, feed, start);
  page->end = is_kind(exchange, "empty") ? 0 : end;
  cds_buf_init(&page->body, 2 * MAX_PAGE);
}

void cds_sim_page_clear(struct cds_sim_page *page) {
  cds_buf_clear(&page->body);
  page->busy = false;
}

static bool write_report(struct cds_sim_page *page, struct cds_sim_exchange *exchange, uint64_t number) {
  struct cds_sim_report report;
  cds_sim_get(&report, &exchange->sim->source, page->feed, number);
  const char *before = page->written++ ? "," : "{\"reports\":[";
  if (cds_buf_printf(&page->body, "%s", before) != CDS_OK) return false;
  return cds_sim_report_json(&page->body, exchange->sim, &report, report.feed->in_ms) == CDS_OK;
}

static bool write_held_back(struct cds_sim_page *page, struct cds_sim_exchange *exchange) {
  uint64_t number = page->held_back;
  page->held_back = 0;
  return number == 0 || write_report(page, exchange, number);
}

static bool write_end(struct cds_sim_page *page, struct cds_sim_exchange *exchange) {
  struct cds_buf *body = &page->body;
  if (!write_held_back(page, exchange)) return false;
  if (page->written == 0 && cds_buf_append(body, "{\"reports\":[", 12) != CDS_OK) return false;
  if (cds_buf_append(body, "]", 1) != CDS_OK) return false;
  bool tells_next = page->count > 0 && page->last_second < UINT32_MAX && !is_kind(exchange, "short");
  if (tells_next &&
      cds_buf_printf(body, ",\"nextPageTimestamp\":%llu", (unsigned long long)page->last_second + 1) != CDS_OK)
    return false;
  return cds_buf_append(body, "}", 1) == CDS_OK;
}

static void finish(struct cds_sim_page *page, struct cds_sim_exchange *exchange, bool good) {
  if (good && write_end(page, exchange)) cds_sim_answer_json(exchange, 200, &page->body);
  else cds_sim_answer_error(exchange, 500, "", "out of memory");
  cds_sim_page_clear(page);
}

/* How many reports share the second of number `number`, counted from there up to `most`. */
static size_t in_second(const struct cds_sim_page *page, const struct cds_sim_exchange *exchange, uint64_t number,
                        uint32_t second, size_t most) {
  const struct cds_sim_source *source = &exchange->sim->source;
  size_t count = 0, feed = page->feed;
  for (; count < most && number < page->end && cds_sim_second(source, feed, number) == second; number++)
    count += cds_sim_exists(source, feed, number);
  return count;
}

static bool is_full(struct cds_sim_page *page, struct cds_sim_exchange *exchange) {
  if (is_kind(exchange, "short")) return page->count >= (size_t)(exchange->fault.count ? exchange->fault.count : 1);
  uint32_t second = cds_sim_second(&exchange->sim->source, page->feed, page->next);
  if (page->count == 0 || second == page->last_second) return false;
  if (page->body.length > MAX_PAGE || page->count >= page->limit) return true;
  size_t room = page->limit - page->count;
  return in_second(page, exchange, page->next, second, room + 1) > room;
}

static bool add_report(struct cds_sim_page *page, struct cds_sim_exchange *exchange) {
  uint64_t number = page->next++;
  page->last_second = cds_sim_second(&exchange->sim->source, page->feed, number);
  page->count++;
  if (is_kind(exchange, "reorder") && page->held_back == 0) { /* each second one goes before it */
    page->held_back = number;
    return true;
  }
  if (!write_report(page, exchange, number) || !write_held_back(page, exchange)) return false;
  return !is_kind(exchange, "repeat") || write_report(page, exchange, number);
}

static bool at_end(struct cds_sim_page *page, struct cds_sim_exchange *exchange) {
  while (page->next < page->end && !cds_sim_exists(&exchange->sim->source, page->feed, page->next)) page->next++;
  return page->next >= page->end || is_full(page, exchange);
}

void cds_sim_page_work(struct cds_sim_page *page, struct cds_sim_exchange *exchange) {
  int64_t until = cds_clock_mono_ns() + SLICE_NS;
  do {
    if (at_end(page, exchange)) {
      finish(page, exchange, true);
      return;
    }
    if (!add_report(page, exchange)) {
      finish(page, exchange, false);
      return;
    }
  } while (cds_clock_mono_ns() < until);
}
