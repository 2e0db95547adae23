/* SPDX-License-Identifier: MIT
 * The report schemas as data: one row per field, one table per version (schemas.def), and those that a program adds. */
#ifndef CDS_SCHEMA_H
#define CDS_SCHEMA_H

#include "base/error.h"

enum cds_type { CDS_TYPE_BYTES32, CDS_TYPE_UINT, CDS_TYPE_INT, CDS_TYPE_BOOL, CDS_TYPE_ADDRESS };

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
  unsigned bits; /* 32, 64, 192, 256 … */
  enum cds_unit unit;
  unsigned decimals;   /* 18 for prices and fees, else 0 */
  const char *meaning; /* one line for docs and types */
};

struct cds_schema {
  uint16_t version;
  const char *name;               /* "Crypto Advanced" */
  const struct cds_field *fields; /* in ABI order; field i is word i of the blob */
  size_t field_count;
  /* indexes into fields, -1 when the schema has none */
  int price, observations_timestamp, valid_from_timestamp, expires_at, market_status;
};

/* NULL when the version is not known. */
const struct cds_schema *cds_schema_find(uint16_t version);

/* All built-in schemas, ascending by version. */
const struct cds_schema *cds_schema_list(size_t *count);

/* The field's index, or -1. */
int cds_schema_field(const struct cds_schema *schema, const char *name, size_t length);

/* A schema as a program describes it; the texts are copied. */
struct cds_field_definition {
  const char *name, *type; /* "uint8" to "uint256", "int8" to "int256", "bytes32", "bool", "address" */
  const char *abi_name;    /* NULL: made from the name */
  const char *unit;        /* NULL or as cds_unit_name has it */
  const char *meaning;     /* NULL: none */
  int decimals;            /* 0 to 77 */
};

struct cds_schema_definition {
  uint16_t version;
  const char *name;  /* NULL: none */
  const char *price; /* NULL: no main price */
  const struct cds_field_definition *fields;
  size_t field_count;
};

/* Adds a schema for the rest of the process; threads that decode see it from then on. The first field must be the
 * feed id, bytes32 feed_id; timestamps that decoding reads must be uint32. A ConfigError names what is wrong, a
 * version that is there already included, unless it is defined exactly so. */
CDS_MUST_CHECK enum cds_status cds_schema_register(const struct cds_schema_definition *definition,
                                                   struct cds_error *err);

/* The added schema of that version, or NULL. */
const struct cds_schema *cds_schema_find_added(uint16_t version);

/* "uint32", "int192", "bytes32" */
void cds_field_type_name(char out[16], const struct cds_field *field);
const char *cds_unit_name(enum cds_unit unit); /* "seconds", "price", … ; "" for NONE */

/* The name of a market status under this schema ("open", "pre_market", …), NULL when unknown or none. */
const char *cds_market_status_name(uint16_t version, uint32_t status);

#endif
