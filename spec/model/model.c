/* SPDX-License-Identifier: MIT
 * Walks over every history of one feed up to a number of steps: two connections, REST, and what can happen to them. After
 * each step the invariants of the order are checked, and the world is healed and judged by promise.h, so each history
 * counts, short ones too. None is left out and none is merged with another.
 *   model [steps] [scenario]
 * A history that breaks the promise is printed as lines for spec/c/test_sequence.c, and is the shortest one, as the
 * walk is made with one step first, then with two, and so on. */
#include <inttypes.h>
#include <time.h>

#include "arena.h"
#include "order/fill.h"
#include "order/sequence.h"
#include "promise.h"
#include "scenarios.h"

#define MAX_STEPS 24
#define LATEST 1000000

/* All that a step changes, but for the arena. */
static struct world {
  struct cds_sequence seq;
  struct promise promise;
  struct cds_fill fill;
  int64_t now_ms;
  int made, known;      /* reports made; of these, REST has shown that it knows so many */
  int next[2], last[2]; /* of each connection: to arrive next; arrived last, or -1 */
  bool is_up[2], on_trial;
  bool is_asked, held_when_asked;
  bool has_emptied; /* since it was asked nothing was held for a moment */
  int made_when_asked;
  unsigned lags; /* in a row */
  bool has_forgotten;
  bool is_blind; /* REST would not tell whether something was missed: only a later report will */
} world;

static const struct scenario *scenario;
static struct cds_report *reports[MAX_REPORTS]; /* of each the version is its number */
static int64_t valid_from[MAX_REPORTS];
static bool is_told; /* each step is printed */
static uint64_t histories;
static enum step trail[MAX_STEPS];

#define TELL(...)                                                                                                      \
  do {                                                                                                                 \
    if (is_told) printf("  " __VA_ARGS__);                                                                             \
  } while (0)

/* ---- the order, called ---- */

static struct cds_candidate candidate(int number, int copy) {
  struct cds_queue_node *node = cds_calloc(1, sizeof *node);
  node->report = reports[number];
  return (struct cds_candidate){.node = node,
                                .has_observations_timestamp = true,
                                .observations_timestamp = scenario->times[number],
                                .has_valid_from_timestamp = true,
                                .valid_from_timestamp = valid_from[number],
                                .blob_tag = (uint64_t)number + 1,
                                .text_tag = (uint64_t)(number + 1 + 100 * (copy + 1)),
                                .on_trial = copy == 1 && world.on_trial};
}

static void heed(const struct cds_sequence_out *out) {
  for (const struct cds_queue_node *node = out->deliver; node != NULL; node = node->next) {
    int number = node->report->version;
    promise_deliver(&world.promise, number, scenario->times[number], world.made);
  }
  for (size_t i = 0; i < out->lost_count; i++)
    promise_lose(&world.promise, out->lost[i].from, out->lost[i].open_ended ? INT64_MAX : out->lost[i].to);
  if (world.seq.index.count > scenario->max_held && !scenario->by_arrival)
    promise_break(&world.promise, "too many reports are held");
  if (world.seq.index.count == 0) world.has_emptied = true;
  const char *wrong = cds_sequence_check(&world.seq);
  if (wrong != NULL) promise_break(&world.promise, wrong);
}

static void receive(int link, int number) {
  struct cds_sequence_out out = {0};
  struct cds_candidate report = candidate(number, link);
  TELL("take(%c, %d, %d, %d);\n", 'A' + link, (int)valid_from[number], (int)scenario->times[number], number + 1);
  world.last[link] = number;
  if (!cds_sequence_peek(&world.seq, 0, report.text_tag, (unsigned)link, world.now_ms, &out))
    cds_sequence_take(&world.seq, &report, (unsigned)link, world.now_ms, LATEST, &out);
  heed(&out);
  promise_arrive(&world.promise, number);
}

static void page_report(int number) {
  struct cds_sequence_out out = {0};
  struct cds_candidate report = candidate(number, 2);
  TELL("page(&fill, %d, %d);\n", (int)scenario->times[number], number + 1);
  cds_fill_report(&world.seq, &world.fill, &report, world.now_ms, LATEST, &out);
  heed(&out);
}

static void break_link(int link) {
  TELL("cds_sequence_link_down(&seq, %c);\n", 'A' + link);
  world.is_up[link] = false;
  world.last[link] = -1;
  cds_sequence_link_down(&world.seq, (unsigned)link);
}

static void come(int link) {
  TELL("cds_sequence_link_up(&seq, 0, now_ms); /* %c */\n", 'A' + link);
  world.is_up[link] = true;
  world.next[link] = world.made;
  cds_sequence_link_up(&world.seq, 0, world.now_ms);
}

static bool ask(void) {
  int64_t wait_ms = -1;
  if (world.is_asked) return false;
  if (!cds_fill_next(&world.seq, world.now_ms, &world.fill, &wait_ms)) {
    if (wait_ms < 0) return false;
    world.now_ms += wait_ms;
    if (!cds_fill_next(&world.seq, world.now_ms, &world.fill, &wait_ms)) return false;
  }
  TELL("next_fill(&fill);\n");
  world.is_asked = true;
  world.held_when_asked = world.seq.index.count > 0;
  world.made_when_asked = world.made;
  world.has_emptied = false;
  return true;
}

/* ---- pages ---- */

/* The numbers that REST answers with, of the first `known` ones. */
static int choose(int known, int most, int *numbers) {
  int count = 0;
  for (int i = 0; i < known && count < most; i++)
    if (scenario->times[i] >= world.fill.first) numbers[count++] = i;
  return count;
}

static void end_page(enum step how, int count) {
  struct cds_sequence_out out = {0};
  world.is_asked = false;
  bool fails = how == PAGE_FAILS || how == PAGE_FAILS_LATE, is_refused = how == PAGE_REFUSED;
  if (is_refused) world.promise.has_cause = true;
  if (is_refused && world.seq.index.count == 0) world.is_blind = true;
  if (fails || is_refused) TELL("page_failed(&fill, %s);\n", fails ? "true" : "false");
  else if (how == PAGE_CUT) TELL("page_cut(&fill);\n");
  else TELL("page_done(&fill); /* of %d */\n", count);
  if (fails || is_refused) cds_fill_failed(&world.seq, &world.fill, fails, 0, world.now_ms, &out);
  else if (how == PAGE_CUT) cds_fill_cut(&world.seq, &world.fill, world.now_ms, &out);
  else cds_fill_done(&world.seq, &world.fill, (size_t)count, world.now_ms, &out);
  heed(&out);
}

/* Neighbours of one time change places. */
static bool swap(int *numbers, int count) {
  for (int i = 0; i + 1 < count; i++) {
    int number = numbers[i];
    if (scenario->times[number] != scenario->times[numbers[i + 1]]) continue;
    numbers[i] = numbers[i + 1];
    numbers[i + 1] = number;
    return true;
  }
  return false;
}

/* REST may lag for a while when it is asked at once; not when it is asked to see whether something was missed, much
 * later. And an answer may be of the time of its question, which is the same to a gap that was there then. */
static bool may_lag(enum step how) {
  if (how == PAGE_EARLIER && world.made_when_asked == world.made) return false;
  if (how == PAGE_EARLIER && (world.has_emptied || !world.held_when_asked)) return true;
  return world.held_when_asked && world.lags < world.seq.limits.max_empty && world.known < world.made;
}

static int known_to(enum step how) {
  if (how == PAGE_LAGS || (how == PAGE_EARLIER && world.held_when_asked && !world.has_emptied)) world.lags++;
  else if (how != PAGE_EARLIER) world.lags = 0;
  int known = how == PAGE_LAGS ? world.known : how == PAGE_EARLIER ? world.made_when_asked : world.made;
  if (known > world.known) world.known = known;
  return known;
}

static bool page(enum step how) {
  int numbers[MAX_REPORTS], count = 0;
  bool has_reports = how != PAGE_FAILS && how != PAGE_REFUSED;
  if (!world.is_asked || ((how == PAGE_LAGS || how == PAGE_EARLIER) && !may_lag(how))) return false;
  int full = scenario->most_a_page > 0 ? (int)scenario->most_a_page : MAX_REPORTS;
  int most = how == PAGE_SHORT ? scenario->page : how == PAGE_CUT || how == PAGE_FAILS_LATE ? 1 : full;
  if (has_reports) count = choose(known_to(how), most, numbers);
  if (how == PAGE_SWAPPED && !swap(numbers, count)) return false;
  for (int i = 0; i < count; i++) {
    page_report(numbers[i]);
    if (how == PAGE_TWICE) page_report(numbers[i]);
  }
  end_page(how, count);
  return true;
}

/* ---- steps ---- */

static bool arrive(int link, enum step how) {
  if (!world.is_up[link] || world.next[link] >= world.made) return false;
  int number = world.next[link]++;
  world.last[link] = -1; /* a copy comes right behind its report */
  if (how == ARRIVE_A) receive(link, number);
  if (how == DOUBT_A) {
    TELL("cds_sequence_doubt(&seq, %c, now_ms);\n", 'A' + link);
    cds_sequence_doubt(&world.seq, (unsigned)link, world.now_ms);
  }
  return true;
}

static bool expire(void) {
  struct cds_sequence_out out = {0};
  int64_t expires_ms = cds_fill_expires_ms(&world.seq);
  if (expires_ms == INT64_MAX) return false;
  if (expires_ms > world.now_ms) world.now_ms = expires_ms;
  TELL("now_ms = %" PRId64 "; /* it expires */\n", world.now_ms);
  world.promise.has_cause = true;
  cds_fill_expire(&world.seq, world.now_ms, &out);
  heed(&out);
  return true;
}

static bool forget(void) {
  struct cds_sequence_out out = {0};
  if (world.has_forgotten || world.promise.first < 0) return false;
  TELL("cds_sequence_forget(&seq, 0, &out);\n");
  cds_sequence_forget(&world.seq, 0, &out);
  world.has_forgotten = true;
  promise_begin(&world.promise, -1);
  heed(&out);
  return true;
}

static bool take_over(void) {
  struct cds_sequence_out out = {0};
  if (!world.on_trial) return false;
  world.on_trial = false;
  if (world.is_up[0]) break_link(0);
  TELL("stop_waiting();\n");
  cds_sequence_stop_waiting(&world.seq, 0, world.now_ms, &out);
  heed(&out);
  return true;
}

static bool again(int link) {
  if (!world.is_up[link] || world.last[link] < 0) return false;
  receive(link, world.last[link]);
  return true;
}

static bool change(int link, bool comes) {
  if (world.is_up[link] == comes) return false;
  if (comes) come(link);
  else break_link(link);
  return true;
}

/* False: this cannot happen now. */
static bool happen(enum step step) {
  switch (step) {
  case MAKE: return world.made < scenario->count - scenario->after && ++world.made > 0;
  case ARRIVE_A:
  case ARRIVE_B: return arrive((int)(step - ARRIVE_A), ARRIVE_A);
  case AGAIN_A:
  case AGAIN_B: return again((int)(step - AGAIN_A));
  case LOSE_A:
  case LOSE_B: return scenario->is_proven && arrive((int)(step - LOSE_A), LOSE_A);
  case DOUBT_A:
  case DOUBT_B: return arrive((int)(step - DOUBT_A), DOUBT_A);
  case BREAK_A:
  case BREAK_B: return change((int)(step - BREAK_A), false);
  case COME_A:
  case COME_B: return change((int)(step - COME_A), true);
  case ASK: return ask();
  case EXPIRE: return expire();
  case FORGET: return forget();
  case TAKE_OVER: return take_over();
  default: return page(step);
  }
}

/* ---- the end of a history ---- */

static void answer_all(void) {
  for (int pages = 0; pages < 40; pages++) {
    if (world.is_asked) page(PAGE_FULL);
    if (!ask()) return;
  }
  promise_break(&world.promise, "pages are asked for without end");
}

/* Everything works from here on. The reports that are made then show what is missing before them; a quiet feed has
 * none. */
static void heal(void) {
  bool is_quiet = scenario->after == 0;
  int last = is_quiet ? world.made : scenario->count;
  TELL("/* from here on all works */\n");
  if (world.is_asked) page(PAGE_FULL);
  for (int link = 0; link < 2; link++) change(link, true);
  for (world.made = last - scenario->after; world.made <= last; world.made++) {
    for (int link = 0; link < 2; link++)
      while (arrive(link, ARRIVE_A)) {}
    answer_all();
  }
  world.made = last;
  take_over();
  answer_all();
  if (world.seq.index.count > 0) promise_break(&world.promise, "reports are held for ever");
  if (!is_quiet && world.promise.first < 0) promise_break(&world.promise, "a feed brought nothing");
  if (!is_quiet || !world.is_blind)
    promise_judge(&world.promise, scenario->times, last, scenario->is_proven && is_quiet);
}

/* ---- the walk ---- */

struct saved {
  struct world world;
  size_t used;
  unsigned char bytes[ARENA_SIZE];
};

static struct saved saved[MAX_STEPS + 2];

static void save(size_t at) {
  saved[at].world = world;
  saved[at].used = arena.used;
  memcpy(saved[at].bytes, arena.bytes, arena.used);
}

static void restore(size_t at) {
  world = saved[at].world;
  arena.used = saved[at].used;
  memcpy(arena.bytes, saved[at].bytes, arena.used);
}

static void begin(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  int per_second = scenario->per_second;
  limits.max_empty = 2;
  limits.max_held = scenario->max_held;
  limits.max_held_bytes = 64u << 10;
  if (scenario->by_arrival) limits.order = CDS_ORDER_ARRIVAL;
  limits.backfill = !scenario->has_no_backfill;
  if (scenario->most_a_page > 0) limits.page_limit = limits.max_page_limit = scenario->most_a_page;
  arena.used = 0;
  world = (struct world){.now_ms = 1000, .is_up = {true, true}, .last = {-1, -1}};
  for (int i = 0; i < scenario->count; i++) {
    valid_from[i] = scenario->valid_from[i];
    if (valid_from[i] == 0) valid_from[i] = i > 0 ? scenario->times[i - 1] + 1 : scenario->times[i];
  }
  if (!cds_sequence_init(&world.seq, 1, 7, &limits)) abort();
  promise_begin(&world.promise, scenario->start);
  cds_sequence_set_unit(&world.seq, 0, per_second);
  world.promise.by_arrival = scenario->by_arrival;
  world.promise.has_cause = scenario->has_no_backfill || scenario->most_a_page > 0;
  world.on_trial = scenario->has_no_backfill;
  if (scenario->start >= 0) {
    int64_t second = scenario->times[scenario->start] / per_second;
    TELL("cds_sequence_start(&seq, 0, %d, now_ms);\n", (int)second);
    cds_sequence_start(&world.seq, 0, second, world.now_ms);
  }
  world.made = scenario->before;
  while (arrive(0, ARRIVE_A)) {}
  world.next[1] = world.made;
  for (const enum step *step = scenario->prelude; step != NULL && *step != STEPS; step++) (void)happen(*step);
}

static void tell(size_t steps) {
  printf("%s: %s\n", scenario->name, world.promise.wrong);
  is_told = true;
  begin();
  for (size_t i = 0; i < steps; i++) (void)happen(trail[i]);
  heal();
  is_told = false;
}

/* False: a history broke the promise, and was told. */
static bool walk(size_t step, size_t steps) {
  if (step == steps) {
    histories++;
    heal();
    if (world.promise.wrong == NULL) return true;
    tell(steps);
    return false;
  }
  save(step);
  for (int next = 0; next < STEPS; next++) {
    trail[step] = (enum step)next;
    if (happen((enum step)next) && !walk(step + 1, steps)) return false;
    restore(step);
  }
  return true;
}

int main(int argc, char **argv) {
  size_t most = argc > 1 ? strtoul(argv[1], NULL, 10) : 6, first = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
  size_t last = argc > 2 ? first + 1 : sizeof scenarios / sizeof *scenarios;
  if (most > MAX_STEPS || last > sizeof scenarios / sizeof *scenarios) return 2;
  for (uint16_t i = 0; i < MAX_REPORTS; i++) {
    if ((reports[i] = calloc(1, sizeof *reports[i])) == NULL) return 2;
    reports[i]->version = i;
  }
  clock_t began = clock();
  for (size_t i = first; i < last; i++) {
    scenario = &scenarios[i];
    uint64_t before = histories;
    for (size_t steps = 0; steps <= most; steps++) {
      begin();
      if (!walk(0, steps)) return 1;
    }
    printf("# %-32s %" PRIu64 " histories\n", scenario->name, histories - before);
    fflush(stdout);
  }
  printf("ok 1 - %" PRIu64 " histories of up to %zu steps keep the promise, in %.0f s\n1..1\n", histories, most,
         (double)(clock() - began) / CLOCKS_PER_SEC);
  return 0;
}
