/* SPDX-License-Identifier: MIT
 * A request as libcurl is given it, option by option, and what is made of what libcurl tells. A table of functions takes
 * libcurl's place, so that each of them can fail. */
#include "net/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "crypto/hmac.h"
#include "net/auth.h"
#include "net/journey.h"
#include "tap.h"

/* ---- what libcurl is given ---- */

typedef void any_function(void);

struct setting {
  CURLoption option;
  long number;
  curl_off_t large;
  void *pointer;
  any_function *function;
  char text[8192];
};

static struct setting settings[64];
static size_t setting_count;
static int fail_option = -1, fail_line = -1; /* the one that fails; negative: none */
static int options_asked, lines_made;
static bool no_handle;
static int handles, lists; /* that are not freed */
static char handle;        /* of libcurl's, as far as anybody can see */
static struct curl_slist *given_lines;

static CURL *easy_init(void) {
  if (no_handle) return NULL;
  handles++;
  return &handle;
}

static void easy_cleanup(CURL *easy) {
  ok(easy == &handle, "a handle that was made is freed");
  handles--;
}

static bool is_text(CURLoption option) {
  switch (option) {
  case CURLOPT_URL:
  case CURLOPT_USERAGENT:
  case CURLOPT_ACCEPT_ENCODING:
#if LIBCURL_VERSION_NUM >= 0x075500
  case CURLOPT_PROTOCOLS_STR:
#endif
  case CURLOPT_CAINFO:
  case CURLOPT_CAPATH:
  case CURLOPT_SSLCERT:
  case CURLOPT_SSLKEY:
  case CURLOPT_PROXY: return true;
  default: return false;
  }
}

static CURLcode easy_setopt(CURL *easy, CURLoption option, ...) {
  struct setting *setting = &settings[setting_count];
  va_list arguments;
  (void)easy;
  if (options_asked++ == fail_option || setting_count == 64) return CURLE_UNKNOWN_OPTION;
  *setting = (struct setting){.option = option};
  va_start(arguments, option);
  if (option >= CURLOPTTYPE_OFF_T) setting->large = va_arg(arguments, curl_off_t);
  else if (option >= CURLOPTTYPE_FUNCTIONPOINT) setting->function = va_arg(arguments, any_function *);
  else if (option >= CURLOPTTYPE_OBJECTPOINT) setting->pointer = va_arg(arguments, void *);
  else setting->number = va_arg(arguments, long);
  va_end(arguments);
  if (is_text(option) && setting->pointer != NULL)
    snprintf(setting->text, sizeof setting->text, "%s", (const char *)setting->pointer);
  if (option == CURLOPT_HTTPHEADER) given_lines = setting->pointer;
  setting_count++;
  return CURLE_OK;
}

static struct curl_slist *slist_append(struct curl_slist *list, const char *text) {
  if (lines_made++ == fail_line) return NULL;
  struct curl_slist *node = calloc(1, sizeof *node), *at = list;
  if (node == NULL || (node->data = strdup(text)) == NULL) exit(1);
  if (list == NULL) {
    lists++;
    return node;
  }
  while (at->next != NULL) at = at->next;
  at->next = node;
  return list;
}

static void slist_free_all(struct curl_slist *list) {
  if (list == NULL) return;
  lists--;
  while (list != NULL) {
    struct curl_slist *next = list->next;
    free(list->data);
    free(list);
    list = next;
  }
}

/* ---- what libcurl tells ---- */

static struct {
  long status, connects, verify_result, os_error;
  curl_off_t total, pretransfer, start; /* microseconds */
  bool knows_nothing;
} told;

static struct cds_exchange exchange;

static CURLcode easy_getinfo(CURL *easy, CURLINFO info, ...) {
  va_list arguments;
  va_start(arguments, info);
  void *out = va_arg(arguments, void *);
  va_end(arguments);
  if (easy != &handle || told.knows_nothing) return CURLE_UNKNOWN_OPTION;
  switch (info) {
  case CURLINFO_RESPONSE_CODE: *(long *)out = told.status; break;
  case CURLINFO_NUM_CONNECTS: *(long *)out = told.connects; break;
  case CURLINFO_SSL_VERIFYRESULT: *(long *)out = told.verify_result; break;
  case CURLINFO_OS_ERRNO: *(long *)out = told.os_error; break;
  case CURLINFO_TOTAL_TIME_T: *(curl_off_t *)out = told.total; break;
  case CURLINFO_PRETRANSFER_TIME_T: *(curl_off_t *)out = told.pretransfer; break;
  case CURLINFO_STARTTRANSFER_TIME_T: *(curl_off_t *)out = told.start; break;
  case CURLINFO_PRIVATE: *(void **)out = &exchange; break;
  default: return CURLE_UNKNOWN_OPTION;
  }
  return CURLE_OK;
}

static const struct cds_curl curl = {.easy_cleanup = easy_cleanup,
                                     .easy_getinfo = easy_getinfo,
                                     .easy_init = easy_init,
                                     .easy_setopt = easy_setopt,
                                     .slist_append = slist_append,
                                     .slist_free_all = slist_free_all};

/* ---- a request ---- */

static const struct cds_url url = {.tls = true, .host = (char *)"h", .port = 8443, .base = (char *)""};
static const struct cds_url plain = {.host = (char *)"::1", .port = 81, .base = (char *)""};
static struct cds_service_clock clock_of_service;
static struct cds_rest_options options;

static bool begin(void) {
  setting_count = 0;
  options_asked = lines_made = 0;
  given_lines = NULL;
  memset(&told, 0, sizeof told);
  cds_buf_init(&exchange.headers, CDS_MAX_HEADER_BYTES);
  cds_buf_init(&exchange.body, 10);
  return cds_transfer_begin(&exchange, &curl, &options);
}

static void end(void) {
  cds_transfer_free(exchange.transfer);
  cds_exchange_clear(&exchange);
  exchange = (struct cds_exchange){.target = "/x?y=1"};
  options = (struct cds_rest_options){.url = &url,
                                      .api_key = "key",
                                      .api_secret = "secret",
                                      .timeout = 1.5,
                                      .connect_timeout = 0.25,
                                      .clock = &clock_of_service};
  ok(handles == 0 && lists == 0, "all of libcurl's is given back");
}

static struct setting *find(CURLoption option) {
  for (size_t i = 0; i < setting_count; i++)
    if (settings[i].option == option) return &settings[i];
  return NULL;
}

static void is_set(CURLoption option, long number, const char *what) {
  const struct setting *setting = find(option);
  if (ok(setting != NULL, "%s is set", what)) is_number(setting->number, number, what);
}

static void is_text_of(CURLoption option, const char *text, const char *what) {
  const struct setting *setting = find(option);
  if (ok(setting != NULL, "%s is set", what)) is_string(setting->text, text, what);
}

static const char *line(size_t index) {
  const struct curl_slist *at = given_lines;
  for (; at != NULL && index > 0; index--) at = at->next;
  return at != NULL ? at->data : "(none)";
}

static void is_signed_now(size_t first, const char *method, int64_t ahead_ms) {
  char expected[160], signature[65];
  const char *stamp = line(first);
  ok(strncmp(stamp, "X-Authorization-Timestamp: ", 27) == 0, "a time: %s", stamp);
  int64_t ms = strtoll(stamp + 27, NULL, 10), now_ms = cds_clock_wall_ms() + ahead_ms;
  ok(ms > now_ms - 600000 && ms <= now_ms, "which is now");
  if (cds_sign_request(signature, method, "/x?y=1", "", 0, "key", "secret", 6, ms) != CDS_OK) exit(1);
  snprintf(expected, sizeof expected, "X-Authorization-Signature-SHA256: %s", signature);
  is_string(line(first + 1), expected, "signed");
  is_string(line(first + 2), "Authorization: key", "by whom");
}

static void test_get(void) {
  const struct cds_header headers[] = {{(char *)"X-Trace", (char *)"abc"}, {(char *)"X-Empty", (char *)""}};
  options.headers = headers;
  options.header_count = 2;
  ok(begin(), "a GET");
  ok(cds_transfer_easy(exchange.transfer) == &handle, "has a handle");
  ok(cds_transfer_of(&curl, &handle) == &exchange, "by which it is found again");
  is_text_of(CURLOPT_URL, "https://h:8443/x?y=1", "where it goes");
  is_set(CURLOPT_PATH_AS_IS, 1, "as it is signed");
  is_set(CURLOPT_HTTPGET, 1, "its method");
  ok(find(CURLOPT_NOBODY) == NULL && find(CURLOPT_POST) == NULL, "which is no other");
  is_text_of(CURLOPT_USERAGENT, CDS_USER_AGENT, "who asks");
  is_text_of(CURLOPT_ACCEPT_ENCODING, "gzip", "compression");
  is_set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS, "the version");
  is_set(CURLOPT_PIPEWAIT, 1, "sharing a connection");
  is_set(CURLOPT_TIMEOUT_MS, 1500, "its time");
  is_set(CURLOPT_CONNECTTIMEOUT_MS, 250, "the time to connect");
  ok(find(CURLOPT_MAXFILESIZE_LARGE) != NULL && find(CURLOPT_MAXFILESIZE_LARGE)->large == CDS_MAX_ANSWER_BYTES,
     "the largest answer");
  is_set(CURLOPT_DNS_CACHE_TIMEOUT, 0, "names are not remembered");
  is_set(CURLOPT_NOSIGNAL, 1, "there are no signals");
#if LIBCURL_VERSION_NUM >= 0x075700
  is_set(CURLOPT_QUICK_EXIT, 1, "nor waits at the end");
#endif
  ok(find(CURLOPT_CERTINFO) == NULL, "of the way nothing is asked");
  is_string(line(0), "X-Trace: abc", "a header of the client's");
  is_string(line(1), "X-Empty;", "one without a value, as libcurl writes it");
  is_string(line(2), "Accept: application/json", "what is wanted");
  is_signed_now(3, "GET", 0);
  is_string(line(6), "(none)", "and no more");
  end();
}

static void test_security(void) {
  ok(begin(), "settings of TLS");
#if LIBCURL_VERSION_NUM >= 0x075500
  is_text_of(CURLOPT_PROTOCOLS_STR, "http,https", "protocols");
#endif
  is_set(CURLOPT_FOLLOWLOCATION, 0, "redirects");
  is_set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2, "the least version");
  is_set(CURLOPT_SSL_VERIFYPEER, 1, "the peer is verified");
  is_set(CURLOPT_SSL_VERIFYHOST, 2, "its name too");
  is_set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1, "a proxy's headers are none of the answer's");
  ok(find(CURLOPT_CAINFO) == NULL && find(CURLOPT_CAPATH) == NULL, "by the system's authorities");
  ok(find(CURLOPT_SSLCERT) == NULL && find(CURLOPT_SSLKEY) == NULL, "without a certificate of its own");
  ok(find(CURLOPT_PROXY) == NULL, "and a proxy as the environment says");
  end();
  options.tls.insecure_skip_verify = true;
  options.tls.ca_file = "authorities";
  options.tls.cert_file = "certificate";
  options.tls.key_file = "key-file";
  options.proxy = "";
  ok(begin(), "others");
  is_set(CURLOPT_SSL_VERIFYPEER, 0, "the peer is not verified");
  is_set(CURLOPT_SSL_VERIFYHOST, 0, "nor its name");
  is_text_of(CURLOPT_CAINFO, "authorities", "authorities of a file");
  ok(find(CURLOPT_CAPATH) != NULL && find(CURLOPT_CAPATH)->pointer == NULL, "and not the system's");
  is_text_of(CURLOPT_SSLCERT, "certificate", "a certificate");
  is_text_of(CURLOPT_SSLKEY, "key-file", "its key");
  is_text_of(CURLOPT_PROXY, "", "no proxy");
  end();
  options.tls.ca_path = "folder";
  ok(begin(), "one more");
  is_text_of(CURLOPT_CAPATH, "folder", "authorities of a folder");
  ok(find(CURLOPT_CAINFO) != NULL && find(CURLOPT_CAINFO)->pointer == NULL, "alone");
  end();
}

static void test_others(void) {
  exchange.head = true;
  exchange.url = &plain;
  ok(begin(), "a HEAD, elsewhere, without TLS");
  is_text_of(CURLOPT_URL, "http://[::1]:81/x?y=1", "where it goes");
  is_set(CURLOPT_NOBODY, 1, "its method");
  ok(find(CURLOPT_HTTPGET) == NULL, "which is no other");
  is_set(CURLOPT_PIPEWAIT, 0, "a connection of its own");
  is_signed_now(1, "HEAD", 0);
  end();
  exchange.anonymous = true;
  exchange.bearer = "to.ken";
  ok(begin(), "one that is not signed");
  is_string(line(1), "Authorization: Bearer to.ken", "shows a token");
  is_string(line(2), "(none)", "and nothing else");
  end();
  exchange.anonymous = true;
  ok(begin() && strcmp(line(1), "(none)") == 0, "or nothing at all");
  end();
}

static void test_post(void) {
  exchange.post = "{}[]";
  exchange.post_length = 2;
  ok(begin(), "a POST");
  is_set(CURLOPT_POST, 1, "its method");
  ok(find(CURLOPT_HTTPGET) == NULL && find(CURLOPT_NOBODY) == NULL, "which is no other");
  ok(find(CURLOPT_POSTFIELDS) != NULL && find(CURLOPT_POSTFIELDS)->pointer == exchange.post, "its body");
  ok(find(CURLOPT_POSTFIELDSIZE_LARGE) != NULL && find(CURLOPT_POSTFIELDSIZE_LARGE)->large == 2, "how long that is");
  is_string(line(1), "Content-Type: application/json", "what it is");
  is_string(line(2), "Expect:", "which waits for nothing");
  is_string(line(3), "(none)", "it is not signed");
  end();
  exchange.post = "a=b";
  exchange.form = true;
  ok(begin() && strcmp(line(1), "Content-Type: application/x-www-form-urlencoded") == 0, "or a form");
  end();
}

/* The longest token, and one more. */
static void test_long_token(void) {
  char token[CDS_MAX_TOKEN_BYTES + 16];
  const size_t longest = sizeof token - sizeof "Bearer ";
  memset(token, 't', sizeof token);
  token[longest] = 0;
  exchange.anonymous = true;
  exchange.bearer = token;
  ok(begin() && strcmp(line(1) + strlen("Authorization: Bearer "), token) == 0, "a long token is shown whole");
  end();
  token[longest] = 't', token[longest + 1] = 0;
  exchange.anonymous = true;
  exchange.bearer = token;
  ok(!begin() && exchange.transfer == NULL, "one that would be cut is not shown");
  end();
}

/* ---- failures on the way to it ---- */

static void test_failures(void) {
  struct cds_journey journey;
  const struct cds_header header = {(char *)"X-Trace", (char *)"abc"};
  static const char *const kinds[] = {"signed", "with a token", "of a form"};
  for (int kind = 0; kind < 3; kind++) {
    int count = 0, lines = 0;
    for (int fail = -1; fail < count + lines; fail++) {
      exchange.journey = &journey;
      exchange.anonymous = kind == 1;
      exchange.bearer = kind == 1 ? "to.ken" : NULL;
      exchange.post = kind == 2 ? "a=b" : NULL;
      options.headers = &header;
      options.header_count = 1;
      options.tls =
        (struct cds_tls){.ca_file = "authorities", .ca_path = "folder", .cert_file = "certificate", .key_file = "key"};
      options.proxy = "p:1";
      fail_option = fail >= 0 && fail < count ? fail : -1;
      fail_line = fail >= count ? fail - count : -1;
      bool begun = begin();
      if (fail < 0) count = (int)setting_count, lines = lines_made;
      if (begun != (fail < 0)) ok(false, "one that is %s, failure %d", kinds[kind], fail);
      if (!begun && exchange.transfer != NULL) ok(false, "something is left of failure %d", fail);
      fail_option = fail_line = -1;
      end();
    }
    ok(count > 20 && lines > 2, "%d options and %d lines may fail", count, lines);
  }
  no_handle = true;
  ok(!begin() && exchange.transfer == NULL, "there may be no handle");
  no_handle = false;
  end();
  for (long after = 0; after < 2; after++) {
    cds_alloc_fail_one(after);
    bool begun = begin();
    cds_alloc_fail_after(-1);
    ok(!begun && exchange.transfer == NULL, "nor memory");
    end();
  }
  cds_transfer_free(NULL);
}

/* ---- signed again ---- */

#if LIBCURL_VERSION_NUM >= 0x075000
static int sign_again(void) {
  const struct setting *function = find(CURLOPT_PREREQFUNCTION), *data = find(CURLOPT_PREREQDATA);
  return ((curl_prereq_callback)function->function)(data->pointer, (char *)"", (char *)"", 1, 2);
}

static void shorten(size_t index) {
  struct curl_slist *at = given_lines;
  for (; index > 0; index--) at = at->next;
  at->data[strlen(at->data) - 1] = 0;
}

static void test_signed_again(void) {
  ok(begin(), "a request that is late");
  clock_of_service.is_followed = true;
  atomic_store(&clock_of_service.ahead_ms, 3600000);
  is_number(sign_again(), CURL_PREREQFUNC_OK, "is signed again");
  is_signed_now(1, "GET", 3600000);
  shorten(1);
  is_number(sign_again(), CURL_PREREQFUNC_ABORT, "where there is no room for a time it is not sent");
  end();
  ok(begin(), "one more");
  shorten(2);
  is_number(sign_again(), CURL_PREREQFUNC_ABORT, "nor where there is none for a signature");
  end();
  clock_of_service.is_followed = false;
  exchange.anonymous = true;
  ok(begin() && sign_again() == CURL_PREREQFUNC_OK && strcmp(line(1), "(none)") == 0, "what is not signed stays so");
  end();
}
#endif

/* ---- what comes in ---- */

static size_t give(CURLoption function, CURLoption data, const char *bytes, size_t size, size_t count) {
  char copy[64];
  memcpy(copy, bytes, size * count < sizeof copy ? size * count : sizeof copy);
  return ((curl_write_callback)find(function)->function)(copy, size, count, find(data)->pointer);
}

static size_t give_header(const char *text) {
  return give(CURLOPT_HEADERFUNCTION, CURLOPT_HEADERDATA, text, 1, strlen(text));
}

static size_t give_body(const char *text, size_t size) {
  return give(CURLOPT_WRITEFUNCTION, CURLOPT_WRITEDATA, text, size, strlen(text) / size);
}

static void is_error(CURLcode code, enum cds_status status, const char *words) {
  cds_transfer_finish(&exchange, code);
  is_number(exchange.status, status, words);
  if (!ok(strstr(exchange.err.message, words) != NULL, "in words: %s", words)) printf("# %s\n", exchange.err.message);
}

static void test_headers(void) {
  ok(begin(), "an answer's headers");
  is_number(give_header("HTTP/1.1 103 Early\r\n"), 20, "an interim answer");
  is_number(give_header("A: 1\r\n"), 6, "its header");
  is_number(give_header("\r\n"), 2, "and its end");
  is_string(exchange.headers.data, "A: 1\r\n", "are kept");
  is_number(give_header("HTTP/2 200\r\n"), 12, "until the next");
  is_number(give(CURLOPT_HEADERFUNCTION, CURLOPT_HEADERDATA, "B: 2\r\n", 2, 3), 6, "whose header");
  is_number(give_header("HTTP: 3\r\n"), 9, "and one of another name");
  is_number(give_header("\n"), 1, "with a short end");
  is_number(give_header(""), 0, "and nothing");
  is_string(exchange.headers.data, "B: 2\r\nHTTP: 3\r\n", "are kept alone");
  cds_alloc_fail_after(0);
  static const char long_line[] = "C: 4444444444444444444444444444444444444444444444444444444\r\n";
  size_t taken = 1;
  for (int i = 0; i < 20 && taken != 0; i++) taken = give_header(long_line);
  cds_alloc_fail_after(-1);
  is_number(taken, 0, "without memory they are not");
  is_error(CURLE_WRITE_ERROR, CDS_E_MEMORY, "out of memory while an answer came in");
  end();
}

static void test_many_headers(void) {
  ok(begin(), "many headers");
  size_t wrong = 0;
  for (size_t i = 0; i < CDS_MAX_HEADER_BYTES / 8; i++) wrong += give_header("X: 456\r\n") != 8;
  is_number(wrong, 0, "as many as may be are taken");
  is_number(give_header("\n"), 0, "not a byte more");
  is_error(CURLE_WRITE_ERROR, CDS_E_DECODE, "the answer's headers are longer than 64 KiB");
  end();
}

static char heard[64];

static bool take(void *context, const char *data, size_t length) {
  ok(context == heard, "by whoever listens");
  strncat(heard, data, length);
  return strchr(heard, '!') == NULL;
}

static void test_body(void) {
  const struct cds_listener listener = {take, heard};
  ok(begin(), "an answer's body");
  is_number(give_body("abcdef", 2), 6, "is kept");
  is_string(exchange.body.data, "abcdef", "whole");
  is_number(give_body("ghijk", 1), 0, "until it is too large");
  is_error(CURLE_WRITE_ERROR, CDS_E_DECODE, "the answer's body is larger than 16 MiB");
  end();
  ok(begin(), "one for which there is no memory");
  cds_alloc_fail_after(0);
  is_number(give_body("abcdef", 1), 0, "is given up");
  cds_alloc_fail_after(-1);
  is_error(CURLE_WRITE_ERROR, CDS_E_MEMORY, "out of memory while an answer came in");
  end();
  exchange.listener = &listener;
  ok(begin(), "one without an end");
  ok(find(CURLOPT_ACCEPT_ENCODING) == NULL && find(CURLOPT_MAXFILESIZE_LARGE) == NULL,
     "is neither compressed nor bound");
  is_set(CURLOPT_TIMEOUT_MS, 0, "nor has it a time");
  told.status = 200;
  is_number(give_body("abcd", 2), 4, "it is taken");
  is_string(heard, "abcd", "as it comes");
  ok(exchange.body.data == NULL, "and not kept");
  is_number(give_body("!", 1), 0, "until nobody wants more");
  told.status = 206;
  is_number(give_body("efgh", 2), 4, "of another status");
  is_string(exchange.body.data, "efgh", "it is kept");
  told.knows_nothing = true;
  is_number(give_body("ij", 1), 2, "or of one that is not known");
  is_string(exchange.body.data, "efghij", "likewise");
  end();
}

/* ---- a socket ---- */

static curl_socket_t open_socket(int family) {
  struct curl_sockaddr address = {.family = family, .socktype = SOCK_STREAM};
  return ((curl_opensocket_callback)find(CURLOPT_OPENSOCKETFUNCTION)->function)(NULL, CURLSOCKTYPE_IPCXN, &address);
}

static void test_socket(void) {
  ok(begin(), "a socket");
  close(STDIN_FILENO); /* so that it is 0 */
  curl_socket_t first = open_socket(AF_INET), second = open_socket(AF_INET);
  is_number(first, 0, "may be any descriptor");
  ok((fcntl(first, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(second, F_GETFD) & FD_CLOEXEC) != 0,
     "a program that is started has none of them");
  close(first), close(second);
  is_number(open_socket(-1), CURL_SOCKET_BAD, "one that cannot be had is told");
  end();
}

/* ---- what came of it ---- */

static void test_end(void) {
  ok(begin(), "a whole answer");
  told.status = 503;
  told.connects = 2;
  told.total = 1250000;
  int64_t before_ms = cds_clock_wall_ms();
  cds_transfer_finish(&exchange, CURLE_OK);
  ok(exchange.status == CDS_OK && exchange.http_status == 503, "has a status");
  ok(exchange.connections == 2 && exchange.elapsed == 1.25, "connections and a time");
  ok(exchange.received_at_ms >= before_ms && exchange.received_at_ms <= cds_clock_wall_ms(), "of which it is");
  told.knows_nothing = true;
  cds_transfer_finish(&exchange, CURLE_OK);
  ok(exchange.http_status == 0 && exchange.connections == 0 && exchange.elapsed == 0, "of which none may be known");
  is_error(CURLE_OPERATION_TIMEDOUT, CDS_E_TIMEOUT, "https://h:8443: no connection within 0.25 s");
  told.knows_nothing = false;
  is_error(CURLE_OPERATION_TIMEDOUT, CDS_E_TIMEOUT, "no connection within 0.25 s");
  told.pretransfer = 1;
  is_error(CURLE_OPERATION_TIMEDOUT, CDS_E_TIMEOUT, "no complete answer within 1.5 s");
  is_error(CURLE_OUT_OF_MEMORY, CDS_E_MEMORY, "out of memory");
  told.start = 1;
  is_error(CURLE_OUT_OF_MEMORY, CDS_E_DECODE, "headers are longer");
  strcpy(find(CURLOPT_ERRORBUFFER)->pointer, "libcurl's words");
  is_error(CURLE_RECV_ERROR, CDS_E_NETWORK, "libcurl's words");
  is_error(CURLE_COULDNT_CONNECT, CDS_E_NETWORK, "cannot connect: libcurl's words");
  told.os_error = ECONNREFUSED;
  is_error(CURLE_COULDNT_CONNECT, CDS_E_NETWORK, "cannot connect: Connection refused");
  told.verify_result = X509_V_ERR_CERT_HAS_EXPIRED;
  is_error(CURLE_PEER_FAILED_VERIFICATION, CDS_E_NETWORK, "TLS: certificate has expired");
  end();
}

static void test_journey(void) {
  struct cds_journey journey = {.total_s = -1};
  exchange.journey = &journey;
  ok(begin(), "one whose way is asked for");
  is_set(CURLOPT_CERTINFO, 1, "its certificate too");
  told.total = 2000000;
  cds_transfer_finish(&exchange, CURLE_OK);
  ok(journey.total_s == 2 && journey.stage == CDS_STAGE_DONE, "it is told");
  end();
}

int main(void) {
  end();
  test_get();
  test_security();
  test_others();
  test_post();
  test_long_token();
  test_failures();
#if LIBCURL_VERSION_NUM >= 0x075000
  test_signed_again();
#endif
  test_headers();
  test_many_headers();
  test_body();
  test_socket();
  test_end();
  test_journey();
  return done();
}
