/* SPDX-License-Identifier: MIT
 * libcurl's failures as our errors: kind, whether to retry, words, no secrets. */
#include "tap.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/x509_vfy.h>
#include <sys/resource.h>

#include "net/rest_error.h"

static struct cds_rest_result result;
static const struct cds_rest_options options = {.timeout = 30, .connect_timeout = 5};

static void expect(CURLcode code, enum cds_status status, bool retryable, const char *message) {
  struct cds_error err;
  ok(cds_rest_error(&err, (int)code, &result, &options, "https://h:1") == status, "code %d", (int)code);
  is_string(err.message, message, "message");
  is_number(err.status, status, "and in the error");
  ok(err.retryable == retryable, "retryable: %s", retryable ? "yes" : "no");
  result = (struct cds_rest_result){0};
}

static void reason(const char *text) {
  snprintf(result.reason, sizeof result.reason, "%s", text);
}

static void test_certificates(void) {
  result.verify_result = X509_V_ERR_CERT_HAS_EXPIRED;
  reason("SSL certificate problem: certificate has expired");
  expect(CURLE_PEER_FAILED_VERIFICATION, CDS_E_NETWORK, false, "https://h:1: TLS: certificate has expired");
  result.verify_result = X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
  expect(CURLE_PEER_FAILED_VERIFICATION, CDS_E_NETWORK, false,
         "https://h:1: TLS: self-signed certificate in certificate chain");
  result.verify_result = X509_V_ERR_UNSPECIFIED;
  reason("SSL: no alternative certificate subject name matches target host name 'h'");
  expect(CURLE_PEER_FAILED_VERIFICATION, CDS_E_NETWORK, false,
         "https://h:1: TLS: host name does not match certificate");
  result.verify_result = X509_V_ERR_UNSPECIFIED;
  reason("SSL: something else");
  expect(CURLE_PEER_FAILED_VERIFICATION, CDS_E_NETWORK, false, "https://h:1: TLS: SSL: something else");
  reason("could not load PEM client certificate");
  expect(CURLE_SSL_CERTPROBLEM, CDS_E_NETWORK, false, "https://h:1: TLS: could not load PEM client certificate");
  static const char no_protocol[] =
    "https://h:1: TLS: the server accepts no application protocol that was offered (ALPN)";
  reason("OpenSSL/3.0.13: error:0A000460:SSL routines::reason(1120)");
  expect(CURLE_SSL_CONNECT_ERROR, CDS_E_NETWORK, true, no_protocol);
  reason("OpenSSL/3.0.19: error:0A000460:SSL routines::tlsv1 alert no application protocol");
  expect(CURLE_SSL_CONNECT_ERROR, CDS_E_NETWORK, true, no_protocol);
  reason("unsupported protocol");
  expect(CURLE_SSL_CONNECT_ERROR, CDS_E_NETWORK, true, "https://h:1: unsupported protocol");
}

static void test_reasons(void) {
  reason("SSL: something else");
  expect(CURLE_PEER_FAILED_VERIFICATION, CDS_E_NETWORK, false, "https://h:1: TLS: SSL: something else");
  reason("x");
  expect(CURLE_RECV_ERROR, CDS_E_NETWORK, true, "https://h:1: x");
  reason("no route");
  expect(CURLE_COULDNT_CONNECT, CDS_E_NETWORK, true, "https://h:1: cannot connect: no route");
  result.os_error = EPERM; /* the first one */
  expect(CURLE_COULDNT_CONNECT, CDS_E_NETWORK, true, "https://h:1: cannot connect: Operation not permitted");
}

static void test_others(void) {
  reason("transfer closed with 3 bytes remaining to read");
  expect(CURLE_PARTIAL_FILE, CDS_E_NETWORK, true,
         "https://h:1: the answer was cut short: transfer closed with 3 bytes remaining to read");
  expect(CURLE_ABORTED_BY_CALLBACK, CDS_E_MEMORY, true, "https://h:1: the request could not be signed");
  expect(CURLE_OPERATION_TIMEDOUT, CDS_E_TIMEOUT, true, "https://h:1: no connection within 5 s (connect_timeout)");
  result.connected = true;
  expect(CURLE_OPERATION_TIMEDOUT, CDS_E_TIMEOUT, true, "https://h:1: no complete answer within 30 s (timeout)");
  reason("Failed writing body");
  expect(CURLE_WRITE_ERROR, CDS_E_NETWORK, true, "https://h:1: Failed writing body");
  result.excess = "headers";
  expect(CURLE_WRITE_ERROR, CDS_E_DECODE, false, "https://h:1: the answer's headers are longer than 64 KiB");
  result.excess = "body";
  expect(CURLE_WRITE_ERROR, CDS_E_DECODE, false, "https://h:1: the answer's body is larger than 16 MiB");
  result.append_status = CDS_E_MEMORY;
  expect(CURLE_WRITE_ERROR, CDS_E_MEMORY, true, "https://h:1: out of memory while an answer came in");
  reason("Error while processing content unencoding: invalid block type");
  expect(
    CURLE_BAD_CONTENT_ENCODING, CDS_E_DECODE, false,
    "https://h:1: the answer could not be decompressed: Error while processing content unencoding: invalid block type");
  result.os_error = ECONNREFUSED;
  reason("Failed to connect to h port 1 after 0 ms: Couldn't connect to server");
  expect(CURLE_COULDNT_CONNECT, CDS_E_NETWORK, true, "https://h:1: cannot connect: Connection refused");
  expect(CURLE_OUT_OF_MEMORY, CDS_E_MEMORY, true, "https://h:1: out of memory");
  expect(CURLE_RECV_ERROR, CDS_E_NETWORK, true, "https://h:1: Failure when receiving data from the peer");
  reason("Connection reset\r\nby peer");
  expect(CURLE_RECV_ERROR, CDS_E_NETWORK, true, "https://h:1: Connection reset\\x0d\\x0aby peer");
  reason("OpenSSL SSL_read: OpenSSL/3.5.9: error:0A000126:SSL routines::unexpected eof while reading, errno 0");
  expect(CURLE_RECV_ERROR, CDS_E_NETWORK, true, "https://h:1: the answer was cut short: the connection ended");
  result.has_begun = true; /* libcurl's code for a header line past its bound */
  expect(CURLE_OUT_OF_MEMORY, CDS_E_DECODE, false, "https://h:1: the answer's headers are longer than 64 KiB");
}

/* By way of a proxy it is the proxy that is not reached; its password is not told. */
static void test_by_proxy(void) {
  struct cds_url url = {.tls = true, .host = (char *)"h", .port = 1, .base = (char *)""};
  struct cds_rest_options by_proxy = {
    .timeout = 30, .connect_timeout = 5, .url = &url, .proxy = "http://user:hunter2@p.example:3128"};
  struct cds_error err;
  result.os_error = ECONNREFUSED;
  is_number(cds_rest_error(&err, (int)CURLE_COULDNT_CONNECT, &result, &by_proxy, "https://h:1"), CDS_E_NETWORK,
            "refused");
  is_number(err.status, CDS_E_NETWORK, "which is told");
  is_string(err.message, "https://h:1: cannot connect to the proxy p.example:3128: Connection refused", "by whom");
  by_proxy.proxy = "";
  (void)!cds_rest_error(&err, (int)CURLE_COULDNT_CONNECT, &result, &by_proxy, "https://h:1");
  is_string(err.message, "https://h:1: cannot connect: Connection refused", "without one it is the service");
  by_proxy.proxy = "socks5://p.example:1";
  (void)!cds_rest_error(&err, (int)CURLE_COULDNT_CONNECT, &result, &by_proxy, "https://h:1");
  is_string(err.message, "https://h:1: cannot connect: Connection refused", "as it is where the setting is none");
  result = (struct cds_rest_result){0};
}

/* libcurl quotes a proxy URL which it does not understand. */
static void test_proxy(void) {
  static const char words[] = "https://h:1: the proxy's name could not be resolved, or its URL is not understood";
  reason("Unsupported proxy scheme for 'ftp://user:hunter2@h'");
  expect(CURLE_COULDNT_CONNECT, CDS_E_NETWORK, true, words);
  reason("Unsupported proxy syntax in 'http://user:hunter2@h'");
  expect(CURLE_COULDNT_RESOLVE_PROXY, CDS_E_NETWORK, true, words);
}

/* Whatever needs a descriptor fails for want of one, whichever words libcurl has for it; the rest does not. */
static void test_no_descriptors(void) {
  static const char words[] = "https://h:1: cannot connect: too many open files";
  struct rlimit before;
  if (!ok(getrlimit(RLIMIT_NOFILE, &before) == 0, "there is a limit of descriptors")) return;
  const struct rlimit none = {0, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  expect(CURLE_COULDNT_RESOLVE_HOST, CDS_E_MEMORY, true, words);
  expect(CURLE_COULDNT_CONNECT, CDS_E_MEMORY, true, words);
  expect(CURLE_SSL_CACERT_BADFILE, CDS_E_MEMORY, true, words);
  expect(CURLE_SSL_CERTPROBLEM, CDS_E_MEMORY, true, words);
  expect(CURLE_RECV_ERROR, CDS_E_NETWORK, true, "https://h:1: Failure when receiving data from the peer");
  setrlimit(RLIMIT_NOFILE, &before);
  reason("no name");
  expect(CURLE_COULDNT_RESOLVE_HOST, CDS_E_NETWORK, true, "https://h:1: no name");
}

int main(void) {
  struct cds_error err;
  ok(cds_rest_error(&err, (int)CURLE_OK, &result, &options, "https://h:1") == CDS_OK, "no failure, no error");
  test_certificates();
  test_others();
  test_proxy();
  test_by_proxy();
  test_reasons();
  test_no_descriptors();
  return done();
}
