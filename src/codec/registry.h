/* SPDX-License-Identifier: MIT
 * The report schemas that are known: the built-in ones (schemas.def), and those that a program adds. */
#ifndef CDS_REGISTRY_H
#define CDS_REGISTRY_H

#include "codec/schema.h"
#include "codec/schema_build.h"

/* NULL when the version is not known. */
const struct cds_schema *cds_schema_find(uint16_t version);

/* All built-in schemas, ascending by version. */
const struct cds_schema *cds_schema_list(size_t *count);

/* Adds a schema for the rest of the process; threads that decode see it from then on. The first field must be the
 * feed id, bytes32 feed_id; timestamps that decoding reads must be uint32. Fields of dynamic type are decoded by the
 * rules of the full report. A ConfigError names what is wrong, a
 * version that is there already included, unless it is defined exactly so. */
CDS_MUST_CHECK enum cds_status cds_schema_register(const struct cds_schema_definition *definition,
                                                   struct cds_error *err);

/* The name of a market status under this schema ("open", "pre_market", …), NULL when unknown or none. */
const char *cds_market_status_name(uint16_t version, uint32_t status);

#endif
