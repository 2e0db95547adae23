/* SPDX-License-Identifier: MIT
 * Endpoint URLs: what is read, and what is refused why. */
#include "tap.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "net/url.h"

static void accepts(const char *text, bool tls, const char *host, int port, const char *base) {
  struct cds_url url;
  struct cds_error err = {0};
  if (!ok(cds_url_parse(&url, text, "rest_url", &err) == CDS_OK, "%s is accepted", text)) return;
  ok(url.tls == tls, "%s: tls", text);
  is_string(url.host, host, text);
  is_number(url.port, port, text);
  is_string(url.base, base, text);
  cds_url_clear(&url);
  ok(url.host == NULL && url.base == NULL, "%s: cleared", text);
}

static void refuses(const char *text, const char *reason) {
  struct cds_url url;
  struct cds_error err = {0};
  ok(cds_url_parse(&url, text, "rest_url", &err) == CDS_E_CONFIG, "\"%.60s\" is refused", text);
  if (!ok(strstr(err.message, reason) != NULL, "… because %s", reason)) printf("#   got: %s\n", err.message);
  ok(strncmp(err.message, "rest_url: ", 10) == 0, "… naming the option");
  ok(strstr(err.message, "hunter2") == NULL, "… and not the password");
  ok(url.host == NULL && url.base == NULL, "… leaving nothing to free");
}

static void test_text(void) {
  struct cds_url url;
  char text[CDS_HOST_PORT_TEXT];
  ok(cds_url_parse(&url, "wss://[2001:db8::1]:9000/x", "ws_url", NULL) == CDS_OK, "an IPv6 endpoint");
  is_string(url.host, "2001:db8::1", "is kept without brackets");
  cds_url_host_port(text, &url);
  is_string(text, "[2001:db8::1]:9000", "which come back");
  cds_url_clear(&url);
}

/* The longest name that DNS has, and one more. */
static void test_long_name(void) {
  char text[300] = "https://", name[255];
  memset(name, 'a', sizeof name - 1);
  name[253] = 0;
  strcpy(text + 8, name);
  accepts(text, true, name, 443, "");
  strcat(text, "a");
  refuses(text, "host name");
}

/* The longest URL, and one more. */
static void test_long_url(void) {
  char text[CDS_MAX_URL_BYTES + 2] = "https://h/", base[CDS_MAX_URL_BYTES];
  memset(text + 10, 'a', CDS_MAX_URL_BYTES - 10);
  strcpy(base, text + 9);
  accepts(text, true, "h", 443, base);
  strcat(text, "a");
  refuses(text, "too long");
}

static void test_memory(void) {
  for (long after = 0; after < 2; after++) {
    struct cds_url url;
    struct cds_error err = {0};
    cds_alloc_fail_after(after);
    is_number(cds_url_parse(&url, "https://h/x", "rest_url", &err), CDS_E_MEMORY, "without memory there is no URL");
    cds_alloc_fail_after(-1);
    is_number(err.status, CDS_E_MEMORY, "which is told");
    is_string(err.message, "out of memory", "in words");
    ok(url.host == NULL && url.base == NULL, "nothing is left to free");
  }
}

int main(void) {
  char longest[2 * 2048] = "https://h/";
  memset(longest + 10, 'a', sizeof longest - 11);
  accepts("https://api.dataengine.chain.link", true, "api.dataengine.chain.link", 443, "");
  accepts("HTTPS://Example.test/", true, "Example.test", 443, "");
  accepts("http://127.0.0.1:8080", false, "127.0.0.1", 8080, "");
  accepts("ws://localhost", false, "localhost", 80, "");
  accepts("wss://h_o-st.example:65535/a/b//", true, "h_o-st.example", 65535, "/a/b");
  accepts("https://[::1]", true, "::1", 443, "");
  accepts("https://h:443/x%2Fy", true, "h", 443, "/x%2Fy");
  refuses("", "does not begin");
  refuses("ftp://h", "does not begin");
  refuses("api.dataengine.chain.link", "does not begin");
  refuses("https://", "host name is missing");
  refuses("https:///path", "host name is missing");
  refuses("https://:443", "host name is missing");
  refuses("https://user:hunter2@h", "user name or password");
  refuses("https://h:", "port");
  refuses("https://h:0", "port");
  accepts("https://h:1/~x", true, "h", 1, "/~x");
  refuses("https://!h", "host name");
  refuses("https://h:000080", "port");
  refuses("https://h:65536", "port");
  refuses("https://h:+80", "port");
  refuses("https://h:80x", "port");
  refuses("https://h:999999999999", "port");
  refuses("https://h?x=hunter2", "query");
  refuses("https://h#x", "fragment");
  refuses("https://h/a b", "space");
  refuses("https://h/a\r\nX-Evil: 1", "control");
  refuses("https://h\xc3\xa9", "non-ASCII");
  refuses("https://h/{x}", "no URL may have");
  refuses("https://h%41", "host name");
  refuses("https://[::1", "IPv6");
  refuses("https://[fe80::1%25eth0]", "IPv6");
  refuses("https://[::1]x", "port");
  refuses(longest, "too long");
  test_long_name();
  test_long_url();
  test_memory();
  test_text();
  return done();
}
