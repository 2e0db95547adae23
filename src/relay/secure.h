/* SPDX-License-Identifier: MIT
 * TLS over a socket that never waits. Used by one thread at a time. */
#ifndef CDS_RELAY_SECURE_H
#define CDS_RELAY_SECURE_H

#include <sys/types.h>

#include "net/tls.h"

struct cds_security; /* what connections have in common: authorities, a certificate of ours */
struct cds_secure;   /* one connection's */

/* The peer's certificate is always verified. CDS_E_CONFIG when a file does not load. */
CDS_MUST_CHECK enum cds_status cds_security_open(struct cds_security **out, const struct cds_tls *tls,
                                                 struct cds_error *err);
void cds_security_unref(struct cds_security *security); /* NULL is accepted; its connections keep it too */

/* Over the socket, which stays the caller's, to a server that has a certificate for this host name or address. */
CDS_MUST_CHECK enum cds_status cds_secure_open(struct cds_secure **out, struct cds_security *security, int fd,
                                               const char *host, struct cds_error *err);
void cds_secure_free(struct cds_secure *secure); /* NULL is accepted */

enum cds_secure_wait {
  CDS_SECURE_DONE,
  CDS_SECURE_TO_READ,  /* again once the socket is readable */
  CDS_SECURE_TO_WRITE, /* again once it is writable */
  CDS_SECURE_ENDED,    /* the peer has said that nothing more comes */
  CDS_SECURE_FAILED
};

/* One step each: bytes may be sent and received after the handshake is done. *moved: bytes, more than 0 when done. At
 * most `size` are received, which should be 16,384 or more: then none are left that the socket does not show. */
CDS_MUST_CHECK enum cds_secure_wait cds_secure_handshake(struct cds_secure *secure, struct cds_error *err);
CDS_MUST_CHECK enum cds_secure_wait cds_secure_send(size_t *moved, struct cds_secure *secure, const void *data,
                                                    size_t length, struct cds_error *err);
CDS_MUST_CHECK enum cds_secure_wait cds_secure_receive(size_t *moved, struct cds_secure *secure, void *data,
                                                       size_t size, struct cds_error *err);

#endif
