/* SPDX-License-Identifier: MIT
 * The question for the service's origins, its answer and the connections that follow, while one allocation after
 * another fails: a MemoryError, or a stream that works. */
#include "stream_fixture.h"
#include "torture.h"
#include "ws_parallel.h"

static const char two_origins[] =
  "HTTP/1.1 200 OK\r\nX-Cll-Available-Origins: {one,two}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

static void serve(struct ws_server *view, int number, int fd) {
  if (!ws_read_request(view, fd)) return;
  if (strncmp(view->request, "HEAD ", 5) == 0) {
    ws_send_text_raw(fd, two_origins);
    return;
  }
  if (!ws_upgrade(view, fd, "")) return;
  for (uint32_t i = 1; i <= 4; i++) /* a lost one is followed by others */
    if (!ws_send_message(fd, next_message(1, (uint32_t)number * 4 + i))) return;
  ws_attend(fd);
}

static enum cds_status run_stream(void) {
  struct fixture fixture;
  struct cds_error err = {0};
  struct cds_report *report;
  struct cds_feed_id feed = feed_number(1);
  cds_alloc_fail_after(-1);
  struct ws_parallel *host = ws_parallel_start(serve, NULL);
  begin(&fixture, NULL, NULL);
  add_origin(&fixture, "127.0.0.1", host->port, "");
  fixture.config.stream.ha = true;
  fixture.config.retry_delay = fixture.config.retry_max_delay = 0.01;
  struct cds_stream_config config = fixture.config.stream;
  torture_arm();
  enum cds_status status = cds_client_new(&fixture.client, &fixture.config, &err);
  if (status == CDS_OK) status = cds_stream_open(&fixture.stream, fixture.client, &feed, 1, &config, &err);
  if (status == CDS_OK) {
    report = next_report(&fixture, NULL, &err);
    status = report != NULL ? CDS_OK : err.status;
    cds_report_unref(report);
  }
  finish(&fixture);
  ws_parallel_stop(host);
  return status;
}

int main(void) {
  torture("a stream of two origins, one failure", cds_alloc_fail_one, run_stream, TORTURE_MAY_GO_ON);
  return done();
}
