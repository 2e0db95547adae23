/* SPDX-License-Identifier: MIT
 * How far a request came and whose certificate it was shown, by each thing that libcurl may tell. Failures of every
 * stage cannot be had at will: a table of functions tells what libcurl would. */
#include "net/journey.h"

#include <time.h>

#include "tap.h"

/* ---- what libcurl tells ---- */

static curl_off_t times[5]; /* microseconds: name, TCP, TLS, sent, total */
static char *address;
static struct curl_certinfo *chain;
static CURLcode of_times, of_address, of_chain, of_option;
static CURLoption asked_for;
static long asked_with;

static CURLcode getinfo(CURL *easy, CURLINFO info, ...) {
  static const CURLINFO of_time[] = {CURLINFO_NAMELOOKUP_TIME_T, CURLINFO_CONNECT_TIME_T, CURLINFO_APPCONNECT_TIME_T,
                                     CURLINFO_PRETRANSFER_TIME_T, CURLINFO_TOTAL_TIME_T};
  va_list arguments;
  (void)easy;
  va_start(arguments, info);
  void *out = va_arg(arguments, void *);
  va_end(arguments);
  for (size_t i = 0; i < sizeof of_time / sizeof *of_time; i++)
    if (of_time[i] == info && of_times == CURLE_OK) *(curl_off_t *)out = times[i];
  if (info == CURLINFO_PRIMARY_IP) *(char **)out = address;
  if (info == CURLINFO_CERTINFO) *(struct curl_certinfo **)out = chain;
  return info == CURLINFO_PRIMARY_IP ? of_address : info == CURLINFO_CERTINFO ? of_chain : CURLE_OK;
}

static CURLcode setopt(CURL *easy, CURLoption option, ...) {
  va_list arguments;
  (void)easy;
  va_start(arguments, option);
  asked_for = option;
  asked_with = va_arg(arguments, long);
  va_end(arguments);
  return of_option;
}

/* The texts of the tests are numbers. */
static time_t getdate(const char *text, const time_t *now) {
  int seconds;
  (void)now;
  return sscanf(text, "%d", &seconds) == 1 ? seconds : -1;
}

static const struct cds_curl curl = {.easy_getinfo = getinfo, .easy_setopt = setopt, .getdate = getdate};

static struct cds_journey journey;

static void read_journey(CURLcode code) {
  memset(&journey, 0x55, sizeof journey);
  cds_journey_read(&journey, &curl, NULL, code);
}

/* ---- stages ---- */

static void test_names(void) {
  static const char *const names[] = {"name", "tcp", "tls", "answer", "done"};
  for (int i = 0; i < 5; i++) is_string(cds_stage_name((enum cds_stage)i), names[i], names[i]);
  is_string(cds_stage_name((enum cds_stage)5), "", "there is no other stage");
  is_string(cds_stage_name((enum cds_stage) - 1), "", "nor one before them");
}

static void test_codes(void) {
  static const struct {
    CURLcode code;
    enum cds_stage stage;
  } cases[] = {
    {CURLE_OK, CDS_STAGE_DONE},
    {CURLE_COULDNT_RESOLVE_HOST, CDS_STAGE_NAME},
    {CURLE_COULDNT_RESOLVE_PROXY, CDS_STAGE_NAME},
    {CURLE_COULDNT_CONNECT, CDS_STAGE_TCP},
    {CURLE_SSL_CONNECT_ERROR, CDS_STAGE_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, CDS_STAGE_TLS},
    {CURLE_SSL_CERTPROBLEM, CDS_STAGE_TLS},
    {CURLE_SSL_CIPHER, CDS_STAGE_TLS},
    {CURLE_SSL_CACERT_BADFILE, CDS_STAGE_TLS},
  };
  for (size_t i = 0; i < 5; i++) times[i] = 1;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    read_journey(cases[i].code);
    is_number(journey.stage, cases[i].stage, "a code that tells the stage by itself");
  }
}

/* A request that ran out of time ended in the stage whose end it has no time of. */
static void test_times(void) {
  static const enum cds_stage expected[] = {CDS_STAGE_NAME, CDS_STAGE_TCP, CDS_STAGE_TLS, CDS_STAGE_TLS,
                                            CDS_STAGE_ANSWER};
  for (size_t reached = 0; reached <= 4; reached++) {
    for (size_t i = 0; i < 5; i++) times[i] = i < reached ? 1 : 0;
    read_journey(CURLE_OPERATION_TIMEDOUT);
    is_number(journey.stage, expected[reached], "how far it came shows in the times");
  }
  const curl_off_t all[] = {1500000, 2000000, 2500001, 3000000, 4250000};
  memcpy(times, all, sizeof times);
  read_journey(CURLE_OPERATION_TIMEDOUT);
  ok(journey.name_s == 1.5 && journey.tcp_s == 2 && journey.tls_s == 2.500001 && journey.sent_s == 3 &&
       journey.total_s == 4.25,
     "each of them is told in seconds");
  of_times = CURLE_UNKNOWN_OPTION;
  read_journey(CURLE_OPERATION_TIMEDOUT);
  ok(journey.name_s == 0 && journey.total_s == 0, "what libcurl does not know is none");
  of_times = CURLE_OK;
}

/* ---- the peer ---- */

static void test_address(void) {
  char long_one[128];
  memset(long_one, '1', sizeof long_one - 1);
  long_one[sizeof long_one - 1] = 0;
  address = "192.0.2.1";
  read_journey(CURLE_OK);
  is_string(journey.address, "192.0.2.1", "the peer's address is told");
  of_address = CURLE_UNKNOWN_OPTION;
  read_journey(CURLE_OK);
  is_string(journey.address, "", "not when libcurl does not know it");
  of_address = CURLE_OK;
  address = NULL;
  read_journey(CURLE_OK);
  is_string(journey.address, "", "nor when there is none");
  address = long_one;
  read_journey(CURLE_OK);
  is_number(strlen(journey.address), sizeof journey.address - 1, "one that is too long is cut");
  address = NULL;
}

static struct curl_slist lines[8];

/* The lines of the peer's certificate, of which the chain has `count`. */
static void set_chain(struct curl_certinfo *info, struct curl_slist **list, int count, const char *const *texts,
                      size_t text_count) {
  for (size_t i = 0; i < text_count; i++)
    lines[i] = (struct curl_slist){(char *)texts[i], i + 1 < text_count ? &lines[i + 1] : NULL};
  *list = lines;
  *info = (struct curl_certinfo){.num_of_certs = count, .certinfo = list};
  chain = info;
}

static void test_certificate(void) {
  static const char *const texts[] = {
    "Subject:CN = a",   "Issuer:CN = b",         "X509v3 Subject Alternative Name:DNS:c",
    "Subject Key:none", "Start date:1700000000", "Expire date:1800000000",
    "Issuer",           "Signature:xyz"};
  struct curl_certinfo info;
  struct curl_slist *list;
  set_chain(&info, &list, 1, texts, sizeof texts / sizeof *texts);
  read_journey(CURLE_OK);
  ok(journey.has_certificate, "a certificate is there");
  is_string(journey.subject, "CN = a", "whose it is");
  is_string(journey.issuer, "CN = b", "who signed it");
  is_string(journey.names, "DNS:c", "its names");
  is_number(journey.valid_from, 1700000000, "from when it is good");
  is_number(journey.valid_until, 1800000000, "and until when");
  set_chain(&info, &list, 1, texts, 2);
  read_journey(CURLE_OK);
  ok(journey.has_certificate && journey.names[0] == 0, "one may have no names");
  ok(journey.valid_from == -1 && journey.valid_until == -1, "times that it does not tell are not known");
}

static void test_no_certificate(void) {
  static const char *const texts[] = {"Subject:CN = a"};
  struct curl_certinfo info;
  struct curl_slist *list;
  set_chain(&info, &list, 0, texts, 1);
  read_journey(CURLE_OK);
  ok(!journey.has_certificate && journey.subject[0] == 0, "a chain without one has none");
  ok(journey.valid_from == -1 && journey.valid_until == -1, "nor its times");
  set_chain(&info, &list, 1, texts, 1);
  of_chain = CURLE_UNKNOWN_OPTION;
  read_journey(CURLE_OK);
  ok(!journey.has_certificate, "nor has a libcurl that tells of none");
  of_chain = CURLE_OK;
  chain = NULL;
  read_journey(CURLE_OK);
  ok(!journey.has_certificate, "nor one that has no chain");
}

static void test_too_long(void) {
  static char subject[1024] = "Subject:", issuer[1024] = "Issuer:", names[1024] = "X509v3 Subject Alternative Name:";
  memset(subject + 8, 's', sizeof subject - 9);
  memset(issuer + 7, 'i', sizeof issuer - 8);
  memset(names + 32, 'n', sizeof names - 33);
  const char *const texts[] = {subject, issuer, names};
  struct curl_certinfo info;
  struct curl_slist *list;
  set_chain(&info, &list, 1, texts, 3);
  read_journey(CURLE_OK);
  is_number(strspn(journey.subject, "s"), sizeof journey.subject - 1, "what is too long is cut: the subject");
  is_number(strspn(journey.issuer, "i"), sizeof journey.issuer - 1, "the issuer");
  is_number(strspn(journey.names, "n"), sizeof journey.names - 1, "the names");
}

static void test_prepare(void) {
  is_number(cds_journey_prepare(&curl, NULL), 0, "libcurl is asked");
  ok(asked_for == CURLOPT_CERTINFO && asked_with == 1, "for certificates");
  of_option = CURLE_UNKNOWN_OPTION;
  is_number(cds_journey_prepare(&curl, NULL), CURLE_UNKNOWN_OPTION, "that it cannot is told");
}

int main(void) {
  test_names();
  test_codes();
  test_times();
  test_address();
  test_certificate();
  test_no_certificate();
  test_too_long();
  test_prepare();
  return done();
}
