/* SPDX-License-Identifier: MIT
 * What a report schema is: one row per field, in ABI order. codec/registry.h has those there are. */
#ifndef CDS_SCHEMA_H
#define CDS_SCHEMA_H

#include "base/error.h"

enum cds_type {
  CDS_TYPE_BYTES32,
  CDS_TYPE_UINT,
  CDS_TYPE_INT,
  CDS_TYPE_BOOL,
  CDS_TYPE_ADDRESS,
  CDS_TYPE_BYTES, /* these two are dynamic: their word is an offset */
  CDS_TYPE_STRING
};

/* What a field's number means; decides how Lua shows it. */
enum cds_unit {
  CDS_UNIT_NONE,         /* an identifier, hash or plain count */
  CDS_UNIT_SECONDS,      /* Unix time */
  CDS_UNIT_MILLISECONDS, /* Unix time */
  CDS_UNIT_NANOSECONDS,  /* Unix time */
  CDS_UNIT_DURATION,     /* seconds */
  CDS_UNIT_PRICE,        /* fixed point, 18 decimals unless told otherwise */
  CDS_UNIT_FEE,          /* fixed point of the fee token, 18 decimals */
  CDS_UNIT_ENUM          /* market status, ripcord */
};

struct cds_field {
  const char *name;     /* snake_case, as in Lua: "benchmark_price" */
  const char *abi_name; /* as in the contract: "benchmarkPrice" */
  enum cds_type type;
  unsigned bits; /* 32, 64, 192, 256 …; 256 for bytes32 and dynamic types */
  enum cds_unit unit;
  unsigned decimals;   /* 18 for prices and fees, else 0 */
  const char *meaning; /* one line for docs and types */
};

#define CDS_MAX_VERSION 0xfff /* a feed id has twelve bits for it */

struct cds_schema {
  uint16_t version;
  const char *name;               /* "Crypto Advanced" */
  const struct cds_field *fields; /* in ABI order; field i is word i of the blob */
  size_t field_count;
  /* indexes into fields, -1 when the schema has none; the three times are uint32, or 64 bits wide where the feed's
   * resolution is not seconds */
  int price, observations_timestamp, valid_from_timestamp, expires_at, market_status;
};

/* The field's index, or -1. */
int cds_schema_field(const struct cds_schema *schema, const char *name, size_t length);

/* Is the field's value elsewhere in the blob, at the offset in its word? Asked of each field of each report. */
static inline bool cds_schema_is_dynamic(const struct cds_field *field) {
  return field->type == CDS_TYPE_BYTES || field->type == CDS_TYPE_STRING;
}

/* Is the field one of the head's three times, which are in the feed's own unit? */
bool cds_schema_is_time(const struct cds_schema *schema, size_t field);

/* "uint32", "int192", "bytes32" */
void cds_field_type_name(char out[16], const struct cds_field *field);
const char *cds_unit_name(enum cds_unit unit); /* "seconds", "price", … ; "" for NONE */

#endif
