/* SPDX-License-Identifier: MIT
 * The names of fields, types and units. */
#include "codec/schema.h"

#include <stdio.h>
#include <string.h>

int cds_schema_field(const struct cds_schema *schema, const char *name, size_t length) {
  for (size_t i = 0; i < schema->field_count; i++) {
    const char *candidate = schema->fields[i].name;
    if (strlen(candidate) == length && memcmp(candidate, name, length) == 0) return (int)i;
  }
  return -1;
}

bool cds_schema_is_time(const struct cds_schema *schema, size_t field) {
  int index = (int)field;
  return index == schema->observations_timestamp || index == schema->valid_from_timestamp ||
         index == schema->expires_at;
}

void cds_field_type_name(char out[16], const struct cds_field *field) {
  switch (field->type) {
  case CDS_TYPE_BYTES32: snprintf(out, 16, "bytes32"); return;
  case CDS_TYPE_BOOL: snprintf(out, 16, "bool"); return;
  case CDS_TYPE_ADDRESS: snprintf(out, 16, "address"); return;
  case CDS_TYPE_BYTES: snprintf(out, 16, "bytes"); return;
  case CDS_TYPE_STRING: snprintf(out, 16, "string"); return;
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
