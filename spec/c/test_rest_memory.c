/* SPDX-License-Identifier: MIT
 * A REST call in which the nth allocation fails, for every n: an error or a good end, never a crash, hang or leak. */
#include "rest_fixture.h"

/* Everything from the client to the last report; the status of whatever failed first. */
static enum cds_status run_once(struct fixture *f, long after) {
  struct cds_feed_id feed = test_feed(1);
  struct cds_call_args args = {CDS_GET_REPORT_PAGE, &feed, 1, 1700000000, 0};
  struct cds_call *call;
  struct cds_error err;
  cds_alloc_fail_after(after);
  enum cds_status status = cds_client_new(&f->client, &f->config, &err);
  if (status == CDS_OK) status = cds_call_start(&call, f->client, &args, &err);
  if (status == CDS_OK) status = finish_call(call).status;
  cds_alloc_fail_after(-1);
  return status;
}

int main(void) {
  char report[8192], list[20000];
  write_report(report, sizeof report, 1);
  snprintf(list, sizeof list, "{\"reports\":[%s,%s]}", report, report);
  char *page = with_body(HEAD("200 OK", ""), list);
  struct http_step step = answer(page);
  long count = 0;
  bool expected = true;
  enum cds_status status = CDS_E_MEMORY;
  for (; status != CDS_OK && count < 1000; count++) {
    struct fixture f;
    begin(&f, &step, 1);
    f.config.max_retries = 0;
    f.config.want_responses = count % 2 == 0;
    status = run_once(&f, count);
    expected = expected && (status == CDS_OK || status == CDS_E_MEMORY);
    end(&f);
  }
  ok(expected, "every failed allocation is a MemoryError");
  ok(status == CDS_OK && count > 10, "until all succeed, after %ld of them", count);
  free(page);
  return done();
}
