/* SPDX-License-Identifier: MIT
 * The table of a stream's connections: roles, origins, counts, and who takes over from whom. */
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stream/parts.h"
#include "tap.h"

#define LAST (CDS_MAX_LINKS - 1)

static struct cds_stream stream;

static void begin(void) {
  memset(&stream.connections, 0, sizeof stream.connections);
}

static void add(size_t index, enum cds_role role, size_t shard, const char *origin) {
  struct cds_assignment assignment = {.role = role, .shard = shard};
  strcpy(assignment.origin, origin);
  cds_connections_assign(&stream, index, &assignment);
}

static void connect_it(size_t index) {
  cds_connections_set_state(&stream, index, CDS_LINK_CONNECTED);
}

static const struct cds_link_stats *stats_of(size_t index) {
  return &stream.connections.of[index].stats;
}

/* ---- places for links ---- */

static bool is_over(void *context, size_t link) {
  (void)context, (void)link;
  return true;
}

static void ignore_gone(void *context, size_t link) {
  (void)context, (void)link;
}

static void ignore_release(void *context) {
  (void)context;
}

/* A link that has nothing to do and ends. */
static struct cds_link *ended_link(void) {
  static const struct cds_link_handler handler = {.is_over = is_over, .gone = ignore_gone, .release = ignore_release};
  static struct cds_config config;
  static struct cds_feed_id feed;
  static bool is_set_up;
  struct cds_error err;
  struct cds_link *link;
  if (!is_set_up) cds_config_init(&config);
  is_set_up = true;
  const struct cds_link_plan plan = {
    .handler = &handler, .config = &config, .stream = &config.stream, .feeds = &feed, .feed_count = 1};
  if (cds_link_start(&link, &plan, &err) != CDS_OK) return NULL;
  while (!cds_link_has_exited(link)) poll(NULL, 0, 1);
  return link;
}

static void test_vacate(void) {
  struct cds_link *links[] = {ended_link(), ended_link()}, *left = links[0];
  begin();
  is_number(cds_connections_vacate(&stream, &left), 0, "the first place is free");
  ok(left == NULL, "and nobody was there");
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    add(i, CDS_ROLE_SERVING, i, "");
    cds_connections_put(&stream, i, links[0]);
  }
  ok(cds_connections_link(&stream, LAST) == links[0], "each place holds its link");
  ok(cds_connections_vacate(&stream, &left) == CDS_NO_LINK && left == NULL, "none is free");
  add(LAST, CDS_ROLE_LEAVING, 7, "");
  cds_connections_put(&stream, LAST, links[1]);
  is_number(cds_connections_vacate(&stream, &left), LAST, "one that has left and ended makes room");
  ok(left == links[1] && cds_connections_link(&stream, LAST) == NULL, "and is the caller's");
  ok(cds_connections_role(&stream, LAST) == CDS_ROLE_FREE && cds_connections_shard(&stream, LAST) == 0,
     "nothing of it stays");
  is_number(cds_connections_vacate(&stream, &left), LAST, "the place is free then");
  add(3, CDS_ROLE_TRIAL, 2, "");
  cds_connections_put(&stream, 3, NULL);
  is_number(cds_connections_role(&stream, 3), CDS_ROLE_FREE, "a place whose link did not start is free");
  is_number(cds_connections_vacate(&stream, &left), 3, "for another");
  for (size_t i = 0; i < 2; i++) {
    cds_link_join(links[i], 0);
    cds_link_free(links[i]);
  }
}

/* ---- one connection ---- */

static void test_messages(void) {
  begin();
  add(2, CDS_ROLE_TRIAL, 1, "a");
  ok(!cds_connections_has_brought(&stream, 2), "nothing yet");
  int64_t before = cds_clock_wall_ms();
  cds_connections_count_message(&stream, 2, 100);
  ok(cds_connections_has_brought(&stream, 2) && !cds_connections_has_brought(&stream, 1), "the first message");
  cds_connections_count_message(&stream, 2, 11);
  is_number((long long)stats_of(2)->messages_received, 2, "two messages");
  is_number((long long)stats_of(2)->bytes_received, 111, "of so many bytes");
  ok(stats_of(2)->last_message_time >= before && stats_of(2)->last_message_time <= cds_clock_wall_ms(), "just now");
  cds_connections_count_error(&stream, 2);
  is_number((long long)stats_of(2)->errors_count, 1, "a bad one is counted beside");
}

static void test_states(void) {
  begin();
  add(1, CDS_ROLE_SERVING, 3, "a");
  is_number(cds_connections_connected_at_ms(&stream, 1), 0, "never connected");
  cds_connections_set_state(&stream, 1, CDS_LINK_CONNECTING);
  ok(!cds_connections_is_connected(&stream, 1, CDS_ROLE_SERVING, 3), "not while connecting");
  int64_t before = cds_clock_mono_ms();
  connect_it(1);
  int64_t at = cds_connections_connected_at_ms(&stream, 1), ahead = cds_clock_wall_ms() - cds_clock_mono_ms();
  ok(at >= before && at <= cds_clock_mono_ms(), "connected now");
  ok(llabs(cds_connections_wall_ahead_ms(&stream, 1) - ahead) < 60000, "with the clocks as they are");
  ok(cds_connections_is_connected(&stream, 1, CDS_ROLE_SERVING, 3), "in its role and shard");
  ok(!cds_connections_is_connected(&stream, 1, CDS_ROLE_TRIAL, 3), "in no other role");
  ok(!cds_connections_is_connected(&stream, 1, CDS_ROLE_SERVING, 2), "in no other shard");
  is_number((long long)stats_of(1)->errors_count, 0, "without an error");
  cds_connections_set_state(&stream, 1, CDS_LINK_DISCONNECTED);
  is_number((long long)stats_of(1)->errors_count, 0, "a loss is no error yet");
  cds_connections_set_state(&stream, 1, CDS_LINK_RECONNECTING);
  is_number((long long)stats_of(1)->errors_count, 1, "a retry is one");
  cds_connections_set_state(&stream, 1, CDS_LINK_FAILED);
  is_number((long long)stats_of(1)->errors_count, 2, "giving up is one");
  cds_connections_set_gone(&stream, 1);
  is_number(stats_of(1)->state, CDS_LINK_FAILED, "and stays to be seen");
  connect_it(1);
  cds_connections_set_gone(&stream, 1);
  is_number(stats_of(1)->state, CDS_LINK_DISCONNECTED, "others are disconnected when their thread ends");
}

static void reconnect(size_t index) {
  cds_connections_set_state(&stream, index, CDS_LINK_RECONNECTING);
  connect_it(index);
}

static void test_reconnects(void) {
  const struct cds_connections *table = &stream.connections;
  begin();
  add(0, CDS_ROLE_SERVING, 0, "a");
  add(1, CDS_ROLE_SERVING, 1, "a"); /* another shard */
  add(2, CDS_ROLE_TRIAL, 0, "a");   /* counts for nothing yet */
  add(LAST, CDS_ROLE_SERVING, 0, "b");
  connect_it(1);
  connect_it(2);
  connect_it(0);
  is_number((long long)(table->full_reconnects + table->partial_reconnects), 0, "first connections are no reconnects");
  is_number((long long)stats_of(0)->reconnect_count, 0, "for the connection neither");
  reconnect(0);
  ok(table->full_reconnects == 1 && table->partial_reconnects == 0, "full without another for the same feeds");
  connect_it(LAST);
  reconnect(0);
  ok(table->full_reconnects == 1 && table->partial_reconnects == 1, "partial beside another");
  cds_connections_set_state(&stream, 0, CDS_LINK_RECONNECTING);
  reconnect(LAST);
  ok(table->full_reconnects == 2 && table->partial_reconnects == 1, "full when that one is not up");
  connect_it(0);
  reconnect(LAST);
  ok(table->full_reconnects == 2 && table->partial_reconnects == 3, "the first beside the last, and the other way");
  reconnect(2);
  ok(table->full_reconnects + table->partial_reconnects == 5, "a trial connection's is not counted");
  is_number((long long)stats_of(0)->reconnect_count, 3, "each counts its own");
  is_number((long long)stats_of(LAST)->reconnect_count, 2, "and no other's");
}

static void test_host(void) {
  begin();
  cds_connections_set_host(&stream, 4, &(struct cds_url){.host = (char *)"ws.example", .port = 8443});
  is_string(cds_connections_host(&stream, 4), "ws.example:8443", "a host and its port");
  cds_connections_set_host(&stream, 4, &(struct cds_url){.host = (char *)"::1", .port = 80});
  is_string(cds_connections_host(&stream, 4), "[::1]:80", "an address with colons in brackets");
}

/* ---- origins ---- */

static const struct cds_origins two = {{"a", "b"}, 2}, three = {{"a", "b", "c"}, 3}, unnamed = {{"", ""}, 2};

static void test_choose_origin(void) {
  begin();
  add(0, CDS_ROLE_SERVING, 0, "a");
  add(LAST, CDS_ROLE_SERVING, 0, "b");
  cds_connections_choose_origin(&stream, 0, &two);
  is_string(cds_connections_origin(&stream, 0), "a", "no other origin than those that are taken");
  cds_connections_choose_origin(&stream, 0, &three);
  is_string(cds_connections_origin(&stream, 0), "c", "the first one that nobody has");
  cds_connections_choose_origin(&stream, LAST, &three);
  is_string(cds_connections_origin(&stream, LAST), "a", "which the one before it left");
  cds_connections_choose_origin(&stream, LAST, &three);
  is_string(cds_connections_origin(&stream, LAST), "b", "and back, as the first place's is taken");
  add(1, CDS_ROLE_TRIAL, 0, "a");
  add(2, CDS_ROLE_SERVING, 1, "a");
  cds_connections_choose_origin(&stream, 0, &three);
  is_string(cds_connections_origin(&stream, 0), "a", "those of another role or shard do not matter");
  cds_connections_choose_origin(&stream, 0, &two);
  is_string(cds_connections_origin(&stream, 0), "a", "nor is it changed for nothing");
  cds_connections_choose_origin(&stream, 0, &unnamed);
  is_string(cds_connections_origin(&stream, 0), "a", "an origin without a name is none");
}

static bool covers(size_t shard, const struct cds_origins *origins, size_t origin) {
  return cds_connections_cover(&stream, CDS_ROLE_SERVING, shard, origins, origin);
}

static void test_cover(void) {
  begin();
  ok(!covers(0, &two, 0) && !covers(0, &unnamed, 0), "nothing is covered at first");
  add(5, CDS_ROLE_TRIAL, 0, "a");
  add(6, CDS_ROLE_SERVING, 1, "a");
  ok(!covers(0, &two, 0) && !covers(0, &unnamed, 0), "nor by another role or shard");
  add(0, CDS_ROLE_SERVING, 0, "b");
  ok(!covers(0, &two, 0) && covers(0, &two, 1), "an origin by a connection that has its name");
  ok(covers(0, &unnamed, 0) && !covers(0, &unnamed, 1), "one without a name by as many connections");
  add(0, CDS_ROLE_SERVING, 0, "");
  ok(covers(0, &unnamed, 0) && !covers(0, &unnamed, 1), "whether or not these have one");
  add(0, CDS_ROLE_SERVING, 0, "b");
  add(LAST, CDS_ROLE_SERVING, 0, "");
  ok(covers(0, &unnamed, 1), "which the last is one of");
  ok(covers(0, &two, 0) && !covers(0, &three, 0), "or by as many connections as there are origins");
}

/* ---- several ---- */

static void test_sets(void) {
  bool up[CDS_MAX_CONNECTIONS] = {false};
  begin();
  add(0, CDS_ROLE_SERVING, 2, "");
  add(1, CDS_ROLE_TRIAL, 2, "");
  add(2, CDS_ROLE_SERVING, 3, "");
  add(LAST, CDS_ROLE_SERVING, 2, "");
  ok(cds_connections_serving(&stream, 2) == ((uint64_t)1 << LAST | 1), "a bit for each that serves the shard");
  ok(cds_connections_serving(&stream, 4) == 0, "none for another");
  ok(cds_connections_has_hope(&stream, 2) && !cds_connections_has_hope(&stream, 4), "hope where one serves");
  cds_connections_set_state(&stream, 0, CDS_LINK_FAILED);
  ok(cds_connections_has_hope(&stream, 2), "as long as one is left");
  cds_connections_set_state(&stream, LAST, CDS_LINK_FAILED);
  ok(!cds_connections_has_hope(&stream, 2), "and none by a trial connection");
  cds_connections_set_state(&stream, 0, CDS_LINK_CONNECTING);
  ok(cds_connections_has_hope(&stream, 2), "the first place's as well");
  connect_it(1);
  cds_connections_list_up(&stream, up);
  ok(!up[2] && !up[3], "no shard is up");
  connect_it(LAST);
  cds_connections_list_up(&stream, up);
  ok(up[2] && !up[3], "one is");
  up[2] = false;
  cds_connections_set_state(&stream, LAST, CDS_LINK_CONNECTING);
  connect_it(0);
  cds_connections_list_up(&stream, up);
  ok(up[2], "by the first place, too");
  connect_it(LAST);
  cds_connections_close(&stream);
  ok(stats_of(0)->state == CDS_LINK_DISCONNECTED && stats_of(LAST)->state == CDS_LINK_DISCONNECTED, "closed, all are");
}

/* What lies behind the table's last place is none of it, whatever it may look like. */
static void test_last(void) {
  const size_t end = offsetof(struct cds_stream, connections.of) + sizeof stream.connections.of;
  char before[sizeof(struct cds_connection)], *behind = (char *)&stream + end;
  bool up[CDS_MAX_CONNECTIONS] = {false};
  begin();
  if (!ok(end + sizeof before <= sizeof stream, "there is something behind it")) return;
  add(0, CDS_ROLE_SERVING, 9, "");
  connect_it(0);
  memcpy(before, behind, sizeof before);
  memcpy(behind, &stream.connections.of[0], sizeof before);
  add(0, CDS_ROLE_FREE, 0, "");
  cds_connections_list_up(&stream, up);
  ok(!up[9] && !cds_connections_has_hope(&stream, 9) && cds_connections_serving(&stream, 9) == 0,
     "which serves nothing");
  ok(!cds_connections_cover(&stream, CDS_ROLE_SERVING, 9, &unnamed, 0), "nor covers anything");
  memcpy(behind, before, sizeof before);
}

static void bring(size_t index, size_t messages) {
  for (size_t i = 0; i < messages; i++) cds_connections_count_message(&stream, index, 10);
}

static void test_take_over(void) {
  static const bool shards[CDS_MAX_CONNECTIONS] = {[1] = true};
  const struct cds_url here = {.host = (char *)"here", .port = 1}, there = {.host = (char *)"there", .port = 1};
  begin();
  add(0, CDS_ROLE_SERVING, 1, "a");
  add(1, CDS_ROLE_SERVING, 0, "a");
  add(2, CDS_ROLE_TRIAL, 1, "b");
  add(3, CDS_ROLE_TRIAL, 2, "a");
  add(4, CDS_ROLE_TRIAL, 1, "a");
  add(LAST, CDS_ROLE_TRIAL, 1, "a");
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) cds_connections_set_host(&stream, i, i == 4 ? &there : &here);
  connect_it(0);
  reconnect(0);
  bring(0, 5);
  stream.connections.of[0].stats.last_message_time = 1000;
  bring(LAST, 2);
  int64_t newest = stats_of(LAST)->last_message_time;
  cds_connections_take_over(&stream, shards);
  is_number(cds_connections_role(&stream, 0), CDS_ROLE_LEAVING, "the old one leaves");
  is_number(cds_connections_role(&stream, 1), CDS_ROLE_SERVING, "that of another shard stays");
  ok(cds_connections_role(&stream, 2) == CDS_ROLE_SERVING && cds_connections_role(&stream, LAST) == CDS_ROLE_SERVING,
     "the new ones serve");
  ok(stats_of(2)->messages_received == 0 && stats_of(3)->messages_received == 0 && stats_of(4)->messages_received == 0,
     "one of another origin, shard or host counts from nothing");
  ok(stats_of(LAST)->messages_received == 7 && stats_of(LAST)->bytes_received == 70, "that of the same counts on");
  ok(stats_of(LAST)->errors_count == 1 && stats_of(LAST)->reconnect_count == 1, "in everything");
  ok(stats_of(LAST)->last_message_time == newest, "the newest message is its own");
  add(5, CDS_ROLE_TRIAL, 1, "a");
  cds_connections_set_host(&stream, 5, &here);
  cds_connections_take_over(&stream, shards);
  is_number(stats_of(5)->last_message_time, newest, "or the old one's");
  add(0, CDS_ROLE_TRIAL, 1, "a");
  cds_connections_set_host(&stream, 0, &here);
  cds_connections_take_over(&stream, shards);
  is_number((long long)stats_of(0)->messages_received, 7, "and so on, in any place");
  add(0, CDS_ROLE_TRIAL, 1, "a");
  add(LAST, CDS_ROLE_TRIAL, 1, "a");
  cds_connections_end_trial(&stream);
  is_number(cds_connections_role(&stream, 0), CDS_ROLE_LEAVING, "a trial may end in vain");
  is_number(cds_connections_role(&stream, LAST), CDS_ROLE_LEAVING, "for all of it");
  is_number(cds_connections_role(&stream, 2), CDS_ROLE_LEAVING, "and who has left has left");
}

static void test_stats(void) {
  struct cds_stream_stats out = {0};
  begin();
  add(0, CDS_ROLE_SERVING, 0, "a");
  add(1, CDS_ROLE_TRIAL, 0, "b");
  add(2, CDS_ROLE_SERVING, 0, "c");
  add(LAST, CDS_ROLE_SERVING, 1, "d");
  connect_it(0);
  connect_it(LAST);
  reconnect(0);
  stream.connections.partial_reconnects = 4;
  stream.connections.of[0].connected_at_ms -= 5000;
  cds_connections_stats(&out, &stream);
  ok(out.link_count == 3 && out.configured_connections == 3, "those that serve");
  is_number((long long)out.active_connections, 2, "two of them are up");
  ok(out.full_reconnects == 1 && out.partial_reconnects == 4, "reconnects of both kinds");
  is_string(out.links[1].origin, "c", "each with its facts");
  is_string(out.links[2].origin, "d", "the last one, too");
  ok(out.links[0].ping_latency_ms == -1, "no latency is known without a link");
  ok(out.links[0].connection_uptime >= 5 && out.links[0].connection_uptime < 500, "up for so many seconds: %g",
     out.links[0].connection_uptime);
  ok(out.links[1].connection_uptime == 0, "nothing when it is not up");
}

int main(void) {
  test_vacate();
  test_messages();
  test_states();
  test_reconnects();
  test_host();
  test_choose_origin();
  test_cover();
  test_sets();
  test_last();
  test_take_over();
  test_stats();
  return done();
}
