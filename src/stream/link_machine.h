/* SPDX-License-Identifier: MIT
 * What a link does next: the states of its connection. All of it runs in the link's thread, inside cds_ws_service. */
#ifndef CDS_LINK_MACHINE_H
#define CDS_LINK_MACHINE_H

#include "net/ws.h"
#include "stream/link.h"

enum cds_link_phase {
  CDS_PHASE_WAITING,    /* for its turn: the timer is set */
  CDS_PHASE_CONNECTING, /* the WebSocket will tell what came of it */
  CDS_PHASE_OPEN,
  CDS_PHASE_PAUSED,    /* open, and not read: the script is slow */
  CDS_PHASE_FOR_SCRIPT /* no connection until the script has caught up */
};

struct cds_link_machine {
  struct cds_link_plan plan; /* feeds: owned */
  struct cds_ws *ws;
  enum cds_link_phase phase;
  size_t host; /* index into the config's ws */
  char origin[CDS_MAX_ORIGIN_TEXT];
  struct cds_buf target;
  bool had_message;
  bool is_settled; /* no message since the owner was told that */
  int64_t opened_at_ms, paused_at_ms, report_at_ms;
  int64_t proof_left_ms, looked_at_ms; /* until it has proved itself, 0: no matter; as of then */
  int64_t signed_at_ms, ahead_ms;      /* the last signature: by this clock, and how far ahead of it */
  bool was_corrected;                  /* a refusal was taken for one of the clock, since the connection worked */
  unsigned failures;                   /* consecutive */
  char alarmed[sizeof((struct cds_error *)0)->message]; /* the last alarm; "" since the connection worked */
};

CDS_MUST_CHECK bool cds_link_machine_init(struct cds_link_machine *machine, const struct cds_link_plan *plan);
void cds_link_machine_clear(struct cds_link_machine *machine);

/* Makes the WebSocket, whose handler the machine is; CDS_OK: machine->ws is the caller's to free. Otherwise the owner
 * was told. */
CDS_MUST_CHECK enum cds_status cds_link_machine_make_ws(struct cds_link_machine *machine);

/* After cds_ws_service: tells the owner once of the messages that came. */
void cds_link_machine_settle(struct cds_link_machine *machine);

/* The first attempt, at once or in its turn. From now on cds_ws_service is to be called until it is over. */
void cds_link_machine_start(struct cds_link_machine *machine);

#endif
