/* SPDX-License-Identifier: MIT
 * The REST endpoints, once a request has passed authentication and rate limit. */
#include "simulator/rest.h"

#include "base/alloc.h"
#include "simulator/feed_list.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_LIMIT 100
#define MAX_LIMIT 10000
#define MAX_LOOK_BACK 1000000 /* numbers, through pauses of the service */

/* A decimal number up to max as a query argument; 0 or a status. A missing one gives otherwise, or 400 if that is -1. */
static int read_number(const struct cds_sim_request *request, const char *name, uint64_t max, int64_t otherwise,
                       uint64_t *out) {
  int status;
  char *text = cds_sim_request_query(request, name, &status);
  if (!text && status == 0 && otherwise >= 0) {
    *out = (uint64_t)otherwise;
    return 0;
  }
  if (!text) return status == 0 ? 400 : status;
  size_t length = strlen(text);
  bool good = length > 0 && length <= 12 && text[strspn(text, "0123456789")] == 0;
  *out = good ? strtoull(text, NULL, 10) : 0;
  cds_free(text);
  return good && *out <= max ? 0 : 400;
}

static int read_feed(struct cds_sim_exchange *exchange, const struct cds_sim_account *account, size_t *feed,
                     const char **message) {
  int status;
  char *text = cds_sim_request_query(&exchange->request, "feedID", &status);
  *message = "missing or malformed feedID";
  if (!text) return status == 0 ? 400 : status;
  status = cds_sim_find_feed(exchange->sim, account, text, strlen(text), feed, message);
  cds_free(text);
  return status;
}

static void answer_feeds(struct cds_sim_exchange *exchange, const struct cds_sim_account *account) {
  const struct cds_sim_feeds *feeds = &exchange->sim->source.feeds;
  struct cds_buf body;
  cds_buf_init(&body, 1u << 20);
  enum cds_status status = cds_buf_printf(&body, "{\"feeds\":[");
  const char *separator = "";
  for (size_t i = 0; status == CDS_OK && i < feeds->count; i++) {
    if (account->permitted && !account->permitted[i]) continue;
    status = cds_buf_printf(&body, "%s{\"feedID\":\"%s\",\"name\":\"%s\"}", separator, feeds->list[i].text,
                            feeds->list[i].name);
    separator = ",";
  }
  if (status == CDS_OK) status = cds_buf_printf(&body, "]}");
  if (status == CDS_OK) cds_sim_answer_json(exchange, 200, &body);
  else cds_sim_answer_error(exchange, 500, "", "out of memory");
  cds_buf_clear(&body);
}

static void answer_report(struct cds_sim_exchange *exchange, size_t feed, uint64_t number) {
  struct cds_sim_report report;
  struct cds_buf body;
  cds_buf_init(&body, 4u << 20);
  cds_sim_get(&report, &exchange->sim->source, feed, number);
  enum cds_status status = cds_buf_printf(&body, "{\"report\":");
  if (status == CDS_OK) status = cds_sim_report_json(&body, exchange->sim, &report, report.feed->in_ms);
  if (status == CDS_OK) status = cds_buf_printf(&body, "}");
  if (status == CDS_OK) cds_sim_answer_json(exchange, 200, &body);
  else cds_sim_answer_error(exchange, 500, "", "out of memory");
  cds_buf_clear(&body);
}

/* One past the newest number that REST knows of: a lagging one has not heard of the newest seconds. */
static uint64_t rest_end(const struct cds_sim_exchange *exchange, size_t feed) {
  int64_t lag_ms = exchange->fault.action == CDS_SIM_LAG ? exchange->fault.seconds * 1000 : 0;
  return cds_sim_end(&exchange->sim->source, feed, cds_sim_now_ms(exchange->sim) - lag_ms);
}

static void latest(struct cds_sim_exchange *exchange, const struct cds_sim_account *account) {
  size_t feed;
  const char *message;
  int status = read_feed(exchange, account, &feed, &message);
  if (status != 0) {
    cds_sim_answer_error(exchange, status, "", message);
    return;
  }
  uint64_t end = rest_end(exchange, feed), oldest = end > MAX_LOOK_BACK ? end - MAX_LOOK_BACK : 0;
  while (end > oldest && !cds_sim_exists(&exchange->sim->source, feed, end - 1)) end--;
  if (end == oldest) cds_sim_answer_error(exchange, 404, "", "report not found");
  else answer_report(exchange, feed, end - 1);
}

/* The first report of exactly that second. */
static bool find_at(const struct cds_sim_exchange *exchange, size_t feed, uint64_t second, uint64_t *number) {
  const struct cds_sim_source *source = &exchange->sim->source;
  *number = cds_sim_seek(source, feed, (uint32_t)second);
  if (*number >= rest_end(exchange, feed)) return false;
  return cds_sim_second(source, feed, *number) == second && cds_sim_exists(source, feed, *number);
}

static void at(struct cds_sim_exchange *exchange, const struct cds_sim_account *account) {
  size_t feed;
  uint64_t second, number;
  const char *message;
  int status = read_feed(exchange, account, &feed, &message);
  if (status == 0) {
    message = "missing or malformed timestamp";
    status = read_number(&exchange->request, "timestamp", UINT32_MAX, -1, &second);
  }
  if (status == 0 && !find_at(exchange, feed, second, &number)) {
    message = "report not found";
    status = 404;
  }
  if (status == 0) answer_report(exchange, feed, number);
  else cds_sim_answer_error(exchange, status, "", message);
}

static enum cds_status bulk_body(struct cds_buf *body, struct cds_sim_exchange *exchange, const size_t *feeds,
                                 size_t count, uint64_t second, size_t *found) {
  struct cds_sim *sim = exchange->sim;
  enum cds_status status = cds_buf_printf(body, "{\"reports\":[");
  for (size_t i = 0; status == CDS_OK && i < count; i++) {
    uint64_t number;
    struct cds_sim_report report;
    if (!find_at(exchange, feeds[i], second, &number)) continue;
    cds_sim_get(&report, &sim->source, feeds[i], number);
    status = cds_buf_printf(body, "%s", (*found)++ ? "," : "");
    if (status == CDS_OK) status = cds_sim_report_json(body, sim, &report, report.feed->in_ms);
  }
  return status == CDS_OK ? cds_buf_printf(body, "]}") : status;
}

static void answer_bulk(struct cds_sim_exchange *exchange, const size_t *feeds, size_t count, uint64_t second) {
  size_t found = 0;
  struct cds_buf body;
  cds_buf_init(&body, 16u << 20);
  if (bulk_body(&body, exchange, feeds, count, second, &found) == CDS_OK)
    cds_sim_answer_json(exchange, found == count ? 200 : 206, &body);
  else cds_sim_answer_error(exchange, 500, "", "out of memory");
  cds_buf_clear(&body);
}

static void bulk(struct cds_sim_exchange *exchange, const struct cds_sim_account *account) {
  const char *message = "missing or malformed timestamp";
  uint64_t second;
  size_t *feeds = NULL, count = 0;
  int status = read_number(&exchange->request, "timestamp", UINT32_MAX, -1, &second);
  if (status == 0) {
    message = "missing or malformed feedIDs";
    char *list = cds_sim_request_query(&exchange->request, "feedIDs", &status);
    if (list) status = cds_sim_read_feeds(exchange->sim, account, list, &feeds, &count, &message);
    if (!list && status == 0) status = 400;
    cds_free(list);
  }
  if (status == 0) answer_bulk(exchange, feeds, count, second);
  else cds_sim_answer_error(exchange, status, "", message);
  cds_free(feeds);
}

static void start_page(struct cds_sim_exchange *exchange, struct cds_sim_page *page,
                       const struct cds_sim_account *account) {
  size_t feed;
  uint64_t start, limit;
  const char *message;
  int status = read_feed(exchange, account, &feed, &message);
  if (status == 0) {
    message = "missing or malformed startTimestamp";
    status = read_number(&exchange->request, "startTimestamp", UINT32_MAX, -1, &start);
  }
  if (status == 0) {
    message = "limit must be 1 to 10000";
    status = read_number(&exchange->request, "limit", MAX_LIMIT, DEFAULT_LIMIT, &limit);
    if (status == 0 && limit == 0) status = 400;
  }
  if (status == 0) cds_sim_page_start(page, exchange, feed, (uint32_t)start, rest_end(exchange, feed), (size_t)limit);
  else cds_sim_answer_error(exchange, status, "", message);
}

void cds_sim_rest(struct cds_sim_exchange *exchange, struct cds_sim_page *page, const struct cds_sim_account *account) {
  switch (exchange->endpoint) {
  case CDS_SIM_FEEDS: answer_feeds(exchange, account); break;
  case CDS_SIM_LATEST: latest(exchange, account); break;
  case CDS_SIM_AT: at(exchange, account); break;
  case CDS_SIM_BULK: bulk(exchange, account); break;
  case CDS_SIM_PAGE: start_page(exchange, page, account); break;
  default: cds_sim_answer_error(exchange, 404, "", "there is nothing here"); break;
  }
}
