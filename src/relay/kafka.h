/* SPDX-License-Identifier: MIT
 * Kafka by librdkafka, which has threads of its own: a producer of transactions, or a consumer. */
#ifndef CDS_RELAY_KAFKA_H
#define CDS_RELAY_KAFKA_H

#include <librdkafka/rdkafka.h>

#include "relay/poller.h"

struct cds_kafka;

/* What became of a step of a transaction. */
enum cds_kafka_outcome {
  CDS_KAFKA_DONE,
  CDS_KAFKA_AGAIN,   /* the same step may be taken again: time ran out, or the broker was not there */
  CDS_KAFKA_ABORT,   /* the transaction is to be aborted, and may be made again */
  CDS_KAFKA_REFUSED, /* the broker takes no such user or password */
  CDS_KAFKA_FATAL    /* this producer is of no use any more */
};

struct cds_kafka_header {
  const char *name, *value;
  size_t length;
};

/* settings: names and values of librdkafka's, in turns. */
CDS_MUST_CHECK enum cds_status cds_kafka_open(struct cds_kafka **out, bool is_producer, const char *const *settings,
                                              size_t count, struct cds_error *err);
void cds_kafka_free(struct cds_kafka *kafka); /* NULL is accepted; a consumer leaves its group, which may take time */

/* Readable when there may be messages, and when the time that cds_kafka_arm was given is over: see relay/poller.h. */
int cds_kafka_fd(const struct cds_kafka *kafka);
void cds_kafka_arm(struct cds_kafka *kafka, double seconds);

/* ---- a consumer ---- */

CDS_MUST_CHECK enum cds_status cds_kafka_subscribe(struct cds_kafka *kafka, const char *topic, struct cds_error *err);

/* Reads all partitions in place of a subscription, each from an offset such as RD_KAFKA_OFFSET_END or _TAIL(n); *partitions
 * is how many there are. Waits for the broker. */
CDS_MUST_CHECK enum cds_status cds_kafka_assign(int *partitions, struct cds_kafka *kafka, const char *topic,
                                                int64_t offset, int timeout_ms, struct cds_error *err);

/* The next message or failure, NULL when there is none now; the caller destroys it. */
rd_kafka_message_t *cds_kafka_take(struct cds_kafka *kafka);

/* Why there may be no messages, since the last call of this: RD_KAFKA_RESP_ERR__AUTHENTICATION or __SSL, with words in
 * *err; else RD_KAFKA_RESP_ERR_NO_ERROR. */
rd_kafka_resp_err_t cds_kafka_trouble(struct cds_kafka *kafka, struct cds_error *err);

bool cds_kafka_is_assigned(const struct cds_kafka *kafka);

/* The message at this offset is done with: a new owner of the partition begins behind it, once that was committed. */
void cds_kafka_store(struct cds_kafka *kafka, const char *topic, int32_t partition, int64_t offset);
CDS_MUST_CHECK enum cds_status cds_kafka_commit_offsets(struct cds_kafka *kafka, struct cds_error *err); /* waits */

/* ---- a producer ---- */

CDS_MUST_CHECK enum cds_kafka_outcome cds_kafka_init(struct cds_kafka *kafka, int timeout_ms, struct cds_error *err);
CDS_MUST_CHECK enum cds_kafka_outcome cds_kafka_begin(struct cds_kafka *kafka, struct cds_error *err);
CDS_MUST_CHECK enum cds_kafka_outcome cds_kafka_produce(struct cds_kafka *kafka, const char *topic,
                                                        const struct cds_kafka_header *key, const char *value,
                                                        size_t length, const struct cds_kafka_header *headers,
                                                        size_t count, struct cds_error *err);
CDS_MUST_CHECK enum cds_kafka_outcome cds_kafka_commit(struct cds_kafka *kafka, int timeout_ms, struct cds_error *err);
CDS_MUST_CHECK enum cds_kafka_outcome cds_kafka_abort(struct cds_kafka *kafka, int timeout_ms, struct cds_error *err);

#endif
