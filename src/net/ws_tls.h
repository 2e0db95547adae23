/* SPDX-License-Identifier: MIT
 * The OpenSSL settings of WebSocket connections, and of those to Redis. libwebsockets' own check of the peer's name cuts
 * long names and takes the part before a ':' only (nothing, for an IPv6 address), so the name is checked through the
 * SSL_CTX here. */
#ifndef CDS_WS_TLS_H
#define CDS_WS_TLS_H

#include <openssl/ssl.h>

#include "net/tls.h"

/* A client context: TLS 1.2 or later, peer verification on. CDS_E_CONFIG when a file does not load. OpenSSL's code of
 * the last failed handshake is kept in *failure (which must outlive the context), as libwebsockets empties the error
 * queue before anyone else could read it. */
CDS_MUST_CHECK enum cds_status cds_ws_tls_new(SSL_CTX **out, unsigned long *failure, const struct cds_tls *tls,
                                              struct cds_error *err);

/* Connections made from now on must present a certificate for this host name or address. */
CDS_MUST_CHECK bool cds_ws_tls_expect(SSL_CTX *context, const char *host);

/* The reason of a TLS failure in words: a certificate's fault (an X509_V_ERR_ code, 0 for none), else OpenSSL's own,
 * "" when there is neither. */
const char *cds_ws_tls_reason(long verify_error, unsigned long failure);

#endif
