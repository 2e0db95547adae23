/* SPDX-License-Identifier: MIT
 * The service that peers are measured on, at little cost of its own: reports over wss at a rate, or as fast as they are
 * taken, and pages of them over REST. Each feed's reports are a second apart, whatever the rate, as clients drop a
 * second one of the same second; the benchmark price is the time of sending, in nanoseconds of the monotonic clock.
 * The signatures are noise.
 *   source CA_FILE RATE BATCH      RATE 0: as fast as they are taken; BATCH: reports in a TLS record
 * Prints the environment of a client, as the simulator does. */
#define _GNU_SOURCE
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <time.h>

#include "codec/feed_id.h"
#include "codec/hex.h"
#include "envelope.h"
#include "simulator/certificate.h"
#include "ws_parallel.h"

#define BLOB_WORDS 9                   /* of schema v3 */
#define BLOB_AT (8 * 32)               /* in a full report */
#define PAGE_DEFAULT 100               /* reports, where no limit is asked for */
#define BEGIN_BEFORE (30 * 24 * 3600u) /* seconds: so far back that the fastest run does not reach the present */
#define RECORD 16384

struct source {
  SSL_CTX *tls;
  unsigned rate, batch;
};

/* ---- a feed's message ---- */

struct feed {
  char message[ENVELOPE_MAX];
  size_t length;
  char *report, *valid_from, *observations; /* in message: the first hex digit; the first decimal ones */
  uint32_t second;
};

static void put_hex(char *out, uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; i--, value >>= 4) out[i] = "0123456789abcdef"[value & 15];
}

static void put_decimal(char *out, uint32_t value) {
  for (int i = 9; i >= 0; i--, value /= 10) out[i] = (char)('0' + value % 10);
}

static void feed_init(struct feed *feed, const struct cds_feed_id *id, uint32_t second) {
  static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER; /* for envelope_message's static memory */
  struct sample report;
  uint8_t blob[BLOB_WORDS * 32] = {0};
  memcpy(blob, id->bytes, 32);
  sample_report(&report, blob, sizeof blob, 2);
  pthread_mutex_lock(&mu);
  feed->length = envelope_message(feed->message, &report, blob, 1000000000, 1000000000);
  pthread_mutex_unlock(&mu);
  feed->report = strstr(feed->message, "fullReport\":\"0x") + strlen("fullReport\":\"0x");
  feed->valid_from = strstr(feed->message, "validFromTimestamp\":") + strlen("validFromTimestamp\":");
  feed->observations = strstr(feed->message, "observationsTimestamp\":") + strlen("observationsTimestamp\":");
  feed->second = second;
}

/* The last digits of a word of the blob. */
static void put_word(struct feed *feed, size_t word, uint64_t value, int digits) {
  put_hex(feed->report + 2 * (BLOB_AT + 32 * (word + 1)) - digits, value, digits);
}

static void feed_advance(struct feed *feed, uint64_t price) {
  uint32_t second = feed->second++;
  put_word(feed, 1, second, 8);
  put_word(feed, 2, second, 8);
  put_word(feed, 5, second + 3600, 8);
  for (size_t word = 6; word <= 8; word++) put_word(feed, word, price, 16);
  put_decimal(feed->valid_from, second);
  put_decimal(feed->observations, second);
}

/* ---- a connection ---- */

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool write_all(SSL *ssl, const char *bytes, size_t length) {
  return length == 0 || SSL_write(ssl, bytes, (int)length) == (int)length;
}

static bool read_request(struct ws_server *view, SSL *ssl) {
  size_t used = 0;
  while (used < sizeof view->request - 1) {
    if (SSL_read(ssl, view->request + used, 1) != 1) return false;
    view->request[++used] = 0;
    if (used >= 4 && memcmp(view->request + used - 4, "\r\n\r\n", 4) == 0) return true;
  }
  return false;
}

/* The feeds that the request names, in an array that is the caller's. */
static struct feed *make_feeds(const struct ws_server *view, uint32_t second, size_t *count) {
  const char *target;
  size_t length = ws_target(view, &target), most = length / CDS_FEED_ID_TEXT + 1;
  struct feed *feeds = calloc(most, sizeof *feeds);
  struct cds_feed_id id;
  struct cds_error err;
  *count = 0;
  if (feeds == NULL) abort();
  for (const char *at = strstr(target, "0x"); at != NULL && at + CDS_FEED_ID_TEXT <= target + length;
       at = strstr(at + 1, "0x"))
    if (cds_feed_id_parse(&id, at, CDS_FEED_ID_TEXT, &err) == CDS_OK) feed_init(&feeds[(*count)++], &id, second);
  return feeds;
}

/* Answers what the client sent, pings among it. False: it has ended the connection. */
static bool attend(SSL *ssl) {
  unsigned char frame[4096];
  int got = SSL_read(ssl, frame, sizeof frame);
  if (got < 6 || (frame[0] & 15) == WS_CLOSE) return false;
  size_t length = frame[1] & 127;
  if ((frame[0] & 15) != WS_PING || length > 125 || (size_t)got < 6 + length) return true;
  char pong[2 + 125] = {(char)(0x80 | WS_PONG), (char)length};
  for (size_t i = 0; i < length; i++) pong[2 + i] = (char)(frame[6 + i] ^ frame[2 + i % 4]);
  return write_all(ssl, pong, 2 + length);
}

/* Until then, or at once where it is past. False: the client has ended the connection. */
static bool wait_until(SSL *ssl, uint64_t until_ns) {
  struct pollfd at = {.fd = SSL_get_fd(ssl), .events = POLLIN};
  for (;;) {
    uint64_t now = now_ns(), left = until_ns > now ? until_ns - now : 0;
    struct timespec wait = {.tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u)};
    int ready = ppoll(&at, 1, &wait, NULL);
    if (ready > 0 && !attend(ssl)) return false;
    if (ready == 0) return true;
  }
}

static size_t put_frame(char *out, const struct feed *feed) {
  const unsigned char head[4] = {0x80 | WS_BINARY, 126, (unsigned char)(feed->length >> 8),
                                 (unsigned char)feed->length};
  memcpy(out, head, sizeof head);
  memcpy(out + sizeof head, feed->message, feed->length);
  return sizeof head + feed->length;
}

static void send_reports(const struct source *source, SSL *ssl, struct feed *feeds, size_t count) {
  static _Thread_local char record[RECORD];
  uint64_t next_ns = now_ns(), step_ns = source->rate > 0 ? 1000000000u / source->rate : 0;
  for (size_t i = 0;;) {
    size_t used = 0;
    if (!wait_until(ssl, next_ns)) return;
    for (unsigned n = 0; n < source->batch && used + ENVELOPE_MAX < sizeof record; n++, i++) {
      struct feed *feed = &feeds[i % count];
      feed_advance(feed, now_ns());
      used += put_frame(record + used, feed);
      next_ns += step_ns;
    }
    if (!write_all(ssl, record, used)) return;
  }
}

/* ---- REST ---- */

static uint32_t query_number(const struct ws_server *view, const char *name, uint32_t otherwise) {
  const char *field = strstr(view->request, name);
  return field != NULL ? (uint32_t)strtoul(field + strlen(name), NULL, 10) : otherwise;
}

static bool answer(SSL *ssl, const char *status, const char *body, size_t length) {
  char head[256];
  int used = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                      status, length);
  return write_all(ssl, head, (size_t)used) && write_all(ssl, body, length);
}

static bool answer_page(const struct ws_server *view, SSL *ssl) {
  static const char before[] = "{\"report\":";
  uint32_t limit = query_number(view, "limit=", PAGE_DEFAULT);
  size_t count, used;
  struct feed *feed = make_feeds(view, query_number(view, "startTimestamp=", 0), &count);
  char *body = malloc((size_t)limit * ENVELOPE_MAX + 64);
  if (body == NULL) abort();
  used = (size_t)sprintf(body, "{\"reports\":[");
  for (uint32_t i = 0; count == 1 && i < limit; i++) {
    feed_advance(feed, feed->second); /* the same whenever it is asked for */
    if (i > 0) body[used++] = ',';
    size_t length = feed->length - strlen(before) - 1; /* without what is around the report */
    memcpy(body + used, feed->message + strlen(before), length);
    used += length;
  }
  used += (size_t)sprintf(body + used, "]}");
  bool sent = answer(ssl, "200 OK", body, used);
  free(body);
  free(feed);
  return sent;
}

/* ---- service ---- */

static void stream(const struct source *source, struct ws_server *view, SSL *ssl) {
  char text[512];
  size_t count;
  struct feed *feeds = make_feeds(view, (uint32_t)time(NULL) - BEGIN_BEFORE, &count);
  if (count > 0 && write_all(ssl, text, ws_answer(text, sizeof text, view, "")))
    send_reports(source, ssl, feeds, count);
  free(feeds);
}

static void serve(struct ws_server *view, int number, int fd) {
  const struct source *source = view->context;
  SSL *ssl = SSL_new(source->tls);
  (void)number;
  if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) abort();
  bool goes_on = SSL_accept(ssl) == 1;
  while (goes_on && read_request(view, ssl)) {
    goes_on = false;
    if (strstr(view->request, "/reports/page?") != NULL) goes_on = answer_page(view, ssl);
    else if (strcasestr(view->request, "\r\nUpgrade: websocket") != NULL) stream(source, view, ssl);
    else goes_on = answer(ssl, "404 Not Found", "", 0);
  }
  SSL_free(ssl);
}

static SSL_CTX *make_tls(const char *ca_file) {
  struct cds_sim_certificate certificate;
  struct cds_error err;
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  if (tls == NULL || cds_sim_certificate_init(&certificate, "good", &err) != CDS_OK ||
      SSL_CTX_use_certificate(tls, certificate.server) != 1 || SSL_CTX_use_PrivateKey(tls, certificate.key) != 1 ||
      cds_sim_certificate_write(&certificate, ca_file, &err) != CDS_OK)
    abort();
  cds_sim_certificate_clear(&certificate);
  return tls;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  struct source source = {make_tls(argv[1]), (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3])};
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  struct ws_parallel *host = ws_parallel_start(serve, &source);
  printf("export CHAINLINK_STREAMS_REST_URL=https://localhost:%u\n"
         "export CHAINLINK_STREAMS_WS_URL=wss://localhost:%u\n"
         "export CHAINLINK_STREAMS_CA_FILE='%s'\n"
         "export CHAINLINK_STREAMS_API_KEY=key\nexport CHAINLINK_STREAMS_API_SECRET=secret\n"
         "export CHAINLINK_SIMULATOR_PID=%d\n",
         host->port, host->port, argv[1], (int)getpid());
  fflush(stdout);
  pause();
  return 0;
}
