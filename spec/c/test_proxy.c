/* SPDX-License-Identifier: MIT
 * The proxy rules. */
#include <stdlib.h>

#include "net/proxy.h"
#include "tap.h"

static const char *const variables[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

static void clean(void) {
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) unsetenv(variables[i]);
}

static const char *proxy(bool tls, const char *host, const char *setting) {
  static char out[CDS_MAX_PROXY_TEXT];
  struct cds_url url = {.tls = tls, .host = (char *)host, .port = 1, .base = (char *)""};
  return cds_proxy_for(out, &url, setting, NULL) == CDS_OK ? out : "refused";
}

static void test_setting(void) {
  clean();
  setenv("https_proxy", "http://wrong:1", 1);
  is_string(proxy(true, "a.example", "http://p.example:3128"), "p.example:3128",
            "an explicit proxy wins over the environment");
  is_string(proxy(true, "a.example", "http://u:s@p.example:3128/"), "u:s@p.example:3128",
            "with its user, without its path");
  is_string(proxy(true, "a.example", "p.example"), "p.example:1080", "the port is 1080 when none is given");
  is_string(proxy(true, "a.example", "http://u:s@p.example"), "u:s@p.example:1080", "with a user too");
  is_string(proxy(true, "a.example", "http://[::1]"), "[::1]:1080", "and with an IPv6 address");
  is_string(proxy(true, "a.example", "http://[::1]:8"), "[::1]:8", "whose own port is kept");
  is_string(proxy(true, "a.example", ""), "", "empty means none");
  is_string(proxy(true, "a.example", "socks5://p.example:1"), "refused", "SOCKS is refused");
  is_string(proxy(true, "a.example", "http://"), "refused", "a proxy without a name is refused");
}

static void test_environment(void) {
  clean();
  is_string(proxy(true, "a.example", NULL), "", "no variable, no proxy");
  setenv("http_proxy", "http://plain:1", 1);
  is_string(proxy(true, "a.example", NULL), "", "http_proxy is not for TLS");
  is_string(proxy(false, "a.example", NULL), "plain:1", "but for plain connections");
  setenv("ALL_PROXY", "http://all:2", 1);
  is_string(proxy(true, "a.example", NULL), "all:2", "ALL_PROXY is for all");
  setenv("HTTPS_PROXY", "http://upper:3", 1);
  is_string(proxy(true, "a.example", NULL), "upper:3", "HTTPS_PROXY comes before it");
  setenv("https_proxy", "http://lower:4", 1);
  is_string(proxy(true, "a.example", NULL), "lower:4", "https_proxy before that");
  clean();
  setenv("HTTP_PROXY", "http://cgi:1", 1);
  is_string(proxy(false, "a.example", NULL), "", "HTTP_PROXY may come from a request header and is not read");
}

static void test_no_proxy(void) {
  clean();
  setenv("https_proxy", "p:1", 1);
  setenv("no_proxy", "localhost, .example.com,other.org", 1);
  is_string(proxy(true, "localhost", NULL), "", "a listed host has none");
  is_string(proxy(true, "a.example.com", NULL), "", "nor has a name below a listed one");
  is_string(proxy(true, "example.com", NULL), "", "a leading point is ignored");
  is_string(proxy(true, "OTHER.org", NULL), "", "case does not matter");
  is_string(proxy(true, "another.org", NULL), "p:1", "the end of a name alone does not count");
  is_string(proxy(true, "a.example.net", NULL), "p:1", "others go through it");
  setenv("no_proxy", "*", 1);
  is_string(proxy(true, "a.example.net", NULL), "", "a star lists every host");
}

int main(void) {
  test_setting();
  test_environment();
  test_no_proxy();
  clean();
  return done();
}
