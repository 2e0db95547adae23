/* SPDX-License-Identifier: MIT
 * A stream as its links' owner: what it answers when they ask, and what becomes of what they tell. */
#ifndef CDS_LINK_OWNER_H
#define CDS_LINK_OWNER_H

#include "stream/link.h"

extern const struct cds_link_handler cds_link_owner; /* context is the stream; each link has a reference of it */

#endif
