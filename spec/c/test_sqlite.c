/* SPDX-License-Identifier: MIT
 * Databases: what goes in comes out, what cannot be is told, and nothing stays open. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif

#include "base/sqlite.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "system_faults.h"
#include "tap.h"

static struct cds_error err;
static char folder[64], path[128];

/* A system without the library. */
static struct system_fault of_dlopen;

SYSTEM_CALL void *dlopen(const char *name, int flags) {
  void *(*next)(const char *, int);
  *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
  return next(system_fails(&of_dlopen) ? "/nonexistent/libsqlite3.so.0" : name, flags);
}

static struct cds_sqlite *open_one(bool writes) {
  struct cds_sqlite *database = NULL;
  cds_error_clear(&err);
  return cds_sqlite_open(&database, path, writes, &err) == CDS_OK ? database : NULL;
}

static struct cds_sqlite_query *prepare(struct cds_sqlite *database, const char *sql) {
  struct cds_sqlite_query *query = NULL;
  cds_error_clear(&err);
  return cds_sqlite_prepare(&query, database, sql, &err) == CDS_OK ? query : NULL;
}

/* A statement without rows. */
static enum cds_status run(struct cds_sqlite *database, const char *sql) {
  bool has_row = true;
  struct cds_sqlite_query *query = prepare(database, sql);
  if (!query) return err.status;
  enum cds_status status = cds_sqlite_step(&has_row, query, &err);
  cds_sqlite_free(query);
  return status != CDS_OK || !has_row ? status : CDS_E_DECODE;
}

/* The first value of the first row as text. */
static void is_answer(struct cds_sqlite *database, const char *sql, const char *expected) {
  bool has_row = false;
  size_t length = 99;
  struct cds_sqlite_query *query = prepare(database, sql);
  const char *text =
    query && cds_sqlite_step(&has_row, query, &err) == CDS_OK && has_row ? cds_sqlite_text(&length, query, 0) : NULL;
  ok(text && strcmp(text, expected) == 0 && length == strlen(expected), "%s: %s", sql, text ? text : "(nothing)");
  cds_sqlite_free(query);
}

static void test_absent(void) {
  struct cds_sqlite *database = NULL;
  of_dlopen = (struct system_fault){.times = 1};
  ok(cds_sqlite_open(&database, path, true, &err) == CDS_E_CONFIG && !database &&
       strstr(err.message, "libsqlite3.so.0 cannot be loaded"),
     "a system without the library is told: %s", err.message);
  is_number(access(path, F_OK), -1, "and no file is made");
}

static void test_values(void) {
  bool has_row = false;
  size_t length = 99;
  char given[] = "a\0b";
  struct cds_sqlite *database = open_one(true);
  is_number(run(database, "CREATE TABLE t (name TEXT, number INTEGER)"), CDS_OK, "a file is made, and a table");
  struct cds_sqlite_query *query = prepare(database, "INSERT INTO t VALUES (?, ?)");
  is_number(cds_sqlite_columns(query), 0, "what inserts has no columns");
  ok(cds_sqlite_bind(query, 1, given, 3, &err) == CDS_OK && cds_sqlite_bind(query, 2, "42", 2, &err) == CDS_OK,
     "values are put in");
  memset(given, 'x', sizeof given); /* they were copied */
  ok(cds_sqlite_step(&has_row, query, &err) == CDS_OK && !has_row, "it is done, without a row");
  cds_sqlite_reset(query);
  ok(cds_sqlite_bind(query, 1, NULL, 5, &err) == CDS_OK && cds_sqlite_bind(query, 2, "", 0, &err) == CDS_OK,
     "once more, one of them is none and one is empty");
  ok(cds_sqlite_step(&has_row, query, &err) == CDS_OK && !has_row, "it is done again");
  ok(cds_sqlite_bind(query, 1, "c", 1, &err) == CDS_E_FILE && strstr(err.message, "the database: "),
     "a value that comes too late is refused: %s", err.message);
  cds_sqlite_free(query);
  query = prepare(database, "SELECT name, number FROM t ORDER BY rowid");
  is_number(cds_sqlite_columns(query), 2, "there are two columns");
  ok(cds_sqlite_step(&has_row, query, &err) == CDS_OK && has_row, "a row comes");
  const char *text = cds_sqlite_text(&length, query, 0);
  ok(text && length == 3 && memcmp(text, "a\0b", 3) == 0, "with the text as it went in");
  text = cds_sqlite_text(&length, query, 1);
  ok(text && length == 2 && strcmp(text, "42") == 0, "and the number");
  ok(cds_sqlite_step(&has_row, query, &err) == CDS_OK && has_row, "the other one");
  ok(cds_sqlite_text(&length, query, 0) == NULL && length == 0, "has no first value");
  text = cds_sqlite_text(&length, query, 1);
  ok(text && length == 0, "and an empty second one");
  ok(cds_sqlite_step(&has_row, query, &err) == CDS_OK && !has_row, "there are no more");
  cds_sqlite_close(database);
  cds_sqlite_reset(query);
  ok(cds_sqlite_step(&has_row, query, &err) == CDS_OK && has_row, "a query is good beyond its database's closing");
  cds_sqlite_free(query);
}

static void test_failures(void) {
  bool has_row = true;
  struct cds_sqlite *database = open_one(false);
  is_answer(database, "SELECT count(*) FROM t", "2");
  is_answer(database, "PRAGMA busy_timeout", "5000"); /* another process has the file for so long at most */
  ok(run(database, "DELETE FROM t") == CDS_E_FILE && strstr(err.message, "the database: ") == err.message &&
       strstr(err.message, "readonly"),
     "what was opened to be read is not written: %s", err.message);
  ok(!prepare(database, "SELEC 1") && err.status == CDS_E_FILE && strstr(err.message, "the database: near \"SELEC\""),
     "words that are no statement are told: %s", err.message);
  ok(!prepare(database, "") && err.status == CDS_E_FILE, "and no words at all");
  struct cds_sqlite_query *query = prepare(database, "SELECT ?");
  ok(cds_sqlite_bind(query, 2, "a", 1, &err) == CDS_E_FILE && err.status == CDS_E_FILE, "there is no second place");
  ok(cds_sqlite_bind(query, 1, "a", (size_t)INT_MAX + 1, &err) == CDS_E_FILE &&
       strstr(err.message, "a text of 2147483648 bytes is too long"),
     "a text may be too long: %s", err.message);
  ok(cds_sqlite_bind(query, 1, "a", INT_MAX, &err) == CDS_E_FILE && strstr(err.message, "too big"),
     "or too long for SQLite: %s", err.message);
  cds_sqlite_free(query);
  query = prepare(database, "SELECT abs(-9223372036854775807 - 1)");
  ok(cds_sqlite_step(&has_row, query, &err) == CDS_E_FILE && !has_row && strstr(err.message, "overflow"),
     "a row may fail: %s", err.message);
  cds_sqlite_free(query);
  cds_sqlite_close(database);
  cds_sqlite_close(NULL);
  cds_sqlite_free(NULL);
  database = (struct cds_sqlite *)&err;
  ok(cds_sqlite_open(&database, "/nonexistent/a.db", true, &err) == CDS_E_FILE && !database &&
       strstr(err.message, "cannot open /nonexistent/a.db: unable to open"),
     "a file that cannot be made is told: %s", err.message);
  unlink(path);
  ok(!open_one(false) && err.status == CDS_E_FILE && access(path, F_OK) != 0, "what is to be read is not made");
}

static void test_memory(void) {
  bool has_row;
  for (long after = 0; after < 2; after++) {
    cds_alloc_fail_after(after);
    struct cds_sqlite *database = open_one(true);
    struct cds_sqlite_query *query = database ? prepare(database, "SELECT 1") : NULL;
    cds_alloc_fail_after(-1);
    ok(!query && err.status == CDS_E_MEMORY && strstr(err.message, "no memory"), "without memory: %s", err.message);
    cds_sqlite_close(database);
  }
  struct cds_sqlite *database = open_one(true);
  struct cds_sqlite_query *query = prepare(database, "SELECT 1");
  ok(query && cds_sqlite_step(&has_row, query, &err) == CDS_OK && has_row, "with it there is an answer");
  cds_sqlite_free(query);
  cds_sqlite_close(database);
  /* The library's own */
  void *library = dlopen("libsqlite3.so.0", RTLD_NOW);
  int64_t (*set_limit)(int64_t);
  *(void **)&set_limit = dlsym(library, "sqlite3_hard_heap_limit64");
  if (!set_limit) {
    skip("no memory for SQLite", "it is older than 3.31");
    return;
  }
  set_limit(1);
  ok(!open_one(true) && err.status == CDS_E_MEMORY, "SQLite may have none either: %s", err.message);
  set_limit(0);
}

int main(void) {
  strcpy(folder, "/tmp/sqlite-XXXXXX");
  if (!mkdtemp(folder)) abort();
  snprintf(path, sizeof path, "%s/a.db", folder);
  test_absent();
  if (dlopen("libsqlite3.so.0", RTLD_LAZY)) {
    size_t before = system_open_files();
    test_values();
    test_failures();
    test_memory();
    is_number(system_open_files(), before, "no file stays open");
  } else {
    skip("databases", "libsqlite3 is not here");
  }
  unlink(path);
  rmdir(folder);
  return done();
}
