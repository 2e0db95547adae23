/* SPDX-License-Identifier: MIT
 * Names to addresses, by a resolver of the test's own. */
#include "tap.h"

#include "net/resolve.h"
#include "resolver.h"

static void is_resolved(const char *host, size_t count, const char *first, const char *second) {
  struct cds_addresses found = {.count = 9};
  struct cds_error err = {0};
  ok(cds_resolve(&found, host, &err) == CDS_OK, "%s is known", host);
  is_number(found.count, count, "addresses");
  is_string(found.text[0], first, "the first");
  if (second != NULL) is_string(found.text[1], second, "the second");
}

static void test_names(void) {
  struct cds_addresses found = {.count = 9};
  struct cds_error err = {0};
  resolver_set("one.test", 0, "192.0.2.7", NULL);
  resolver_set("two.test", 0, "2001:db8::1", "192.0.2.7");
  resolver_set("none.test", EAI_AGAIN, NULL, NULL);
  is_resolved("one.test", 1, "192.0.2.7", NULL);
  is_resolved("two.test", 2, "2001:db8::1", "192.0.2.7");
  is_number(cds_resolve(&found, "none.test", &err), CDS_E_NETWORK, "a name that is not known");
  is_string(err.message, "cannot resolve \"none.test\": Temporary failure in name resolution", "with the reason");
  is_number(found.count, 0, "has no address");
}

/* RFC 6761, whatever the system's files say. */
static void test_localhost(void) {
  resolver_set("localhost", EAI_NONAME, NULL, NULL);
  resolver_set("LocalHost", EAI_NONAME, NULL, NULL);
  resolver_set("localhost.test", EAI_NONAME, NULL, NULL);
  is_resolved("localhost", 2, "127.0.0.1", "::1");
  is_resolved("LocalHost", 2, "127.0.0.1", "::1");
  struct cds_addresses found;
  struct cds_error err = {0};
  is_number(cds_resolve(&found, "localhost.test", &err), CDS_E_NETWORK, "no other name is the loopback's");
  resolver_set("localhost", 0, "127.0.0.9", NULL);
  is_resolved("localhost", 1, "127.0.0.9", NULL);
}

static void test_numbers(void) {
  static const char *const numeric[] = {"192.0.2.7", "::1", "2001:db8:1111:2222:3333:4444:5555:6666"};
  static const char *const names[] = {"192.0.2.256", "one.test", "", "[::1]", "::g"};
  struct cds_addresses found = {.count = 0};
  for (size_t i = 0; i < sizeof numeric / sizeof *numeric; i++) {
    ok(cds_resolve_numeric(&found, numeric[i]) && found.count == 1, "%s needs no resolver", numeric[i]);
    is_string(found.text[0], numeric[i], "as it is");
  }
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    ok(!cds_resolve_numeric(&found, names[i]), "\"%s\" is no address", names[i]);
}

int main(void) {
  test_names();
  test_localhost();
  test_numbers();
  return done();
}
