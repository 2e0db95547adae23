/* SPDX-License-Identifier: MIT
 * The simulator's feed list: ids, look-up, and lists given by the user. */
#include "simulator/feeds.h"

#include "tap.h"

static void defaults(void) {
  struct cds_sim_feeds feeds;
  struct cds_error err = {0};
  is_number(cds_sim_feeds_default(&feeds, 1, CDS_SIM_MAX_FEEDS, 0, &err), CDS_OK, "1,000 feeds, no two the same");
  size_t found = 0;
  for (size_t i = 0; i < feeds.count; i++) found += cds_sim_feeds_find(&feeds, feeds.list[i].id) == (long)i;
  is_number(found, feeds.count, "each is found by its id");
  is_string(feeds.list[0].name, "ETH/USD", "the first feed");
  is_string(feeds.list[0].text, "0x00030b43555ace6b39aae1b894097d0a9fc17f504c62fea598fa206cc6f5088e",
            "its id: the version, and 30 bytes of keccak256 of its name");
  uint8_t unknown[32] = {0, 3};
  is_number(cds_sim_feeds_find(&feeds, unknown), -1, "another id is not found");
  cds_sim_feeds_clear(&feeds);
  is_number(cds_sim_feeds_default(&feeds, 1, CDS_SIM_MAX_FEEDS, 20, &err), CDS_OK, "twenty of them in milliseconds");
  size_t in_ms = 0;
  for (size_t i = 0; i < feeds.count; i++) in_ms += feeds.list[i].in_ms;
  ok(in_ms == 20 && feeds.list[19].in_ms && strcmp(feeds.list[0].name, "ETH/USD-MS") == 0 &&
       feeds.list[0].id[0] == 0x10,
     "the first twenty, with names and ids of their own");
  cds_sim_feeds_clear(&feeds);
  is_number(cds_sim_feeds_default(&feeds, 1, 0, 0, &err), CDS_E_CONFIG, "no feeds are refused");
  is_number(cds_sim_feeds_default(&feeds, 1, CDS_SIM_MAX_FEEDS + 1, 0, &err), CDS_E_CONFIG, "1,001 feeds too");
}

static void given(void) {
  struct cds_sim_feeds feeds;
  struct cds_error err = {0};
  const char *eth = "0x00030B43555ACE6B39AAE1B894097D0A9FC17F504C62FEA598FA206CC6F5088E";
  const char *other = "0x000d000000000000000000000000000000000000000000000000000000000001";
  const char *unknown = "0x0063000000000000000000000000000000000000000000000000000000000001";
  is_number(cds_sim_feeds_list(&feeds, 1, (const char *[]){eth, other}, 2, true, &err), CDS_OK, "two ids");
  is_string(feeds.list[0].name, "ETH/USD", "one has a name");
  is_string(feeds.list[1].name, "FEED-00000000", "the other is given one");
  cds_sim_feeds_clear(&feeds);
  is_number(cds_sim_feeds_list(&feeds, 1, (const char *[]){eth, eth}, 2, true, &err), CDS_E_CONFIG,
            "twice the same id");
  ok(strstr(err.message, "given twice") != NULL, "is refused: %s", err.message);
  is_number(cds_sim_feeds_list(&feeds, 1, (const char *[]){unknown}, 1, true, &err), CDS_E_CONFIG,
            "an unknown version");
  ok(strstr(err.message, "version 99") != NULL, "is refused: %s", err.message);
  is_number(cds_sim_feeds_list(&feeds, 1, (const char *[]){unknown}, 1, false, &err), CDS_OK, "except for a recording");
  cds_sim_feeds_clear(&feeds);
  const char *fast = "0x1003000000000000000000000000000000000000000000000000000000000001";
  const char *odd = "0x2003000000000000000000000000000000000000000000000000000000000001";
  is_number(cds_sim_feeds_list(&feeds, 1, (const char *[]){fast, other}, 2, true, &err), CDS_OK, "one in milliseconds");
  ok(feeds.list[0].in_ms && feeds.list[0].version == 3 && !feeds.list[1].in_ms, "beside one in seconds");
  cds_sim_feeds_clear(&feeds);
  is_number(cds_sim_feeds_list(&feeds, 1, (const char *[]){odd}, 1, true, &err), CDS_E_CONFIG, "another resolution");
  ok(strstr(err.message, "neither seconds nor milliseconds") != NULL, "is refused: %s", err.message);
  is_number(cds_sim_feeds_list(&feeds, 1, (const char *[]){"0x12"}, 1, true, &err), CDS_E_CONFIG, "a short id");
  ok(strstr(err.message, "64 hex digits") != NULL, "is refused: %s", err.message);
}

int main(void) {
  defaults();
  given();
  return done();
}
