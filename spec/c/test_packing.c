/* SPDX-License-Identifier: MIT
 * Compression: what goes in comes back, in steps of any size, frame by frame; what is damaged or missing. */
#include "base/packing.h"

#include "base/gzip.h"
#include "base/zstd.h"
#include "tap.h"

#define TEXT_BYTES 300000

static struct cds_error err;
static char text[TEXT_BYTES];

/* Half of it repeats, half of it does not. */
static void make_text(void) {
  uint32_t state = 1;
  for (size_t i = 0; i < TEXT_BYTES; i++) {
    state = state * 1664525u + 1013904223u;
    text[i] = (char)(i % 128 < 64 ? 'a' + (int)(i % 8) : (int)(state >> 24));
  }
}

static struct cds_buf part(size_t start, size_t length) {
  return (struct cds_buf){.data = text + start, .length = length};
}

/* Two frames of three texts. */
static bool pack_two(struct cds_buf *out, const struct cds_packer *packer) {
  const struct cds_buf nothing = {0}, first = part(0, 1000), second = part(1000, 150000), third = part(151000, 149000);
  cds_buf_init(out, 2 * TEXT_BYTES);
  return cds_pack(out, packer, &first, &second, &err) == CDS_OK &&
         cds_pack(out, packer, &nothing, &third, &err) == CDS_OK;
}

struct unpacked {
  size_t length, frames;
  size_t ends[2]; /* where the frames end in the output */
  bool is_good;   /* so far as it came it is the text */
  enum cds_status status;
};

/* Gives `in_step` bytes a time, takes `room` a time. */
static struct unpacked unpack(const struct cds_packer *packer, const uint8_t *in, size_t length, size_t in_step,
                              size_t room) {
  static char out[TEXT_BYTES];
  struct unpacked found = {.is_good = true};
  struct cds_unpack *state;
  found.status = cds_unpack_new(&state, packer, &err);
  size_t given = 0;
  bool is_pending = false;
  while (found.status == CDS_OK && (given < length || is_pending) && found.length < TEXT_BYTES) {
    size_t step_in = length - given < in_step ? length - given : in_step;
    size_t step_out = TEXT_BYTES - found.length < room ? TEXT_BYTES - found.length : room;
    struct cds_unpack_step step = {
      .in = in + given, .in_length = step_in, .out = (uint8_t *)out + found.length, .room = step_out};
    found.status = cds_unpack_step(state, &step, &err);
    given += step_in - step.in_length;
    found.length += step.produced;
    is_pending = step.produced == step_out;
    if (step.is_end && found.frames < 2) found.ends[found.frames] = found.length;
    found.frames += step.is_end;
  }
  found.is_good = memcmp(out, text, found.length) == 0;
  cds_unpack_free(state);
  return found;
}

static void test_round(const struct cds_packer *packer) {
  static const size_t steps[][2] = {{1 << 20, 1 << 20}, {1, 1 << 20}, {1 << 20, 7}, {1000, 1000}};
  struct cds_buf packed;
  ok(pack_two(&packed, packer) && packed.length < TEXT_BYTES * 3 / 4, "%s makes a text smaller", packer->suffix);
  ok(cds_packer_by_start((const uint8_t *)packed.data, packed.length) == packer, "its first bytes tell what it is");
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    struct unpacked found = unpack(packer, (const uint8_t *)packed.data, packed.length, steps[i][0], steps[i][1]);
    ok(found.status == CDS_OK && found.length == TEXT_BYTES && found.is_good,
       "it comes back, %zu bytes given and %zu taken at a time", steps[i][0], steps[i][1]);
  }
  struct unpacked found = unpack(packer, (const uint8_t *)packed.data, packed.length, 1 << 20, 1 << 20);
  ok(found.ends[0] == 151000, "a step gives nothing of two frames");
  cds_buf_clear(&packed);
}

static void test_damage(const struct cds_packer *packer) {
  struct cds_buf packed;
  ok(pack_two(&packed, packer), "two frames");
  struct unpacked found = unpack(packer, (const uint8_t *)packed.data, packed.length - 1, 1 << 20, 1 << 20);
  ok(found.status == CDS_OK && found.is_good && found.frames == 1, "a frame that is cut has no end");
  packed.data[packed.length / 4] ^= 0x55;
  found = unpack(packer, (const uint8_t *)packed.data, packed.length, 1 << 20, 1 << 20);
  ok(found.status == CDS_E_DECODE && strstr(err.message, "damaged"), "damage is found: %s", err.message);
  found = unpack(packer, (const uint8_t *)"{\"format\"", 9, 9, 100);
  ok(found.status == CDS_E_DECODE, "and what is something else");
  cds_buf_clear(&packed);
}

static void test_limit(const struct cds_packer *packer) {
  const struct cds_buf nothing = {0}, all = part(0, TEXT_BYTES);
  struct cds_buf out;
  cds_buf_init(&out, 1000);
  ok(cds_pack(&out, packer, &nothing, &all, &err) == CDS_E_MEMORY && out.length == 0, "what is too long is refused");
  cds_buf_clear(&out);
}

/* A build may be without either. */
static void test_packer(const struct cds_packer *packer) {
  const struct cds_buf all = part(0, 10);
  struct cds_unpack *state;
  struct cds_buf out;
  if (packer->absent) {
    cds_buf_init(&out, 1000);
    ok(cds_pack(&out, packer, &all, &all, &err) == CDS_E_CONFIG && strstr(err.message, "this build is without"),
       "a build without it says so");
    ok(cds_unpack_new(&state, packer, &err) == CDS_E_CONFIG && state == NULL, "and when it is to read");
    skip(packer->suffix, "built without it");
    return;
  }
  test_round(packer);
  test_damage(packer);
  test_limit(packer);
}

static void test_choice(void) {
  ok(cds_packer_by_name("a.jsonl.gz") == &cds_gzip && cds_packer_by_name("a.zst") == &cds_zstd, "a name tells");
  ok(!cds_packer_by_name("a.jsonl") && !cds_packer_by_name(".gz") && !cds_packer_by_name("gz"), "or does not");
  ok(!cds_packer_by_start((const uint8_t *)"\x1f", 1) && !cds_packer_by_start((const uint8_t *)"{\"fo", 4),
     "so do first bytes");
  cds_unpack_free(NULL);
}

int main(void) {
  make_text();
  test_choice();
  test_packer(&cds_gzip);
  test_packer(&cds_zstd);
  return done();
}
