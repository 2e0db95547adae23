/* SPDX-License-Identifier: MIT
 * Each allocation of decoding, of a configuration and of a client fails once: a MemoryError, no crash, no leak. */
#include "client/client.h"
#include "codec/hex.h"
#include "codec/message.h"
#include "envelope.h"
#include "torture.h"

static struct sample sample;
static char hex[2 * SAMPLE_MAX], one[ENVELOPE_MAX], list[64 * ENVELOPE_MAX];

static void make_samples(void) {
  uint8_t blob[SAMPLE_MAX];
  size_t length = sample_blob(blob, cds_schema_find(3));
  sample_put(blob + 32, 1700000000);
  sample_put(blob + 64, 1700000001);
  sample_report(&sample, blob, length, 6);
  cds_hex_encode(hex, sample.bytes, sample.length);
  envelope_message(one, &sample, blob, 1700000000, 1700000001);
  const char *report = one + strlen("{\"report\":");
  int report_length = (int)strlen(report) - 1;
  size_t used = (size_t)sprintf(list, "{\"reports\":[");
  for (int i = 0; i < 40; i++) used += (size_t)sprintf(list + used, "%s%.*s", i > 0 ? "," : "", report_length, report);
  sprintf(list + used, "]}");
}

/* ---- decoding ---- */

static enum cds_status decode_bytes(void) {
  struct cds_report *report;
  struct cds_error err;
  enum cds_status status = cds_report_from_bytes(&report, sample.bytes, sample.length, &err);
  cds_report_unref(report);
  return status;
}

static enum cds_status decode_hex(void) {
  struct cds_report *report;
  struct cds_error err;
  enum cds_status status = cds_report_from_hex(&report, hex, 2 * sample.length, &err);
  cds_report_unref(report);
  return status;
}

static enum cds_status decode_message(void) {
  struct cds_envelope envelope;
  struct cds_report *report = NULL;
  struct cds_error err;
  enum cds_status status = cds_envelope_parse(&envelope, one, strlen(one), &err);
  if (status == CDS_OK) status = cds_envelope_report(&report, &envelope, &err);
  cds_report_unref(report);
  return status;
}

static enum cds_status decode_list(void) {
  struct cds_envelope_list envelopes;
  struct cds_error err;
  enum cds_status status = cds_envelope_list_parse(&envelopes, list, strlen(list), &err);
  for (size_t i = 0; status == CDS_OK && i < envelopes.count; i++) {
    struct cds_report *report;
    status = cds_envelope_report(&report, &envelopes.items[i], &err);
    cds_report_unref(report);
  }
  cds_envelope_list_clear(&envelopes);
  return status;
}

/* ---- configuration and client ---- */

static enum cds_status copy_text(char **out, const char *text) {
  *out = cds_strdup(text);
  return *out != NULL ? CDS_OK : CDS_E_MEMORY;
}

static enum cds_status fill_texts(struct cds_config *config) {
  enum cds_status status = copy_text(&config->api_key, "key");
  if (status == CDS_OK) status = copy_text(&config->api_secret, "hunter2");
  if (status == CDS_OK) status = copy_text(&config->proxy, "http://user:hunter2@[::1]:3128");
  if (status != CDS_OK) return status;
  config->headers = cds_calloc(1, sizeof *config->headers);
  if (config->headers == NULL) return CDS_E_MEMORY;
  config->header_count = 1;
  status = copy_text(&config->headers[0].name, "X-Trace");
  if (status == CDS_OK) status = copy_text(&config->headers[0].value, "hunter2");
  return status;
}

static enum cds_status fill(struct cds_config *config) {
  struct cds_error err;
  cds_config_init(config);
  enum cds_status status = fill_texts(config);
  if (status == CDS_OK) status = cds_url_parse(&config->rest, "https://127.0.0.1:9/base", "rest_url", &err);
  if (status == CDS_OK) status = cds_url_parse(&config->ws[0], "wss://127.0.0.1:9", "ws_url", &err);
  config->ws_count = 1;
  return status;
}

static enum cds_status check_config(void) {
  struct cds_config config;
  struct cds_error err;
  enum cds_status status = fill(&config);
  if (status == CDS_OK) status = cds_config_check(&config, &err);
  cds_config_clear(&config);
  return status;
}

static enum cds_status make_client(void) {
  struct cds_config config;
  struct cds_client *client = NULL;
  struct cds_error err;
  enum cds_status status = fill(&config);
  if (status == CDS_OK) status = cds_client_new(&client, &config, &err);
  cds_config_clear(&config);
  cds_client_free(client);
  return status;
}

int main(void) {
  make_samples();
  torture("a report from bytes", cds_alloc_fail_after, decode_bytes, TORTURE_FAILS);
  torture("a report from hex", cds_alloc_fail_after, decode_hex, TORTURE_FAILS);
  torture("a message", cds_alloc_fail_after, decode_message, TORTURE_FAILS);
  torture("a list of reports", cds_alloc_fail_one, decode_list, TORTURE_FAILS);
  torture("a configuration", cds_alloc_fail_one, check_config, TORTURE_FAILS);
  torture("a client", cds_alloc_fail_after, make_client, TORTURE_FAILS);
  torture("a client, one failure", cds_alloc_fail_one, make_client, TORTURE_FAILS);
  return done();
}
