/* SPDX-License-Identifier: MIT
 * The end of a recording whose writer broke off, plain and compressed: what stays, what is taken away, what is refused,
 * and that nothing is changed where that fails. */
#include "record/mend.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/gzip.h"
#include "base/input.h"
#include "base/zstd.h"
#include "record/line.h"
#include "recorded.h"
#include "system_faults.h"

#define HEAD CDS_RECORDING_START ",\"version\":1,\"feeds\":[]}\n"

static struct system_fault of_pread, of_pwrite, of_ftruncate;
static size_t most_read = SIZE_MAX; /* at a time */

SYSTEM_CALL ssize_t pread(int fd, void *out, size_t length, off_t offset) {
  return system_fails(&of_pread) ? -1 : syscall(SYS_pread64, fd, out, length < most_read ? length : most_read, offset);
}

SYSTEM_CALL ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  if (system_fails(&of_pwrite)) return -1;
  if (of_pwrite.after < 0) length--; /* a disk that is full behind this */
  return syscall(SYS_pwrite64, fd, bytes, length, offset);
}

SYSTEM_CALL int ftruncate(int fd, off_t length) {
  return system_fails(&of_ftruncate) ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

static struct cds_error err;
static uint64_t size, cut;

/* Mends the file as its name asks for it. */
static enum cds_status mend(void) {
  struct stat info;
  int fd = open(recorded_path, O_RDWR);
  if (fd < 0 || fstatat(AT_FDCWD, recorded_path, &info, 0) != 0) abort();
  cds_error_clear(&err);
  size = (uint64_t)info.st_size;
  cut = 99;
  errno = EINTR; /* of something before */
  enum cds_status status = cds_record_mend(&size, &cut, fd, recorded_path, cds_packer_by_name(recorded_path), &err);
  if (status != err.status) abort();
  close(fd);
  return status;
}

static void put(const char *text) {
  recorded_put(recorded_path, text, strlen(text));
}

static bool has(const char *expected) {
  size_t length;
  return strcmp(recorded_text(recorded_path, &length), expected) == 0 && length == strlen(expected);
}

/* ---- plain ---- */

static void is_mended(const char *text, const char *expected, uint64_t taken) {
  put(text);
  ok(mend() == CDS_OK && has(expected) && size == strlen(expected) && cut == taken, "%zu bytes become %zu, %zu are cut",
     strlen(text), strlen(expected), (size_t)cut);
}

static void test_plain(void) {
  is_mended("", "", 0);
  is_mended(HEAD, HEAD, 0);
  is_mended("{", "", 1);
  is_mended("{\"for", "", 5);
  is_mended(CDS_RECORDING_START, "", sizeof CDS_RECORDING_START - 1);
  is_mended(CDS_RECORDING_START "}", CDS_RECORDING_START "}\n", 0);
  is_mended(HEAD "{}", HEAD "{}\n", 0);
  is_mended(HEAD "{} ", HEAD "{} \n", 0);
  is_mended(HEAD "{\"a\":1}", HEAD "{\"a\":1}\n", 0);
  is_mended(HEAD "{", HEAD, 1);
  is_mended(HEAD "{\"a\":1", HEAD, 6);
  is_mended(HEAD "{}x", HEAD, 3);
  is_mended(HEAD "[]", HEAD, 2);
  is_mended(HEAD "5", HEAD, 1);
  is_mended(HEAD "{}\n{\"a\"", HEAD "{}\n", 4);
  is_mended(HEAD "\n", HEAD "\n", 0);
  is_mended(HEAD "\nx", HEAD "\n", 1);
  char deep[64 + sizeof HEAD] = HEAD "{\"a\":", mended[64 + sizeof HEAD];
  memset(deep + strlen(deep), '[', CDS_MAX_JSON_DEPTH - 1);
  memset(deep + strlen(deep), ']', CDS_MAX_JSON_DEPTH - 1);
  strcat(deep, "}");
  snprintf(mended, sizeof mended, "%s\n", deep);
  is_mended(deep, mended, 0);
}

static void is_refused(const char *text, size_t length, enum cds_status status, const char *words) {
  size_t now;
  recorded_put(recorded_path, text, length);
  ok(mend() == status && strstr(err.message, words), "refused: %s", err.message);
  ok(memcmp(recorded_text(recorded_path, &now), text, length < 1000 ? length : 1000) == 0 && now == length &&
       size == length,
     "and left alone");
}

static void test_other_files(void) {
  is_refused("x", 1, CDS_E_FILE, "is there and is no recording: it is not written to");
  is_refused("{\"fox", 5, CDS_E_FILE, "is no recording");
  is_refused("\n", 1, CDS_E_FILE, "is no recording");
  is_refused("{\"format\":\"chainlink-streams-recordinG\"", sizeof CDS_RECORDING_START - 1, CDS_E_FILE, "no recording");
}

/* A line may have so many bytes: what has more is none of a recorder's. */
static void test_long_line(void) {
  static char text[CDS_RECORD_MAX_LINE + 64];
  size_t head = sizeof CDS_RECORDING_START - 1, length = CDS_RECORD_MAX_LINE;
  _Static_assert(CDS_RECORD_MAX_LINE > (1 << 20), "more than recorded_text reads");
  memset(text, 'x', sizeof text);
  memcpy(text, CDS_RECORDING_START, head);
  recorded_put(recorded_path, text, length);
  ok(mend() == CDS_OK && size == 0 && cut == length, "a line just so long is cut");
  recorded_put(recorded_path, text, length + 1);
  ok(mend() == CDS_E_FILE && strstr(err.message, "ends in a line longer than any of a recording") && size == length + 1,
     "a longer one is refused: %s", err.message);
  text[head] = '\n';
  recorded_put(recorded_path, text, head + length);
  ok(mend() == CDS_OK && size == head + 1 && cut == length - 1, "behind another one it is cut");
  recorded_put(recorded_path, text, head + length + 1);
  ok(mend() == CDS_E_FILE && cut == 0, "or refused");
  text[sizeof text - 1] = '\n';
  recorded_put(recorded_path, text, sizeof text);
  ok(mend() == CDS_OK && size == sizeof text && cut == 0, "whole it stays");
}

static void test_faults(void) {
  most_read = 3;
  of_pread = (struct system_fault){.after = 1, .times = 2, .reason = EINTR};
  is_mended(HEAD "{\"a", HEAD, 3);
  most_read = SIZE_MAX;
  for (int after = 0; after < 2; after++) {
    of_pread = (struct system_fault){.after = after, .times = 1, .reason = EIO};
    is_refused(HEAD "{", sizeof HEAD, CDS_E_FILE, "cannot mend /tmp/recorded-");
    ok(strstr(err.message, "Input/output error"), "which says why");
  }
  of_ftruncate = (struct system_fault){.times = 1, .reason = EPERM};
  is_refused(HEAD "{", sizeof HEAD, CDS_E_FILE, "Operation not permitted");
  of_pwrite = (struct system_fault){.times = 1, .reason = ENOSPC};
  is_refused(HEAD "{}", sizeof HEAD + 1, CDS_E_FILE, "No space left");
  cds_alloc_fail_after(0);
  is_refused(HEAD "{", sizeof HEAD, CDS_E_MEMORY, "no memory for the last line of /tmp/");
  cds_alloc_fail_after(-1);
}

/* A file that another program has cut meanwhile. */
static void test_shorter(void) {
  put(HEAD);
  int fd = open(recorded_path, O_RDWR);
  size = sizeof HEAD + 4;
  ok(cds_record_mend(&size, &cut, fd, recorded_path, NULL, &err) == CDS_E_FILE && size == sizeof HEAD + 4,
     "a file that has become shorter is refused: %s", err.message);
  close(fd);
}

/* ---- compressed ---- */

static struct cds_buf packed;

static void pack(const struct cds_packer *packer, const char *text) {
  const struct cds_buf nothing = {0}, all = {.data = (char *)(uintptr_t)text, .length = strlen(text)};
  if (cds_pack(&packed, packer, &nothing, &all, &err) != CDS_OK) abort();
}

/* The lines of the mended file. */
static const char *unpacked(void) {
  static char text[4096];
  size_t length = 0;
  ssize_t got;
  struct cds_input input;
  if (cds_input_open(&input, recorded_path, &err) != CDS_OK) abort();
  while ((got = cds_input_read(text + length, sizeof text - 1 - length, &input, recorded_path, &err)) > 0)
    length += (size_t)got;
  text[length] = 0;
  if (got < 0 || input.is_cut) strcpy(text, "(cut)");
  cds_input_close(&input);
  return text;
}

/* A second frame of such a text, which lacks its last bytes, as much as lets all of the text be read. */
static void is_frame(const struct cds_packer *packer, const char *second, const char *expected, uint64_t taken) {
  cds_buf_reset(&packed);
  pack(packer, HEAD);
  size_t first = packed.length;
  pack(packer, second);
  recorded_put(recorded_path, packed.data, packed.length - 4);
  enum cds_status status = mend();
  struct stat info;
  ok(status == CDS_OK && fstatat(AT_FDCWD, recorded_path, &info, 0) == 0 && size == (uint64_t)info.st_size,
     "a frame that is cut is mended");
  is_string(unpacked(), expected, "what is whole of it stays");
  is_number(cut, taken, "and what is not is counted");
  if (strcmp(expected, HEAD) == 0) is_number(size, first, "nothing is left of it");
}

static void test_frames(const struct cds_packer *packer) {
  is_frame(packer, "{}\n", HEAD "{}\n", 0);
  is_frame(packer, "{}", HEAD "{}\n", 0);
  is_frame(packer, "{}\n{\"a\":1}\n", HEAD "{}\n{\"a\":1}\n", 0);
  is_frame(packer, "{}\n{\"a\":1}", HEAD "{}\n{\"a\":1}\n", 0);
  is_frame(packer, "{}\n{\"a\":", HEAD "{}\n", 5);
  is_frame(packer, "{\"a\":", HEAD, 5);
  is_frame(packer, "\n", HEAD "\n", 0);
  is_frame(packer, "\nx", HEAD "\n", 1);
  cds_buf_reset(&packed);
  pack(packer, HEAD);
  size_t first = packed.length;
  pack(packer, "{}\n");
  recorded_put(recorded_path, packed.data, packed.length);
  ok(mend() == CDS_OK && size == packed.length && cut == 0, "whole frames stay");
  for (size_t length = first + 1; length < first + 6; length++) { /* of which nothing can be read */
    recorded_put(recorded_path, packed.data, length);
    ok(mend() == CDS_OK && size == first && cut == length - first, "a frame's first bytes are taken away");
    is_string(unpacked(), HEAD, "and no others");
  }
  for (size_t length = 0; length <= 3; length++) {
    recorded_put(recorded_path, packed.data, length);
    ok(mend() == CDS_OK && size == 0 && cut == length && has(""), "so are a file's first bytes");
  }
  /* a first frame that is cut */
  cds_buf_reset(&packed);
  pack(packer, HEAD "{}\n");
  recorded_put(recorded_path, packed.data, packed.length - 4);
  ok(mend() == CDS_OK && cut == 0, "a file of one frame that is cut");
  is_string(unpacked(), HEAD "{}\n", "has its lines");
}

static void is_not_packed(const char *bytes, size_t length, enum cds_status status, const char *words) {
  is_refused(bytes, length, status, words);
  is_number(cut, 0, "nothing is cut");
}

static void test_other_frames(const struct cds_packer *packer, const struct cds_packer *other) {
  is_not_packed("{\"format\"", 9, CDS_E_FILE, "is no recording");
  is_not_packed("x", 1, CDS_E_FILE, "is no recording");
  char start[4];
  memcpy(start, packer->start, packer->start_length);
  start[packer->start_length - 1]++;
  is_not_packed(start, packer->start_length, CDS_E_FILE, "is no recording");
  cds_buf_reset(&packed);
  pack(packer, "another text\n");
  is_not_packed(packed.data, packed.length, CDS_E_FILE, "is no recording");
  cds_buf_reset(&packed);
  pack(packer, HEAD);
  size_t first = packed.length;
  pack(packer, "{}\n{}\n{}\n");
  packed.data[first + packer->start_length + 4] ^= 0x7f;
  packed.data[packed.length - 2] ^= 0x7f;
  is_not_packed(packed.data, packed.length, CDS_E_DECODE, "damaged");
  cds_buf_reset(&packed);
  if (other->absent) return;
  pack(other, HEAD);
  is_not_packed(packed.data, packed.length, CDS_E_FILE, "is no recording");
}

/* Each step may fail. Until the lines are written again nothing is changed. */
static void test_packed_faults(const struct cds_packer *packer) {
  cds_buf_reset(&packed);
  pack(packer, HEAD);
  pack(packer, "{}\n{\"a\":");
  size_t length = packed.length - 4;
  of_ftruncate = (struct system_fault){.times = 1, .reason = EPERM};
  recorded_put(recorded_path, packed.data, length);
  ok(mend() == CDS_E_FILE && strstr(err.message, "cannot mend /tmp/") && strstr(err.message, "not permitted"),
     "what cannot be cut is told: %s", err.message);
  of_pwrite = (struct system_fault){.times = 1, .reason = ENOSPC};
  recorded_put(recorded_path, packed.data, length);
  ok(mend() == CDS_E_FILE && strstr(err.message, "No space left"), "or written: %s", err.message);
  of_pwrite = (struct system_fault){.after = -1};
  recorded_put(recorded_path, packed.data, length);
  ok(mend() == CDS_E_FILE, "or not all of it");
  of_pwrite = (struct system_fault){0};
  of_ftruncate = (struct system_fault){.times = 1, .reason = EPERM};
  recorded_put(recorded_path, packed.data, packer->start_length - 1);
  ok(mend() == CDS_E_FILE && strstr(err.message, "not permitted"), "or a file that has just begun: %s", err.message);
  of_ftruncate = (struct system_fault){.times = 1, .reason = EPERM};
  recorded_put(recorded_path, "", 0);
  ok(mend() == CDS_OK && of_ftruncate.times == 1, "one that has not begun is not cut");
  of_ftruncate = (struct system_fault){0};
  long nth = 0;
  bool good = true;
  for (enum cds_status status = CDS_E_MEMORY; status != CDS_OK && nth < 50; nth++) {
    recorded_put(recorded_path, packed.data, length);
    cds_alloc_fail_one(nth);
    status = mend();
    cds_alloc_fail_one(-1);
    size_t now;
    recorded_text(recorded_path, &now);
    good = good && (status == CDS_OK || ((err.status == CDS_E_MEMORY || err.status == CDS_E_FILE) && now == length));
  }
  ok(good && nth > 3, "without memory nothing is changed, at %ld places", nth - 1);
  is_string(unpacked(), HEAD "{}\n", "then it is mended");
  unlink(recorded_path);
  size = 0;
  ok(cds_record_mend(&size, &cut, -1, recorded_path, packer, &err) == CDS_E_FILE && strstr(err.message, "cannot open"),
     "a file that is gone is told: %s", err.message);
}

/* One frame that cannot become longer than a recorder's. */
static void test_most(const struct cds_packer *packer) {
  static char text[(8 << 20) + 16];
  memset(text, '\n', sizeof text - 1);
  memcpy(text, HEAD, sizeof HEAD - 1);
  for (size_t length = 8 << 20; length <= (8 << 20) + 1; length++) {
    bool is_one = length <= 8 << 20;
    text[length] = 0;
    cds_buf_reset(&packed);
    pack(packer, text);
    recorded_put(recorded_path, packed.data, packed.length - 4);
    ok(mend() == (is_one ? CDS_OK : CDS_E_FILE), "%zu bytes may be a recorder's: %s", length, err.message);
    if (!is_one) ok(strstr(err.message, "it was not compressed by a recorder"), "or not");
    text[length] = '\n';
  }
}

int main(void) {
  static const struct cds_packer *const packers[] = {&cds_gzip, &cds_zstd};
  recorded_begin();
  test_plain();
  test_other_files();
  test_long_line();
  test_faults();
  test_shorter();
  cds_buf_init(&packed, 16 << 20);
  for (size_t i = 0; i < 2; i++) {
    if (packers[i]->absent) {
      skip(packers[i]->suffix, "built without it");
      continue;
    }
    strcat(recorded_path, packers[i]->suffix);
    test_frames(packers[i]);
    test_other_frames(packers[i], packers[1 - i]);
    test_packed_faults(packers[i]);
    test_most(packers[i]);
    recorded_path[strlen(recorded_path) - strlen(packers[i]->suffix)] = 0;
  }
  cds_buf_clear(&packed);
  recorded_end();
  return done();
}
