/* SPDX-License-Identifier: MIT
 * The engine's face: a client, its REST calls and its streams. Nothing here blocks on the network; everything
 * that takes time is a call or a stream with a descriptor to wait on (readable exactly while there is something to
 * take). A call, stream and client are used by one thread at a time (the script's); the engine's own threads work
 * behind them. A process that forked gets CDS_E_CLOSED with the reason from every function but the _free ones. */
#ifndef CDS_CLIENT_H
#define CDS_CLIENT_H

#include "rest/script_call.h"
#include "rest/trades.h"
#include "stream/stream.h"
#include "stream/subscribe.h"

/* Takes the contents of *config (it is left cleared), also when it fails. Starts no thread and opens no socket. */
CDS_MUST_CHECK enum cds_status cds_client_new(struct cds_client **out, struct cds_config *config,
                                              struct cds_error *err);

/* Ends every call (CDS_E_CLOSED) and stream, joins the threads, wipes the secret. Idempotent; returns within a second. */
void cds_client_close(struct cds_client *client);

/* Closes, then drops the caller's reference; calls and streams still alive keep their memory valid. */
void cds_client_free(struct cds_client *client);

void cds_client_stats(struct cds_client_stats *out, struct cds_client *client);

#endif
