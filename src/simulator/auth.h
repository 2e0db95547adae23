/* SPDX-License-Identifier: MIT
 * Who sends a request, and how often they may. */
#ifndef CDS_SIM_AUTH_H
#define CDS_SIM_AUTH_H

#include "simulator/service.h"

struct cds_sim_account {
  const char *key, *secret;
  bool *permitted; /* by feed index; NULL: all */
  double tokens[CDS_SIM_ENDPOINTS];
  int64_t refilled[CDS_SIM_ENDPOINTS]; /* monotonic ms; 0: never used */
  unsigned sockets;                    /* WebSockets that are open */
};

/* Does it carry any of the three headers? */
bool cds_sim_has_credentials(const struct cds_sim_request *request);

/* 0 and the account, or a status with its message. */
int cds_sim_authenticate(struct cds_sim *sim, const struct cds_sim_request *request, struct cds_sim_account **account,
                         const char **message);

/* The account of a key, NULL when there is none. */
struct cds_sim_account *cds_sim_find_account(struct cds_sim *sim, const char *key);

/* 0, or 429 with the seconds to wait. */
int cds_sim_throttle(struct cds_sim *sim, struct cds_sim_account *account, enum cds_sim_endpoint endpoint,
                     int *retry_after);

#endif
