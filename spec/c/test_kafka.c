/* SPDX-License-Identifier: MIT
 * Kafka, against the brokers that librdkafka has within itself, which answer as they are told to: transactions and what
 * may become of them, consumers, groups, and each failure. A real broker is met by
 * spec/integration/relay_kafka_spec.lua. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif

#include "relay/kafka.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <librdkafka/rdkafka_mock.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "system_faults.h"
#include "tap.h"

#define WAIT_MS 60000
#define PARTITIONS 3

/* Numbers of requests (https://kafka.apache.org/protocol). */
#define FIND_COORDINATOR 10
#define INIT_PRODUCER_ID 22
#define ADD_PARTITIONS 24
#define END_TRANSACTION 26
#define OFFSET_COMMIT 8

static struct system_fault of_eventfd, of_control;

SYSTEM_CALL int eventfd(unsigned count, int flags) {
  return system_fails(&of_eventfd) ? -1 : (int)syscall(SYS_eventfd2, count, flags);
}

SYSTEM_CALL int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
  return system_fails(&of_control) ? -1 : (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

/* What librdkafka is to call where something is wrong. */
static void (*note_error)(rd_kafka_t *, int, const char *, void *);

SYSTEM_CALL void rd_kafka_conf_set_error_cb(rd_kafka_conf_t *conf,
                                            void (*callback)(rd_kafka_t *, int, const char *, void *)) {
  void (*next)(rd_kafka_conf_t *, void (*)(rd_kafka_t *, int, const char *, void *));
  *(void **)&next = dlsym(RTLD_NEXT, "rd_kafka_conf_set_error_cb");
  note_error = callback;
  next(conf, callback);
}

static struct cds_error err;
static rd_kafka_t *host; /* of the brokers */
static rd_kafka_mock_cluster_t *cluster;
static const char *servers;

static void start_brokers(void) {
  char why[256];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, NULL);
  host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  cluster = host ? rd_kafka_mock_cluster_new(host, 1) : NULL;
  if (!cluster) abort();
  servers = rd_kafka_mock_cluster_bootstraps(cluster);
}

static struct cds_kafka *open_with(bool is_producer, const char *const *settings, size_t count) {
  struct cds_kafka *kafka = (struct cds_kafka *)&err;
  cds_error_clear(&err);
  enum cds_status status = cds_kafka_open(&kafka, is_producer, settings, count, &err);
  if ((status == CDS_OK) != (kafka != NULL) || status != err.status) abort();
  return kafka;
}

static struct cds_kafka *producer_of(const char *id) {
  const char *const settings[] = {"bootstrap.servers", servers, "transactional.id", id, "linger.ms", "0"};
  return open_with(true, settings, 6);
}

static struct cds_kafka *consumer_of(const char *group) {
  const char *const settings[] = {
    "bootstrap.servers",        servers, "group.id",          group,      "enable.auto.commit", "false",
    "enable.auto.offset.store", "false", "auto.offset.reset", "earliest", "fetch.wait.max.ms",  "10"};
  return open_with(false, settings, 12);
}

static bool is_readable(const struct cds_kafka *kafka, int wait_ms) {
  struct pollfd entry = {.fd = cds_kafka_fd(kafka), .events = POLLIN};
  return poll(&entry, 1, wait_ms) == 1 && entry.revents == POLLIN;
}

/* The next message, for which its descriptor is waited. */
static rd_kafka_message_t *next(struct cds_kafka *kafka) {
  int64_t end = cds_clock_mono_ms() + WAIT_MS;
  for (;;) {
    rd_kafka_message_t *message = cds_kafka_take(kafka);
    if (message || cds_clock_mono_ms() > end) return message;
    is_readable(kafka, 1000);
  }
}

static enum cds_kafka_outcome produce(struct cds_kafka *kafka, const char *topic, const char *feed, const char *value) {
  const struct cds_kafka_header key = {NULL, feed, strlen(feed)};
  const struct cds_kafka_header headers[] = {{"after", "1\0002", 3}, {"origin", "x", 1}};
  cds_error_clear(&err);
  return cds_kafka_produce(kafka, topic, &key, value, strlen(value), headers, 2, &err);
}

/* A step that librdkafka says may be taken again is, for so long. */
#define STEP(call)                                                                                                     \
  __extension__({                                                                                                      \
    enum cds_kafka_outcome outcome_;                                                                                   \
    int64_t end_ = cds_clock_mono_ms() + WAIT_MS;                                                                      \
    do outcome_ = (call);                                                                                              \
    while (outcome_ == CDS_KAFKA_AGAIN && cds_clock_mono_ms() < end_);                                                 \
    outcome_;                                                                                                          \
  })

static struct cds_kafka *ready_producer(const char *id) {
  struct cds_kafka *kafka = producer_of(id);
  if (!kafka || STEP(cds_kafka_init(kafka, WAIT_MS, &err)) != CDS_KAFKA_DONE) abort();
  return kafka;
}

/* ---- opening ---- */

static void is_refused(bool is_producer, const char *const *settings, size_t count, enum cds_status status,
                       const char *words) {
  size_t before = system_open_files();
  struct cds_kafka *kafka = open_with(is_producer, settings, count);
  ok(!kafka && err.status == status && strstr(err.message, words), "refused: %s", err.message);
  is_number(system_open_files(), before, "nothing stays open");
  cds_kafka_free(kafka);
}

static void test_refused(void) {
  static const char *const unknown[] = {"client.id", "x", "no.such.setting", "1"};
  static const char *const wrong[] = {"enable.idempotence", "true", "acks", "1"};
  is_refused(true, unknown, 4, CDS_E_CONFIG, "Kafka's setting no.such.setting: No such");
  is_refused(false, unknown, 4, CDS_E_CONFIG, "Kafka's setting no.such.setting: ");
  is_refused(true, wrong, 4, CDS_E_CONFIG, "Kafka: `acks` must be set to `all`");
  is_refused(false, NULL, 0, CDS_E_CONFIG, "Kafka's setting group.id: a name is expected");
  struct cds_kafka *kafka = open_with(true, unknown, 3);
  ok(kafka != NULL, "a name without a value is none");
  cds_kafka_free(kafka);
  struct mallinfo2 before = mallinfo2();
  for (int i = 0; i < 20; i++) cds_kafka_free(open_with(true, i % 2 ? unknown : wrong, 4));
  struct mallinfo2 after = mallinfo2();
  ok(after.uordblks < before.uordblks + 20000, "settings that were refused are given back");
  of_eventfd = (struct system_fault){.times = 1, .reason = EMFILE};
  is_refused(true, NULL, 0, CDS_E_MEMORY, "no descriptor: Too many open files");
  of_control = (struct system_fault){.times = 1, .reason = ENOSPC};
  is_refused(true, NULL, 0, CDS_E_MEMORY, "no descriptor for a poller: No space left");
  of_control = (struct system_fault){.after = 1, .times = 1, .reason = ENOSPC};
  is_refused(true, NULL, 0, CDS_E_MEMORY, "no descriptor: No space left");
  for (long nth = 0; nth < 2; nth++) {
    cds_alloc_fail_one(nth);
    is_refused(true, NULL, 0, CDS_E_MEMORY, "no memory for");
    cds_alloc_fail_one(-1);
  }
  cds_kafka_free(NULL);
}

static void test_flags(void) {
  bool was_open[256];
  for (int fd = 0; fd < 256; fd++) was_open[fd] = fcntl(fd, F_GETFD) >= 0;
  struct cds_kafka *kafka = open_with(true, NULL, 0);
  int bells = 0;
  for (int fd = 0; fd < 256; fd++) {
    char path[64], target[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (was_open[fd] || readlink(path, target, sizeof target - 1) < 0 || !strstr(target, "eventfd")) continue;
    bells++;
    ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0,
       "the bell goes to no other program, and does not wait");
    ok(eventfd_write(fd, 1) == 0 && is_readable(kafka, 0), "it is waited for");
  }
  is_number(bells, 1, "there is one");
  cds_kafka_free(kafka);
}

/* The lowest number is one like others. */
static void test_descriptor_0(void) {
  int saved = dup(STDIN_FILENO);
  close(STDIN_FILENO);
  struct cds_kafka *kafka = open_with(true, NULL, 0);
  ok(kafka && eventfd_write(STDIN_FILENO, 1) == 0 && is_readable(kafka, 0), "the bell may have number 0");
  cds_kafka_free(kafka);
  ok(fcntl(STDIN_FILENO, F_GETFD) < 0, "it is closed");
  dup2(saved, STDIN_FILENO);
  close(saved);
}

static rd_kafka_resp_err_t told_of(struct cds_kafka *kafka, rd_kafka_resp_err_t code, const char *reason) {
  note_error(NULL, code, reason, kafka);
  cds_error_clear(&err);
  return cds_kafka_trouble(kafka, &err);
}

/* Of what librdkafka tells, only what does not pass by itself. */
static void test_kinds_of_trouble(void) {
  char reason[300];
  memset(reason, 'x', sizeof reason - 1);
  reason[sizeof reason - 1] = 0;
  static const char *const nobody[] = {"bootstrap.servers", "127.0.0.1:1", "transactional.id", "x"};
  struct cds_kafka *kafka = open_with(true, nobody, 4);
  ok(told_of(kafka, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "down") == 0 && err.status == CDS_OK, "that nobody is there");
  ok(told_of(kafka, RD_KAFKA_RESP_ERR__TRANSPORT, "gone") == 0 && err.status == CDS_OK, "or goes is no trouble");
  ok(told_of(kafka, RD_KAFKA_RESP_ERR__AUTHENTICATION, "who?") == RD_KAFKA_RESP_ERR__AUTHENTICATION &&
       err.status == CDS_E_NETWORK && strcmp(err.message, "who?") == 0,
     "a user that nobody knows is");
  cds_error_clear(&err);
  ok(cds_kafka_trouble(kafka, &err) == 0 && err.status == CDS_OK, "once");
  ok(told_of(kafka, RD_KAFKA_RESP_ERR__SSL, reason) == RD_KAFKA_RESP_ERR__SSL && strlen(err.message) == 255 &&
       strncmp(err.message, reason, 255) == 0,
     "so is a certificate, in so many words");
  note_error(NULL, RD_KAFKA_RESP_ERR__AUTHENTICATION, "who?", kafka);
  ok(cds_kafka_init(kafka, 10, &err) == CDS_KAFKA_REFUSED && strcmp(err.message, "Kafka: who?") == 0,
     "which is why a step fails: %s", err.message);
  note_error(NULL, RD_KAFKA_RESP_ERR__SSL, "what?", kafka);
  ok(cds_kafka_init(kafka, 10, &err) == CDS_KAFKA_AGAIN && strcmp(err.message, "Kafka: what?") == 0,
     "a certificate may be another one later: %s", err.message);
  ok(cds_kafka_init(kafka, 10, &err) == CDS_KAFKA_AGAIN && !strstr(err.message, "what?"), "it is told once: %s",
     err.message);
  cds_kafka_free(kafka);
}

/* Answers whoever connects with words that are no TLS, until the listener is shut down. */
static void *answer_plainly(void *context) {
  const int *listener = context;
  for (int fd; (fd = accept(*listener, NULL, NULL)) >= 0; close(fd)) {
    static const char words[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    (void)!send(fd, words, sizeof words - 1, MSG_NOSIGNAL);
  }
  return NULL;
}

/* A broker that does not speak TLS, as is expected of it: it is told that this is why nothing comes. */
static void test_trouble(void) {
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof place;
  pthread_t thread;
  char address[32];
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&place, size) != 0 || listen(listener, 10) != 0 ||
      getsockname(listener, (struct sockaddr *)&place, &size) != 0 ||
      pthread_create(&thread, NULL, answer_plainly, &listener) != 0)
    abort();
  snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(place.sin_port));
  const char *const settings[] = {"bootstrap.servers", address, "group.id",         "g",
                                  "security.protocol", "ssl",   "transactional.id", "troubled"};
  struct cds_kafka *kafka = open_with(false, settings, 6);
  rd_kafka_resp_err_t trouble = RD_KAFKA_RESP_ERR_NO_ERROR;
  int64_t end = cds_clock_mono_ms() + WAIT_MS;
  while (kafka && !trouble && cds_clock_mono_ms() < end) {
    rd_kafka_message_t *message = cds_kafka_take(kafka);
    if (message) rd_kafka_message_destroy(message);
    cds_error_clear(&err);
    trouble = cds_kafka_trouble(kafka, &err);
    if (!trouble) is_readable(kafka, 10);
  }
  ok(trouble == RD_KAFKA_RESP_ERR__SSL && err.status == CDS_E_NETWORK && err.message[0],
     "why nothing comes is told: %s", err.message);
  cds_kafka_free(kafka);
  const char *const of_producer[] = {settings[0], settings[1], settings[4], settings[5], settings[6], settings[7]};
  kafka = open_with(true, of_producer, 6);
  enum cds_kafka_outcome outcome = CDS_KAFKA_AGAIN;
  do outcome = cds_kafka_init(kafka, 1000, &err);
  while (outcome == CDS_KAFKA_AGAIN && !strstr(err.message, "SSL") && cds_clock_mono_ms() < end);
  ok(outcome == CDS_KAFKA_AGAIN && strncmp(err.message, "Kafka: ", 7) == 0 && strstr(err.message, "SSL"),
     "and why nothing goes out: %s", err.message);
  cds_kafka_free(kafka);
  shutdown(listener, SHUT_RDWR);
  pthread_join(thread, NULL);
  close(listener);
}

/* librdkafka tells nothing on standard error. */
static void test_silence(void) {
  int ends[2], saved = dup(STDERR_FILENO);
  static const char *const nobody[] = {"bootstrap.servers", "127.0.0.1:1", "group.id", "g"};
  if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0) abort();
  struct cds_kafka *kafka = open_with(false, nobody, 4);
  int partitions = 0;
  ok(cds_kafka_assign(&partitions, kafka, "topic", RD_KAFKA_OFFSET_BEGINNING, 500, &err) == CDS_E_NETWORK &&
       strstr(err.message, "Kafka does not tell its partitions: "),
     "where nobody is there that is told: %s", err.message);
  cds_kafka_free(kafka);
  dup2(saved, STDERR_FILENO);
  struct pollfd entry = {.fd = ends[0], .events = POLLIN};
  is_number(poll(&entry, 1, 0), 0, "standard error has nothing");
  close(saved);
  close(ends[0]);
  close(ends[1]);
}

/* ---- transactions ---- */

static void test_transaction(void) {
  rd_kafka_mock_topic_create(cluster, "reports", PARTITIONS, 1);
  struct cds_kafka *kafka = ready_producer("one");
  ok(!is_readable(kafka, 0), "a producer has nothing to say");
  cds_kafka_arm(kafka, 0);
  ok(is_readable(kafka, WAIT_MS), "until the time that it is given");
  ok(cds_kafka_begin(kafka, &err) == CDS_KAFKA_DONE, "a transaction begins");
  ok(produce(kafka, "reports", "feed", "value") == CDS_KAFKA_DONE, "a message goes out");
  ok(STEP(cds_kafka_commit(kafka, WAIT_MS, &err)) == CDS_KAFKA_DONE, "it is committed");
  ok(cds_kafka_begin(kafka, &err) == CDS_KAFKA_DONE && produce(kafka, "reports", "feed", "more") == CDS_KAFKA_DONE &&
       STEP(cds_kafka_abort(kafka, WAIT_MS, &err)) == CDS_KAFKA_DONE,
     "another one is given up: %s", err.message);
  ok(cds_kafka_commit(kafka, WAIT_MS, &err) == CDS_KAFKA_FATAL || err.status == CDS_E_NETWORK,
     "there is none to commit");
  cds_kafka_free(kafka);
}

static void test_message(void) {
  int partitions = 0;
  struct cds_kafka *kafka = consumer_of("reader");
  ok(cds_kafka_assign(&partitions, kafka, "reports", RD_KAFKA_OFFSET_BEGINNING, WAIT_MS, &err) == CDS_OK,
     "all partitions are read");
  is_number(partitions, PARTITIONS, "so many");
  ok(is_readable(kafka, WAIT_MS), "a message rings the bell");
  rd_kafka_message_t *message = next(kafka);
  ok(message && !message->err && message->len == 5 && memcmp(message->payload, "value", 5) == 0, "the message comes");
  ok(message && message->key_len == 4 && memcmp(message->key, "feed", 4) == 0, "with its key");
  rd_kafka_headers_t *headers = NULL;
  const void *value = NULL;
  size_t length = 0;
  ok(message && rd_kafka_message_headers(message, &headers) == 0 &&
       rd_kafka_header_get_last(headers, "after", &value, &length) == 0 && length == 3 &&
       memcmp(value, "1\0002", 3) == 0,
     "its headers");
  ok(headers && rd_kafka_header_cnt(headers) == 2 &&
       rd_kafka_header_get_last(headers, "origin", &value, &length) == 0 && length == 1 && *(const char *)value == 'x',
     "both");
  if (message) rd_kafka_message_destroy(message);
  cds_kafka_free(kafka);
}

static void is_after(const char *id, int request, rd_kafka_resp_err_t fault, int times, enum cds_kafka_outcome expected,
                     const char *what) {
  struct cds_kafka *kafka = ready_producer(id);
  enum cds_kafka_outcome outcome = cds_kafka_begin(kafka, &err);
  rd_kafka_resp_err_t faults[10];
  for (int i = 0; i < times; i++) faults[i] = fault;
  rd_kafka_mock_push_request_errors_array(cluster, (int16_t)request, (size_t)times, faults);
  if (outcome == CDS_KAFKA_DONE) outcome = produce(kafka, "reports", "feed", "value");
  if (outcome == CDS_KAFKA_DONE) outcome = STEP(cds_kafka_commit(kafka, WAIT_MS, &err));
  ok(outcome == expected && err.status == CDS_E_NETWORK && strncmp(err.message, "Kafka: ", 7) == 0, "%s: %d, %s", what,
     (int)outcome, err.message);
  if (outcome == CDS_KAFKA_ABORT) {
    ok(produce(kafka, "reports", "feed", "value") == CDS_KAFKA_ABORT && err.status == CDS_E_NETWORK,
       "nothing more goes out with it: %s", err.message);
    ok(STEP(cds_kafka_abort(kafka, WAIT_MS, &err)) == CDS_KAFKA_DONE && cds_kafka_begin(kafka, &err) == CDS_KAFKA_DONE,
       "it may be aborted and made again");
  }
  if (outcome == CDS_KAFKA_FATAL) {
    ok(produce(kafka, "reports", "feed", "value") == CDS_KAFKA_FATAL, "this producer is of no use: %s", err.message);
    ok(cds_kafka_begin(kafka, &err) == CDS_KAFKA_FATAL, "for anything");
  }
  rd_kafka_mock_clear_request_errors(cluster, (int16_t)request);
  cds_kafka_free(kafka);
}

static void test_outcomes(void) {
  is_after("forbidden", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1, CDS_KAFKA_ABORT,
           "a topic that one may not write");
  is_after("fenced", END_TRANSACTION, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, 1, CDS_KAFKA_FATAL,
           "another one of this name");
  struct cds_kafka *kafka = producer_of("late");
  rd_kafka_mock_broker_set_down(cluster, 1);
  ok(cds_kafka_init(kafka, 100, &err) == CDS_KAFKA_AGAIN && err.status == CDS_E_NETWORK, "a broker may be away: %s",
     err.message);
  rd_kafka_mock_broker_set_up(cluster, 1);
  ok(STEP(cds_kafka_init(kafka, WAIT_MS, &err)) == CDS_KAFKA_DONE, "and come back");
  ok(produce(kafka, "reports", "feed", "value") == CDS_KAFKA_ABORT && err.status == CDS_E_NETWORK,
     "without a transaction nothing goes out: %s", err.message);
  struct mallinfo2 before = mallinfo2();
  for (int i = 0; i < 300; i++) (void)!produce(kafka, "reports", "feed", "value");
  struct mallinfo2 after = mallinfo2();
  ok(after.uordblks < before.uordblks + 30000, "which leaves no memory behind");
  cds_kafka_free(kafka);
}

/* ---- consumers ---- */

static void test_offsets(void) {
  rd_kafka_mock_topic_create(cluster, "numbers", 1, 1);
  struct cds_kafka *kafka = ready_producer("numbers");
  ok(cds_kafka_begin(kafka, &err) == CDS_KAFKA_DONE && produce(kafka, "numbers", "f", "one") == CDS_KAFKA_DONE &&
       produce(kafka, "numbers", "f", "two") == CDS_KAFKA_DONE &&
       produce(kafka, "numbers", "f", "three") == CDS_KAFKA_DONE &&
       STEP(cds_kafka_commit(kafka, WAIT_MS, &err)) == CDS_KAFKA_DONE,
     "three messages are written");
  cds_kafka_free(kafka);
  int partitions = 0;
  kafka = consumer_of("last");
  ok(cds_kafka_assign(&partitions, kafka, "numbers", RD_KAFKA_OFFSET_TAIL(1), WAIT_MS, &err) == CDS_OK &&
       partitions == 1,
     "the last one is asked for");
  ok(cds_kafka_is_assigned(kafka), "it has the partition");
  rd_kafka_message_t *message = next(kafka);
  ok(message && message->len == 5 && memcmp(message->payload, "three", 5) == 0, "and comes");
  if (message) rd_kafka_message_destroy(message);
  ok(!cds_kafka_take(kafka) && !cds_kafka_take(kafka) && !is_readable(kafka, 0), "there is no other");
  cds_kafka_free(kafka);
  rd_kafka_mock_topic_set_error(cluster, "forbidden", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  kafka = consumer_of("last");
  ok(cds_kafka_assign(&partitions, kafka, "forbidden", RD_KAFKA_OFFSET_END, WAIT_MS, &err) == CDS_E_NETWORK &&
       strstr(err.message, "Kafka's topic: ") && strstr(err.message, "uthorization"),
     "a topic may be refused: %s", err.message);
  ok(!cds_kafka_is_assigned(kafka), "and is not had then");
  char name[600];
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = 0;
  ok(cds_kafka_assign(&partitions, kafka, name, RD_KAFKA_OFFSET_END, WAIT_MS, &err) == CDS_E_NETWORK &&
       strstr(err.message, "Kafka's topic: ") && strstr(err.message, "nvalid argument"),
     "or its name: %s", err.message);
  ok(cds_kafka_subscribe(kafka, "", &err) == CDS_E_NETWORK &&
       strstr(err.message, "Kafka's topic cannot be subscribed: "),
     "which cannot be subscribed either: %s", err.message);
  cds_kafka_free(kafka);
}

/* From where a new owner of the group's partition would begin, as the broker has it. */
static int64_t committed(const char *group) {
  char why[256];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, NULL);
  if (rd_kafka_conf_set(conf, "bootstrap.servers", servers, why, sizeof why) != RD_KAFKA_CONF_OK ||
      rd_kafka_conf_set(conf, "group.id", group, why, sizeof why) != RD_KAFKA_CONF_OK)
    abort();
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, "numbers", 0);
  int64_t offset = rd_kafka_committed(rk, list, WAIT_MS) ? -1 : list->elems[0].offset;
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_destroy(rk);
  return offset;
}

static void test_group(void) {
  struct cds_kafka *kafka = consumer_of("group");
  ok(cds_kafka_subscribe(kafka, "numbers", &err) == CDS_OK && !cds_kafka_is_assigned(kafka), "a topic is subscribed");
  ok(cds_kafka_commit_offsets(kafka, &err) == CDS_OK, "nothing is done with yet");
  rd_kafka_message_t *message = next(kafka);
  ok(message && !message->err && message->len == 3 && memcmp(message->payload, "one", 3) == 0, "a message comes");
  ok(cds_kafka_is_assigned(kafka), "of a partition that it has");
  is_number(cds_kafka_trouble(kafka, &err), RD_KAFKA_RESP_ERR_NO_ERROR, "there is no trouble");
  int64_t offset = message ? message->offset : 0;
  if (message) rd_kafka_message_destroy(message);
  cds_kafka_store(kafka, "numbers", 0, offset);
  rd_kafka_mock_push_request_errors(cluster, OFFSET_COMMIT, 1, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
  ok(cds_kafka_commit_offsets(kafka, &err) == CDS_E_NETWORK &&
       strstr(err.message, "Kafka does not know what is done: "),
     "that it is done with may be refused: %s", err.message);
  ok(committed("group") < 0, "and is not known then");
  cds_kafka_store(kafka, "numbers", 0, offset);
  ok(cds_kafka_commit_offsets(kafka, &err) == CDS_OK, "or told");
  is_number(committed("group"), offset + 1, "a new owner begins behind it");
  cds_kafka_free(kafka);
}

/* A step leaves less behind than the bytes of what it makes; librdkafka has some memory of its own by then. */
#define GIVEN_BACK(times, bytes, step, what)                                                                           \
  do {                                                                                                                 \
    struct mallinfo2 before_ = mallinfo2();                                                                            \
    for (int i_ = 0; i_ < (times); i_++) (void)!(step);                                                                \
    struct mallinfo2 after_ = mallinfo2();                                                                             \
    ok(after_.uordblks < before_.uordblks + (bytes) * (times), "%s", what);                                            \
  } while (0)

static void assign_and_take(struct cds_kafka *kafka) {
  int partitions;
  if (cds_kafka_assign(&partitions, kafka, "numbers", RD_KAFKA_OFFSET_END, WAIT_MS, &err) != CDS_OK) abort();
  rd_kafka_message_t *message = cds_kafka_take(kafka);
  if (message) rd_kafka_message_destroy(message);
}

static void come_and_go(void) {
  struct cds_kafka *kafka = consumer_of("comes and goes");
  assign_and_take(kafka);
  cds_kafka_free(kafka);
}

static void test_given_back(void) {
  struct cds_kafka *kafka = producer_of("nothing begun");
  GIVEN_BACK(1000, 50, cds_kafka_begin(kafka, &err), "failures are given back");
  cds_kafka_free(kafka);
  kafka = consumer_of("given back");
  GIVEN_BACK(1000, 50, cds_kafka_subscribe(kafka, "", &err), "so are topics");
  GIVEN_BACK(3000, 50, (assign_and_take(kafka), 0), "what a broker tells of them");
  GIVEN_BACK(1000, 50, cds_kafka_is_assigned(kafka), "partitions");
  GIVEN_BACK(1000, 50, (cds_kafka_store(kafka, "numbers", 0, 0), 0), "and what is done with");
  cds_kafka_free(kafka);
  GIVEN_BACK(60, 150, (come_and_go(), 0), "and all that a consumer has");
}

int main(void) {
  size_t before = system_open_files();
  test_refused();
  test_flags();
  test_descriptor_0();
  test_kinds_of_trouble();
  test_silence();
  is_number(system_open_files(), before, "no descriptor is kept");
  start_brokers();
  test_transaction();
  test_message();
  test_outcomes();
  test_offsets();
  test_group();
  test_given_back();
  test_trouble();
  rd_kafka_mock_cluster_destroy(cluster);
  rd_kafka_destroy(host);
  is_number(system_open_files(), before, "none, whatever came");
  return done();
}
