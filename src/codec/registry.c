/* SPDX-License-Identifier: MIT
 * The built-in schemas, made from schemas.def, and those that a program has added: as any report may point at them,
 * they are never freed, and a place that is taken never changes. */
#include "codec/registry.h"

#include "base/alloc.h"

#include <string.h>

#define MAX_ADDED 64 /* decoding searches them one after another */

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

static const struct cds_schema *added[MAX_ADDED]; /* atomic, without a hole */

static const struct cds_schema *find_built_in(uint16_t version) {
  return version >= 1 && version <= schema_count ? &schemas[version - 1] : NULL; /* the table has no gaps */
}

const struct cds_schema *cds_schema_find(uint16_t version) {
  if (find_built_in(version)) return find_built_in(version);
  for (size_t i = 0; i < MAX_ADDED; i++) {
    const struct cds_schema *schema = __atomic_load_n(&added[i], __ATOMIC_ACQUIRE);
    if (!schema || schema->version == version) return schema;
  }
  return NULL;
}

const struct cds_schema *cds_schema_list(size_t *count) {
  *count = schema_count;
  return schemas;
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

/* ---- adding ---- */

static bool same_field(const struct cds_field *a, const struct cds_field *b) {
  return strcmp(a->name, b->name) == 0 && strcmp(a->abi_name, b->abi_name) == 0 && a->type == b->type &&
         a->bits == b->bits && a->unit == b->unit && a->decimals == b->decimals && strcmp(a->meaning, b->meaning) == 0;
}

static bool same_schema(const struct cds_schema *a, const struct cds_schema *b) {
  if (a->field_count != b->field_count || a->price != b->price || strcmp(a->name, b->name) != 0) return false;
  for (size_t i = 0; i < a->field_count; i++)
    if (!same_field(&a->fields[i], &b->fields[i])) return false;
  return true;
}

/* May it stand beside `other`? *known: the very same is there already. */
static enum cds_status check_beside(bool *known, const struct cds_schema *schema, const struct cds_schema *other,
                                    struct cds_error *err) {
  if (other->version != schema->version) return CDS_OK;
  *known = same_schema(other, schema);
  if (*known) return CDS_OK;
  return cds_error_set(err, CDS_E_CONFIG, "there is a schema of version %u already", (unsigned)other->version);
}

/* Into the first free place. *known: the very same is there already. */
static enum cds_status publish(bool *known, const struct cds_schema *schema, struct cds_error *err) {
  const struct cds_schema *other = find_built_in(schema->version);
  enum cds_status status = other ? check_beside(known, schema, other, err) : CDS_OK;
  for (size_t i = 0; status == CDS_OK && !*known && i < MAX_ADDED; i++) {
    other = NULL;
    if (__atomic_compare_exchange_n(&added[i], &other, schema, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      return CDS_OK;
    status = check_beside(known, schema, other, err);
  }
  if (status != CDS_OK || *known) return status;
  return cds_error_set(err, CDS_E_CONFIG, "at most %d schemas can be added", MAX_ADDED);
}

enum cds_status cds_schema_register(const struct cds_schema_definition *definition, struct cds_error *err) {
  struct cds_schema *schema = NULL;
  bool known = false;
  enum cds_status status = cds_schema_build(&schema, definition, err);
  if (status != CDS_OK) return status;
  status = publish(&known, schema, err);
  if (status != CDS_OK || known) cds_free(schema);
  return status;
}
