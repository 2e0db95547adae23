/* SPDX-License-Identifier: MIT
 * A REST call from the client's making to the last report, each of its allocations failing: a MemoryError or a good
 * end, never a crash, hang or leak. */
#include "rest_fixture.h"
#include "torture.h"

static struct http_step step;
static bool want_responses;

static enum cds_status run_call_once(void) {
  struct cds_feed_id feed = test_feed(1);
  struct cds_call_args args = {CDS_GET_REPORT_PAGE, &feed, 1, 1700000000, 0};
  struct cds_call *call;
  struct cds_error err;
  struct fixture f;
  cds_alloc_fail_after(-1);
  begin(&f, &step, 1);
  f.config.max_retries = 0;
  f.config.want_responses = want_responses;
  torture_arm();
  enum cds_status status = cds_client_new(&f.client, &f.config, &err);
  if (status == CDS_OK) status = cds_call_start(&call, f.client, &args, &err);
  if (status == CDS_OK) status = finish_call(call).status;
  end(&f);
  return status;
}

int main(void) {
  char report[8192], list[20000];
  write_report(report, sizeof report, 1);
  snprintf(list, sizeof list, "{\"reports\":[%s,%s]}", report, report);
  char *page = with_body(HEAD("200 OK", ""), list);
  step = answer(page);
  for (int i = 0; i < 2; i++, want_responses = true) {
    torture("a page, no memory from then on", cds_alloc_fail_after, run_call_once, TORTURE_MAY_GO_ON);
    torture("a page, one failure", cds_alloc_fail_one, run_call_once, TORTURE_MAY_GO_ON);
  }
  free(page);
  return done();
}
