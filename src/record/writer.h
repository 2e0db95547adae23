/* SPDX-License-Identifier: MIT
 * A recorder: what a stream gives to its script, into files (docs/recordings.md). Used by one thread at a time; it
 * writes when it is told to, or when a second or a block is full.
 *
 * A write that fails costs the lines that were to be written, and no others: the file stays whole, the failure is kept
 * and told by an event, and writing is tried again with the next lines, behind a head that says that some are
 * missing. */
#ifndef CDS_RECORD_WRITER_H
#define CDS_RECORD_WRITER_H

#include "codec/report.h"
#include "context/event.h"

struct cds_writer;

struct cds_writer_options {
  uint64_t rotate_bytes; /* a file that a block would make longer is renamed, and a new one begun; 0: never */
  int64_t rotate_ms;     /* the same where another such span of Unix time begins; 0: never */
  bool sync;             /* what is written is on the disk before more is */
};

/* path: a file, or a folder for recording.jsonl; an existing recording is gone on with. CDS_E_FILE when it cannot be
 * written, is none, or is being written. */
CDS_MUST_CHECK enum cds_status cds_writer_open(struct cds_writer **out, const char *path,
                                               const struct cds_feed_id *feeds, size_t feed_count,
                                               const struct cds_writer_options *options, struct cds_error *err);

void cds_writer_report(struct cds_writer *writer, const struct cds_report *report);
void cds_writer_event(struct cds_writer *writer, const struct cds_event *event); /* others than of a feed are ignored */

/* The feeds have changed. False: no memory, the old ones stay. */
CDS_MUST_CHECK bool cds_writer_feeds(struct cds_writer *writer, const struct cds_feed_id *feeds, size_t feed_count);

void cds_writer_write(struct cds_writer *writer); /* what waits */

/* The script is about to wait: the same, but what is to be compressed stays until it is a second old. */
void cds_writer_pause(struct cds_writer *writer);
double cds_writer_due(const struct cds_writer *writer); /* seconds until then; negative: nothing waits */

/* The same. *err is the last failure since the last call of this, if there was one: CDS_E_FILE, CDS_E_MEMORY. */
CDS_MUST_CHECK enum cds_status cds_writer_flush(struct cds_writer *writer, struct cds_error *err);

/* And frees the writer whatever comes of it. NULL is accepted. */
enum cds_status cds_writer_close(struct cds_writer *writer, struct cds_error *err);

struct cds_event *cds_writer_take_event(struct cds_writer *writer); /* a log line, or NULL; caller frees */

struct cds_writer_stats {
  uint64_t reports, bytes; /* written, by this writer */
  uint64_t unwritten;      /* reports that a failure cost */
  uint64_t files;          /* begun or gone on with */
};
void cds_writer_stats(struct cds_writer_stats *out, const struct cds_writer *writer);

#endif
