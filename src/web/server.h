/* SPDX-License-Identifier: MIT
 * A small HTTP/1.1 server for the command line, on libwebsockets' own: it listens, reads requests, and sends what its
 * owner gives it. All of it happens in the owner's thread, in cds_web_step. A connection has one request; whoever sends
 * no request, or takes no answer, is cut off. */
#ifndef CDS_WEB_SERVER_H
#define CDS_WEB_SERVER_H

#include "base/error.h"

#define CDS_WEB_MAX_CONNECTIONS 256       /* further ones are closed at once */
#define CDS_WEB_MAX_HEADERS 4096          /* bytes; a connection that sends more is closed */
#define CDS_WEB_PATIENCE 5                /* seconds for a request, and for each piece of an answer to be taken */
#define CDS_WEB_MAX_WAITING (1024 * 1024) /* bytes to be sent of one connection, beyond its first answer */

/* Of a server with a gate. */
#define CDS_WEB_MAX_SIGNED_HEADERS (32 * 1024) /* bytes of headers: ids of some 450 feeds */
#define CDS_WEB_MAX_MESSAGES (4 * 1024 * 1024) /* bytes that wait for one WebSocket */
#define CDS_WEB_MAX_WATCHED 64                 /* descriptors that a step may wait for */

struct cds_web_server;
struct cds_web_gate;

struct cds_web_request {
  uint64_t id;                /* names the connection until it has ended; never used again */
  char method[8];             /* "GET", "HEAD", or "" for any other */
  char path[256];             /* decoded, without the query; "" when it is longer */
  char resume[24];            /* the header Last-Event-ID, "" when it is absent or longer */
  const char *target, *query; /* with and without the path, decoded: until the next step */
  int refusal;                /* the status by which the gate refuses it, 0: it does not */
  const char *reason;
};

/* Listens on an IP address; port 0 takes a free one, CDS_WEB_LOCAL says that host is the path of a socket for this user
 * alone. With a gate, which it owns from now on, even if it fails, requests are checked, and those for /api/v1/ws and
 * /api/v2/ws become WebSockets of the feeds that they name. CDS_E_CONFIG: that is no address; CDS_E_NETWORK: no listening
 * there. Sets *out in any case. */
#define CDS_WEB_LOCAL (-1)
CDS_MUST_CHECK enum cds_status cds_web_server_new(struct cds_web_server **out, const char *host, int port,
                                                  struct cds_web_gate *gate, struct cds_error *err);
void cds_web_server_free(struct cds_web_server *server);
int cds_web_port(const struct cds_web_server *server);

/* Waits until there is something to do, one of count descriptors is readable (further ones than CDS_WEB_MAX_WATCHED are
 * not waited for), a signal comes, or the time is over, and does it. *ready: one is readable. CDS_E_MEMORY: they cannot be
 * watched. */
CDS_MUST_CHECK enum cds_status cds_web_step(struct cds_web_server *server, const int *fds, size_t count,
                                            int64_t wait_ms, bool *ready, struct cds_error *err);

/* The oldest request that nobody has taken; false: there is none. */
bool cds_web_take(struct cds_web_server *server, struct cds_web_request *out);

/* Sends bytes of the answer; with `more` the connection stays open for others, else it ends after them. False: it has
 * ended, or ends now, as its peer reads too slowly, or memory ran out. */
bool cds_web_send(struct cds_web_server *server, uint64_t id, const void *data, size_t length, bool more);

/* Sends a message to all WebSockets that want the gate's feed of that number, which is below cds_web_feeds. One whose peer
 * reads too slowly ends with the code 1013. -> to how many it goes */
size_t cds_web_tell(struct cds_web_server *server, size_t feed, const void *data, size_t length);
size_t cds_web_feeds(const struct cds_web_server *server);   /* how many the gate has */
size_t cds_web_sockets(const struct cds_web_server *server); /* how many WebSockets there are */

#endif
