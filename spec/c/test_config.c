/* SPDX-License-Identifier: MIT
 * The options' defaults and checks. */
#include "tap.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "context/config.h"

static void fill(struct cds_config *config) {
  cds_config_init(config);
  config->api_key = cds_strdup("key");
  config->api_secret = cds_strdup("hunter2");
  bool good = cds_url_parse(&config->rest, "https://h", "rest_url", NULL) == CDS_OK &&
              cds_url_parse(&config->ws[0], "wss://h", "ws_url", NULL) == CDS_OK;
  config->ws_count = 1;
  if (!good) abort();
}

static void replace(char **text, const char *value) {
  cds_free(*text);
  *text = value == NULL ? NULL : cds_strdup(value);
}

static void add_header(struct cds_config *config, const char *name, const char *value) {
  config->headers = cds_realloc(config->headers, (config->header_count + 1) * sizeof *config->headers);
  config->headers[config->header_count++] = (struct cds_header){cds_strdup(name), cds_strdup(value)};
}

/* Ends the life of config. reason NULL: it must pass. */
static void expect(struct cds_config *config, const char *reason) {
  struct cds_error err = {0};
  enum cds_status status = cds_config_check(config, &err);
  if (reason == NULL) {
    ok(status == CDS_OK, "accepted: %s", err.message);
  } else {
    ok(status == CDS_E_CONFIG, "refused: %s", reason);
    if (!ok(strstr(err.message, reason) != NULL, "… saying so")) printf("#   got: %s\n", err.message);
    ok(strstr(err.message, "hunter2") == NULL, "… without the secret");
  }
  cds_config_clear(config);
}

static void test_defaults(void) {
  struct cds_config config;
  cds_config_init(&config);
  ok(config.timeout == 30 && config.connect_timeout == 5, "timeouts");
  ok(config.max_retries == 3 && config.retry_delay == 0.5 && config.retry_max_delay == 10, "retries");
  ok(config.rate_limit == 10 && config.breaker_failures == 5 && config.breaker_cooldown == 10, "limits");
  ok(config.stream.queue_size == 4096 && config.stream.overflow == CDS_OVERFLOW_BLOCK, "queue");
  is_number((long long)config.stream.queue_bytes, 64 * 1024 * 1024, "its bytes");
  ok(config.stream.ping_interval == 5 && config.stream.pong_timeout == 5, "heartbeat");
  ok(isinf(config.stream.max_reconnects) && config.stream.reconnect_delay == 0.2, "reconnection");
  ok(config.stream.log_level == CDS_LOG_INFO && !config.insecure_skip_verify, "log level and TLS");
  cds_config_clear(&config);
}

static void test_credentials(void) {
  struct cds_config config;
  fill(&config), replace(&config.api_key, NULL), expect(&config, "api_key: missing");
  fill(&config), replace(&config.api_key, ""), expect(&config, "api_key: missing");
  fill(&config), replace(&config.api_key, "key\n"), expect(&config, "api_key: has a space");
  fill(&config), replace(&config.api_key, "a b"), expect(&config, "api_key: has a space");
  fill(&config), replace(&config.api_secret, NULL), expect(&config, "api_secret: missing");
  fill(&config), replace(&config.api_secret, "hunter2\r"), expect(&config, "api_secret: has a control");
  fill(&config), replace(&config.api_secret, "with space \xc3\xa9"), expect(&config, NULL);
  char longer[CDS_MAX_CREDENTIAL_BYTES + 2];
  memset(longer, 'k', sizeof longer - 1);
  longer[sizeof longer - 1] = 0;
  fill(&config), replace(&config.api_key, longer), expect(&config, "longer than 512");
}

static void test_headers(void) {
  struct cds_config config;
  char value[4100];
  memset(value, 'v', sizeof value - 1);
  value[sizeof value - 1] = 0;
  fill(&config), add_header(&config, "X-Trace", "1 2 \xc3\xa9"), add_header(&config, "X-Empty", ""),
    expect(&config, NULL);
  fill(&config), add_header(&config, "", "1"), expect(&config, "headers: a name");
  fill(&config), add_header(&config, "X Y", "1"), expect(&config, "headers: a name");
  fill(&config), add_header(&config, "X:", "1"), expect(&config, "headers: a name");
  fill(&config), add_header(&config, "X-A", "1\r\nX-B: 2"), expect(&config, "the value of X-A");
  fill(&config), add_header(&config, "authorization", "x"), expect(&config, "authorization is set");
  fill(&config), add_header(&config, "X-Authorization-Anything", "x"), expect(&config, "is set by the library");
  fill(&config), add_header(&config, "x-cll-origin", "x"), expect(&config, "is set by the library");
  fill(&config), add_header(&config, "HOST", "x"), expect(&config, "is set by the library");
  fill(&config), add_header(&config, "Sec-WebSocket-Key", "x"), expect(&config, "is set by the library");
  fill(&config), add_header(&config, "X-Long", value), expect(&config, "at most 4096 bytes");
  fill(&config);
  for (int i = 0; i < 33; i++) add_header(&config, "X-A", "1");
  expect(&config, "at most 32");
}

static void test_endpoints_and_files(void) {
  struct cds_config config;
  fill(&config), cds_url_clear(&config.rest), expect(&config, "rest_url: missing");
  fill(&config), config.ws_count = 0, expect(&config, "ws_url: expected");
  fill(&config), config.ws_count = 2, expect(&config, "ws_url: missing");
  fill(&config), replace(&config.ca_file, "/does/not/exist"), expect(&config, "tls.ca_file: cannot read");
  fill(&config), replace(&config.ca_path, "/does/not/exist"), expect(&config, "tls.ca_path: cannot read");
  fill(&config), replace(&config.cert_file, "/dev/null"), expect(&config, "both or neither");
  fill(&config), replace(&config.key_file, "/dev/null"), expect(&config, "both or neither");
}

static void test_proxy(void) {
  struct cds_config config;
  fill(&config), replace(&config.proxy, ""), expect(&config, NULL);
  fill(&config), replace(&config.proxy, "http://user:hunter2@proxy.test:3128"), expect(&config, NULL);
  fill(&config), replace(&config.proxy, "http://[::1]:3128"), expect(&config, NULL);
  fill(&config), replace(&config.proxy, "socks5://hunter2@h:1"), expect(&config, "proxy: expected http://");
  fill(&config), replace(&config.proxy, "http://hunter2@:1"), expect(&config, "proxy: the host name");
  fill(&config), replace(&config.proxy, "http://us://hunter2@h:1"), expect(&config, "proxy: the port");
  fill(&config), replace(&config.proxy, "http://u:hunt@er2@h:1"), expect(&config, "proxy: the URL has a user");
  fill(&config), replace(&config.proxy, "http://u:hunter2?@h:1"), expect(&config, "proxy: the ");
  fill(&config), replace(&config.proxy, "http://h:1/path"), expect(&config, "proxy: has a path");
  fill(&config), replace(&config.proxy, "http://h:1\r\nX: y"), expect(&config, "proxy: expected http://");
}

int main(void) {
  test_defaults();
  test_credentials();
  test_headers();
  test_endpoints_and_files();
  test_proxy();
  return done();
}
