/* SPDX-License-Identifier: MIT
 * What a link asks and tells its owner while its connection is refused, works, is lost, or is of no use. The link runs
 * in the test's thread. */
#include "stream/link_machine.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "tap.h"
#include "ws_server.h"

#define MOST 16

struct owner {
  struct cds_link_machine machine;
  struct cds_config config;
  struct cds_link_plan plan;
  struct ws_server *servers[2];
  bool is_over, is_paused;   /* the latter until the connection is lost */
  enum cds_link_phase begun; /* the machine's, once it was started */
  size_t end_after;          /* so many retries */
  const int64_t *lived_ms;   /* of each connection that opens, for the machine; NULL: as it is */
  size_t states[CDS_LINK_FAILED + 1];
  unsigned failures[MOST], asked_with[MOST]; /* told with each retry; of each question for an origin */
  double delays[MOST];
  uint16_t ports[MOST]; /* gone to */
  size_t settled;       /* messages that it was told of by then */
  size_t questions, hosts, messages, proved, alarms, given_up;
  int64_t opened_at_ms, proved_at_ms;
  bool is_final, has_better_clock; /* the latter: what is answered to a refusal with a Date */
  size_t clocks;                   /* so often that was asked */
  char last_alarm[256];
  struct cds_error why;
};

/* ---- the owner ---- */

static bool is_over(void *context, size_t link) {
  const struct owner *owner = context;
  ok(link == 7, "the link says which it is");
  return owner->is_over;
}

static bool is_paused(void *context) {
  return ((const struct owner *)context)->is_paused;
}

static enum cds_status sign(void *context, struct cds_auth *auth, const char *target, struct cds_error *err) {
  const struct owner *owner = context;
  return cds_auth_sign(auth, "GET", target, owner->config.api_key, owner->config.api_secret, cds_clock_wall_ms(), err);
}

static bool on_clock(void *context, double skew, int64_t sent_ms, int64_t ahead_ms) {
  struct owner *owner = context;
  owner->clocks++;
  ok(skew > 1e9 && sent_ms > 0 && ahead_ms >= 0 && ahead_ms < 1000, "it tells what was refused, and when it was sent");
  return owner->has_better_clock;
}

static void origin(void *context, size_t link, unsigned failures, char out[CDS_MAX_ORIGIN_TEXT]) {
  struct owner *owner = context;
  (void)link;
  if (owner->questions < MOST) owner->asked_with[owner->questions] = failures;
  owner->questions++;
  strcpy(out, owner->questions % 2 == 0 ? "even" : "");
}

static void on_host(void *context, size_t link, const struct cds_url *url) {
  struct owner *owner = context;
  (void)link;
  if (owner->hosts < MOST) owner->ports[owner->hosts++] = url->port;
}

static void on_state(void *context, size_t link, enum cds_link_state state, const struct cds_error *why,
                     unsigned failures, double delay) {
  struct owner *owner = context;
  size_t retries = owner->states[CDS_LINK_RECONNECTING];
  (void)link;
  if (state == CDS_LINK_CONNECTED) {
    owner->opened_at_ms = owner->machine.opened_at_ms;
    if (owner->lived_ms != NULL) owner->machine.opened_at_ms -= owner->lived_ms[owner->states[state]];
  }
  if (state == CDS_LINK_DISCONNECTED) owner->is_paused = false;
  if (state == CDS_LINK_RECONNECTING && retries < MOST) {
    owner->failures[retries] = failures;
    owner->delays[retries] = delay;
    owner->is_over = retries + 1 >= owner->end_after;
  }
  ok((why != NULL) == (state >= CDS_LINK_DISCONNECTED), "a reason where there is one");
  if (why != NULL) owner->why = *why;
  owner->states[state]++;
}

static bool on_message(void *context, size_t link, const char *data, size_t length, bool *is_report) {
  struct owner *owner = context;
  (void)link;
  owner->messages++;
  *is_report = length == 6 && memcmp(data, "report", 6) == 0;
  return owner->is_paused;
}

static void on_settled(void *context, size_t link) {
  struct owner *owner = context;
  ok(link == 7 && owner->messages > owner->settled, "it says once that messages have come");
  owner->settled = owner->messages;
}

static void on_proved(void *context, size_t link) {
  struct owner *owner = context;
  ok(link == 7, "it says which has proved itself");
  owner->proved++;
  owner->proved_at_ms = cds_clock_mono_ms();
}

static void on_alarm(void *context, const char *text) {
  struct owner *owner = context;
  owner->alarms++;
  snprintf(owner->last_alarm, sizeof owner->last_alarm, "%s", text);
}

static void on_failed(void *context, size_t link, const struct cds_error *err, bool final) {
  struct owner *owner = context;
  (void)link, (void)err;
  owner->given_up++;
  owner->is_final = final;
}

static const struct cds_link_handler handler = {.is_over = is_over,
                                                .is_paused = is_paused,
                                                .sign = sign,
                                                .clock = on_clock,
                                                .origin = origin,
                                                .host = on_host,
                                                .state = on_state,
                                                .message = on_message,
                                                .settled = on_settled,
                                                .proved = on_proved,
                                                .alarm = on_alarm,
                                                .failed = on_failed};

static void begin(struct owner *owner, ws_serve *first, ws_serve *second, void *context) {
  static const struct cds_feed_id feeds[] = {{{0, 3, [31] = 1}}, {{0, 3, [31] = 2}}};
  ws_serve *const serve[] = {first, second};
  *owner = (struct owner){.end_after = MOST};
  struct cds_config *config = &owner->config;
  cds_config_init(config);
  config->api_key = cds_strdup("key");
  config->api_secret = cds_strdup("secret");
  config->proxy = cds_strdup("");
  config->stream.reconnect_delay = 0.004;
  config->stream.reconnect_max_delay = 0.015;
  for (size_t i = 0; i < 2 && serve[i] != NULL; i++) {
    owner->servers[i] = ws_start(serve[i], context);
    config->ws[config->ws_count++] =
      (struct cds_url){.host = cds_strdup("127.0.0.1"), .port = owner->servers[i]->port, .base = cds_strdup("/base")};
  }
  owner->plan = (struct cds_link_plan){.handler = &handler,
                                       .context = owner,
                                       .config = config,
                                       .stream = &config->stream,
                                       .index = 7,
                                       .feeds = feeds,
                                       .feed_count = 2};
}

/* Until the link is over. */
static void run(struct owner *owner) {
  struct cds_link_machine *machine = &owner->machine;
  if (!cds_link_machine_init(machine, &owner->plan) || cds_link_machine_make_ws(machine) != CDS_OK) abort();
  cds_link_machine_start(machine);
  owner->begun = machine->phase;
  while (cds_ws_service(machine->ws)) cds_link_machine_settle(machine);
  cds_link_machine_settle(machine);
  is_number((long long)owner->settled, (long long)owner->messages, "of all of them");
  cds_ws_free(machine->ws);
  cds_link_machine_clear(machine);
}

static void finish(struct owner *owner) {
  for (size_t i = 0; i < 2; i++)
    if (owner->servers[i] != NULL) ws_stop(owner->servers[i]);
  cds_config_clear(&owner->config);
}

/* ---- what counts as a failure ---- */

static void refuse(int fd, int status, const char *extra) {
  char answer[256];
  snprintf(answer, sizeof answer, "HTTP/1.1 %d No\r\nContent-Length: 0\r\n%s\r\n", status, extra);
  ws_send_text_raw(fd, answer);
}

/* A digit each connection: refused, or else up, with a message or without. */
static void serve_script(struct ws_server *server, int number, int fd) {
  const char *script = server->context;
  char what = (size_t)number <= strlen(script) ? script[number - 1] : 'x';
  if (!ws_read_request(server, fd)) return;
  if (what == 'x') refuse(fd, 503, "");
  else if (ws_upgrade(server, fd, "") && what == 'm') ws_send_message(fd, "report");
}

static void test_failures(void) {
  /* one that lived long enough with a message, one that did not, and the same without */
  static const int64_t lived_ms[] = {1000, 0, 5000, 4000};
  static const unsigned expected[] = {1, 2, 1, 2, 3, 1, 2, 3};
  static char script[] = "xxmxmuux";
  struct owner owner;
  begin(&owner, serve_script, NULL, script);
  owner.lived_ms = lived_ms;
  owner.end_after = 8;
  run(&owner);
  for (size_t i = 0; i < 8; i++) is_number(owner.failures[i], expected[i], "consecutive failures");
  for (size_t i = 0; i < 8; i++)
    is_number(owner.asked_with[i], i == 0 ? 0 : expected[i - 1], "as the owner is asked with");
  ok(owner.delays[2] == 0 && owner.delays[5] == 0, "what worked is tried again at once");
  for (size_t i = 0; i < 8; i++) ok(owner.delays[i] >= 0 && owner.delays[i] <= 0.015, "after %g s", owner.delays[i]);
  ok(owner.delays[0] <= 0.004 && owner.delays[1] <= 0.008, "the first ones after less");
  is_number(owner.begun, CDS_PHASE_CONNECTING, "the first attempt is made at once");
  ok(owner.states[CDS_LINK_CONNECTED] == 4 && owner.states[CDS_LINK_DISCONNECTED] == 4, "four were up, and lost");
  is_number((long long)owner.states[CDS_LINK_CONNECTING], 8, "of eight");
  is_number((long long)owner.states[CDS_LINK_FAILED], 0, "none was the last");
  is_number((long long)owner.proved, 0, "that they had been up was asked of nobody");
  finish(&owner);
}

static void test_max_reconnects(void) {
  static char script[] = "xx";
  struct owner owner;
  begin(&owner, serve_script, NULL, script);
  owner.config.stream.max_reconnects = 2;
  run(&owner);
  ok(owner.states[CDS_LINK_RECONNECTING] == 2 && owner.states[CDS_LINK_CONNECTING] == 3, "two retries");
  ok(owner.states[CDS_LINK_FAILED] == 1 && owner.given_up == 1 && !owner.is_final,
     "then it gives up, which may not be final");
  finish(&owner);
}

/* ---- answers ---- */

struct answer {
  int statuses[MOST]; /* 0: a connection */
  const char *extra;
};

static void serve_answers(struct ws_server *server, int number, int fd) {
  const struct answer *answer = server->context;
  if (!ws_read_request(server, fd)) return;
  int status = answer->statuses[number - 1];
  if (status != 0) refuse(fd, status, answer->extra);
  else ws_upgrade(server, fd, "");
}

static void test_final(int status, bool is_final) {
  struct answer answer = {.statuses = {status}, .extra = ""};
  struct owner owner;
  begin(&owner, serve_answers, NULL, &answer);
  owner.config.stream.max_reconnects = 0;
  run(&owner);
  ok(owner.given_up == 1 && owner.is_final == is_final, "%d is %s", status, is_final ? "final" : "not");
  finish(&owner);
}

/* A refusal that may be one of the clock: asked for again once, at once, until a connection has worked. */
static void test_clock(void) {
  static const char date[] = "Date: Thu, 01 Jan 1970 00:00:07 GMT\r\n";
  struct answer answer = {.statuses = {401, 0, 401, 401}, .extra = date};
  struct owner owner;
  begin(&owner, serve_answers, NULL, &answer);
  owner.config.stream.reconnect_delay = owner.config.stream.reconnect_max_delay = 3600;
  owner.has_better_clock = true;
  owner.lived_ms = (const int64_t[]){5000};
  run(&owner);
  ok(owner.clocks == 2 && owner.states[CDS_LINK_CONNECTED] == 1, "once for each time that it worked");
  ok(owner.delays[0] == 0 && owner.delays[2] == 0, "at once");
  ok(owner.given_up == 1 && owner.is_final, "then it is final");
  finish(&owner);
  answer = (struct answer){.statuses = {401}, .extra = date};
  begin(&owner, serve_answers, NULL, &answer);
  run(&owner);
  ok(owner.clocks == 1 && owner.given_up == 1 && owner.is_final, "the clock is right: final");
  finish(&owner);
}

static void test_retry_after(void) {
  struct answer answer = {.statuses = {503, 429}, .extra = "Retry-After: 0\r\n"};
  struct owner owner;
  begin(&owner, serve_answers, NULL, &answer);
  owner.config.stream.reconnect_delay = owner.config.stream.reconnect_max_delay = 3600;
  owner.end_after = 2;
  run(&owner);
  ok(owner.delays[0] == 0 && owner.delays[1] == 0, "the service's own delay");
  finish(&owner);
}

/* The longest delay, and an alarm for each new reason. */
static void test_alarms(void) {
  struct answer answer = {.statuses = {418, 418, 410, 418, 0, 418}, .extra = ""};
  struct owner owner;
  begin(&owner, serve_answers, NULL, &answer);
  owner.end_after = 3;
  run(&owner);
  is_number((long long)owner.alarms, 2, "a reason is told once for as long as it is the same");
  ok(strstr(owner.last_alarm, "410") != NULL, "as it is: %s", owner.last_alarm);
  ok(owner.delays[0] == 0.015 && owner.delays[2] == 0.015, "after the longest delay");
  finish(&owner);
  begin(&owner, serve_answers, NULL, &answer);
  owner.end_after = 6;
  run(&owner);
  is_number((long long)owner.alarms, 4, "and again once the connection was up");
  finish(&owner);
}

/* ---- hosts ---- */

static void test_hosts_vary(void) {
  static char script[] = "xux";
  struct owner owner;
  begin(&owner, serve_script, serve_script, script);
  owner.plan.hosts_vary = true;
  owner.end_after = 6;
  run(&owner);
  const uint16_t first = owner.servers[0]->port, second = owner.servers[1]->port;
  const uint16_t expected[] = {first, second, first, first, second, second};
  for (size_t i = 0; i < 6; i++)
    is_number(owner.ports[i], expected[i], "the other host after a refusal, the same after a loss");
  finish(&owner);
}

static void test_host_stays(void) {
  struct answer answer = {.statuses = {503, 503, 418}, .extra = ""};
  struct owner owner;
  begin(&owner, serve_answers, serve_answers, &answer);
  owner.plan.host = 1;
  owner.end_after = 3;
  run(&owner);
  for (size_t i = 0; i < 3; i++) is_number(owner.ports[i], owner.servers[1]->port, "the host is its own");
  ok(owner.delays[2] == 0.015, "no other host could do better");
  finish(&owner);
}

static void test_elsewhere(void) {
  struct answer answer = {.statuses = {418, 418}, .extra = ""};
  struct owner owner;
  begin(&owner, serve_answers, serve_answers, &answer);
  owner.plan.hosts_vary = true;
  owner.end_after = 1;
  run(&owner);
  ok(owner.delays[0] < 0.004, "another host may do better: after %g s", owner.delays[0]);
  finish(&owner);
}

/* ---- many ---- */

static void test_one_of_many(void) {
  static const int64_t lived_ms[] = {5000, 5000, 5000};
  static char script[] = "uuu";
  struct owner owner;
  begin(&owner, serve_script, NULL, script);
  owner.lived_ms = lived_ms;
  owner.plan.is_one_of_many = true;
  owner.end_after = 3;
  run(&owner);
  is_number(owner.begun, CDS_PHASE_WAITING, "the first attempt waits for its turn");
  double sum = owner.delays[0] + owner.delays[1] + owner.delays[2];
  ok(sum > 0 && sum < 3 * 0.004, "what worked is tried again in its turn: %g s in all", sum);
  ok(owner.machine.phase != CDS_PHASE_OPEN, "and is over");
  finish(&owner);
}

/* Over before its turn comes: nobody is asked for anything. */
static void test_over(void) {
  static char script[] = "u";
  struct owner owner;
  for (int many = 0; many < 2; many++) {
    begin(&owner, serve_script, NULL, script);
    owner.plan.is_one_of_many = many == 1;
    owner.config.stream.reconnect_delay = 3600;
    owner.is_over = true;
    run(&owner);
    ok(owner.states[CDS_LINK_CONNECTING] == 0 && owner.questions == 0, "over is over");
    finish(&owner);
  }
}

/* ---- a connection that is up ---- */

static void serve_attend(struct ws_server *server, int number, int fd) {
  (void)number;
  if (ws_accept(server, fd)) ws_attend(fd);
}

static void test_proof(void) {
  struct owner owner;
  begin(&owner, serve_attend, NULL, NULL);
  owner.plan.proof_ms = 30;
  owner.config.stream.stale_timeout = 0.06;
  owner.end_after = 1;
  run(&owner);
  is_number((long long)owner.proved, 1, "up for so long, which is told once");
  ok(owner.proved_at_ms >= owner.opened_at_ms + 30, "not sooner");
  ok(owner.why.status == CDS_E_TIMEOUT && strstr(owner.why.message, "0.06 s") != NULL, "then useless: %s",
     owner.why.message);
  finish(&owner);
}

static void test_no_proof(void) {
  struct owner owner;
  begin(&owner, serve_attend, NULL, NULL);
  owner.config.stream.stale_timeout = 0.02;
  owner.end_after = 1;
  run(&owner);
  is_number((long long)owner.proved, 0, "no proof is told where none is wanted");
  ok(cds_clock_mono_ms() >= owner.opened_at_ms + 20, "no connection is useless too soon");
  finish(&owner);
}

/* Proof comes later than a look at the reports that did not come. */
static void test_late_proof(void) {
  struct owner owner;
  begin(&owner, serve_attend, NULL, NULL);
  owner.plan.proof_ms = 3600000;
  owner.config.stream.stale_timeout = 0.02;
  owner.end_after = 1;
  run(&owner);
  is_number((long long)owner.proved, 0, "useless before it has proved itself");
  finish(&owner);
}

/* What it is to replace is not read either. */
static void test_no_proof_unread(void) {
  struct owner owner;
  begin(&owner, serve_attend, NULL, NULL);
  owner.plan.proof_ms = 30;
  owner.config.stream.pong_timeout = 1;
  owner.is_paused = true;
  owner.end_after = 1;
  run(&owner);
  ok(strstr(owner.why.message, "reads too slowly") != NULL, "nobody reads it: %s", owner.why.message);
  is_number((long long)owner.proved, 0, "so it has not proved itself");
  finish(&owner);
}

/* ---- the request ---- */

static void serve_request(struct ws_server *server, int number, int fd) {
  char(*requests)[WS_MAX_REQUEST] = server->context;
  if (!ws_read_request(server, fd)) return;
  if (number <= 2) strcpy(requests[number - 1], server->request);
  refuse(fd, 503, "");
}

static void test_request(void) {
  static char requests[2][WS_MAX_REQUEST];
  struct owner owner;
  begin(&owner, serve_request, NULL, requests);
  owner.end_after = 2;
  run(&owner);
  char one[CDS_FEED_ID_TEXT + 1], two[CDS_FEED_ID_TEXT + 1], expected[256];
  cds_feed_id_format(one, &owner.plan.feeds[0]);
  cds_feed_id_format(two, &owner.plan.feeds[1]);
  snprintf(expected, sizeof expected, "GET /base/api/v1/ws?feedIDs=%s,%s HTTP/1.1\r\n", one, two);
  ok(strncmp(requests[0], expected, strlen(expected)) == 0, "the feeds, with commas between: %.60s", requests[0]);
  ok(strncmp(requests[1], expected, strlen(expected)) == 0, "the same again");
  ok(strstr(requests[0], CDS_HEADER_ORIGIN) == NULL, "no origin when none is asked for");
  ok(strstr(requests[1], CDS_HEADER_ORIGIN ": even\r\n") != NULL, "the one that is");
  finish(&owner);
}

int main(void) {
  test_failures();
  test_max_reconnects();
  test_final(400, true);
  test_final(401, true);
  test_final(403, true);
  test_final(404, true);
  test_final(418, false);
  test_final(500, false);
  test_clock();
  test_retry_after();
  test_alarms();
  test_hosts_vary();
  test_host_stays();
  test_elsewhere();
  test_one_of_many();
  test_over();
  test_proof();
  test_no_proof();
  test_late_proof();
  test_no_proof_unread();
  test_request();
  return done();
}
