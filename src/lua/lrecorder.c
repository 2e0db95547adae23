/* SPDX-License-Identifier: MIT
 * What a recorder is told. It begins, writes and ends by the functions of lrecord.c. */
#include "lua/lrecorder.h"

#include <stdio.h>

#include "base/clock.h"
#include "lua/lreport.h"

static struct cds_l_recorder *check_recorder(lua_State *L) {
  return luaL_checkudata(L, 1, CDS_L_RECORDER);
}

/* recorder() -> recorder, which does not record yet */
static int recorder(lua_State *L) {
  cds_l_new(L, sizeof(struct cds_l_recorder), CDS_L_RECORDER);
  return 1;
}

static int recorder_gc(lua_State *L) {
  struct cds_l_recorder *self = check_recorder(L);
  struct cds_writer *writer = self->writer;
  self->writer = NULL;
  cds_event_free(self->event);
  self->event = NULL;
  cds_writer_close(writer, NULL);
  return 0;
}

/* recorder_report(recorder, report) */
static int recorder_report(lua_State *L) {
  struct cds_writer *writer = check_recorder(L)->writer;
  const struct cds_report *report = cds_l_check_report(L, 2);
  if (writer) cds_writer_report(writer, report);
  return 0;
}

static int64_t check_ms(lua_State *L, int index) {
  return (int64_t)cds_l_check_exact(L, index, -CDS_L_MAX_EXACT, "milliseconds must be up to 2^53");
}

/* recorder_range(recorder, "lost" or "unverified", id, from_ms, to_ms, reason): of a feed's times, both included */
static int recorder_range(lua_State *L) {
  static const char *const states[] = {"lost", "unverified", NULL};
  static const enum cds_event_kind kinds[] = {CDS_EVENT_LOST, CDS_EVENT_UNVERIFIED};
  size_t length;
  struct cds_error err;
  struct cds_event event = {.at_ms = cds_clock_wall_ms(), .has_end = true};
  event.kind = kinds[luaL_checkoption(L, 2, NULL, states)];
  const char *id = luaL_checklstring(L, 3, &length);
  luaL_argcheck(L, cds_feed_id_parse(&event.feed_id, id, length, &err) == CDS_OK, 3, "a feed id is expected");
  event.from_ms = check_ms(L, 4);
  event.to_ms = check_ms(L, 5);
  snprintf(event.message, sizeof event.message, "%s", luaL_checkstring(L, 6));
  struct cds_writer *writer = check_recorder(L)->writer;
  if (writer) cds_writer_event(writer, &event);
  return 0;
}

/* recorder_pause(recorder): the script is about to wait */
static int recorder_pause(lua_State *L) {
  struct cds_writer *writer = check_recorder(L)->writer;
  if (writer) cds_writer_pause(writer);
  return 0;
}

/* recorder_event(recorder) -> a log line as a table, or nothing */
static int recorder_event(lua_State *L) {
  struct cds_l_recorder *self;
  do {
    self = check_recorder(L);
    if (!self->event && self->writer) self->event = cds_writer_take_event(self->writer);
    if (!self->event) return 0;
  } while (!cds_l_give_event(L, &self->event));
  return 1;
}

static const luaL_Reg metamethods[] = {{"__gc", recorder_gc}, {NULL, NULL}};

static const luaL_Reg functions[] = {{"recorder", recorder},
                                     {"recorder_report", recorder_report},
                                     {"recorder_range", recorder_range},
                                     {"recorder_pause", recorder_pause},
                                     {"recorder_event", recorder_event},
                                     {NULL, NULL}};

void cds_l_open_recorder(lua_State *L) {
  cds_l_metatable(L, CDS_L_RECORDER, metamethods);
  lua_pop(L, 1);
  cds_l_setfuncs(L, functions, 0);
}
