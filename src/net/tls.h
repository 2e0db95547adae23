/* SPDX-License-Identifier: MIT
 * TLS settings shared by REST and WebSocket, and the check that the process has the OpenSSL we were built for. */
#ifndef CDS_TLS_H
#define CDS_TLS_H

#include "base/error.h"

/* All texts are borrowed; NULL: not set. When ca_file or ca_path is set, the system's authorities are not used. */
struct cds_tls {
  const char *ca_file, *ca_path;
  const char *cert_file, *key_file; /* client certificate, PEM */
  bool insecure_skip_verify;
};

/* CDS_E_CONFIG when a named file or directory cannot be read, or a client certificate has no key (and vice versa). */
CDS_MUST_CHECK enum cds_status cds_tls_check(const struct cds_tls *tls, struct cds_error *err);

/* To be called once when the module is loaded. A program that carries an OpenSSL of its own and exports its symbols
 * would have its functions called in place of the shared library's, with structs of another layout: refuse that,
 * saying why. CDS_E_CONFIG then. */
CDS_MUST_CHECK enum cds_status cds_tls_check_library(struct cds_error *err);

/* Neither OpenSSL nor libcurl tell that a file or socket was not to be had because the process has too many open: asked
 * right after such a failure. */
bool cds_tls_lacks_descriptors(void);

/* What is said where the server takes none of the protocols offered to it (ALPN). Not every OpenSSL has words for that
 * alert: 3.0.13 gives its number only. */
#define CDS_TLS_NO_PROTOCOL "the server accepts no application protocol that was offered (ALPN)"

/* OpenSSL's words for a certificate verification result (X509_V_ERR_…), "" for 0. */
const char *cds_tls_verify_reason(long verify_result);

#endif
