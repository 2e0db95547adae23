/* SPDX-License-Identifier: MIT
 * What every file of the library shares: the version, attributes and symbol visibility.
 *
 * Conventions of all headers here: arguments go out first, then in; a length follows its array;
 * functions that can fail return enum cds_status (CDS_OK is 0) and fill the caller's struct cds_error.
 * Ownership is in the name: _new/_free own heap, _init/_clear own the contents of the caller's struct,
 * _ref/_unref share, _take gives ownership away, _borrow does not. Free functions accept NULL. */
#ifndef CDS_H
#define CDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CDS_VERSION "0.1.0" /* the one version literal; a spec compares rockspec, CHANGELOG and Lua with it */

#define CDS_MUST_CHECK __attribute__((warn_unused_result))
#define CDS_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

#endif
