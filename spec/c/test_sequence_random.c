/* SPDX-License-Identifier: MIT
 * Random histories of a small service with faulty connections and a faulty REST, against a model that remembers
 * everything: exactly once, in order, nothing invented, nothing lost that was not told, and at the end nothing held.
 * `test_sequence_random [first seed] [seeds]`, or SEEDS of the environment; a failing seed is printed. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "blocks.h"
#include "order/fill.h"
#include "order/sequence.h"
#include "sample.h"
#include "tap.h"

#define FEEDS 4
#define LINKS 3
#define FILLS 4
#define FIRST_SECOND 1000
#define MAX_REPORTS 4000 /* of a feed */
#define MAX_PAGE 90
#define MAX_QUEUED 4096 /* messages on the way on one connection */
#define MAX_RANGES 4096
#define STEP_MS 10
#define QUIET_MS 60000 /* after everything works again and production has ended */

/* bare: irregular, valid_from is the second itself; dense: in milliseconds, several a second */
enum kind { EVERY_SECOND, IRREGULAR, MULTI, BARE, DENSE, KINDS };

struct truth {
  int64_t time, valid_from;
  int64_t made_ms;
  unsigned delivered;
};

struct feed {
  enum kind kind;
  int64_t per_second;       /* times in a second */
  size_t rate, count, made; /* reports, and how many of them are out */
  long first;               /* expected from here on, -1: not known yet */
  int64_t newest;
  bool started; /* over REST, from a second in the past */
  struct truth reports[MAX_REPORTS];
};

struct message {
  size_t feed, report;
  int64_t at_ms;
};

struct link {
  bool up;
  int64_t change_ms, lag_ms, last_ms;
  size_t queued;
  struct message queue[MAX_QUEUED];
};

struct page {
  bool busy;
  struct cds_fill fill;
  int64_t seen_ms, done_ms;
};

static struct world {
  struct cds_sequence seq;
  struct feed feeds[FEEDS];
  struct link links[LINKS];
  struct page pages[FILLS];
  struct cds_lost ranges[MAX_RANGES];
  size_t feed_count, link_count, page_count, range_count;
  int64_t now_ms, produce_ms, heal_ms;
  int64_t rest_lag_ms, outage_from_ms, outage_to_ms;
  unsigned fail_percent, final_percent, skip_per_mille, reorder_per_mille, memory_per_mille;
  bool by_arrival;
  bool lossless; /* nothing happens that would excuse a lost range */
  const char *wrong;
} world;

static struct totals { uint64_t reports, backfilled, held_most, ranges, gaps, empty_gaps, pages; } totals;

static uint64_t chance(uint64_t below) {
  return sample_random() % below;
}

static bool happens(unsigned per_mille) {
  return chance(1000) < per_mille;
}

static void complain(const char *what) {
  if (world.wrong == NULL) world.wrong = what;
}

/* ---- the truth ---- */

static void make_truth(struct feed *feed, uint32_t seconds) {
  int64_t last = FIRST_SECOND * feed->per_second - 1;
  for (uint32_t second = FIRST_SECOND; second < FIRST_SECOND + seconds; second++) {
    size_t number = feed->kind == MULTI || feed->kind == DENSE ? feed->rate : 1;
    bool at_end = second + 10 >= FIRST_SECOND + seconds; /* a last report that is skipped leaves no trace */
    if ((feed->kind == IRREGULAR || feed->kind == BARE) && !at_end && chance(3) != 0) continue;
    for (size_t i = 0; i < number && feed->count < MAX_REPORTS; i++) {
      bool chained = feed->kind == IRREGULAR || feed->kind == DENSE || (feed->kind == MULTI && i == 0);
      int64_t made_ms = (int64_t)second * 1000 + (int64_t)(i * 1000 / number);
      int64_t time = made_ms / (1000 / feed->per_second);
      int64_t valid_from = chained ? last + 1 : time;
      feed->reports[feed->count++] = (struct truth){.time = time, .valid_from = valid_from, .made_ms = made_ms};
      if (feed->kind == DENSE) last = time;
    }
    if (feed->kind != DENSE) last = second;
  }
}

static uint64_t tag_of(size_t feed, size_t report) {
  return ((uint64_t)(feed + 1) << 32 | (report + 1)) * 0x9e3779b97f4a7c15u;
}

static struct cds_candidate candidate_of(size_t slot, size_t number, unsigned copy) {
  const struct truth *truth = &world.feeds[slot].reports[number];
  struct cds_queue_node *node = blocks_new(sizeof *node);
  struct cds_report *report = blocks_new(sizeof *report);
  report->refs = 1;
  report->length = number;
  node->report = report;
  node->slot = slot;
  return (struct cds_candidate){.node = node,
                                .has_observations_timestamp = true,
                                .observations_timestamp = truth->time,
                                .has_valid_from_timestamp = true,
                                .valid_from_timestamp = truth->valid_from,
                                .blob_tag = tag_of(slot, number),
                                .text_tag = tag_of(slot, number) + 1 + copy % 2};
}

/* ---- what comes out ---- */

static void deliver(const struct cds_queue_node *node) {
  struct feed *feed = &world.feeds[node->slot];
  size_t number = node->report->length;
  struct truth *truth = &feed->reports[number];
  totals.reports++;
  if (number >= feed->made) complain("a report was delivered before it was made");
  if (truth->delivered++ > 0) complain("a report was delivered twice");
  if (truth->time < feed->newest && !world.by_arrival) complain("a time went back");
  feed->newest = truth->time;
  if (feed->first < 0) feed->first = (long)number;
}

static void heed(struct cds_sequence_out *out) {
  const char *wrong = cds_sequence_check(&world.seq);
  if (wrong != NULL) complain(wrong);
  for (struct cds_queue_node *node = out->deliver, *next; node != NULL; node = next) {
    next = node->next;
    deliver(node);
    cds_queue_node_free(node);
  }
  for (struct cds_queue_node *node = out->drop, *next; node != NULL; node = next) {
    next = node->next;
    cds_queue_node_free(node);
  }
  for (size_t i = 0; i < out->lost_count; i++) {
    if (world.range_count < MAX_RANGES) world.ranges[world.range_count++] = out->lost[i];
    else complain("too many lost ranges");
    if (out->lost[i].from > out->lost[i].to) complain("a lost range is upside down");
  }
  if (world.seq.index.count > world.seq.limits.max_held && !world.by_arrival) complain("too many reports are held");
  if (world.seq.index.count > totals.held_most) totals.held_most = world.seq.index.count;
}

/* ---- connections ---- */

static int64_t latest_possible(size_t feed) {
  return world.now_ms / (1000 / world.feeds[feed].per_second) + 5 * world.feeds[feed].per_second;
}

static bool must_be_delivered(const struct message *message) {
  const struct feed *feed = &world.feeds[message->feed];
  bool is_delivered = feed->reports[message->report].delivered > 0;
  return world.by_arrival && !is_delivered && feed->first >= 0 && message->report >= (size_t)feed->first;
}

static void receive(size_t link, const struct message *message) {
  struct cds_sequence_out out = {0};
  struct cds_candidate report = candidate_of(message->feed, message->report, (unsigned)link);
  bool no_memory = world.now_ms < world.heal_ms && happens(world.memory_per_mille);
  if (no_memory) cds_alloc_fail_after((long)chance(2));
  if (cds_sequence_peek(&world.seq, message->feed, report.text_tag, (unsigned)link, world.now_ms, &out))
    cds_queue_node_free(report.node);
  else cds_sequence_take(&world.seq, &report, (unsigned)link, world.now_ms, latest_possible(message->feed), &out);
  if (no_memory) cds_alloc_fail_after(-1);
  heed(&out);
  bool is_told = world.memory_per_mille > 0 || world.seq.limits.max_gap_seconds < 60; /* as too late, perhaps */
  if (must_be_delivered(message) && !is_told) complain("a report was not delivered when it arrived");
}

static void enqueue(struct link *link, size_t feed, size_t report, bool may_fault) {
  bool proven =
    world.feeds[feed].kind == EVERY_SECOND || world.feeds[feed].kind == IRREGULAR || world.feeds[feed].kind == DENSE;
  if (may_fault && proven && happens(world.skip_per_mille)) return;
  int64_t at = world.now_ms + link->lag_ms + (int64_t)chance(60);
  if (may_fault && proven && happens(world.reorder_per_mille)) at += (int64_t)chance(3000);
  else at = link->last_ms = at > link->last_ms ? at : link->last_ms;
  unsigned copies = may_fault && happens(20) ? 2 : 1;
  while (copies-- > 0 && link->queued < MAX_QUEUED) link->queue[link->queued++] = (struct message){feed, report, at};
}

static void produce(void) {
  bool may_fault = world.now_ms < world.heal_ms;
  for (size_t i = 0; i < world.feed_count; i++) {
    struct feed *feed = &world.feeds[i];
    for (; feed->made < feed->count && feed->reports[feed->made].made_ms <= world.now_ms; feed->made++)
      for (size_t l = 0; l < world.link_count; l++)
        if (world.links[l].up) enqueue(&world.links[l], i, feed->made, may_fault);
  }
}

static void arrive(size_t index) {
  struct link *link = &world.links[index];
  size_t left = 0, due = 0;
  struct message now[MAX_QUEUED];
  for (size_t i = 0; i < link->queued; i++) {
    if (link->queue[i].at_ms <= world.now_ms) now[due++] = link->queue[i];
    else link->queue[left++] = link->queue[i];
  }
  link->queued = left;
  for (size_t i = 0; i < due; i++) receive(index, &now[i]);
}

static void change(size_t index) {
  struct link *link = &world.links[index];
  bool healing = world.now_ms >= world.heal_ms;
  if (healing ? link->up : world.now_ms < link->change_ms) return;
  link->up = !link->up;
  link->queued = 0; /* what was on the way is gone */
  if (link->up) {
    link->lag_ms = (int64_t)(chance(4) == 0 ? chance(2500) : chance(200));
    link->last_ms = 0;
    for (size_t i = 0; i < world.feed_count; i++) cds_sequence_link_up(&world.seq, i, world.now_ms);
    link->change_ms = world.now_ms + 200 + (int64_t)chance(20000);
  } else {
    link->change_ms = world.now_ms + (int64_t)(chance(3) == 0 ? chance(15000) : chance(1500));
    cds_sequence_link_down(&world.seq, (unsigned)index);
  }
}

/* ---- REST ---- */

static void ask(void) {
  for (size_t i = 0; i < world.page_count; i++) {
    struct page *page = &world.pages[i];
    int64_t wait_ms;
    if (page->busy) continue;
    if (!cds_fill_next(&world.seq, world.now_ms, &page->fill, &wait_ms)) return;
    page->busy = true;
    page->seen_ms = world.now_ms + (int64_t)chance(100);
    page->done_ms = page->seen_ms + (int64_t)chance(400);
    totals.pages++;
  }
}

static bool fails(const struct page *page, bool *retryable) {
  bool outage = page->seen_ms >= world.outage_from_ms && page->seen_ms < world.outage_to_ms;
  *retryable = true;
  if (world.now_ms >= world.heal_ms) return false;
  if (!outage && chance(100) < world.final_percent) {
    *retryable = false;
    return true;
  }
  return outage || chance(100) < world.fail_percent;
}

/* Neighbours of one time may change places. */
static void swap_some(const struct feed *feed, size_t *order, size_t count) {
  for (size_t i = 0; i + 1 < count; i++) {
    size_t first = order[i], second = order[i + 1];
    if (feed->reports[first].time != feed->reports[second].time || chance(2) == 0) continue;
    order[i] = second;
    order[i + 1] = first;
  }
}

static size_t choose_page(const struct page *page, size_t *order) {
  const struct feed *feed = &world.feeds[page->fill.slot];
  size_t limit = 30 + chance(MAX_PAGE - 30), count = 0;
  bool goes_back = world.rest_lag_ms < 1500 && world.seq.limits.max_held == 4096 && chance(20) == 0;
  int64_t from = page->fill.start - (goes_back ? (int64_t)chance(5) : 0);
  int64_t known_ms = page->seen_ms - world.rest_lag_ms;
  for (size_t i = 0; i < feed->made && count < limit; i++)
    if (feed->reports[i].time >= from * feed->per_second && feed->reports[i].made_ms <= known_ms) order[count++] = i;
  if (chance(4) == 0) swap_some(feed, order, count);
  return count;
}

static void answer(const struct page *page) {
  size_t order[MAX_PAGE], count = choose_page(page, order);
  for (size_t i = 0; i < count; i++) {
    for (unsigned copies = chance(50) == 0 ? 2 : 1; copies > 0; copies--) { /* or repeats */
      struct cds_sequence_out out = {0};
      struct cds_candidate report = candidate_of(page->fill.slot, order[i], 0);
      cds_fill_report(&world.seq, &page->fill, &report, world.now_ms, latest_possible(page->fill.slot), &out);
      heed(&out);
    }
  }
}

static void finish(struct page *page) {
  struct cds_sequence_out out = {0};
  bool retryable;
  if (!page->busy || world.now_ms < page->done_ms) return;
  page->busy = false;
  if (fails(page, &retryable)) {
    if (chance(3) == 0) answer(page); /* part of it had come */
    cds_fill_failed(&world.seq, &page->fill, retryable, 0, world.now_ms, &out);
  } else {
    answer(page);
    cds_fill_done(&world.seq, &page->fill, 0, world.now_ms, &out);
  }
  heed(&out);
}

/* ---- one history ---- */

static void make_limits(struct cds_sequence_limits *limits) {
  *limits = cds_sequence_default_limits();
  limits->max_held = chance(4) == 0 ? 4 + chance(60) : 4096;
  if (chance(4) == 0) limits->max_failing_ms = 3000;
  if (chance(6) == 0) limits->max_gap_seconds = 5;
  if (world.by_arrival) limits->order = CDS_ORDER_ARRIVAL;
  bool is_bounded = limits->max_held < 4096;
  if (is_bounded) limits->max_held_bytes = limits->max_held * (sizeof(struct cds_held) + 1000);
  bool outage = world.outage_to_ms > world.outage_from_ms || world.fail_percent > 0;
  world.lossless = world.final_percent == 0 && world.memory_per_mille == 0 && limits->max_gap_seconds > 60 &&
                   (!outage || (limits->max_failing_ms > 60000 && !is_bounded)) && !(is_bounded && world.by_arrival);
}

static void make_world(uint32_t seconds) {
  struct cds_sequence_limits limits;
  memset(&world, 0, sizeof world);
  world.feed_count = 1 + chance(FEEDS);
  world.link_count = 1 + chance(LINKS);
  world.page_count = 1 + chance(FILLS);
  world.now_ms = (int64_t)FIRST_SECOND * 1000 + (int64_t)chance(5000);
  world.produce_ms = (int64_t)(FIRST_SECOND + seconds) * 1000;
  world.heal_ms = world.produce_ms - 15000;
  world.rest_lag_ms = (int64_t)(chance(2) == 0 ? chance(4000) : chance(300));
  if (chance(3) == 0) {
    world.outage_from_ms = world.now_ms + (int64_t)chance(20000);
    world.outage_to_ms = world.outage_from_ms + (int64_t)chance(20000);
  }
  world.fail_percent = chance(3) == 0 ? (unsigned)chance(60) : 0;
  world.final_percent = chance(8) == 0 ? 20 : 0;
  world.skip_per_mille = chance(2) == 0 ? (unsigned)chance(100) : 0;
  world.reorder_per_mille = chance(2) == 0 ? (unsigned)chance(60) : 0;
  world.memory_per_mille = chance(8) == 0 ? 20 : 0;
  world.by_arrival = chance(3) == 0;
  make_limits(&limits);
  if (!cds_sequence_init(&world.seq, world.feed_count, 1, &limits)) abort();
  for (size_t i = 0; i < world.feed_count; i++) {
    struct feed *feed = &world.feeds[i];
    feed->kind = (enum kind)chance(KINDS);
    feed->per_second = feed->kind == DENSE ? 1000 : 1;
    feed->rate = 2 + chance(19);
    feed->first = -1;
    cds_sequence_set_unit(&world.seq, i, feed->per_second);
    make_truth(feed, seconds);
    if (chance(4) != 0) continue;
    feed->started = true;
    feed->first = 0;
    cds_sequence_start(&world.seq, i, FIRST_SECOND, world.now_ms);
  }
  produce();
}

static bool is_told(size_t slot, int64_t time) {
  for (size_t i = 0; i < world.range_count; i++) {
    const struct cds_lost *range = &world.ranges[i];
    if (range->slot == slot && time >= range->from && (time <= range->to || range->open_ended)) return true;
  }
  return false;
}

static void judge(void) {
  int64_t wait_ms;
  struct cds_fill fill;
  for (size_t i = 0; i < world.feed_count; i++) {
    const struct feed *feed = &world.feeds[i];
    if (feed->first < 0 && feed->count > 20) complain("a feed brought nothing");
    for (size_t n = feed->first < 0 ? feed->count : (size_t)feed->first; n < feed->count; n++)
      if (feed->reports[n].delivered == 0 && !is_told(i, feed->reports[n].time)) {
        printf("# feed %zu kind %d rate %zu report %zu time %" PRId64 "\n", i, feed->kind, feed->rate, n,
               feed->reports[n].time);
        complain("a report is missing, and nobody said so");
      }
  }
  if (world.lossless && world.range_count > 0) complain("something was told as lost that could be had");
  if (world.seq.index.count > 0) complain("reports are held for ever");
  if (cds_fill_next(&world.seq, world.now_ms + 100000, &fill, &wait_ms) || wait_ms >= 0)
    complain("pages are asked for without end");
}

static const char *run(uint64_t seed) {
  sample_state = (seed + 1) * 0x9e3779b97f4a7c15u;
  for (int i = 0; i < 8; i++) sample_random();
  make_world(40 + (uint32_t)chance(60));
  for (; world.now_ms < world.produce_ms + QUIET_MS && world.wrong == NULL; world.now_ms += STEP_MS) {
    for (size_t l = 0; l < world.link_count; l++) change(l);
    produce();
    for (size_t l = 0; l < world.link_count; l++) arrive(l);
    for (size_t i = 0; i < world.page_count; i++) finish(&world.pages[i]);
    ask();
  }
  if (world.wrong == NULL) judge();
  totals.backfilled += world.seq.counts.backfilled;
  totals.gaps += world.seq.counts.gaps;
  totals.empty_gaps += world.seq.counts.empty_gaps;
  totals.ranges += world.range_count;
  struct cds_sequence_limits limits = world.seq.limits;
  cds_sequence_clear(&world.seq);
  world.seq.limits = limits; /* for the line that tells of a failure */
  return world.wrong;
}

int main(int argc, char **argv) {
  uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
  const char *fewer = getenv("SEEDS");
  uint64_t seeds = strtoull(argc > 2 ? argv[2] : fewer != NULL ? fewer : "300", NULL, 10);
  uint64_t failed = 0;
  for (uint64_t seed = first; seed < first + seeds; seed++) {
    const char *wrong = run(seed);
    if (wrong == NULL) continue;
    printf("# seed %" PRIu64 ": %s at %lld%s; %zu connections, rest lag %lld ms, %u %% fail, %u %% final, %u skipped, "
           "%u reordered, %u without memory, hold %zu, longest gap %lld, failing %lld ms\n",
           seed, wrong, (long long)world.now_ms, world.by_arrival ? ", by arrival" : "", world.link_count,
           (long long)world.rest_lag_ms, world.fail_percent, world.final_percent, world.skip_per_mille,
           world.reorder_per_mille, world.memory_per_mille, world.seq.limits.max_held,
           (long long)world.seq.limits.max_gap_seconds, (long long)world.seq.limits.max_failing_ms);
    failed++;
  }
  is_number(failed, 0, "random histories come out exactly once, in order or as they come, without an untold loss");
  ok(totals.backfilled > 0 && totals.ranges > 0 && totals.empty_gaps > 0,
     "%" PRIu64 " reports, %" PRIu64 " of them backfilled by %" PRIu64 " pages, %" PRIu64 " gaps (%" PRIu64
     " empty), %" PRIu64 " lost ranges, at most %" PRIu64 " held",
     totals.reports, totals.backfilled, totals.pages, totals.gaps, totals.empty_gaps, totals.ranges, totals.held_most);
  return done();
}
