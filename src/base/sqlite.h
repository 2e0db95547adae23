/* SPDX-License-Identifier: MIT
 * Databases of SQLite, by the system's libsqlite3, which is loaded when one is opened: nothing of it is needed to
 * build. All values go in and come out as text; a column's type makes of it what it is to be. */
#ifndef CDS_SQLITE_H
#define CDS_SQLITE_H

#include "base/error.h"

struct cds_sqlite;
struct cds_sqlite_query;

/* A file, which is made where it is to be written and is not there. CDS_E_CONFIG without the library; CDS_E_FILE for
 * what it answers, here and below. */
CDS_MUST_CHECK enum cds_status cds_sqlite_open(struct cds_sqlite **out, const char *path, bool writes,
                                               struct cds_error *err);
void cds_sqlite_close(struct cds_sqlite *database); /* NULL is accepted; queries stay good until they are freed */

/* One statement. */
CDS_MUST_CHECK enum cds_status cds_sqlite_prepare(struct cds_sqlite_query **out, struct cds_sqlite *database,
                                                  const char *sql, struct cds_error *err);
void cds_sqlite_free(struct cds_sqlite_query *query); /* NULL is accepted */

/* From the beginning again. */
void cds_sqlite_reset(struct cds_sqlite_query *query);

/* The value of `?` number `place`, from 1; NULL: none. It is copied. Before the first step, or behind a reset. */
CDS_MUST_CHECK enum cds_status cds_sqlite_bind(struct cds_sqlite_query *query, int place, const char *text,
                                               size_t length, struct cds_error *err);

/* *has_row: there is one more; false: it is done. */
CDS_MUST_CHECK enum cds_status cds_sqlite_step(bool *has_row, struct cds_sqlite_query *query, struct cds_error *err);

int cds_sqlite_columns(struct cds_sqlite_query *query);

/* Of the row, a column from 0: valid until the next step; NULL where there is no value. */
const char *cds_sqlite_text(size_t *length, struct cds_sqlite_query *query, int column);

#endif
