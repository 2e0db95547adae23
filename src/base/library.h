/* SPDX-License-Identifier: MIT
 * Shared libraries that are loaded when they are first wanted: some take longer to load than all the rest. */
#ifndef CDS_LIBRARY_H
#define CDS_LIBRARY_H

#include "base/error.h"

/* Fills in `count` pointers to functions, an array or a struct of nothing else, by their names in the shared library
 * `soname` (of the system's places, or the module's own), which stays loaded. A ConfigError tells what is missing. */
CDS_MUST_CHECK enum cds_status cds_library_find(void *functions, const char *const *names, size_t count,
                                                const char *soname, struct cds_error *err);

/* A library whose functions are found once, for all: */
struct cds_library {
  const char *soname;
  void *functions; /* these three as above */
  const char *const *names;
  size_t count;
  bool is_known; /* the rest is library.c's own: what came of it */
  struct cds_error problem;
};

/* From any thread. A failure is one for good. */
CDS_MUST_CHECK enum cds_status cds_library_load(struct cds_library *library, struct cds_error *err);

#endif
