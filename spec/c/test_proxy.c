/* SPDX-License-Identifier: MIT
 * The proxy rules. */
#include <stdlib.h>

#include "edge.h"
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
  struct cds_error err;
  switch (cds_proxy_for(out, &url, setting, &err)) {
  case CDS_OK: return out;
  case CDS_E_CONFIG: return err.status == CDS_E_CONFIG && out[0] == 0 ? "refused" : "refused, and told otherwise";
  default: return "another failure";
  }
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
  is_string(proxy(true, "a.example", "http://u:@p.example"), "u:@p.example:1080", "a user may have no password");
  is_string(proxy(true, "a.example", "http://u:s@[::1]"), "u:s@[::1]:1080", "nor an IPv6 address with one a port");
  is_string(proxy(true, "a.example", "http://u@p.example/:1"), "u@p.example:1080", "what is in a path is no port");
  is_string(proxy(true, "a.example", "http://[::1]/::::::"), "[::1]:1080", "of an IPv6 address neither");
}

/* The longest proxy, and one more. */
static void test_length(void) {
  char text[CDS_MAX_PROXY_TEXT];
  const size_t longest = CDS_MAX_PROXY_TEXT - sizeof ":1080";
  memset(text, 'p', sizeof text);
  text[longest] = 0;
  is_number((long long)strlen(proxy(true, "a.example", text)), (long long)longest + 5, "the longest proxy");
  text[longest] = 'p', text[longest + 1] = 0;
  is_string(proxy(true, "a.example", text), "refused", "one that is longer is refused");
}

static void test_name(void) {
  is_string(cds_proxy_name("p:1"), "p:1", "a proxy's name");
  is_string(cds_proxy_name("user:secret@p:1"), "p:1", "without its user");
  is_string(cds_proxy_name("u:a@b@p:1"), "p:1", "whatever the password has");
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
  setenv("https_proxy", "", 1);
  setenv("all_proxy", "http://all:2", 1);
  is_string(proxy(true, "a.example", NULL), "all:2", "an empty variable is none");
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
  setenv("no_proxy", "x, .,", 1);
  is_string(proxy(true, "x", NULL), "", "a name may have one letter");
  is_string(proxy(true, "y", NULL), "p:1", "which is no other");
  is_string(proxy(true, "a..", NULL), "p:1", "a point alone is no name");
  setenv("no_proxy", "long.example", 1);
  is_string(proxy(true, edge_first("e", 2), NULL), "p:1",
            "a name that is shorter is not looked at beyond its beginning");
  setenv("no_proxy", "*", 1);
  is_string(proxy(true, "a.example.net", NULL), "", "a star lists every host");
}

int main(void) {
  test_setting();
  test_length();
  test_name();
  test_environment();
  test_no_proxy();
  clean();
  return done();
}
