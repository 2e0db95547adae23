/* SPDX-License-Identifier: MIT
 * A certificate authority and a server certificate, made anew at each start. */
#ifndef CDS_SIM_CERTIFICATE_H
#define CDS_SIM_CERTIFICATE_H

#include "base/error.h"

#include <openssl/x509.h>

struct cds_sim_certificate {
  X509 *authority, *server;
  EVP_PKEY *key, *authority_key; /* key: the server's */
};

/* kind: "good", "wrong_host", "expired", "not_yet_valid" or "self_signed". */
CDS_MUST_CHECK enum cds_status cds_sim_certificate_init(struct cds_sim_certificate *out, const char *kind,
                                                        struct cds_error *err);

/* Another server certificate of the same key and authority. */
CDS_MUST_CHECK enum cds_status cds_sim_certificate_change(struct cds_sim_certificate *certificate, const char *kind,
                                                          struct cds_error *err);
void cds_sim_certificate_clear(struct cds_sim_certificate *certificate);

/* Writes the authority's certificate as PEM, replacing path at once. */
CDS_MUST_CHECK enum cds_status cds_sim_certificate_write(const struct cds_sim_certificate *certificate,
                                                         const char *path, struct cds_error *err);

#endif
