/* SPDX-License-Identifier: MIT
 * The bytes of a file, plain and compressed, in steps of any size, with interruptions, cuts and failures. */
#include "base/input.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/gzip.h"
#include "base/zstd.h"
#include "recorded.h"
#include "system_faults.h"

#define TEXT_BYTES 200000

static struct system_fault of_read;
static size_t most_read = SIZE_MAX; /* at a time */
static int short_reads = 0;         /* so many give 3 bytes at most */

SYSTEM_CALL ssize_t read(int fd, void *out, size_t size) {
  size_t most = short_reads-- > 0 ? 3 : most_read;
  return system_fails(&of_read) ? -1 : syscall(SYS_read, fd, out, size < most ? size : most);
}

static struct cds_error err;
static char text[TEXT_BYTES], came[TEXT_BYTES + 1];

/* Bytes that hardly become less, in the first three quarters. */
static void make_text(void) {
  uint32_t state = 1;
  for (size_t i = 0; i < TEXT_BYTES / 4 * 3; i++) text[i] = (char)((state = state * 1664525u + 1013904223u) >> 24);
}

/* Reads to the end; errno is EINTR from something before. -> how many bytes came, -1 after a failure */
static ssize_t read_all(struct cds_input *input, size_t step) {
  size_t length = 0;
  for (;;) {
    errno = EINTR;
    size_t room = sizeof came - length < step ? sizeof came - length : step;
    ssize_t got = cds_input_read(came + length, room, input, recorded_path, &err);
    if (got <= 0) return got < 0 ? got : (ssize_t)length;
    if ((size_t)got > room) abort();
    length += (size_t)got;
  }
}

static bool open_file(struct cds_input *input) {
  cds_error_clear(&err);
  return cds_input_open(input, recorded_path, &err) == CDS_OK;
}

static void is_all(size_t length, size_t step, const char *what) {
  struct cds_input input;
  bool good = open_file(&input);
  ssize_t got = good ? read_all(&input, step) : -1;
  ok(got == (ssize_t)length && memcmp(came, text, length) == 0, "%s: %zd bytes, %zu at a time", what, got, step);
  ok(good && !input.is_cut && cds_input_read(came, step, &input, recorded_path, &err) == 0, "and the end stays one");
  is_number(err.status, CDS_OK, "which is no error");
  cds_input_close(&input);
}

static void test_plain(void) {
  static const size_t lengths[] = {0, 1, 3, 4, 5, 65535, 65536, 65537, TEXT_BYTES};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    recorded_put(recorded_path, text, lengths[i]);
    is_all(lengths[i], 100000, "a plain file");
    is_all(lengths[i], 1000, "a plain file");
    if (lengths[i] < 10) is_all(lengths[i], 1, "a plain file");
  }
  recorded_put(recorded_path, text, TEXT_BYTES);
  short_reads = 1;
  is_all(TEXT_BYTES, 100000, "one of which little comes at first");
  most_read = 1;
  recorded_put(recorded_path, text, 7);
  of_read = (struct system_fault){.after = 1, .times = 2, .reason = EINTR};
  struct cds_input input;
  ok(open_file(&input) && input.end == CDS_PACKER_START && !input.packer, "its first bytes are looked at");
  ok((fcntl(input.fd, F_GETFD) & FD_CLOEXEC) != 0, "it goes to no other program");
  ok(read_all(&input, 5) == 7 && memcmp(came, text, 7) == 0 && of_read.times == 0, "it comes, interrupted or not");
  cds_input_close(&input);
  most_read = SIZE_MAX;
}

static void test_packed(const struct cds_packer *packer) {
  const struct cds_buf nothing = {0};
  struct cds_buf packed;
  struct cds_input input;
  if (packer->absent) {
    skip(packer->suffix, "built without it");
    return;
  }
  cds_buf_init(&packed, 2 * TEXT_BYTES);
  size_t ends[4] = {0};
  for (size_t i = 0; i < 3; i++) { /* three frames, of which the second has nothing */
    struct cds_buf part = {.data = text + (i == 2) * 50000, .length = i == 0 ? 50000 : i == 1 ? 0 : TEXT_BYTES - 50000};
    if (cds_pack(&packed, packer, &nothing, &part, &err) != CDS_OK) abort();
    ends[i + 1] = packed.length;
  }
  recorded_put(recorded_path, packed.data, packed.length);
  is_all(TEXT_BYTES, TEXT_BYTES, packer->suffix);
  is_all(TEXT_BYTES, 777, packer->suffix);
  is_all(TEXT_BYTES, 1, packer->suffix);
  most_read = 1;
  is_all(TEXT_BYTES, 65536, packer->suffix);
  most_read = 1000;
  is_all(TEXT_BYTES, 65536, packer->suffix);
  most_read = SIZE_MAX;
  ok(open_file(&input) && input.packer == packer, "it is known by its first bytes");
  ok(cds_input_read(came, sizeof came, &input, recorded_path, &err) > 0 && input.offset > 0, "some of it comes");
  ok(read_all(&input, 10000) > 0 && input.offset == packed.length && input.whole == packed.length && input.is_over,
     "how far it is read is known");
  cds_input_close(&input);
  for (size_t at = 0; at < 4; at++) {
    recorded_put(recorded_path, packed.data, ends[at] + 4 < packed.length ? ends[at] + 4 : packed.length - 1);
    bool good = open_file(&input);
    ssize_t got = good ? read_all(&input, 10000) : -1;
    ok(good && got >= (at == 0 ? 0 : 50000) && input.is_cut && input.is_over && input.whole == ends[at < 3 ? at : 2],
       "one that is cut tells where the last whole frame ends: %zu", (size_t)input.whole);
    cds_input_close(&input);
  }
  recorded_put(recorded_path, packed.data, packed.length);
  of_read = (struct system_fault){.after = 1, .times = 1, .reason = EIO};
  ok(open_file(&input) && read_all(&input, 10000) == -1 && err.status == CDS_E_FILE &&
       strstr(err.message, "cannot read /tmp") && strstr(err.message, "Input/output error"),
     "a failure of reading is told: %s", err.message);
  ok(!input.is_over && !input.is_cut && read_all(&input, 10000) > 0, "and may pass");
  cds_input_close(&input);
  packed.data[ends[1] / 2] ^= 0x55;
  packed.data[ends[1] - 3] ^= 0x55;
  recorded_put(recorded_path, packed.data, packed.length);
  ok(open_file(&input) && read_all(&input, 10000) == -1 && err.status == CDS_E_DECODE &&
       strncmp(err.message, recorded_path, strlen(recorded_path)) == 0 && strstr(err.message, ": this is no "),
     "damage is told: %s", err.message);
  cds_input_close(&input);
  cds_buf_clear(&packed);
}

static void test_failures(void) {
  struct cds_input input;
  size_t before = system_open_files();
  recorded_put(recorded_path, text, 100);
  of_read = (struct system_fault){.times = 1, .reason = EIO};
  ok(!open_file(&input) && err.status == CDS_E_FILE && strstr(err.message, "cannot read /tmp/"),
     "unreadable at once: %s", err.message);
  ok(system_open_files() == before && input.fd == -1, "it is closed");
  of_read = (struct system_fault){.after = 1, .times = 1, .reason = EIO};
  ok(open_file(&input) && read_all(&input, 1000) == -1 && strstr(err.message, "cannot read /tmp/"), "or later: %s",
     err.message);
  cds_input_close(&input);
  cds_input_close(&input);
  ok(fcntl(STDIN_FILENO, F_GETFD) >= 0, "closing twice closes nothing else");
  cds_alloc_fail_after(0);
  ok(!open_file(&input) && err.status == CDS_E_MEMORY && strstr(err.message, "no memory to read /tmp/"),
     "no memory: %s", err.message);
  cds_alloc_fail_after(-1);
  unlink(recorded_path);
  ok(!open_file(&input) && err.status == CDS_E_FILE && strstr(err.message, "cannot open /tmp/") &&
       strstr(err.message, "No such file"),
     "no file: %s", err.message);
  is_number(system_open_files(), before, "nothing stays open");
}

/* The lowest descriptor is one like others. */
static void test_descriptor_0(void) {
  int saved = dup(STDIN_FILENO);
  close(STDIN_FILENO);
  recorded_put(recorded_path, text, 10);
  is_all(10, 100, "descriptor 0");
  ok(fcntl(STDIN_FILENO, F_GETFD) < 0, "it is free again");
  dup2(saved, STDIN_FILENO);
  close(saved);
}

int main(void) {
  recorded_begin();
  make_text();
  test_plain();
  test_packed(&cds_gzip);
  test_packed(&cds_zstd);
  test_failures();
  test_descriptor_0();
  recorded_end();
  return done();
}
