/* SPDX-License-Identifier: MIT
 * Moves the times of a blob, which have the same places in all schemas but v1. */
#include "simulator/again.h"

#include "simulator/blob.h"

#include <string.h>

#define WORD 32
#define ROUNDS 1000 /* that a context can tell apart in a second */

enum { VALID_FROM = 1, OBSERVED = 2, EXPIRES = 5, LEGACY_OBSERVED = 1 };

bool cds_sim_again_is_possible(const struct cds_sim_record *record) {
  uint16_t version = (uint16_t)((record->id[0] & 0xf) << 8 | record->id[1]);
  return cds_sim_layout_find(version) && record->id[0] >> 4 <= 1 && record->blob_length % WORD == 0 &&
         record->blob_length > EXPIRES * WORD && record->blob_length <= CDS_SIM_MAX_BLOB_WORDS * WORD;
}

static uint64_t get(const uint8_t *word) {
  uint64_t value = 0;
  for (size_t i = WORD - 8; i < WORD; i++) value = value << 8 | word[i];
  return value;
}

size_t cds_sim_again(uint8_t *out, const struct cds_sim_record *record, const struct cds_sim_later *later,
                     const struct cds_sim_signer *signer) {
  uint8_t blob[CDS_SIM_MAX_BLOB_WORDS * WORD], context[3 * WORD], *expires = blob + EXPIRES * WORD;
  struct cds_sim_signatures signatures;
  memcpy(blob, record->blob, record->blob_length);
  if (cds_sim_replay_is_legacy(record)) {
    cds_sim_put_int(blob + LEGACY_OBSERVED * WORD, (cds_sim_int)later->observed);
  } else {
    cds_sim_put_int(blob + VALID_FROM * WORD, (cds_sim_int)later->valid_from);
    cds_sim_put_int(blob + OBSERVED * WORD, (cds_sim_int)later->observed);
    cds_sim_put_int(expires, (cds_sim_int)(get(expires) + later->observed - record->observed));
  }
  uint64_t second = cds_sim_replay_in_ms(record) ? later->observed / 1000 : later->observed;
  cds_sim_context(context, signer, (uint32_t)second, later->round % ROUNDS);
  cds_sim_sign(&signatures, signer, context, blob, record->blob_length);
  return cds_sim_encode_report(out, context, blob, record->blob_length, &signatures);
}
