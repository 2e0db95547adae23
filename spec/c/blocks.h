/* SPDX-License-Identifier: MIT
 * Memory as the library's own is counted. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include <stddef.h>

/* That the library has allocated and not freed, and locks that it has made and not destroyed. */
long blocks_alive(void);

/* A block of zeros for the library to free, made whichever allocation is to fail. */
void *blocks_new(size_t size);

#endif
