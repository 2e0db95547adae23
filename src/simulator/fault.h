/* SPDX-License-Identifier: MIT
 * Misbehaviour on demand. A fault is comma separated key=value text:
 *   on=rest|ws|live|accept  action=…  times=N (1; 0 for ever)  path=/prefix (rest, ws)  origin=name (ws, live)
 * and what the action takes. Steps of one WebSocket follow each other after a semicolon: each begins where the one
 * before has ended, and has only an action with its keys. docs/simulator.md has the list. */
#ifndef CDS_SIM_FAULT_H
#define CDS_SIM_FAULT_H

#include "base/error.h"

#define CDS_SIM_MAX_FAULTS 128
#define CDS_SIM_MAX_STEPS 8

enum cds_sim_on {
  CDS_SIM_ON_REST,
  CDS_SIM_ON_WS,    /* a handshake to come */
  CDS_SIM_ON_LIVE,  /* WebSockets that are open now */
  CDS_SIM_ON_ACCEPT /* a TCP connection to come, before TLS */
};

enum cds_sim_action {
  CDS_SIM_NO_FAULT,
  CDS_SIM_STATUS,
  CDS_SIM_DELAY,
  CDS_SIM_CUT,
  CDS_SIM_GARBAGE,
  CDS_SIM_HUGE,
  CDS_SIM_SILENCE,
  CDS_SIM_SLOW,
  CDS_SIM_REDIRECT,
  CDS_SIM_UPGRADE,
  CDS_SIM_PAGE_KIND,
  CDS_SIM_LAG,
  CDS_SIM_FRAGMENT,
  CDS_SIM_CLOSE,
  CDS_SIM_DROP,
  CDS_SIM_RESET,
  CDS_SIM_OVERSIZE,
  CDS_SIM_ENDLESS,
  CDS_SIM_FREEZE,
  CDS_SIM_HALF,
  CDS_SIM_DUPLICATE,
  CDS_SIM_REORDER,
  CDS_SIM_OLD,
  CDS_SIM_FUTURE,
  CDS_SIM_FOREIGN,
  CDS_SIM_SKIP,
  CDS_SIM_CORRUPT,
  CDS_SIM_ILLEGAL,
  CDS_SIM_PING_FLOOD,
  CDS_SIM_TINY,
  CDS_SIM_STOP_PONGS,
  CDS_SIM_QUIET
};

enum cds_sim_body { CDS_SIM_BODY_JSON, CDS_SIM_BODY_HTML, CDS_SIM_BODY_EMPTY };

struct cds_sim_fault {
  enum cds_sim_on on;
  enum cds_sim_action action;
  enum cds_sim_body body;
  long times; /* left; 0: for ever */
  long status, ms, bytes, code, after, count, seconds, within, pick;
  bool then;            /* a step of the fault before it in the list */
  char kind[16];        /* a variety of the action, "" never once parsed where the action has any */
  char origin[32];      /* "" for any */
  char retry_after[48]; /* "" for none */
  char path[128];       /* "" for any */
};

struct cds_sim_faults {
  struct cds_sim_fault list[CDS_SIM_MAX_FAULTS];
  size_t count;
};

/* Reads one line: a fault with its steps, at most CDS_SIM_MAX_STEPS. CDS_E_CONFIG with the reason. */
CDS_MUST_CHECK enum cds_status cds_sim_fault_parse(struct cds_sim_fault out[CDS_SIM_MAX_STEPS], size_t *steps,
                                                   const char *text, size_t length, struct cds_error *err);

/* Adds one fault for each line that is not empty; adds none if any is wrong. */
CDS_MUST_CHECK enum cds_status cds_sim_faults_add(struct cds_sim_faults *faults, const char *text, size_t length,
                                                  struct cds_error *err);

/* Uses up one time of the first fault that matches, and copies its steps: their number, 0 when none matches. */
size_t cds_sim_faults_take(struct cds_sim_fault out[CDS_SIM_MAX_STEPS], struct cds_sim_faults *faults,
                           enum cds_sim_on on, const char *path, const char *origin);

#endif
