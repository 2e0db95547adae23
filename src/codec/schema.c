/* SPDX-License-Identifier: MIT
 * The schema registry, made from schemas.def. */
#include "codec/schema.h"

#include <stdio.h>
#include <string.h>

#define CDS_SCHEMA(version, name, price, observations, valid_from, expires, market_status)                             \
  static const struct cds_field fields_v##version[] = {
#define CDS_FIELD(name, abi_name, type, bits, unit, decimals, meaning)                                                 \
  {name, abi_name, CDS_TYPE_##type, bits, CDS_UNIT_##unit, decimals, meaning},
#define CDS_SCHEMA_END(version)                                                                                        \
  }                                                                                                                    \
  ;
#include "codec/schemas.def"
#undef CDS_SCHEMA
#undef CDS_FIELD
#undef CDS_SCHEMA_END

static const struct cds_schema schemas[] = {
#define CDS_SCHEMA(version, name, price, observations, valid_from, expires, market_status)                              \
  {version,    name,    fields_v##version, sizeof fields_v##version / sizeof fields_v##version[0], price, observations, \
   valid_from, expires, market_status},
#define CDS_FIELD(name, abi_name, type, bits, unit, decimals, meaning)
#define CDS_SCHEMA_END(version)
#include "codec/schemas.def"
#undef CDS_SCHEMA
#undef CDS_FIELD
#undef CDS_SCHEMA_END
};

static const size_t schema_count = sizeof schemas / sizeof schemas[0];

const struct cds_schema *cds_schema_find(uint16_t version) {
  if (version >= 1 && version <= schema_count) return &schemas[version - 1]; /* the table has no gaps */
  return cds_schema_find_added(version);
}

const struct cds_schema *cds_schema_list(size_t *count) {
  *count = schema_count;
  return schemas;
}

int cds_schema_field(const struct cds_schema *schema, const char *name, size_t length) {
  for (size_t i = 0; i < schema->field_count; i++) {
    const char *candidate = schema->fields[i].name;
    if (strlen(candidate) == length && memcmp(candidate, name, length) == 0) return (int)i;
  }
  return -1;
}

void cds_field_type_name(char out[16], const struct cds_field *field) {
  switch (field->type) {
  case CDS_TYPE_BYTES32: snprintf(out, 16, "bytes32"); return;
  case CDS_TYPE_BOOL: snprintf(out, 16, "bool"); return;
  case CDS_TYPE_ADDRESS: snprintf(out, 16, "address"); return;
  case CDS_TYPE_UINT:
  case CDS_TYPE_INT: snprintf(out, 16, "%sint%u", field->type == CDS_TYPE_UINT ? "u" : "", field->bits); return;
  }
}

const char *cds_unit_name(enum cds_unit unit) {
  static const char *const names[] = {
    [CDS_UNIT_NONE] = "",
    [CDS_UNIT_SECONDS] = "seconds",
    [CDS_UNIT_MILLISECONDS] = "milliseconds",
    [CDS_UNIT_NANOSECONDS] = "nanoseconds",
    [CDS_UNIT_DURATION] = "duration",
    [CDS_UNIT_PRICE] = "price",
    [CDS_UNIT_FEE] = "fee",
    [CDS_UNIT_ENUM] = "enum",
  };
  return (size_t)unit < sizeof names / sizeof names[0] ? names[unit] : "";
}

const char *cds_market_status_name(uint16_t version, uint32_t status) {
  static const char *const simple[] = {"unknown", "closed", "open"};
  static const char *const sessions[] = {"unknown",     "pre_market", "regular_hours",
                                         "post_market", "overnight",  "closed"};
  const struct cds_schema *schema = cds_schema_find(version);
  if (!schema || schema->market_status < 0) return NULL;
  if (version == 11) return status < sizeof sessions / sizeof sessions[0] ? sessions[status] : NULL;
  return status < sizeof simple / sizeof simple[0] ? simple[status] : NULL;
}
