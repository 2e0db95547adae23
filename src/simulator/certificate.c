/* SPDX-License-Identifier: MIT
 * P-256 certificates by OpenSSL, good ones and four kinds that a client must refuse. */
#include "simulator/certificate.h"

#include "base/private_file.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAY 86400L

struct plan {
  const char *name, *alternative_names; /* NULL: an authority */
  long from, until;                     /* seconds from now */
};

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  bool good = extension && X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return good;
}

static bool set_extensions(X509 *certificate, X509 *issuer, const struct plan *plan) {
  if (!add_extension(certificate, issuer, NID_subject_key_identifier, "hash")) return false;
  if (!plan->alternative_names)
    return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, issuer, NID_authority_key_identifier, "keyid") &&
         add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth") &&
         add_extension(certificate, issuer, NID_subject_alt_name, plan->alternative_names);
}

static bool set_serial(X509 *certificate) {
  uint64_t serial = 0;
  if (RAND_bytes((unsigned char *)&serial, sizeof serial) != 1) return false;
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1);
}

/* issuer NULL: signs itself */
static X509 *make(const struct plan *plan, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key) {
  X509 *certificate = X509_new();
  if (!certificate) return NULL;
  X509_NAME *name = X509_get_subject_name(certificate);
  bool good = X509_set_version(certificate, 2) && set_serial(certificate) &&
              X509_gmtime_adj(X509_getm_notBefore(certificate), plan->from) &&
              X509_gmtime_adj(X509_getm_notAfter(certificate), plan->until) &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)plan->name, -1, -1, 0) &&
              X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : name) &&
              X509_set_pubkey(certificate, key) && set_extensions(certificate, issuer ? issuer : certificate, plan) &&
              X509_sign(certificate, issuer_key, EVP_sha256());
  if (good) return certificate;
  X509_free(certificate);
  return NULL;
}

enum cds_status cds_sim_certificate_change(struct cds_sim_certificate *certificate, const char *kind,
                                           struct cds_error *err) {
  struct plan server = {"localhost", "DNS:localhost,IP:127.0.0.1,IP:::1", -DAY, 90 * DAY};
  if (strcmp(kind, "wrong_host") == 0) {
    server.name = "wrong.example";
    server.alternative_names = "DNS:wrong.example";
  } else if (strcmp(kind, "expired") == 0) {
    server.from = -30 * DAY;
    server.until = -DAY;
  } else if (strcmp(kind, "not_yet_valid") == 0) {
    server.from = DAY;
  } else if (strcmp(kind, "good") != 0 && strcmp(kind, "self_signed") != 0) {
    return cds_error_set(err, CDS_E_CONFIG, "there is no certificate \"%.40s\"", kind);
  }
  bool alone = strcmp(kind, "self_signed") == 0;
  X509 *made = make(&server, certificate->key, alone ? NULL : certificate->authority,
                    alone ? certificate->key : certificate->authority_key);
  if (!made) return cds_error_set(err, CDS_E_MEMORY, "OpenSSL cannot make a certificate");
  X509_free(certificate->server);
  certificate->server = made;
  return CDS_OK;
}

enum cds_status cds_sim_certificate_init(struct cds_sim_certificate *out, const char *kind, struct cds_error *err) {
  static const struct plan authority = {"Data Streams simulator authority", NULL, -DAY, 365 * DAY};
  *out = (struct cds_sim_certificate){.key = EVP_EC_gen("P-256"), .authority_key = EVP_EC_gen("P-256")};
  if (out->authority_key && out->key) out->authority = make(&authority, out->authority_key, NULL, out->authority_key);
  enum cds_status status = out->authority ? cds_sim_certificate_change(out, kind, err)
                                          : cds_error_set(err, CDS_E_MEMORY, "OpenSSL cannot make a certificate");
  if (status != CDS_OK) cds_sim_certificate_clear(out);
  return status;
}

void cds_sim_certificate_clear(struct cds_sim_certificate *certificate) {
  X509_free(certificate->authority);
  X509_free(certificate->server);
  EVP_PKEY_free(certificate->key);
  EVP_PKEY_free(certificate->authority_key);
  *certificate = (struct cds_sim_certificate){0};
}

enum cds_status cds_sim_certificate_write(const struct cds_sim_certificate *certificate, const char *path,
                                          struct cds_error *err) {
  BIO *pem = BIO_new(BIO_s_mem());
  enum cds_status status = CDS_E_MEMORY;
  if (pem && PEM_write_bio_X509(pem, certificate->authority) == 1) {
    char *text = NULL;
    long length = BIO_get_mem_data(pem, &text);
    status = cds_public_file(path, text, (size_t)length, err);
  } else {
    cds_error_set(err, CDS_E_MEMORY, "OpenSSL cannot write a certificate");
  }
  BIO_free(pem);
  return status;
}
