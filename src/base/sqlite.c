/* SPDX-License-Identifier: MIT
 * SQLite, by its interface of version 3, which its makers keep as it is (https://www.sqlite.org/capi3ref.html). */
#include "base/sqlite.h"

#include <limits.h>

#include "base/alloc.h"
#include "base/library.h"

#define OPEN_READONLY 0x1
#define OPEN_READWRITE 0x2
#define OPEN_CREATE 0x4
#define OK 0
#define ROW 100
#define DONE 101
#define BUSY_MS 5000 /* another process has it for so long at most */

struct functions {
  int (*open)(const char *path, void **database, int flags, const char *vfs);
  int (*close)(void *database);
  int (*busy_timeout)(void *database, int ms);
  const char *(*message)(void *database);
  int (*prepare)(void *database, const char *sql, int length, void **statement, const char **rest);
  void *(*database)(void *statement);
  int (*bind_text)(void *statement, int place, const char *text, int length, void (*release)(void *));
  int (*bind_null)(void *statement, int place);
  int (*step)(void *statement);
  int (*reset)(void *statement);
  int (*finalize)(void *statement);
  int (*column_count)(void *statement);
  const unsigned char *(*column_text)(void *statement, int column);
  int (*column_bytes)(void *statement, int column);
};

static enum cds_status load(struct functions *functions, struct cds_error *err) {
  static const char *const names[] = {
    "sqlite3_open_v2",   "sqlite3_close_v2",     "sqlite3_busy_timeout", "sqlite3_errmsg",      "sqlite3_prepare_v2",
    "sqlite3_db_handle", "sqlite3_bind_text",    "sqlite3_bind_null",    "sqlite3_step",        "sqlite3_reset",
    "sqlite3_finalize",  "sqlite3_column_count", "sqlite3_column_text",  "sqlite3_column_bytes"};
  return cds_library_find(functions, names, sizeof names / sizeof *names, "libsqlite3.so.0", err);
}

struct cds_sqlite {
  struct functions lib;
  void *database;
};

struct cds_sqlite_query {
  struct functions lib;
  void *statement;
};

static enum cds_status no_memory(struct cds_error *err) {
  return cds_error_set(err, CDS_E_MEMORY, "no memory for a database");
}

enum cds_status cds_sqlite_open(struct cds_sqlite **out, const char *path, bool writes, struct cds_error *err) {
  *out = NULL;
  struct cds_sqlite *self = cds_calloc(1, sizeof *self);
  if (!self) return no_memory(err);
  enum cds_status status = load(&self->lib, err);
  if (status != CDS_OK) {
    cds_free(self);
    return status;
  }
  int code = self->lib.open(path, &self->database, writes ? OPEN_READWRITE | OPEN_CREATE : OPEN_READONLY, NULL);
  if (code != OK) {
    status = self->database
               ? cds_error_set(err, CDS_E_FILE, "cannot open %.250s: %.100s", path, self->lib.message(self->database))
               : no_memory(err);
    cds_sqlite_close(self);
    return status;
  }
  self->lib.busy_timeout(self->database, BUSY_MS);
  *out = self;
  return CDS_OK;
}

void cds_sqlite_close(struct cds_sqlite *self) {
  if (!self) return;
  self->lib.close(self->database);
  cds_free(self);
}

enum cds_status cds_sqlite_prepare(struct cds_sqlite_query **out, struct cds_sqlite *database, const char *sql,
                                   struct cds_error *err) {
  *out = NULL;
  struct cds_sqlite_query *query = cds_calloc(1, sizeof *query);
  if (!query) return no_memory(err);
  query->lib = database->lib;
  if (query->lib.prepare(database->database, sql, -1, &query->statement, NULL) != OK || !query->statement) {
    cds_free(query);
    return cds_error_set(err, CDS_E_FILE, "the database: %.200s", database->lib.message(database->database));
  }
  *out = query;
  return CDS_OK;
}

void cds_sqlite_free(struct cds_sqlite_query *query) {
  if (!query) return;
  query->lib.finalize(query->statement);
  cds_free(query);
}

static enum cds_status fail(const struct cds_sqlite_query *query, struct cds_error *err) {
  return cds_error_set(err, CDS_E_FILE, "the database: %.200s",
                       query->lib.message(query->lib.database(query->statement)));
}

void cds_sqlite_reset(struct cds_sqlite_query *query) {
  query->lib.reset(query->statement);
}

enum cds_status cds_sqlite_bind(struct cds_sqlite_query *query, int place, const char *text, size_t length,
                                struct cds_error *err) {
  void (*copied)(void *) = (void (*)(void *))(intptr_t)-1; /* SQLITE_TRANSIENT */
  if (length > INT_MAX) return cds_error_set(err, CDS_E_FILE, "the database: a text of %zu bytes is too long", length);
  int code = text ? query->lib.bind_text(query->statement, place, text, (int)length, copied)
                  : query->lib.bind_null(query->statement, place);
  return code == OK ? CDS_OK : fail(query, err);
}

enum cds_status cds_sqlite_step(bool *has_row, struct cds_sqlite_query *query, struct cds_error *err) {
  int code = query->lib.step(query->statement);
  *has_row = code == ROW;
  return code == ROW || code == DONE ? CDS_OK : fail(query, err);
}

int cds_sqlite_columns(struct cds_sqlite_query *query) {
  return query->lib.column_count(query->statement);
}

const char *cds_sqlite_text(size_t *length, struct cds_sqlite_query *query, int column) {
  const char *text = (const char *)query->lib.column_text(query->statement, column);
  *length = text ? (size_t)query->lib.column_bytes(query->statement, column) : 0;
  return text;
}
