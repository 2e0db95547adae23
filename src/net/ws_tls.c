/* SPDX-License-Identifier: MIT
 * Builds the SSL_CTX of a WebSocket connection. */
#include "net/ws_tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

const char *cds_ws_tls_reason(long verify_error, unsigned long failure) {
  if (verify_error != X509_V_OK) return cds_tls_verify_reason(verify_error);
  if (ERR_GET_REASON(failure) == SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL) return CDS_TLS_NO_PROTOCOL;
  const char *reason = failure != 0 ? ERR_reason_error_string(failure) : NULL;
  return reason != NULL ? reason : "";
}

static const char *last_reason(void) {
  return cds_ws_tls_reason(X509_V_OK, ERR_peek_last_error());
}

static void note_failure(const SSL *ssl, int where, int result) {
  unsigned long *failure = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
  unsigned long code = ERR_peek_last_error();
  if ((where & SSL_CB_EXIT) != 0 && result <= 0 && code != 0) *failure = code;
}

static bool load_authorities(SSL_CTX *context, const struct cds_tls *tls) {
  if (tls->ca_file == NULL && tls->ca_path == NULL) return SSL_CTX_set_default_verify_paths(context) == 1;
  return SSL_CTX_load_verify_locations(context, tls->ca_file, tls->ca_path) == 1;
}

static bool load_certificate(SSL_CTX *context, const struct cds_tls *tls) {
  if (tls->cert_file == NULL) return true;
  return SSL_CTX_use_certificate_chain_file(context, tls->cert_file) == 1 &&
         SSL_CTX_use_PrivateKey_file(context, tls->key_file, SSL_FILETYPE_PEM) == 1 &&
         SSL_CTX_check_private_key(context) == 1;
}

static enum cds_status configure(SSL_CTX *context, const struct cds_tls *tls, struct cds_error *err) {
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
    return cds_error_set(err, CDS_E_CONFIG, "TLS 1.2 is not available: %s", last_reason());
  bool loaded = load_authorities(context, tls);
  if (!loaded && cds_tls_lacks_descriptors())
    return cds_error_set(err, CDS_E_MEMORY, "certificate authorities do not load: too many open files");
  if (!loaded)
    return cds_error_set(err, CDS_E_CONFIG, "certificate authorities of \"%s\" do not load: %s",
                         tls->ca_file != NULL   ? tls->ca_file
                         : tls->ca_path != NULL ? tls->ca_path
                                                : "the system",
                         last_reason());
  if (!load_certificate(context, tls))
    return cds_error_set(err, CDS_E_CONFIG, "client certificate \"%s\" does not load: %s", tls->cert_file,
                         last_reason());
  return CDS_OK;
}

enum cds_status cds_ws_tls_new(SSL_CTX **out, unsigned long *failure, const struct cds_tls *tls,
                               struct cds_error *err) {
  *out = NULL;
  ERR_clear_error();
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (context == NULL) return cds_error_set(err, CDS_E_MEMORY, "no TLS context: %s", last_reason());
  SSL_CTX_set_app_data(context, failure);
  SSL_CTX_set_info_callback(context, note_failure);
  enum cds_status status = configure(context, tls, err);
  ERR_clear_error();
  if (status != CDS_OK) {
    SSL_CTX_free(context);
    return status;
  }
  *out = context;
  return CDS_OK;
}

bool cds_ws_tls_expect(SSL_CTX *context, const char *host) {
  X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(param, NULL, 0) != 1 || X509_VERIFY_PARAM_set1_ip(param, NULL, 0) != 1) return false;
  return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 || X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}
