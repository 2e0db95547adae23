/* SPDX-License-Identifier: MIT
 * Misbehaviour on demand. A fault is comma separated key=value text:
 *   on=rest|ws  action=…  times=N (1; 0 for ever)  path=/prefix (rest)  status=N  retry_after=…  body=html|json|empty
 *   ms=N  bytes=N  code=N  after=N */
#ifndef CDS_SIM_FAULT_H
#define CDS_SIM_FAULT_H

#include "base/error.h"

#define CDS_SIM_MAX_FAULTS 64

enum cds_sim_on { CDS_SIM_ON_REST, CDS_SIM_ON_WS };

enum cds_sim_action {
  CDS_SIM_NO_FAULT,
  CDS_SIM_STATUS,
  CDS_SIM_DELAY,
  CDS_SIM_CUT,
  CDS_SIM_GARBAGE,
  CDS_SIM_HUGE,
  CDS_SIM_SILENCE,
  CDS_SIM_FRAGMENT,
  CDS_SIM_CLOSE,
  CDS_SIM_DROP,
  CDS_SIM_OVERSIZE,
  CDS_SIM_FREEZE,
  CDS_SIM_DUPLICATE
};

enum cds_sim_body { CDS_SIM_BODY_JSON, CDS_SIM_BODY_HTML, CDS_SIM_BODY_EMPTY };

struct cds_sim_fault {
  enum cds_sim_on on;
  enum cds_sim_action action;
  enum cds_sim_body body;
  long times; /* left; 0: for ever */
  long status, ms, bytes, code, after;
  char retry_after[48]; /* "" for none */
  char path[128];       /* "" for any */
};

struct cds_sim_faults {
  struct cds_sim_fault list[CDS_SIM_MAX_FAULTS];
  size_t count;
};

/* Reads one fault; CDS_E_CONFIG with the reason. */
CDS_MUST_CHECK enum cds_status cds_sim_fault_parse(struct cds_sim_fault *out, const char *text, size_t length,
                                                   struct cds_error *err);

/* Adds one fault for each line that is not empty; adds none if any is wrong. */
CDS_MUST_CHECK enum cds_status cds_sim_faults_add(struct cds_sim_faults *faults, const char *text, size_t length,
                                                  struct cds_error *err);

/* Uses up one time of the first fault that matches, and copies it; otherwise the copy's action is CDS_SIM_NO_FAULT. */
void cds_sim_faults_take(struct cds_sim_fault *out, struct cds_sim_faults *faults, enum cds_sim_on on,
                         const char *path);

#endif
