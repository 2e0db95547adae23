/* SPDX-License-Identifier: MIT
 * The doorbell's socket by itself: where it is, and that nothing of it stays. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "context/bell_socket.h"
#include "entries.h"
#include "tap.h"

static bool can_be_reached(const struct cds_bell_socket *listener) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(at.sun_path, sizeof at.sun_path, "%s", listener->address);
  bool good = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
  close(fd);
  return good;
}

static void test_open(void) {
  struct cds_bell_socket listener;
  struct cds_error err;
  int open = count_entries("/proc/self/fd");
  is_number(cds_bell_socket_open(&listener, &err), CDS_OK, "a socket");
  ok(can_be_reached(&listener), "can be reached at %s", listener.address);
  is_string(listener.folder, "", "its file is gone");
  ok((fcntl(listener.fd, F_GETFD) & FD_CLOEXEC) != 0, "no command inherits it");
  ok((fcntl(listener.fd, F_GETFL) & O_NONBLOCK) != 0, "and accepting never waits");
  ok((fcntl(listener.name_fd, F_GETFD) & FD_CLOEXEC) != 0, "its name is not inherited either");
  cds_bell_socket_close(&listener, true);
  ok(listener.fd == -1 && listener.name_fd == -1, "closed");
  is_number(count_entries("/proc/self/fd"), open, "without a descriptor that is left");
  cds_bell_socket_close(&listener, true);
  is_number(count_entries("/proc/self/fd"), open, "however often");
}

/* They are free where the host has closed its standard input and output. */
static void test_low_descriptors(void) {
  struct cds_bell_socket listener;
  struct cds_error err;
  int input = dup(0), other = open("/dev/null", O_RDONLY);
  close(0);
  enum cds_status status = cds_bell_socket_open(&listener, &err);
  bool good = status == CDS_OK && listener.fd == 0 && can_be_reached(&listener);
  cds_bell_socket_close(&listener, true);
  ok(good && fcntl(0, F_GETFD) < 0, "descriptor 0 is one like others");
  listener = (struct cds_bell_socket){.fd = -1, .name_fd = dup(other)};
  good = listener.name_fd == 0;
  cds_bell_socket_close(&listener, true);
  ok(good && fcntl(0, F_GETFD) < 0, "for the name, too");
  dup2(input, 0);
  close(input);
  close(other);
}

static void set_folder(size_t length) {
  char name[CDS_BELL_PATH + 1];
  memset(name, 'x', sizeof name);
  name[0] = '/';
  name[length] = 0;
  setenv("TMPDIR", name, 1);
}

static void test_folder(void) {
  char folder[] = "/tmp/bell-socket-XXXXXX";
  struct cds_bell_socket listener;
  struct cds_error err = {0};
  if (!ok(mkdtemp(folder) != NULL && setenv("TMPDIR", folder, 1) == 0, "a folder for temporary files")) return;
  int empty = count_entries(folder), open = count_entries("/proc/self/fd");
  is_number(cds_bell_socket_open(&listener, &err), CDS_OK, "is used");
  is_number(count_entries(folder), empty, "but nothing stays in it while it is open");
  cds_bell_socket_close(&listener, true);
  is_number(count_entries(folder), empty, "or afterwards");
  rmdir(folder);
  is_number(cds_bell_socket_open(&listener, &err), CDS_E_MEMORY, "where the folder is missing there is no socket");
  ok(strstr(err.message, "No such file") != NULL, "and it is said why: %s", err.message);
  is_number(count_entries("/proc/self/fd"), open, "no descriptor is left");
  set_folder(CDS_BELL_PATH / 2);
  is_number(cds_bell_socket_open(&listener, &err), CDS_E_MEMORY, "a missing folder with a long name is missing, too");
  set_folder(CDS_BELL_PATH / 2 + 1);
  is_number(cds_bell_socket_open(&listener, &err), CDS_OK, "one whose name leaves no room is not used");
  cds_bell_socket_close(&listener, true);
  unsetenv("TMPDIR");
  is_number(cds_bell_socket_open(&listener, &err), CDS_OK, "there need not be one");
  cds_bell_socket_close(&listener, true);
}

/* As it is where there is no /proc: the file stays until the end, in a folder with a name as long as there may be. */
static void test_file(void) {
  struct cds_bell_socket listener = {.fd = -1, .name_fd = -1};
  char path[CDS_BELL_PATH + 8];
  memset(listener.folder, 'x', sizeof listener.folder - 1);
  listener.folder[snprintf(listener.folder, sizeof listener.folder, "/tmp/bell-%ld", (long)getpid())] = 'x';
  snprintf(path, sizeof path, "%s/bell", listener.folder);
  if (!ok(mkdir(listener.folder, 0700) == 0, "a folder")) return;
  close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  cds_bell_socket_close(&listener, false);
  ok(access(path, F_OK) == 0, "a child of a fork leaves the file");
  cds_bell_socket_close(&listener, true);
  ok(access(path, F_OK) != 0, "its owner does not");
  *strrchr(path, '/') = 0;
  ok(access(path, F_OK) != 0, "nor the folder");
  is_string(listener.folder, "", "which it knows to be gone");
}

int main(void) {
  test_open();
  test_low_descriptors();
  test_folder();
  test_file();
  return done();
}
