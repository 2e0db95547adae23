/* SPDX-License-Identifier: MIT
 * What there is to a way of compressing (gzip.h, zstd.h). Used by packing.h's functions. */
#ifndef CDS_PACKER_H
#define CDS_PACKER_H

#include "base/buf.h"
#include "base/library.h"

struct cds_unpack_step {
  const uint8_t *in;
  size_t in_length; /* what is left of it afterwards, as is `in` */
  uint8_t *out;
  size_t room;     /* at out */
  size_t produced; /* bytes that were put there */
  bool is_end;     /* of a frame (gzip: a member); the next step begins another one */
};

struct cds_packer {
  const char *suffix; /* of a file's name */
  const char *start;  /* the first bytes of what is compressed */
  size_t start_length;
  const char *absent; /* what is wrong with a build without the library; the rest is NULL then */

  struct cds_library *library; /* is loaded before any of these is called */

  /* One frame of both texts, one behind the other, into room for bound() of their lengths. -> its length; 0: no memory */
  size_t (*bound)(size_t length);
  size_t (*pack)(uint8_t *out, size_t room, const struct cds_buf *first, const struct cds_buf *second);

  /* Takes some of the input and makes some of the output, as long as there is either. */
  enum cds_status (*open)(void **out, struct cds_error *err);
  enum cds_status (*step)(void *state, struct cds_unpack_step *step, struct cds_error *err);
  void (*close)(void *state);
};

#endif
