/* SPDX-License-Identifier: MIT
 * What libwebsockets has read of a request. */
#ifndef CDS_WEB_REQUEST_H
#define CDS_WEB_REQUEST_H

#include "base/buf.h"
#include "web/gate.h"
#include "web/server.h"

struct lws;

/* Everything but the id. The query lies in *target, which is "" with it when memory ran out. */
void cds_web_request_read(struct cds_web_request *out, struct cds_buf *target, struct lws *wsi);

void cds_web_request_credentials(struct cds_web_credentials *out, struct lws *wsi);

#endif
