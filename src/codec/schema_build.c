/* SPDX-License-Identifier: MIT
 * A schema from its description. */
#include "codec/schema_build.h"

#include "base/alloc.h"
#include "codec/decimal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 256
#define MAX_NAME 63
#define MAX_TEXT 200

/* One heap block, its texts at the end. */
struct block {
  struct cds_schema schema; /* first, so that freeing it frees the block */
  struct cds_field fields[];
};

/* ---- checks ---- */

static bool is_snake_case(const char *name) {
  size_t length = strlen(name);
  if (length == 0 || length > MAX_NAME || name[0] < 'a' || name[0] > 'z') return false;
  return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static bool is_abi_name(const char *name) {
  size_t length = strlen(name);
  if (length == 0 || length > MAX_NAME || (name[0] >= '0' && name[0] <= '9')) return false;
  return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$") == length;
}

/* The bits in a type's name: a multiple of 8 from 8 to 256, written plainly; 0 otherwise. */
static unsigned bits_of(const char *digits) {
  size_t length = strlen(digits);
  if (length == 0 || length > 3 || digits[0] == '0' || strspn(digits, "0123456789") != length) return 0;
  unsigned bits = (unsigned)strtoul(digits, NULL, 10);
  return bits % 8 == 0 && bits <= 256 ? bits : 0;
}

static bool read_type(struct cds_field *field, const char *type) {
  static const struct {
    const char *name;
    enum cds_type type;
    unsigned bits;
  } fixed[] = {{"bytes32", CDS_TYPE_BYTES32, 256},
               {"bool", CDS_TYPE_BOOL, 8},
               {"address", CDS_TYPE_ADDRESS, 160},
               {"bytes", CDS_TYPE_BYTES, 256},
               {"string", CDS_TYPE_STRING, 256}};
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
    if (strcmp(type, fixed[i].name) != 0) continue;
    field->type = fixed[i].type;
    field->bits = fixed[i].bits;
    return true;
  }
  bool is_uint = strncmp(type, "uint", 4) == 0;
  if (!is_uint && strncmp(type, "int", 3) != 0) return false;
  field->type = is_uint ? CDS_TYPE_UINT : CDS_TYPE_INT;
  field->bits = bits_of(type + (is_uint ? 4 : 3));
  return field->bits > 0;
}

static bool read_unit(struct cds_field *field, const char *unit) {
  for (int i = CDS_UNIT_NONE; i <= CDS_UNIT_ENUM; i++) {
    field->unit = (enum cds_unit)i;
    if (strcmp(cds_unit_name(field->unit), unit ? unit : "") == 0) return true;
  }
  return false;
}

static enum cds_status read_field(struct cds_field *field, const struct cds_field_definition *from, size_t number,
                                  struct cds_error *err) {
  if (!from->name || !is_snake_case(from->name))
    return cds_error_set(err, CDS_E_CONFIG, "field %zu: the name must be lower-case letters, digits and _", number);
  if (!from->type || !read_type(field, from->type))
    return cds_error_set(
      err, CDS_E_CONFIG,
      "field '%s': the type must be uint8 to uint256, int8 to int256 (multiples of 8), bytes32, bool, "
      "address, bytes or string, got '%.40s'",
      from->name, from->type ? from->type : "");
  if (from->abi_name && !is_abi_name(from->abi_name))
    return cds_error_set(err, CDS_E_CONFIG, "field '%s': abi_name is no name of Solidity's", from->name);
  if (!read_unit(field, from->unit))
    return cds_error_set(err, CDS_E_CONFIG, "field '%s': there is no unit '%.40s'", from->name, from->unit);
  if (from->meaning && strlen(from->meaning) > MAX_TEXT)
    return cds_error_set(err, CDS_E_CONFIG, "field '%s': meaning is longer than %d bytes", from->name, MAX_TEXT);
  bool is_number = field->type == CDS_TYPE_UINT || field->type == CDS_TYPE_INT;
  if (from->decimals < 0 || from->decimals > CDS_MAX_DECIMALS || (from->decimals > 0 && !is_number))
    return cds_error_set(err, CDS_E_CONFIG, "field '%s': decimals must be 0 to %d, and only numbers have them",
                         from->name, CDS_MAX_DECIMALS);
  field->decimals = (unsigned)from->decimals;
  return CDS_OK;
}

/* ---- the schema ---- */

static size_t text_size(const char *text) {
  return text ? strlen(text) + 1 : 0;
}

static size_t block_size(const struct cds_schema_definition *definition) {
  size_t size = sizeof(struct block) + definition->field_count * sizeof(struct cds_field);
  size += text_size(definition->name ? definition->name : "");
  for (size_t i = 0; i < definition->field_count; i++) {
    const struct cds_field_definition *field = &definition->fields[i];
    size += text_size(field->name) + text_size(field->abi_name ? field->abi_name : field->name);
    size += text_size(field->meaning ? field->meaning : "");
  }
  return size;
}

static const char *keep(char **room, const char *text) {
  const char *kept = *room;
  *room = stpcpy(*room, text ? text : "") + 1;
  return kept;
}

/* "bid_volume" becomes "bidVolume". */
static const char *keep_abi_name(char **room, const struct cds_field_definition *from) {
  if (from->abi_name) return keep(room, from->abi_name);
  char *kept = *room, *to = kept;
  for (const char *c = from->name; *c; c++) {
    bool capital = *c == '_' && c[1] >= 'a' && c[1] <= 'z';
    if (capital) c++;
    *to++ = (char)(capital ? *c - 'a' + 'A' : *c);
  }
  *to = 0;
  *room = to + 1;
  return kept;
}

static int role(const struct cds_schema *schema, const char *name) {
  return name ? cds_schema_field(schema, name, strlen(name)) : -1;
}

static bool is_u32_if_there(const struct cds_schema *schema, int index) {
  return index < 0 || (schema->fields[index].type == CDS_TYPE_UINT && schema->fields[index].bits == 32);
}

static enum cds_status set_roles(struct cds_schema *schema, const char *price, struct cds_error *err) {
  schema->observations_timestamp = role(schema, "observations_timestamp");
  schema->valid_from_timestamp = role(schema, "valid_from_timestamp");
  schema->expires_at = role(schema, "expires_at");
  if (!is_u32_if_there(schema, schema->expires_at)) schema->expires_at = -1; /* a field like any other */
  schema->price = role(schema, price);
  schema->market_status = -1; /* what its numbers mean is not known */
  if (role(schema, "feed_id") != 0 || schema->fields[0].type != CDS_TYPE_BYTES32)
    return cds_error_set(err, CDS_E_CONFIG, "the first field must be feed_id, bytes32");
  if (!is_u32_if_there(schema, schema->observations_timestamp) ||
      !is_u32_if_there(schema, schema->valid_from_timestamp))
    return cds_error_set(err, CDS_E_CONFIG, "observations_timestamp and valid_from_timestamp must be uint32");
  if (price && (schema->price < 0 || (schema->fields[schema->price].type != CDS_TYPE_INT &&
                                      schema->fields[schema->price].type != CDS_TYPE_UINT)))
    return cds_error_set(err, CDS_E_CONFIG, "price must be the name of a field that is a number, got '%.63s'", price);
  return CDS_OK;
}

static enum cds_status fill(struct block *block, const struct cds_schema_definition *definition,
                            struct cds_error *err) {
  char *room = (char *)&block->fields[definition->field_count];
  struct cds_schema *schema = &block->schema;
  schema->version = definition->version;
  schema->name = keep(&room, definition->name);
  schema->fields = block->fields;
  for (size_t i = 0; i < definition->field_count; i++) {
    const struct cds_field_definition *from = &definition->fields[i];
    enum cds_status status = read_field(&block->fields[i], from, i + 1, err);
    if (status != CDS_OK) return status;
    if (cds_schema_field(schema, from->name, strlen(from->name)) >= 0)
      return cds_error_set(err, CDS_E_CONFIG, "field '%s' is there twice", from->name);
    block->fields[i].name = keep(&room, from->name);
    block->fields[i].abi_name = keep_abi_name(&room, from);
    block->fields[i].meaning = keep(&room, from->meaning);
    schema->field_count = i + 1;
  }
  return set_roles(schema, definition->price, err);
}

enum cds_status cds_schema_build(struct cds_schema **out, const struct cds_schema_definition *definition,
                                 struct cds_error *err) {
  if (definition->version == 0 || definition->version > CDS_MAX_VERSION)
    return cds_error_set(err, CDS_E_CONFIG, "version must be 1 to %d", CDS_MAX_VERSION);
  if (definition->field_count == 0 || definition->field_count > MAX_FIELDS)
    return cds_error_set(err, CDS_E_CONFIG, "a schema has 1 to %d fields, got %zu", MAX_FIELDS,
                         definition->field_count);
  if (definition->name && strlen(definition->name) > MAX_TEXT)
    return cds_error_set(err, CDS_E_CONFIG, "name is longer than %d bytes", MAX_TEXT);
  struct block *block = cds_calloc(1, block_size(definition));
  if (!block) return cds_error_set(err, CDS_E_MEMORY, "no memory for a schema");
  enum cds_status status = fill(block, definition, err);
  if (status == CDS_OK) *out = &block->schema;
  else cds_free(block);
  return status;
}
