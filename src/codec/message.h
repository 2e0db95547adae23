/* SPDX-License-Identifier: MIT
 * From an envelope to a report: hex, ABI, and the check that envelope and report blob agree. */
#ifndef CDS_MESSAGE_H
#define CDS_MESSAGE_H

#include "codec/json.h"
#include "codec/report.h"

/* DecodeError when the envelope's feed id or one of its times disagrees with the decoded report blob (times are compared
 * when both sides have them, in the coarser of the two units). A report without a schema takes its times from the
 * envelope, if there. *out is NULL after a failure. */
CDS_MUST_CHECK enum cds_status cds_envelope_report(struct cds_report **out, const struct cds_envelope *envelope,
                                                   struct cds_error *err);

#endif
