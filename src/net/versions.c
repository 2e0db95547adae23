/* SPDX-License-Identifier: MIT
 * Each library is asked. */
#include "net/versions.h"

#include <libwebsockets.h>
#include <openssl/crypto.h>

#include "net/curl.h"

enum cds_status cds_versions(struct cds_versions *out, struct cds_error *err) {
  const struct cds_curl *curl;
  *out = (struct cds_versions){.libwebsockets = lws_get_library_version(), .openssl = OpenSSL_version(OPENSSL_VERSION)};
  enum cds_status status = cds_curl_load(&curl, err);
  if (status == CDS_OK) out->libcurl = curl->version_info(CURLVERSION_NOW)->version;
  return status;
}
