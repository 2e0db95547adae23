/* SPDX-License-Identifier: MIT
 * Runs a step again and again, each time with another of its allocations failing, until a run needs no more. Leaks
 * are for the sanitizer to find. */
#ifndef TORTURE_H
#define TORTURE_H

#include "base/alloc.h"
#include "base/error.h"
#include "tap.h"

#define TORTURE_MAX 5000

typedef enum cds_status torture_step(void);

/* What a failed allocation leads to: a MemoryError, or that or nothing worse than a loss the step allows for. */
enum torture_rule { TORTURE_FAILS, TORTURE_MAY_GO_ON };

static long (*torture_fail)(long);
static long torture_after;

/* Switches the failure on. A step that prepares something first calls cds_alloc_fail_after(-1), then this. */
static void torture_arm(void) {
  torture_fail(torture_after);
}

/* fail: cds_alloc_fail_after or cds_alloc_fail_one. */
static void torture(const char *name, long (*fail)(long), torture_step *step, enum torture_rule rule) {
  bool failed = true;
  long after = 0;
  torture_fail = fail;
  for (; failed && after < TORTURE_MAX; after++) {
    torture_after = after;
    torture_arm();
    enum cds_status status = step();
    failed = cds_alloc_fail_after(-1) > after;
    if (failed ? status == CDS_E_MEMORY || (status == CDS_OK && rule == TORTURE_MAY_GO_ON) : status == CDS_OK) continue;
    ok(false, "%s: ended in \"%s\" when allocation %ld failed", name, cds_status_kind(status), after);
    return;
  }
  ok(!failed && after > 1, "%s: each of %ld allocations fails once", name, after - 1);
}

#endif
