/* SPDX-License-Identifier: MIT
 * Makes a schema from a program's description of it. */
#ifndef CDS_SCHEMA_BUILD_H
#define CDS_SCHEMA_BUILD_H

#include "codec/schema.h"

/* A schema as a program describes it; the texts are copied. */
struct cds_field_definition {
  const char *name,
    *type;              /* "uint8" to "uint256", "int8" to "int256", "bytes32", "bool", "address", "bytes", "string" */
  const char *abi_name; /* NULL: made from the name */
  const char *unit;     /* NULL or as cds_unit_name has it */
  const char *meaning;  /* NULL: none */
  int decimals;         /* 0 to 77 */
};

struct cds_schema_definition {
  uint16_t version;
  const char *name;  /* NULL: none */
  const char *price; /* NULL: no main price */
  const struct cds_field_definition *fields;
  size_t field_count;
};

/* A new schema, one block of memory with its texts; cds_free releases it. A ConfigError names what is wrong. */
CDS_MUST_CHECK enum cds_status cds_schema_build(struct cds_schema **out, const struct cds_schema_definition *definition,
                                                struct cds_error *err);

#endif
