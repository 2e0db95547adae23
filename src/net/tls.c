/* SPDX-License-Identifier: MIT
 * Checks of TLS settings and of the OpenSSL found at run time. */
#define _GNU_SOURCE /* dladdr, RTLD_DEFAULT */
#include "net/tls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include <unistd.h>

static enum cds_status check_readable(const char *path, const char *option, int mode, struct cds_error *err) {
  if (path == NULL || access(path, mode) == 0) return CDS_OK;
  return cds_error_set(err, CDS_E_CONFIG, "%s: cannot read \"%s\": %s", option, path, strerror(errno));
}

enum cds_status cds_tls_check(const struct cds_tls *tls, struct cds_error *err) {
  enum cds_status status = check_readable(tls->ca_file, "tls.ca_file", R_OK, err);
  if (status == CDS_OK) status = check_readable(tls->ca_path, "tls.ca_path", R_OK | X_OK, err);
  if (status == CDS_OK) status = check_readable(tls->cert_file, "tls.cert_file", R_OK, err);
  if (status == CDS_OK) status = check_readable(tls->key_file, "tls.key_file", R_OK, err);
  if (status == CDS_OK && (tls->cert_file == NULL) != (tls->key_file == NULL))
    return cds_error_set(err, CDS_E_CONFIG, "tls.cert_file and tls.key_file: expected both or neither");
  return status;
}

enum cds_status cds_tls_check_library(struct cds_error *err) {
  unsigned long major = OpenSSL_version_num() >> 28;
  if (major != OPENSSL_VERSION_MAJOR)
    return cds_error_set(err, CDS_E_CONFIG,
                         "built for OpenSSL %d, but the process has %s; rebuild the module or the host",
                         OPENSSL_VERSION_MAJOR, OpenSSL_version(OPENSSL_VERSION));
  Dl_info info;
  void *symbol = dlsym(RTLD_DEFAULT, "SSL_CTX_new");
  if (symbol == NULL || dladdr(symbol, &info) == 0 || info.dli_fname == NULL ||
      strstr(info.dli_fname, "libssl") != NULL)
    return CDS_OK;
  return cds_error_set(err, CDS_E_CONFIG,
                       "\"%s\" exports an OpenSSL of its own, which the shared libraries would call by mistake; "
                       "use a build of it that links libssl dynamically",
                       info.dli_fname);
}

bool cds_tls_lacks_descriptors(void) {
  int first = open("/", O_RDONLY | O_CLOEXEC); /* in place of the failed attempt's socket, closed by now */
  int second = first < 0 ? -1 : open("/", O_RDONLY | O_CLOEXEC);
  bool lacks = second < 0 && (errno == EMFILE || errno == ENFILE);
  if (first >= 0) close(first);
  if (second >= 0) close(second);
  return lacks;
}

const char *cds_tls_verify_reason(long verify_result) {
  return verify_result == X509_V_OK ? "" : X509_verify_cert_error_string(verify_result);
}
