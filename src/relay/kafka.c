/* SPDX-License-Identifier: MIT
 * What is asked of librdkafka, and what its errors mean here. */
#include "relay/kafka.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"

struct cds_kafka {
  rd_kafka_t *rk;
  rd_kafka_queue_t *queue; /* a consumer's */
  int bell;                /* rung by librdkafka when messages come */
  struct cds_poller *poller;
  rd_kafka_resp_err_t trouble;
  char why[256];
};

/* Runs where messages are taken, or cds_kafka_trouble asks. Of a broker that is away the steps tell themselves. */
static void note_trouble(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
  (void)rk;
  struct cds_kafka *kafka = opaque;
  if (code != RD_KAFKA_RESP_ERR__AUTHENTICATION && code != RD_KAFKA_RESP_ERR__SSL) return;
  kafka->trouble = code;
  snprintf(kafka->why, sizeof kafka->why, "%s", reason);
}

rd_kafka_resp_err_t cds_kafka_trouble(struct cds_kafka *kafka, struct cds_error *err) {
  if (!kafka->queue) rd_kafka_poll(kafka->rk, 0);
  rd_kafka_resp_err_t trouble = kafka->trouble;
  kafka->trouble = RD_KAFKA_RESP_ERR_NO_ERROR;
  if (trouble) cds_error_set(err, CDS_E_NETWORK, "%s", kafka->why);
  return trouble;
}

static enum cds_status configure(rd_kafka_conf_t *conf, const char *const *settings, size_t count,
                                 struct cds_error *err) {
  char why[256];
  for (size_t i = 0; i + 1 < count; i += 2)
    if (rd_kafka_conf_set(conf, settings[i], settings[i + 1], why, sizeof why) != RD_KAFKA_CONF_OK)
      return cds_error_set(err, CDS_E_CONFIG, "Kafka's setting %s: %s", settings[i], why);
  rd_kafka_conf_set_log_cb(conf, NULL); /* what matters comes as an error */
  return CDS_OK;
}

static enum cds_status start(struct cds_kafka *kafka, bool is_producer, const char *const *settings, size_t count,
                             struct cds_error *err) {
  char why[256];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  enum cds_status status = configure(conf, settings, count, err);
  rd_kafka_conf_set_opaque(conf, kafka);
  rd_kafka_conf_set_error_cb(conf, note_trouble);
  if (status == CDS_OK) {
    kafka->rk = rd_kafka_new(is_producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (kafka->rk) return CDS_OK;
    status = cds_error_set(err, CDS_E_CONFIG, "Kafka: %s", why);
  }
  rd_kafka_conf_destroy(conf);
  return status;
}

/* Of a consumer: librdkafka has no queue for one without a group. */
static enum cds_status open_queue(struct cds_kafka *kafka, struct cds_error *err) {
  static const uint64_t once = 1;
  rd_kafka_poll_set_consumer(kafka->rk);
  kafka->queue = rd_kafka_queue_get_consumer(kafka->rk);
  if (!kafka->queue) return cds_error_set(err, CDS_E_CONFIG, "Kafka's setting group.id: a name is expected");
  rd_kafka_queue_io_event_enable(kafka->queue, kafka->bell, &once, sizeof once);
  return CDS_OK;
}

enum cds_status cds_kafka_open(struct cds_kafka **out, bool is_producer, const char *const *settings, size_t count,
                               struct cds_error *err) {
  *out = NULL;
  struct cds_kafka *kafka = cds_calloc(1, sizeof *kafka);
  if (!kafka) return cds_error_set(err, CDS_E_MEMORY, "no memory for Kafka");
  kafka->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  enum cds_status status = cds_poller_open(&kafka->poller, err);
  if (status == CDS_OK && (kafka->bell < 0 || !cds_poller_add(kafka->poller, kafka->bell, false)))
    status = cds_error_set(err, CDS_E_MEMORY, "no descriptor: %s", strerror(errno));
  if (status == CDS_OK) status = start(kafka, is_producer, settings, count, err);
  if (status == CDS_OK && !is_producer) status = open_queue(kafka, err);
  if (status == CDS_OK) *out = kafka;
  else cds_kafka_free(kafka);
  return status;
}

void cds_kafka_free(struct cds_kafka *kafka) {
  if (!kafka) return;
  if (kafka->queue) {
    rd_kafka_queue_destroy(kafka->queue);
    rd_kafka_consumer_close(kafka->rk);
  }
  if (kafka->rk) rd_kafka_destroy(kafka->rk);
  if (kafka->bell >= 0) close(kafka->bell); /* librdkafka has no thread left that would ring it */
  cds_poller_unref(kafka->poller);
  cds_free(kafka);
}

int cds_kafka_fd(const struct cds_kafka *kafka) {
  return cds_poller_fd(kafka->poller);
}

void cds_kafka_arm(struct cds_kafka *kafka, double seconds) {
  cds_poller_arm(kafka->poller, seconds);
}

/* ---- a consumer ---- */

static enum cds_status failed(struct cds_error *err, const char *what, rd_kafka_resp_err_t code) {
  return cds_error_set(err, CDS_E_NETWORK, "%s: %s", what, rd_kafka_err2str(code));
}

enum cds_status cds_kafka_subscribe(struct cds_kafka *kafka, const char *topic, struct cds_error *err) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
  rd_kafka_resp_err_t code = rd_kafka_subscribe(kafka->rk, list);
  rd_kafka_topic_partition_list_destroy(list);
  return code ? failed(err, "Kafka's topic cannot be subscribed", code) : CDS_OK;
}

static enum cds_status count_partitions(int *count, struct cds_kafka *kafka, const char *name, int timeout_ms,
                                        struct cds_error *err) {
  const struct rd_kafka_metadata *metadata;
  rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka->rk, name, NULL);
  if (!topic) return failed(err, "Kafka's topic", rd_kafka_last_error());
  rd_kafka_resp_err_t code = rd_kafka_metadata(kafka->rk, 0, topic, &metadata, timeout_ms);
  rd_kafka_topic_destroy(topic);
  if (code) return failed(err, "Kafka does not tell its partitions", code);
  *count = metadata->topic_cnt == 1 && !metadata->topics[0].err ? metadata->topics[0].partition_cnt : 0;
  code = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  rd_kafka_metadata_destroy(metadata);
  return code || *count < 1 ? failed(err, "Kafka's topic", code) : CDS_OK;
}

enum cds_status cds_kafka_assign(int *partitions, struct cds_kafka *kafka, const char *topic, int64_t offset,
                                 int timeout_ms, struct cds_error *err) {
  enum cds_status status = count_partitions(partitions, kafka, topic, timeout_ms, err);
  if (status != CDS_OK) return status;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(*partitions);
  for (int i = 0; i < *partitions; i++) rd_kafka_topic_partition_list_add(list, topic, i)->offset = offset;
  rd_kafka_resp_err_t code = rd_kafka_assign(kafka->rk, list);
  rd_kafka_topic_partition_list_destroy(list);
  return code ? failed(err, "Kafka's topic cannot be read", code) : CDS_OK;
}

rd_kafka_message_t *cds_kafka_take(struct cds_kafka *kafka) {
  uint64_t rung;
  rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->rk, 0);
  if (message) return message;
  if (read(kafka->bell, &rung, sizeof rung) < 0) return NULL;
  return rd_kafka_consumer_poll(kafka->rk, 0); /* one may have come in between */
}

bool cds_kafka_is_assigned(const struct cds_kafka *kafka) {
  rd_kafka_topic_partition_list_t *list = NULL;
  bool is_assigned = rd_kafka_assignment(kafka->rk, &list) == RD_KAFKA_RESP_ERR_NO_ERROR && list->cnt > 0;
  if (list) rd_kafka_topic_partition_list_destroy(list);
  return is_assigned;
}

void cds_kafka_store(struct cds_kafka *kafka, const char *topic, int32_t partition, int64_t offset) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset + 1;
  rd_kafka_offsets_store(kafka->rk, list); /* fails for a partition that has another owner now, who reads it again */
  rd_kafka_topic_partition_list_destroy(list);
}

enum cds_status cds_kafka_commit_offsets(struct cds_kafka *kafka, struct cds_error *err) {
  rd_kafka_resp_err_t code = rd_kafka_commit(kafka->rk, NULL, 0);
  return code && code != RD_KAFKA_RESP_ERR__NO_OFFSET ? failed(err, "Kafka does not know what is done", code) : CDS_OK;
}

/* ---- a producer ---- */

static enum cds_kafka_outcome judge(struct cds_kafka *kafka, rd_kafka_error_t *error, struct cds_error *err) {
  if (!error) return CDS_KAFKA_DONE;
  enum cds_kafka_outcome outcome = CDS_KAFKA_FATAL;
  if (rd_kafka_error_txn_requires_abort(error)) outcome = CDS_KAFKA_ABORT;
  else if (rd_kafka_error_is_retriable(error)) outcome = CDS_KAFKA_AGAIN;
  cds_error_set(err, CDS_E_NETWORK, "Kafka: %s", rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
  struct cds_error why = {0};
  rd_kafka_resp_err_t trouble = cds_kafka_trouble(kafka, &why);
  if (trouble) cds_error_set(err, CDS_E_NETWORK, "Kafka: %s", why.message);
  return trouble == RD_KAFKA_RESP_ERR__AUTHENTICATION ? CDS_KAFKA_REFUSED : outcome;
}

enum cds_kafka_outcome cds_kafka_init(struct cds_kafka *kafka, int timeout_ms, struct cds_error *err) {
  return judge(kafka, rd_kafka_init_transactions(kafka->rk, timeout_ms), err);
}

enum cds_kafka_outcome cds_kafka_begin(struct cds_kafka *kafka, struct cds_error *err) {
  return judge(kafka, rd_kafka_begin_transaction(kafka->rk), err);
}

enum cds_kafka_outcome cds_kafka_produce(struct cds_kafka *kafka, const char *topic, const struct cds_kafka_header *key,
                                         const char *value, size_t length, const struct cds_kafka_header *headers,
                                         size_t count, struct cds_error *err) {
  char why[256];
  rd_kafka_headers_t *list = rd_kafka_headers_new(count);
  for (size_t i = 0; i < count; i++)
    rd_kafka_header_add(list, headers[i].name, -1, headers[i].value, (ssize_t)headers[i].length);
  const rd_kafka_vu_t parts[] = {
    {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
    {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key->value, key->length}},
    {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, length}},
    {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = list},
  };
  rd_kafka_error_t *error = rd_kafka_produceva(kafka->rk, parts, sizeof parts / sizeof *parts);
  if (!error) return CDS_KAFKA_DONE;
  rd_kafka_headers_destroy(list); /* it is the library's only when it has the message */
  bool is_fatal = rd_kafka_fatal_error(kafka->rk, why, sizeof why) != RD_KAFKA_RESP_ERR_NO_ERROR;
  cds_error_set(err, CDS_E_NETWORK, "Kafka: %s", rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
  return is_fatal ? CDS_KAFKA_FATAL : CDS_KAFKA_ABORT;
}

enum cds_kafka_outcome cds_kafka_commit(struct cds_kafka *kafka, int timeout_ms, struct cds_error *err) {
  return judge(kafka, rd_kafka_commit_transaction(kafka->rk, timeout_ms), err);
}

enum cds_kafka_outcome cds_kafka_abort(struct cds_kafka *kafka, int timeout_ms, struct cds_error *err) {
  return judge(kafka, rd_kafka_abort_transaction(kafka->rk, timeout_ms), err);
}
