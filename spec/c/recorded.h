/* SPDX-License-Identifier: MIT
 * What the tests of recordings share: a folder of their own, files as text, reports. */
#ifndef RECORDED_H
#define RECORDED_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "codec/report.h"
#include "record/writer.h"
#include "sample.h"
#include "tap.h"

static char recorded_folder[64], recorded_path[128];

__attribute__((unused)) static void recorded_begin(void) {
  strcpy(recorded_folder, "/tmp/recorded-XXXXXX");
  if (!mkdtemp(recorded_folder)) abort();
  snprintf(recorded_path, sizeof recorded_path, "%s/r.jsonl", recorded_folder);
}

/* Takes away all files of the folder. */
__attribute__((unused)) static void recorded_empty(void) {
  DIR *folder = opendir(recorded_folder);
  for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", recorded_folder, entry->d_name);
    unlink(path);
  }
  if (folder) closedir(folder);
}

__attribute__((unused)) static void recorded_end(void) {
  recorded_empty();
  rmdir(recorded_folder);
}

/* How many files the folder has. */
__attribute__((unused)) static size_t recorded_files(void) {
  size_t count = 0;
  DIR *folder = opendir(recorded_folder);
  while (folder && readdir(folder)) count++;
  if (folder) closedir(folder);
  return count - 2;
}

__attribute__((unused)) static char *recorded_text(const char *path, size_t *length) {
  static char text[1 << 20];
  FILE *file = fopen(path, "rb");
  *length = file ? fread(text, 1, sizeof text - 1, file) : 0;
  text[*length] = 0;
  if (file) fclose(file);
  return text;
}

__attribute__((unused)) static void recorded_put(const char *path, const char *text, size_t length) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(text, 1, length, file) != length || fclose(file) != 0) abort();
}

/* A v3 report of that second. */
__attribute__((unused)) static struct cds_report *recorded_report(uint64_t second) {
  uint8_t blob[SAMPLE_MAX];
  struct sample sample;
  struct cds_report *report;
  struct cds_error err;
  size_t length = sample_blob(blob, cds_schema_find(3));
  memset(blob + 2, 0x11, 30);
  sample_put(blob + 32, second);
  sample_put(blob + 64, second);
  sample_report(&sample, blob, length, 2);
  if (cds_report_from_bytes(&report, sample.bytes, sample.length, &err) != CDS_OK) abort();
  report->received_at_ms = (int64_t)second * 1000 + 123;
  return report;
}

__attribute__((unused)) static size_t recorded_count(const char *text, const char *what) {
  size_t count = 0;
  while ((text = strstr(text, what)) != NULL) count++, text++;
  return count;
}

#endif
