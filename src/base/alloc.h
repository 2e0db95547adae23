/* SPDX-License-Identifier: MIT
 * The malloc family of the whole library, so that tests can make the Nth allocation fail. */
#ifndef CDS_ALLOC_H
#define CDS_ALLOC_H

#include "base/cds.h"

void *cds_malloc(size_t size);
void *cds_calloc(size_t count, size_t size); /* NULL when count * size overflows */
void *cds_realloc(void *memory, size_t size);
char *cds_strdup(const char *text);                 /* text NULL gives NULL */
char *cds_strndup(const char *text, size_t length); /* copies exactly length bytes and a final 0 */
void cds_free(void *memory);
void cds_free_secret(void *memory, size_t size); /* wipes first */

/* Tests only: let the next `after` allocations of this process succeed and all later ones fail;
 * a negative number switches it off. Returns how many allocations were made since the last call. */
long cds_alloc_fail_after(long after);

/* The same, but only the one allocation fails: what survives it must go on as before. */
long cds_alloc_fail_one(long after);

#endif
