/* SPDX-License-Identifier: MIT
 * A lookup's life: answered, failed, given up before its answer comes, and without memory. */
#include "net/lookup.h"

#include <poll.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "blocks.h"
#include "resolver.h"
#include "tap.h"

#define LONG_MS 60000 /* for a hang */

static atomic_int told;

static void on_done(void *context) {
  atomic_fetch_add((atomic_int *)context, 1);
}

static bool is_told(int times) {
  for (int64_t until_ms = cds_clock_mono_ms() + LONG_MS; cds_clock_mono_ms() < until_ms; poll(NULL, 0, 1))
    if (atomic_load(&told) >= times) return atomic_load(&told) == times;
  return false;
}

static struct cds_lookup *begin(const char *host) {
  struct cds_lookup *lookup = NULL;
  struct cds_error err;
  is_number(cds_lookup_start(&lookup, host, on_done, &told, &err), CDS_OK, "a lookup begins");
  return lookup;
}

/* Who is told by the callback may still be before the answer is there for others: it is called with the lock held. */
static void test_answer(void) {
  enum cds_status status = CDS_E_API;
  struct cds_addresses addresses = {0};
  struct cds_error err = {0};
  resolver_set("service.test", 0, "127.0.0.1", "127.0.0.2");
  struct cds_lookup *lookup = begin("service.test");
  ok(is_told(1), "who asked is told once");
  ok(cds_lookup_take(lookup, &status, &addresses, &err) && status == CDS_OK, "the answer can be taken");
  ok(addresses.count == 2 && strcmp(addresses.text[0], "127.0.0.1") == 0, "and is the name's");
  ok(cds_lookup_is_of(lookup, "Service.TEST") && !cds_lookup_is_of(lookup, "service.tes"), "names have no case");
  ok(!cds_lookup_is_of(NULL, "service.test"), "no lookup is of no name");
  cds_lookup_free(lookup);
  resolver_set("nowhere.test", EAI_NONAME, NULL, NULL);
  lookup = begin("nowhere.test");
  ok(is_told(2), "of a failure too");
  ok(cds_lookup_take(lookup, &status, &addresses, &err) && status == CDS_E_NETWORK, "which can be taken alike");
  ok(err.status == status && strstr(err.message, "nowhere.test") != NULL, "in words: %s", err.message);
  cds_lookup_free(lookup);
  cds_lookup_free(NULL);
}

static void test_given_up(void) {
  enum cds_status status;
  struct cds_addresses addresses;
  struct cds_error err;
  long before = blocks_alive();
  resolver_block("slow.test", true);
  struct cds_lookup *lookup = begin("slow.test");
  ok(!cds_lookup_take(lookup, &status, &addresses, &err), "there is no answer before it comes");
  cds_lookup_free(lookup);
  ok(blocks_alive() > before, "its thread has it still");
  resolver_block("slow.test", false);
  for (int64_t until_ms = cds_clock_mono_ms() + LONG_MS; blocks_alive() > before && cds_clock_mono_ms() < until_ms;)
    poll(NULL, 0, 1);
  is_number(blocks_alive(), before, "and gives it back when the answer has come");
  ok(is_told(2), "of which nobody is told");
}

static void test_without_memory(void) {
  struct cds_lookup *lookup;
  struct cds_error err;
  cds_alloc_fail_after(0);
  is_number(cds_lookup_start(&lookup, "service.test", on_done, &told, &err), CDS_E_MEMORY,
            "without memory there is none");
  cds_alloc_fail_after(-1);
  ok(lookup == NULL && err.status == CDS_E_MEMORY, "which is told");
}

int main(void) {
  test_answer();
  test_given_up();
  test_without_memory();
  return done();
}
