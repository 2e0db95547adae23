/* SPDX-License-Identifier: MIT
 * Which feeds there are: filters are comma lists that match any letter case; several filters must all fit. */
#include "simulator/discovery.h"

#include "base/alloc.h"
#include "simulator/listing.h"

#include <string.h>
#include <strings.h>

#define MAX_BODY (4u << 20)
#define CACHE_HEADER "Cache-Control: public, max-age=300\r\n"

static const char *const text_names[CDS_SIM_LISTED_TEXTS] = {
  [CDS_SIM_BASE_ASSET] = "base_asset",         [CDS_SIM_QUOTE_ASSET] = "quote_asset",
  [CDS_SIM_ASSET_CLASS] = "asset_class",       [CDS_SIM_FEED_TYPE] = "feed_type",
  [CDS_SIM_ATTRIBUTE_TYPE] = "attribute_type", [CDS_SIM_STATUS_NAME] = "status",
  [CDS_SIM_NETWORK_TYPE] = "network_type"};

static const char *const date_names[CDS_SIM_LISTED_TIMES][2] = {
  [CDS_SIM_CREATED] = {"created_after", "created_before"},
  [CDS_SIM_LEAVING] = {"expected_decommission_after", "expected_decommission_before"},
  [CDS_SIM_LEFT] = {"decommissioned_after", "decommissioned_before"}};

struct filters {
  char *texts[CDS_SIM_LISTED_TEXTS]; /* owned; NULL: any */
  char *dates[CDS_SIM_LISTED_TIMES][2];
  bool hidden; /* these too */
};

/* ---- the question ---- */

static int digits(const char *text, int count) {
  int value = 0;
  for (int i = 0; i < count; i++) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

/* Exactly YYYY-MM-DD, and a day that there is. */
static bool is_date(const char *text) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (strlen(text) != 10 || text[4] != '-' || text[7] != '-') return false;
  int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1) return false;
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= days[month - 1] + (month == 2 && leap);
}

static int read_dates(struct filters *filters, const struct cds_sim_request *request) {
  int status = 0;
  for (size_t i = 0; status == 0 && i < (size_t)CDS_SIM_LISTED_TIMES * 2; i++) {
    char **date = &filters->dates[i / 2][i % 2];
    *date = cds_sim_request_query(request, date_names[i / 2][i % 2], &status);
    if (*date && !is_date(*date)) status = 400;
  }
  return status;
}

/* 0, or a status with its message. */
static int read_filters(struct filters *filters, const struct cds_sim_request *request, const char **message) {
  int status = 0;
  *message = "malformed filter";
  for (size_t i = 0; status == 0 && i < CDS_SIM_LISTED_TEXTS; i++)
    filters->texts[i] = cds_sim_request_query(request, text_names[i], &status);
  if (status != 0) return status;
  char *hidden = cds_sim_request_query(request, "hidden", &status);
  filters->hidden = hidden && strcasecmp(hidden, "true") == 0;
  cds_free(hidden);
  if (status != 0) return status;
  *message = "dates must be YYYY-MM-DD";
  return read_dates(filters, request);
}

static void clear_filters(struct filters *filters) {
  for (size_t i = 0; i < CDS_SIM_LISTED_TEXTS; i++) cds_free(filters->texts[i]);
  for (size_t i = 0; i < (size_t)CDS_SIM_LISTED_TIMES * 2; i++) cds_free(filters->dates[i / 2][i % 2]);
}

/* ---- the answer ---- */

static bool is_in_list(const char *list, const char *text) {
  size_t length = strlen(text);
  for (const char *at = list;; at++) {
    size_t part = strcspn(at, ",");
    if (part == length && strncasecmp(at, text, length) == 0) return true;
    at += part;
    if (*at == 0) return false;
  }
}

/* Texts of times are in the order of the times; a date alone stands before every time of its day. */
static bool is_between(const char *time, char *const bounds[2]) {
  if (!bounds[0] && !bounds[1]) return true;
  if (*time == 0) return false;
  return (!bounds[0] || strcmp(time, bounds[0]) >= 0) && (!bounds[1] || strcmp(time, bounds[1]) < 0);
}

static bool fits(const struct cds_sim_listing *listing, const struct filters *filters) {
  if (listing->hidden && !filters->hidden) return false;
  for (size_t i = 0; i < CDS_SIM_LISTED_TEXTS; i++)
    if (filters->texts[i] && !is_in_list(filters->texts[i], listing->texts[i])) return false;
  for (size_t i = 0; i < CDS_SIM_LISTED_TIMES; i++)
    if (!is_between(listing->times[i], filters->dates[i])) return false;
  return true;
}

static enum cds_status add(struct cds_buf *body, const struct cds_sim_listing *listing, const struct filters *filters) {
  if (!fits(listing, filters)) return CDS_OK;
  enum cds_status status = body->data[body->length - 1] == '[' ? CDS_OK : cds_buf_printf(body, ",");
  return status == CDS_OK ? cds_sim_listing_json(body, listing) : status;
}

static enum cds_status list(struct cds_buf *body, const struct cds_sim_exchange *exchange,
                            const struct cds_sim_account *account, const struct filters *filters) {
  const struct cds_sim_feeds *feeds = &exchange->sim->source.feeds;
  struct cds_sim_listing listing;
  enum cds_status status = cds_buf_printf(body, "{\"feeds\":[");
  for (size_t i = 0; status == CDS_OK && i < feeds->count; i++) {
    cds_sim_listing_of(&listing, &feeds->list[i], cds_sim_now_ms(exchange->sim));
    bool may_read = account && (!account->permitted || account->permitted[i]);
    if (!listing.hidden || may_read) status = add(body, &listing, filters);
  }
  cds_sim_listing_gone(&listing);
  if (status == CDS_OK) status = add(body, &listing, filters);
  return status == CDS_OK ? cds_buf_printf(body, "]}") : status;
}

void cds_sim_discovery(struct cds_sim_exchange *exchange, const struct cds_sim_account *account) {
  struct filters filters = {0};
  struct cds_buf body;
  const char *message;
  cds_buf_init(&body, MAX_BODY);
  int status = read_filters(&filters, &exchange->request, &message);
  if (status == 0 && list(&body, exchange, account, &filters) != CDS_OK) {
    message = "out of memory";
    status = 500;
  }
  if (status == 0) cds_sim_answer(exchange, 200, CACHE_HEADER, "application/json", body.data, body.length);
  else cds_sim_answer_error(exchange, status, "", message);
  cds_buf_clear(&body);
  clear_filters(&filters);
}
