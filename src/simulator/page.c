/* SPDX-License-Identifier: MIT
 * Pages are made a few milliseconds at a time, so that a long one does not hold up the streams. A page holds whole
 * seconds: where a second has more reports than the limit allows, it is sent whole, or no page could ever pass it. */
#include "simulator/service.h"

#include "base/clock.h"

#define SLICE_NS 3000000
#define MAX_PAGE (8u << 20) /* bytes after which a page ends early */

void cds_sim_page_start(struct cds_sim_conn *conn, size_t feed, uint32_t start, size_t limit) {
  struct cds_sim_paging *page = &conn->paging;
  page->feed = feed;
  page->next = cds_sim_seek(&conn->sim->source, feed, start);
  page->end = cds_sim_end(&conn->sim->source, feed, cds_sim_now_ms(conn->sim));
  page->limit = limit;
  page->count = 0;
  cds_buf_init(&page->body, 2 * MAX_PAGE);
  conn->state = CDS_SIM_PAGING;
}

void cds_sim_page_clear(struct cds_sim_conn *conn) {
  cds_buf_clear(&conn->paging.body);
}

static void finish(struct cds_sim_conn *conn, bool good) {
  struct cds_sim_paging *page = &conn->paging;
  conn->state = CDS_SIM_HTTP;
  if (good && page->count == 0) good = cds_buf_append(&page->body, "{\"reports\":[", 12) == CDS_OK;
  if (good) good = cds_buf_append(&page->body, "]", 1) == CDS_OK;
  if (good && page->count > 0 && page->last_second < UINT32_MAX)
    good =
      cds_buf_printf(&page->body, ",\"nextPageTimestamp\":%llu", (unsigned long long)page->last_second + 1) == CDS_OK;
  if (good) good = cds_buf_append(&page->body, "}", 1) == CDS_OK;
  if (good) cds_sim_answer_json(conn, 200, &page->body);
  else cds_sim_answer_error(conn, 500, "", "out of memory");
  cds_sim_page_clear(conn);
}

/* How many reports share the second of report `number`, counted up to `most`. */
static size_t in_second(const struct cds_sim_conn *conn, uint64_t number, uint32_t second, size_t most) {
  size_t count = 0;
  while (count < most && number + count < conn->paging.end &&
         cds_sim_second(&conn->sim->source, conn->paging.feed, number + count) == second)
    count++;
  return count;
}

static bool is_full(struct cds_sim_conn *conn) {
  struct cds_sim_paging *page = &conn->paging;
  uint32_t second = cds_sim_second(&conn->sim->source, page->feed, page->next);
  if (page->count == 0 || second == page->last_second) return false;
  if (page->body.length > MAX_PAGE || page->count >= page->limit) return true;
  size_t room = page->limit - page->count;
  return in_second(conn, page->next, second, room + 1) > room;
}

static bool add_report(struct cds_sim_conn *conn) {
  struct cds_sim_paging *page = &conn->paging;
  struct cds_sim_report report;
  cds_sim_get(&report, &conn->sim->source, page->feed, page->next);
  page->last_second = report.observed;
  page->next++;
  const char *before = page->count++ ? "," : "{\"reports\":[";
  if (cds_buf_printf(&page->body, "%s", before) != CDS_OK) return false;
  return cds_sim_report_json(&page->body, conn->sim, &report) == CDS_OK;
}

void cds_sim_page_work(struct cds_sim_conn *conn) {
  int64_t until = cds_clock_mono_ns() + SLICE_NS;
  do {
    if (conn->paging.next >= conn->paging.end || is_full(conn)) {
      finish(conn, true);
      return;
    }
    if (!add_report(conn)) {
      finish(conn, false);
      return;
    }
  } while (cds_clock_mono_ns() < until);
}
