/* SPDX-License-Identifier: MIT
 * The signer registry userdata. */
#ifndef CDS_L_VERIFY_H
#define CDS_L_VERIFY_H

#include "crypto/verify.h"
#include "lua/lutil.h"

#define CDS_L_SIGNERS "chainlink.signers"

/* The registry at `index`, borrowed; anything else raises. */
struct cds_signer_registry *cds_l_check_signers(lua_State *L, int index);

/* Registers the metatables and sets the functions in the module table on the stack's top; after cds_l_open_report. */
void cds_l_open_verify(lua_State *L);

#endif
