/* SPDX-License-Identifier: MIT
 * POSTs, and questions that are not signed, that are answered by a failure first: each allocation of a call
 * that is sent twice fails once, which ends in a MemoryError or does no harm. */
#include "rest_fixture.h"
#include "torture.h"

static struct http_step steps[2];

typedef enum cds_status start_function(struct cds_call **call, struct cds_client *client, struct cds_error *err);

static enum cds_status start_post(struct cds_call **call, struct cds_client *client, struct cds_error *err) {
  static const char question[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[]}";
  return cds_call_post(call, client, question, strlen(question), err);
}

static enum cds_status start_discovery(struct cds_call **call, struct cds_client *client, struct cds_error *err) {
  return cds_call_discover(call, client, "base_asset=BTC", true, err);
}

static enum cds_status start_authorize(struct cds_call **call, struct cds_client *client, struct cds_error *err) {
  return cds_call_authorize(call, client, err);
}

static enum cds_status start_candles(struct cds_call **call, struct cds_client *client, struct cds_error *err) {
  return cds_call_prices(call, client, CDS_GET_CANDLES, "symbol=A", "token", err);
}

static enum cds_status run(start_function *start) {
  struct cds_call *call;
  struct cds_error err;
  struct fixture f;
  cds_alloc_fail_after(-1);
  begin(&f, steps, 2);
  f.config.want_responses = true;
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d", f.server->port);
  http_check(cds_url_parse(&f.config.prices, url, "price_url", NULL) == CDS_OK, "price_url");
  torture_arm();
  enum cds_status status = cds_client_new(&f.client, &f.config, &err);
  if (status == CDS_OK) status = start(&call, f.client, &err);
  if (status == CDS_OK) status = finish_call(call).status;
  end(&f);
  return status;
}

static enum cds_status run_post(void) {
  return run(start_post);
}

static enum cds_status run_discovery(void) {
  return run(start_discovery);
}

static enum cds_status run_authorize(void) {
  return run(start_authorize);
}

static enum cds_status run_candles(void) {
  return run(start_candles);
}

int main(void) {
  steps[0] = answer(HEAD("503 Service Unavailable", "Content-Length: 0\r\n\r\n"));
  steps[1] = answer(HEAD("200 OK", "Content-Length: 14\r\n\r\n{\"result\":\"1\"}"));
  torture("a POST sent twice, no memory from then on", cds_alloc_fail_after, run_post, TORTURE_MAY_GO_ON);
  torture("a POST sent twice, one failure", cds_alloc_fail_one, run_post, TORTURE_MAY_GO_ON);
  steps[1] = answer(HEAD("200 OK", "Cache-Control: max-age=300\r\nContent-Length: 12\r\n\r\n{\"feeds\":[]}"));
  torture("a catalogue asked for twice, no memory from then on", cds_alloc_fail_after, run_discovery,
          TORTURE_MAY_GO_ON);
  torture("a catalogue asked for twice, one failure", cds_alloc_fail_one, run_discovery, TORTURE_MAY_GO_ON);
  steps[1] = answer(HEAD("200 OK", "Content-Length: 10\r\n\r\n{\"s\":\"ok\"}"));
  torture("a token asked for twice, no memory from then on", cds_alloc_fail_after, run_authorize, TORTURE_MAY_GO_ON);
  torture("a token asked for twice, one failure", cds_alloc_fail_one, run_authorize, TORTURE_MAY_GO_ON);
  torture("candles asked for twice, no memory from then on", cds_alloc_fail_after, run_candles, TORTURE_MAY_GO_ON);
  torture("candles asked for twice, one failure", cds_alloc_fail_one, run_candles, TORTURE_MAY_GO_ON);
  return done();
}
