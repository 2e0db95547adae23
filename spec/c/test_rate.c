/* SPDX-License-Identifier: MIT
 * The rate limit, with a held clock. */
#include "tap.h"

#include "rest/rate.h"

/* Sends as often as allowed from 0 to end_ms; returns the most starts within any span of 1000 ms. */
static int busiest_second(double per_second, int64_t end_ms, int *total) {
  static int64_t starts[100000];
  struct cds_rate rate;
  int count = 0, most = 0, first = 0;
  cds_rate_init(&rate, per_second);
  for (int64_t now = 0; now < end_ms && count < 100000;) {
    int64_t wait = cds_rate_wait(&rate, now);
    if (wait > 0) {
      now += wait;
      continue;
    }
    cds_rate_take(&rate, now);
    starts[count++] = now;
    while (starts[first] <= now - 1000) first++;
    most = count - first > most ? count - first : most;
  }
  *total = count;
  return most;
}

static void test_burst(void) {
  struct cds_rate rate;
  cds_rate_init(&rate, 3);
  for (int i = 0; i < 3; i++) {
    is_number(cds_rate_wait(&rate, 5000 + i), 0, "a burst up to the rate passes");
    cds_rate_take(&rate, 5000 + i);
  }
  is_number(cds_rate_wait(&rate, 5002), 998, "the next waits until the first is a second old");
  is_number(cds_rate_wait(&rate, 5002), 998, "asking changes nothing");
  is_number(cds_rate_wait(&rate, 5999), 1, "one millisecond early is early");
  is_number(cds_rate_wait(&rate, 6000), 0, "and then passes");
  cds_rate_take(&rate, 6000);
  is_number(cds_rate_wait(&rate, 6000), 1, "the second of the burst still counts");
}

int main(void) {
  struct cds_rate rate;
  int total;
  test_burst();
  cds_rate_init(&rate, 0);
  for (int i = 0; i < 1000; i++) cds_rate_take(&rate, 0);
  is_number(cds_rate_wait(&rate, 0), 0, "rate 0 means no limit");
  is_number(busiest_second(10, 60000, &total), 10, "10 a second: never more in any second");
  is_number(total, 600, "and all of them used");
  is_number(busiest_second(0.5, 60000, &total), 1, "one every two seconds");
  is_number(total, 30, "30 in a minute");
  ok(busiest_second(1000, 10000, &total) <= 1000 + CDS_RATE_SLOTS, "1000 a second, more than are remembered");
  ok(total >= 9900 && total <= 10100, "close to 1000 a second in the long run (%d)", total);
  ok(busiest_second(2.5, 60000, &total) <= 4 && total >= 149 && total <= 151, "2.5 a second (%d in a minute)", total);
  return done();
}
