/* SPDX-License-Identifier: MIT
 * The options' defaults and checks. */
#include "tap.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "context/config.h"
#include "peek.h"

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
  ok(config.stream.feeds_per_connection == 100 && config.stream.backfill && !config.stream.ha, "connections");
  ok(config.stream.reconnect_max_delay == 10 && config.stream.stale_timeout == 0 && !config.stream.has_start,
     "the rest");
  ok(!config.want_responses && config.proxy == NULL, "no responses, and the environment's proxy");
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
  longer[512] = 0;
  fill(&config), replace(&config.api_key, longer), expect(&config, NULL);
}

/* Which single bytes a text may hold: not one more, not one less. */
static void test_bytes(void) {
  bool keys = true, secrets = true, values = true, proxies = true;
  for (int c = 1; c < 256; c++) {
    char text[] = {'a', (char)c, 'b', 0}, proxy[] = "http://u@p.test:1";
    bool control = c < 0x20 || c == 0x7f, visible = c > 0x20 && c < 0x7f;
    struct cds_config config;
    fill(&config), replace(&config.api_key, text);
    keys = keys && (cds_config_check(&config, NULL) == CDS_OK) == visible;
    replace(&config.api_key, "key"), replace(&config.api_secret, text);
    secrets = secrets && (cds_config_check(&config, NULL) == CDS_OK) == !control;
    replace(&config.api_secret, "hunter2"), add_header(&config, "X-A", text);
    values = values && (cds_config_check(&config, NULL) == CDS_OK) == !control;
    proxy[7] = (char)c;
    replace(&config.headers[0].value, ""), replace(&config.proxy, proxy);
    bool ends = strchr("/?#@", c) != NULL;
    proxies = proxies && (cds_config_check(&config, NULL) == CDS_OK) == (visible && !ends);
    cds_config_clear(&config);
  }
  ok(keys, "a key holds visible ASCII alone");
  ok(secrets, "a secret no control characters");
  ok(values, "nor does a header's value");
  ok(proxies, "a proxy's user is visible ASCII without what would end it");
}

/* Every text that the service or people take for a secret, 64 bytes of one letter each. */
static void test_wiping(void) {
  struct cds_config config;
  char secret[65];
  memset(secret, 'S', 64);
  secret[64] = 0;
  fill(&config), replace(&config.api_secret, secret), replace(&config.proxy, secret);
  add_header(&config, "X-Token", secret);
  uintptr_t at[] = {(uintptr_t)config.api_secret, (uintptr_t)config.proxy, (uintptr_t)config.headers[0].value};
  cds_config_clear(&config);
  for (size_t i = 0; i < 3; i++) {
    static const char *const names[] = {"the secret", "the proxy", "a header's value"};
    long left = peek_count(at[i], 64, 'S');
    if (left < 0) skip(names[i], "the memory cannot be looked at");
    else ok(left < 8, "%s is wiped (%ld bytes left)", names[i], left);
  }
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
  fill(&config);
  for (int i = 0; i < 32; i++) add_header(&config, "X-A", "1");
  expect(&config, NULL);
  value[4096 - 1] = 0;
  fill(&config), add_header(&config, "X", value), expect(&config, NULL);
  fill(&config), add_header(&config, "XY", value), expect(&config, "at most 4096 bytes");
}

static void test_header_names(void) {
  static const char *const reserved[] = {
    "Authorization", "X-Authorization-",  "X-Cll-", "Host",       "Connection",      "Upgrade",
    "User-Agent",    "Sec-WebSocket-",    "Expect", "Trailer",    "Accept-Encoding", "Content-Length",
    "Content-Type",  "Transfer-Encoding", "TE",     "Keep-Alive", "HTTP2-Settings",  "Proxy-",
  };
  static const char *const free_names[] = {"Authorization2", "XAuthorization-", "X-Cl", "Hos", "T", "Proxy", "Expects"};
  struct cds_config config;
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
    fill(&config), add_header(&config, reserved[i], "x"), expect(&config, "is set by the library");
  for (size_t i = 0; i < sizeof free_names / sizeof *free_names; i++)
    fill(&config), add_header(&config, free_names[i], "x"), expect(&config, NULL);
  fill(&config), add_header(&config, "X-A", "1"), add_header(&config, "Host", "x"), expect(&config, "Host is set");
  fill(&config), add_header(&config, "0!#$%&'*+-.^_`|~zZ", "1"), expect(&config, NULL);
}

static void test_endpoints_and_files(void) {
  struct cds_config config;
  fill(&config), cds_url_clear(&config.rest), expect(&config, "rest_url: missing");
  fill(&config), config.ws_count = 0, expect(&config, "ws_url: expected");
  fill(&config), config.ws_count = 2, expect(&config, "ws_url: missing");
  fill(&config), cds_url_clear(&config.ws[0]), expect(&config, "ws_url: missing");
  fill(&config), config.ws_count = 9, expect(&config, "ws_url: expected 1 to 8");
  fill(&config);
  bool good = true;
  for (size_t i = 1; i < 8; i++) good = good && cds_url_parse(&config.ws[i], "wss://h", "ws_url", NULL) == CDS_OK;
  ok(good, "eight URLs");
  config.ws_count = 8, expect(&config, NULL);
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
  test_bytes();
  test_wiping();
  test_headers();
  test_header_names();
  test_endpoints_and_files();
  test_proxy();
  return done();
}
