/* SPDX-License-Identifier: MIT
 * chainlink.kafka: librdkafka for the relay's Lua, a module of its own so that the others need it not. Failures are
 * answered as nil and a text, steps of a transaction as a word and a text. */
#define _GNU_SOURCE /* dladdr, RTLD_NODELETE */
#include "lua/compat.h"
#include "relay/kafka.h"

#include <dlfcn.h>
#include <string.h>

#define KAFKA "chainlink.kafka"

struct l_kafka {
  struct cds_kafka *kafka;     /* NULL once it is closed */
  rd_kafka_message_t *message; /* being handed over */
};

static int fail(lua_State *L, const struct cds_error *err) {
  lua_pushnil(L);
  lua_pushstring(L, err->message);
  return 2;
}

static int answer(lua_State *L, enum cds_status status, const struct cds_error *err) {
  if (status != CDS_OK) return fail(L, err);
  lua_pushboolean(L, 1);
  return 1;
}

static struct l_kafka *check_self(lua_State *L) {
  struct l_kafka *self = luaL_checkudata(L, 1, KAFKA);
  luaL_argcheck(L, self->kafka, 1, "it is closed");
  return self;
}

static struct cds_kafka *check(lua_State *L) {
  return check_self(L)->kafka;
}

static int timeout_of(lua_State *L, int index) {
  lua_Integer ms = luaL_checkinteger(L, index);
  luaL_argcheck(L, ms >= 0 && ms <= 60000, index, "0 to 60000 ms are expected");
  return (int)ms;
}

/* The texts of the array at an index, which keeps them; a userdata with the pointers is pushed. */
static const char **texts_of(lua_State *L, size_t *count, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  *count = cds_l_rawlen(L, index);
  luaL_argcheck(L, *count <= 1000, index, "too many");
  const char **texts = cds_l_newplain(L, *count * sizeof *texts);
  for (size_t i = 0; i < *count; i++) {
    lua_rawgeti(L, index, (int)i + 1);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, "texts are expected");
    texts[i] = lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  return texts;
}

/* open(is_producer, {name, value, …}) -> kafka | nil, message */
static int open(lua_State *L) {
  struct cds_error err = {0};
  size_t count;
  const char **settings = texts_of(L, &count, 2);
  struct l_kafka *self = cds_l_newplain(L, sizeof *self);
  *self = (struct l_kafka){0};
  luaL_getmetatable(L, KAFKA);
  lua_setmetatable(L, -2);
  if (cds_kafka_open(&self->kafka, lua_toboolean(L, 1), settings, count, &err) != CDS_OK) return fail(L, &err);
  return 1;
}

static void free_message(struct l_kafka *self) {
  rd_kafka_message_t *message = self->message;
  self->message = NULL;
  if (message) rd_kafka_message_destroy(message);
}

/* Not while a message is being handed over: that is of librdkafka's. */
static int l_close(lua_State *L) {
  struct l_kafka *self = luaL_checkudata(L, 1, KAFKA);
  struct cds_kafka *kafka = self->kafka;
  if (self->message) return 0;
  self->kafka = NULL;
  cds_kafka_free(kafka);
  return 0;
}

static int gc(lua_State *L) {
  free_message(luaL_checkudata(L, 1, KAFKA));
  return l_close(L);
}

static int fd(lua_State *L) {
  lua_pushinteger(L, cds_kafka_fd(check(L)));
  return 1;
}

/* arm(kafka[, seconds]): the descriptor is readable after so long; nil: not by time */
static int arm(lua_State *L) {
  cds_kafka_arm(check(L), luaL_optnumber(L, 2, -1));
  return 0;
}

/* ---- a consumer ---- */

static int subscribe(lua_State *L) {
  struct cds_error err = {0};
  return answer(L, cds_kafka_subscribe(check(L), luaL_checkstring(L, 2), &err), &err);
}

/* assign(kafka, topic, count, timeout_ms) -> partitions | nil, message: reads each partition's last `count` messages and
 * what follows; math.huge: all */
static int assign(lua_State *L) {
  struct cds_error err = {0};
  int partitions;
  lua_Number count = luaL_checknumber(L, 3);
  luaL_argcheck(L, count >= 0, 3, "a number of messages is expected");
  int64_t offset = count > 1e9    ? RD_KAFKA_OFFSET_BEGINNING
                   : count == 0.0 ? RD_KAFKA_OFFSET_END
                                  : RD_KAFKA_OFFSET_TAIL((int64_t)count);
  const char *topic = luaL_checkstring(L, 2);
  if (cds_kafka_assign(&partitions, check(L), topic, offset, timeout_of(L, 4), &err) != CDS_OK) return fail(L, &err);
  lua_pushinteger(L, partitions);
  return 1;
}

static void push_headers(lua_State *L, const rd_kafka_message_t *message) {
  rd_kafka_headers_t *headers = NULL;
  const char *name;
  const void *value;
  size_t length;
  lua_newtable(L);
  if (rd_kafka_message_headers(message, &headers)) return;
  for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
    lua_pushlstring(L, value ? value : "", length);
    lua_setfield(L, -2, name);
  }
}

static void push_failure(lua_State *L, rd_kafka_resp_err_t code, const char *reason) {
  bool is_refusal = code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                    code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
  const char *kind = "passing";
  if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF) kind = "end";
  else if (is_refusal) kind = "refusal";
  else if (code == RD_KAFKA_RESP_ERR__FATAL) kind = "fatal";
  lua_pushstring(L, kind);
  lua_setfield(L, -2, "failure");
  lua_pushstring(L, reason);
  lua_setfield(L, -2, "reason");
}

static void push_message(lua_State *L, const rd_kafka_message_t *message) {
  lua_createtable(L, 0, 6);
  lua_pushinteger(L, message->partition);
  lua_setfield(L, -2, "partition");
  if (message->err) {
    push_failure(L, message->err, rd_kafka_err2str(message->err));
    return;
  }
  lua_pushnumber(L, (lua_Number)message->offset);
  lua_setfield(L, -2, "offset");
  lua_pushlstring(L, message->key ? message->key : "", message->key_len);
  lua_setfield(L, -2, "key");
  lua_pushlstring(L, message->payload ? message->payload : "", message->len);
  lua_setfield(L, -2, "value");
  push_headers(L, message);
  lua_setfield(L, -2, "headers");
}

static int take_trouble(lua_State *L, struct cds_kafka *kafka) {
  struct cds_error err = {0};
  rd_kafka_resp_err_t trouble = cds_kafka_trouble(kafka, &err);
  if (!trouble) return 0;
  lua_createtable(L, 0, 2);
  push_failure(L, trouble, err.message);
  return 1;
}

/* take(kafka) -> nil: nothing now | {partition=, offset=, key=, value=, headers=} | {partition=, failure="end",
 * "refusal", "fatal" or "passing", reason=}, without a partition where it is of the whole */
static int take(lua_State *L) {
  struct l_kafka *self = check_self(L);
  free_message(self); /* memory ran out when it was handed over */
  self->message = cds_kafka_take(self->kafka);
  if (!self->message) return take_trouble(L, self->kafka);
  push_message(L, self->message);
  free_message(self);
  return 1;
}

static int is_assigned(lua_State *L) {
  lua_pushboolean(L, cds_kafka_is_assigned(check(L)));
  return 1;
}

/* store(kafka, topic, partition, offset) */
static int store(lua_State *L) {
  cds_kafka_store(check(L), luaL_checkstring(L, 2), (int32_t)luaL_checkinteger(L, 3), (int64_t)luaL_checknumber(L, 4));
  return 0;
}

static int commit_offsets(lua_State *L) {
  struct cds_error err = {0};
  return answer(L, cds_kafka_commit_offsets(check(L), &err), &err);
}

/* ---- a producer ---- */

static int told(lua_State *L, enum cds_kafka_outcome outcome, const struct cds_error *err) {
  static const char *const words[] = {"done", "again", "abort", "refused", "fatal"};
  lua_pushstring(L, words[outcome]);
  if (outcome == CDS_KAFKA_DONE) return 1;
  lua_pushstring(L, err->message);
  return 2;
}

static int init(lua_State *L) {
  struct cds_error err = {0};
  return told(L, cds_kafka_init(check(L), timeout_of(L, 2), &err), &err);
}

static int begin(lua_State *L) {
  struct cds_error err = {0};
  return told(L, cds_kafka_begin(check(L), &err), &err);
}

static int commit(lua_State *L) {
  struct cds_error err = {0};
  return told(L, cds_kafka_commit(check(L), timeout_of(L, 2), &err), &err);
}

static int l_abort(lua_State *L) {
  struct cds_error err = {0};
  return told(L, cds_kafka_abort(check(L), timeout_of(L, 2), &err), &err);
}

#define MOST_HEADERS 16

/* produce(kafka, topic, key, value, {name, value, …}) -> as begin; headers are texts without NUL */
static int produce(lua_State *L) {
  struct cds_error err = {0};
  size_t length, count;
  struct cds_kafka_header key = {0}, headers[MOST_HEADERS];
  key.value = luaL_checklstring(L, 3, &key.length);
  const char *value = luaL_checklstring(L, 4, &length);
  const char **texts = texts_of(L, &count, 5);
  luaL_argcheck(L, count <= 2 * MOST_HEADERS, 5, "too many");
  for (size_t i = 0; i + 1 < count; i += 2)
    headers[i / 2] = (struct cds_kafka_header){texts[i], texts[i + 1], strlen(texts[i + 1])};
  return told(L, cds_kafka_produce(check(L), luaL_checkstring(L, 2), &key, value, length, headers, count / 2, &err),
              &err);
}

static const luaL_Reg functions[] = {{"open", open},
                                     {"close", l_close},
                                     {"fd", fd},
                                     {"arm", arm},
                                     {"subscribe", subscribe},
                                     {"assign", assign},
                                     {"take", take},
                                     {"is_assigned", is_assigned},
                                     {"store", store},
                                     {"commit_offsets", commit_offsets},
                                     {"init", init},
                                     {"begin", begin},
                                     {"produce", produce},
                                     {"commit", commit},
                                     {"abort", l_abort},
                                     {NULL, NULL}};

/* librdkafka's threads may be in its code when a Lua state closes, and it keeps memory for good: it stays loaded. */
static void stay_loaded(void) {
  Dl_info info;
  if (dladdr((const void *)functions, &info) && info.dli_fname)
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

__attribute__((visibility("default"))) int luaopen_chainlink_kafka(lua_State *L);

int luaopen_chainlink_kafka(lua_State *L) {
  stay_loaded();
  luaL_newmetatable(L, KAFKA); /* it stays on the stack */
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pushstring(L, KAFKA);
  lua_setfield(L, -2, "__metatable");
  lua_newtable(L);
  cds_l_setfuncs(L, functions, 0);
  return 1;
}
