/* SPDX-License-Identifier: MIT
 * TLS settings, and the OpenSSL that the process has: here the shared one. */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net/tls.h"
#include "system_faults.h"

static struct system_fault of_open;

SYSTEM_CALL int open(const char *path, int flags, ...) {
  return system_fails(&of_open) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags);
}

static void expect(struct cds_tls tls, const char *words) {
  struct cds_error err = {0};
  enum cds_status status = cds_tls_check(&tls, &err);
  ok(status == (words == NULL ? CDS_OK : CDS_E_CONFIG), "%s", words == NULL ? "accepted" : words);
  if (words != NULL) ok(strstr(err.message, words) != NULL, "in: %s", err.message);
}

static bool lacks_below(int limit) {
  struct rlimit before;
  if (getrlimit(RLIMIT_NOFILE, &before) != 0) exit(1);
  const struct rlimit some = {(rlim_t)limit, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &some);
  bool lacks = cds_tls_lacks_descriptors();
  setrlimit(RLIMIT_NOFILE, &before);
  return lacks;
}

static void test_descriptors(void) {
  close(STDIN_FILENO); /* so that 0 is one of those to be had */
  int first = open("/", O_RDONLY), second = open("/", O_RDONLY);
  close(first), close(second);
  ok(first == 0 && lacks_below(first), "descriptors lack where none is to be had");
  ok(lacks_below(second), "or one only");
  errno = EMFILE; /* of something before */
  ok(!lacks_below(second + 1), "but not where two are");
  ok(open("/", O_RDONLY) == first && open("/", O_RDONLY) == second, "and none is kept");
  close(first), close(second);
}

static bool lacks_for(int after, int reason) {
  of_open = (struct system_fault){.after = after, .times = 1, .reason = reason};
  bool lacks = cds_tls_lacks_descriptors();
  of_open = (struct system_fault){0};
  return lacks;
}

static void test_reasons(void) {
  size_t open_files = system_open_files();
  for (int after = 0; after < 2; after++) {
    ok(lacks_for(after, EMFILE) && lacks_for(after, ENFILE), "they lack in the process, or in the system");
    ok(!lacks_for(after, EACCES) && !lacks_for(after, ENOMEM), "and not where opening fails for another reason");
  }
  is_number(system_open_files(), open_files, "none is kept then");
}

int main(void) {
  struct cds_error err = {0};
  expect((struct cds_tls){0}, NULL);
  expect((struct cds_tls){.ca_file = "/dev/null", .ca_path = "/"}, NULL);
  expect((struct cds_tls){.cert_file = "/dev/null", .key_file = "/dev/null"}, NULL);
  expect((struct cds_tls){.ca_file = "/no/such/file"}, "tls.ca_file: cannot read \"/no/such/file\": No such file");
  expect((struct cds_tls){.ca_path = "/no/such/dir"}, "tls.ca_path: cannot read");
  expect((struct cds_tls){.ca_path = "/dev/null"}, "tls.ca_path: cannot read \"/dev/null\": Permission denied");
  expect((struct cds_tls){.cert_file = "/no", .key_file = "/dev/null"}, "tls.cert_file: cannot read");
  expect((struct cds_tls){.cert_file = "/dev/null", .key_file = "/no"}, "tls.key_file: cannot read");
  expect((struct cds_tls){.cert_file = "/dev/null"}, "expected both or neither");
  is_string(cds_tls_verify_reason(X509_V_OK), "", "a good chain needs no words");
  is_string(cds_tls_verify_reason(X509_V_ERR_CERT_NOT_YET_VALID), "certificate is not yet valid", "OpenSSL's words");
  ok(cds_tls_check_library(&err) == CDS_OK, "the shared OpenSSL is fine %s", err.message);
  test_descriptors();
  test_reasons();
  return done();
}
