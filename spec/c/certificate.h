/* SPDX-License-Identifier: MIT
 * Certificates for the tests, signed by themselves. */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

/* A certificate for this name, and its key: both are the caller's. */
static X509 *certificate_for(const char *name, EVP_PKEY **key) {
  char names[128];
  X509 *made = X509_new();
  *key = EVP_EC_gen("P-256");
  snprintf(names, sizeof names, "DNS:%s", name);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
  if (made == NULL || *key == NULL || extension == NULL) exit(1);
  X509_set_version(made, X509_VERSION_3);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(made));
  X509_gmtime_adj(X509_getm_notBefore(made), -60);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_add_ext(made, extension, -1);
  X509_set_pubkey(made, *key);
  X509_sign(made, *key, EVP_sha256());
  X509_EXTENSION_free(extension);
  return made;
}

#endif
