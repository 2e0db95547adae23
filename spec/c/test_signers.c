/* SPDX-License-Identifier: MIT
 * Signer sets by the contract's rules, and the registry: order, replacement, change under readers, memory. */
#include "crypto/signers.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tap.h"

static uint8_t addresses[40][CDS_ADDRESS];

static const char *refusal(size_t count, int64_t f) {
  static struct cds_error err;
  struct cds_signer_set set;
  cds_error_clear(&err);
  if (cds_signer_set_init(&set, (const uint8_t(*)[CDS_ADDRESS])addresses, count, f, &err) == CDS_OK) return "";
  if (err.status != CDS_E_CONFIG) return "(not a ConfigError)";
  char *name = strrchr(err.message, '(');
  return name ? name : err.message;
}

static void test_rules(void) {
  for (size_t i = 0; i < 40; i++) addresses[i][19] = (uint8_t)(i + 1);
  is_string(refusal(4, 1), "", "4 signers and f 1");
  is_string(refusal(31, 10), "", "31 signers and f 10");
  is_string(refusal(31, 1), "", "31 signers and f 1");
  is_string(refusal(4, 0), "(FaultToleranceMustBePositive)", "f 0");
  is_string(refusal(0, -1), "(FaultToleranceMustBePositive)", "a negative f, before all else");
  is_string(refusal(32, 1), "(ExcessSigners)", "32 signers");
  is_string(refusal(32, 20), "(ExcessSigners)", "too many, before too few for f");
  is_string(refusal(3, 1), "(InsufficientSigners)", "3 signers and f 1");
  is_string(refusal(30, 10), "(InsufficientSigners)", "30 signers and f 10");
  is_string(refusal(0, 1), "(InsufficientSigners)", "no signer");
  is_string(refusal(31, INT64_MAX), "(InsufficientSigners)", "an f beyond all numbers");
  addresses[2][19] = 0;
  is_string(refusal(4, 1), "(ZeroAddress)", "the address zero");
  addresses[2][19] = 1;
  is_string(refusal(4, 1), "(NonUniqueSignatures)", "a signer twice");
  addresses[2][19] = 3;
}

/* Which of the list it is, counted from 1. */
static void test_which(void) {
  struct cds_error err;
  struct cds_signer_set set;
  addresses[2][19] = 0;
  cds_error_clear(&err);
  ok(cds_signer_set_init(&set, (const uint8_t(*)[CDS_ADDRESS])addresses, 4, 1, &err) != CDS_OK &&
       strstr(err.message, "signer 3 is the address zero"),
     "which signer is zero: %s", err.message);
  addresses[2][19] = 1;
  cds_error_clear(&err);
  ok(cds_signer_set_init(&set, (const uint8_t(*)[CDS_ADDRESS])addresses, 4, 1, &err) != CDS_OK &&
       strstr(err.message, "signer 3, 0x0000000000000000000000000000000000000001,"),
     "which is there twice: %s", err.message);
  addresses[2][19] = 3;
}

static void test_addresses(void) {
  uint8_t address[CDS_ADDRESS];
  char text[CDS_ADDRESS_TEXT + 1];
  const char *mixed = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
  ok(cds_address_parse(address, mixed, 42), "an address in mixed case");
  cds_address_format(text, address);
  is_string(text, "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf", "is written in lower case");
  ok(!cds_address_parse(address, mixed, 41) && !cds_address_parse(address, mixed + 2, 40), "not a shorter text");
  ok(!cds_address_parse(address, "1x7e5f4552091a69125d5dfcb7b8c2659029395bdf", 42), "not another prefix");
  ok(!cds_address_parse(address, "0x7e5f4552091a69125d5dfcb7b8c2659029395bdg", 42), "not a digit beyond f");
}

static struct cds_signer_set a_set(int64_t f) {
  struct cds_signer_set set;
  if (cds_signer_set_init(&set, (const uint8_t(*)[CDS_ADDRESS])addresses, 31, f, NULL) != CDS_OK) ok(false, "a set");
  return set;
}

static long long count_of(struct cds_signer_registry *registry) {
  uint8_t digest[CDS_DIGEST];
  struct cds_signer_set set;
  size_t count = 0;
  while (cds_signer_registry_at(digest, &set, registry, count)) count++;
  return (long long)count;
}

static void test_order(void) {
  struct cds_signer_registry *registry = cds_signer_registry_new(NULL);
  uint8_t digest[CDS_DIGEST] = {0};
  bool found, ascending = true, right = true;
  for (unsigned i = 0; i < 100; i++) {
    digest[0] = (uint8_t)(i * 37 % 100);
    struct cds_signer_set set = a_set(digest[0] % 10 + 1);
    if (cds_signer_registry_put(registry, digest, &set, NULL) != CDS_OK) ok(false, "put");
  }
  is_number(count_of(registry), 100, "100 configurations");
  for (size_t i = 0; i < 100; i++) {
    struct cds_signer_set set;
    ascending = ascending && cds_signer_registry_at(digest, &set, registry, i) && digest[0] == i;
    right = right && set.f == i % 10 + 1;
  }
  ok(ascending && right, "in order of their digests, each with its own");
  for (unsigned i = 0; i < 100; i += 2) {
    digest[0] = (uint8_t)i;
    if (cds_signer_registry_remove(&found, registry, digest, NULL) != CDS_OK || !found) ok(false, "remove");
  }
  struct cds_signer_set set;
  is_number(count_of(registry), 50, "every other one removed");
  digest[0] = 50;
  ok(!cds_signer_registry_find(&set, registry, digest), "a removed one is not found");
  ok(cds_signer_registry_remove(&found, registry, digest, NULL) == CDS_OK && !found, "nor removed again");
  digest[0] = 51;
  ok(cds_signer_registry_find(&set, registry, digest) && set.f == 2, "its neighbour is");
  ok(!cds_signer_registry_at(digest, &set, registry, 50), "there is none behind the last");
  cds_signer_registry_unref(registry);
}

static void test_limit(void) {
  struct cds_signer_registry *registry = cds_signer_registry_new(NULL);
  struct cds_signer_set set = a_set(1);
  struct cds_error err = {0};
  uint8_t digest[CDS_DIGEST] = {0};
  unsigned count = 0;
  for (; count < 2000; count++) {
    digest[0] = (uint8_t)(count >> 8);
    digest[1] = (uint8_t)count;
    if (cds_signer_registry_put(registry, digest, &set, &err) != CDS_OK) break;
  }
  ok(count == 1024 && err.status == CDS_E_CONFIG, "1024 configurations and no more");
  digest[0] = 0;
  ok(cds_signer_registry_put(registry, digest, &set, &err) == CDS_OK, "but one can be replaced");
  cds_signer_registry_unref(registry);
}

/* Pages of memory in use, 0 where that cannot be seen. */
static long resident(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file && fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
  if (file) fclose(file);
  return pages;
}

/* What no reader looks at any more is free after the next change: else 4,000 changes would keep 260 MB. */
static void test_retired(void) {
  struct cds_signer_registry *registry = cds_signer_registry_new(NULL);
  struct cds_signer_set set = a_set(1);
  uint8_t digest[CDS_DIGEST] = {0};
  long before = 0;
  bool good = true;
  for (unsigned i = 0; i < 4000; i++) {
    if (i == 100) before = resident();
    digest[0] = (uint8_t)(i % 100);
    good = good && cds_signer_registry_put(registry, digest, &set, NULL) == CDS_OK &&
           cds_signer_registry_find(&set, registry, digest) && cds_signer_registry_at(digest, &set, registry, 0);
  }
  ok(good, "4,000 changes, each looked at");
  long pages = resident() - before, page = sysconf(_SC_PAGESIZE);
#if defined(__SANITIZE_ADDRESS__)
  page = 0; /* it keeps freed memory for a while */
#endif
  if (before == 0 || page <= 0) {
    skip("what was replaced is freed", "freed memory cannot be seen here");
  } else {
    ok(pages < (100L << 20) / page, "what was replaced is freed (%ld kB more)", pages * page / 1024);
  }
  cds_signer_registry_unref(registry);
}

static void test_references(void) {
  struct cds_signer_registry *registry = cds_signer_registry_new(NULL);
  struct cds_signer_set set = a_set(1), found;
  uint8_t digest[CDS_DIGEST] = {0};
  ok(cds_signer_registry_ref(registry) == registry, "a second reference");
  cds_signer_registry_unref(registry);
  ok(cds_signer_registry_put(registry, digest, &set, NULL) == CDS_OK &&
       cds_signer_registry_find(&found, registry, digest) && found.f == 1,
     "with one given back the registry lives on");
  cds_signer_registry_unref(registry);
  cds_signer_registry_unref(NULL);
}

static bool stop; /* atomic */

/* Digest 0 is always there, with one of two sets, whole. */
static void *read_on(void *argument) {
  struct cds_signer_registry *registry = argument;
  uint8_t digest[CDS_DIGEST] = {0};
  struct cds_signer_set set;
  size_t wrong = 0;
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
    wrong += !cds_signer_registry_find(&set, registry, digest) || set.count != 31 ||
             memcmp(set.addresses, addresses, sizeof set.addresses) != 0 || (set.f != 1 && set.f != 9);
  cds_signer_registry_unref(registry);
  return wrong ? argument : NULL;
}

static void test_threads(void) {
  struct cds_signer_registry *registry = cds_signer_registry_new(NULL);
  struct cds_signer_set sets[2] = {a_set(1), a_set(9)};
  uint8_t digest[CDS_DIGEST] = {0}, other[CDS_DIGEST] = {1};
  pthread_t threads[2];
  bool good = cds_signer_registry_put(registry, digest, &sets[0], NULL) == CDS_OK, found;
  for (size_t i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, read_on, cds_signer_registry_ref(registry)) != 0) abort();
  for (unsigned i = 0; i < 5000; i++) {
    good = good && cds_signer_registry_put(registry, digest, &sets[i % 2], NULL) == CDS_OK &&
           cds_signer_registry_put(registry, other, &sets[0], NULL) == CDS_OK &&
           cds_signer_registry_remove(&found, registry, other, NULL) == CDS_OK && found;
  }
  cds_signer_registry_unref(registry);
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  for (size_t i = 0; i < 2; i++) {
    void *wrong = NULL;
    pthread_join(threads[i], &wrong);
    good = good && !wrong;
  }
  ok(good, "readers see whole configurations while they change");
}

static void test_memory(void) {
  struct cds_signer_set set = a_set(1);
  struct cds_error err = {0};
  uint8_t digest[CDS_DIGEST] = {0};
  bool found;
  cds_alloc_fail_after(1);
  ok(!cds_signer_registry_new(NULL), "no registry without memory");
  cds_alloc_fail_after(-1);
  struct cds_signer_registry *registry = cds_signer_registry_new(NULL);
  cds_alloc_fail_after(0);
  is_number(cds_signer_registry_put(registry, digest, &set, &err), CDS_E_MEMORY, "nothing is added without memory");
  cds_alloc_fail_after(-1);
  is_number(count_of(registry), 0, "and nothing changed");
  if (cds_signer_registry_put(registry, digest, &set, &err) != CDS_OK) ok(false, "put");
  cds_alloc_fail_after(0);
  is_number(cds_signer_registry_remove(&found, registry, digest, &err), CDS_E_MEMORY, "nothing is removed either");
  cds_alloc_fail_after(-1);
  is_number(count_of(registry), 1, "it is still there");
  cds_signer_registry_unref(registry);
}

int main(void) {
  test_rules();
  test_which();
  test_addresses();
  test_order();
  test_limit();
  test_retired();
  test_references();
  test_threads();
  test_memory();
  return done();
}
