/* SPDX-License-Identifier: MIT
 * Pages are made a few milliseconds at a time, so that a long one does not hold up the streams. A page holds whole
 * seconds: where a second has more reports than the limit allows, it is sent whole, or no page could ever pass it. */
#include "simulator/service.h"

#include "base/clock.h"

#include <string.h>

#define SLICE_NS 3000000
#define MAX_PAGE (8u << 20) /* bytes after which a page ends early */

static bool is_kind(const struct cds_sim_conn *conn, const char *kind) {
  return conn->fault.action == CDS_SIM_PAGE_KIND && strcmp(conn->fault.kind, kind) == 0;
}

void cds_sim_page_start(struct cds_sim_conn *conn, size_t feed, uint32_t start, size_t limit) {
  struct cds_sim_paging *page = &conn->paging;
  page->feed = feed;
  page->next = cds_sim_seek(&conn->sim->source, feed, start);
  page->end = is_kind(conn, "empty") ? 0 : cds_sim_rest_end(conn, feed);
  page->limit = limit;
  page->count = page->written = 0;
  page->held_back = 0;
  cds_buf_init(&page->body, 2 * MAX_PAGE);
  conn->state = CDS_SIM_PAGING;
}

void cds_sim_page_clear(struct cds_sim_conn *conn) {
  cds_buf_clear(&conn->paging.body);
}

static bool write_report(struct cds_sim_conn *conn, uint64_t number) {
  struct cds_sim_paging *page = &conn->paging;
  struct cds_sim_report report;
  cds_sim_get(&report, &conn->sim->source, page->feed, number);
  const char *before = page->written++ ? "," : "{\"reports\":[";
  if (cds_buf_printf(&page->body, "%s", before) != CDS_OK) return false;
  return cds_sim_report_json(&page->body, conn->sim, &report) == CDS_OK;
}

static bool write_held_back(struct cds_sim_conn *conn) {
  uint64_t number = conn->paging.held_back;
  conn->paging.held_back = 0;
  return number == 0 || write_report(conn, number);
}

static bool write_end(struct cds_sim_conn *conn) {
  struct cds_sim_paging *page = &conn->paging;
  struct cds_buf *body = &page->body;
  if (!write_held_back(conn)) return false;
  if (page->written == 0 && cds_buf_append(body, "{\"reports\":[", 12) != CDS_OK) return false;
  if (cds_buf_append(body, "]", 1) != CDS_OK) return false;
  bool tells_next = page->count > 0 && page->last_second < UINT32_MAX && !is_kind(conn, "short");
  if (tells_next &&
      cds_buf_printf(body, ",\"nextPageTimestamp\":%llu", (unsigned long long)page->last_second + 1) != CDS_OK)
    return false;
  return cds_buf_append(body, "}", 1) == CDS_OK;
}

static void finish(struct cds_sim_conn *conn, bool good) {
  conn->state = CDS_SIM_HTTP;
  if (good && write_end(conn)) cds_sim_answer_json(conn, 200, &conn->paging.body);
  else cds_sim_answer_error(conn, 500, "", "out of memory");
  cds_sim_page_clear(conn);
}

/* How many reports share the second of number `number`, counted from there up to `most`. */
static size_t in_second(const struct cds_sim_conn *conn, uint64_t number, uint32_t second, size_t most) {
  const struct cds_sim_source *source = &conn->sim->source;
  size_t count = 0, feed = conn->paging.feed;
  for (; count < most && number < conn->paging.end && cds_sim_second(source, feed, number) == second; number++)
    count += cds_sim_exists(source, feed, number);
  return count;
}

static bool is_full(struct cds_sim_conn *conn) {
  struct cds_sim_paging *page = &conn->paging;
  if (is_kind(conn, "short")) return page->count >= (size_t)(conn->fault.count ? conn->fault.count : 1);
  uint32_t second = cds_sim_second(&conn->sim->source, page->feed, page->next);
  if (page->count == 0 || second == page->last_second) return false;
  if (page->body.length > MAX_PAGE || page->count >= page->limit) return true;
  size_t room = page->limit - page->count;
  return in_second(conn, page->next, second, room + 1) > room;
}

static bool add_report(struct cds_sim_conn *conn) {
  struct cds_sim_paging *page = &conn->paging;
  uint64_t number = page->next++;
  page->last_second = cds_sim_second(&conn->sim->source, page->feed, number);
  page->count++;
  if (is_kind(conn, "reorder") && page->held_back == 0) { /* each second one goes before it */
    page->held_back = number;
    return true;
  }
  if (!write_report(conn, number) || !write_held_back(conn)) return false;
  return !is_kind(conn, "repeat") || write_report(conn, number);
}

static bool at_end(struct cds_sim_conn *conn) {
  struct cds_sim_paging *page = &conn->paging;
  while (page->next < page->end && !cds_sim_exists(&conn->sim->source, page->feed, page->next)) page->next++;
  return page->next >= page->end || is_full(conn);
}

void cds_sim_page_work(struct cds_sim_conn *conn) {
  int64_t until = cds_clock_mono_ns() + SLICE_NS;
  do {
    if (at_end(conn)) {
      finish(conn, true);
      return;
    }
    if (!add_report(conn)) {
      finish(conn, false);
      return;
    }
  } while (cds_clock_mono_ns() < until);
}
