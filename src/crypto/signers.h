/* SPDX-License-Identifier: MIT
 * Who may sign: a configuration's signers and its f, and configurations by their digest. */
#ifndef CDS_SIGNERS_H
#define CDS_SIGNERS_H

#include "base/error.h"
#include "base/limits.h"

#define CDS_ADDRESS 20
#define CDS_ADDRESS_TEXT 42 /* characters of 0x and 40 hex digits */
#define CDS_DIGEST 32

/* One configuration. Made by cds_signer_set_init, which keeps the contract's rules. */
struct cds_signer_set {
  bool active; /* true at first; a deactivated configuration verifies nothing */
  uint8_t f;
  uint8_t count;
  uint8_t addresses[CDS_MAX_SIGNATURES][CDS_ADDRESS];
};

/* Reads exactly 0x (or 0X) and 40 hex digits. */
CDS_MUST_CHECK bool cds_address_parse(uint8_t out[CDS_ADDRESS], const char *text, size_t length);
void cds_address_format(char out[CDS_ADDRESS_TEXT + 1], const uint8_t address[CDS_ADDRESS]);

/* The rules of the contract's setConfig, in its order: 1 <= f, n <= 31, n > 3f, no address zero, none twice.
 * A ConfigError names the broken one. */
CDS_MUST_CHECK enum cds_status cds_signer_set_init(struct cds_signer_set *set, const uint8_t (*addresses)[CDS_ADDRESS],
                                                   size_t count, int64_t f, struct cds_error *err);

/* The address's place in the set, or -1. */
int cds_signer_set_find(const struct cds_signer_set *set, const uint8_t address[CDS_ADDRESS]);

/* Configurations by digest. Shared between threads: any number may read while one at a time changes it, and a
 * reader never waits. */
struct cds_signer_registry;

/* One reference; NULL when memory ran out. otherwise: for every digest that has none of its own, or NULL. */
struct cds_signer_registry *cds_signer_registry_new(const struct cds_signer_set *otherwise);
struct cds_signer_registry *cds_signer_registry_ref(struct cds_signer_registry *registry);
void cds_signer_registry_unref(struct cds_signer_registry *registry);

/* Adds a configuration, or replaces the one of that digest. */
CDS_MUST_CHECK enum cds_status cds_signer_registry_put(struct cds_signer_registry *registry,
                                                       const uint8_t digest[CDS_DIGEST],
                                                       const struct cds_signer_set *set, struct cds_error *err);
/* *found tells whether there was one. */
CDS_MUST_CHECK enum cds_status cds_signer_registry_remove(bool *found, struct cds_signer_registry *registry,
                                                          const uint8_t digest[CDS_DIGEST], struct cds_error *err);

/* Copies the configuration out; false when there is none. Places are ascending by digest. */
bool cds_signer_registry_find(struct cds_signer_set *set, struct cds_signer_registry *registry,
                              const uint8_t digest[CDS_DIGEST]);
bool cds_signer_registry_at(uint8_t digest[CDS_DIGEST], struct cds_signer_set *set,
                            struct cds_signer_registry *registry, size_t place);

#endif
