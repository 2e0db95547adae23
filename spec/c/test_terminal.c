/* SPDX-License-Identifier: MIT
 * A secret that is asked for at a terminal: it does not show, and the terminal is as before, whatever comes of it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* posix_openpt, RTLD_NEXT */
#endif

#include "base/terminal.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <termios.h>

#include "system_faults.h"
#include "tap.h"

#define QUESTION "API secret: "
#define ECHOES (ECHO | ECHOE | ECHOK | ECHONL)

static struct system_fault of_tcsetattr;

SYSTEM_CALL int tcsetattr(int fd, int when, const struct termios *settings) {
  int (*next)(int, int, const struct termios *);
  *(void **)&next = dlsym(RTLD_NEXT, "tcsetattr");
  return system_fails(&of_tcsetattr) ? -1 : next(fd, when, settings);
}

static struct system_fault of_read; /* of the terminal */
static int keyboard, terminal, shown;

SYSTEM_CALL ssize_t read(int fd, void *out, size_t size) {
  return fd == terminal && system_fails(&of_read) ? -1 : syscall(SYS_read, fd, out, size);
}

/* Somebody at a terminal who reads the question on standard error. */
static void begin(void) {
  int ends[2];
  keyboard = posix_openpt(O_RDWR | O_NOCTTY);
  if (keyboard < 0 || grantpt(keyboard) != 0 || unlockpt(keyboard) != 0 || pipe(ends) != 0) abort();
  terminal = open(ptsname(keyboard), O_RDWR | O_NOCTTY);
  fflush(stderr);
  shown = ends[0];
  if (terminal < 0 || dup2(ends[1], STDERR_FILENO) < 0) abort();
  close(ends[1]);
}

static void end(void) {
  close(terminal);
  close(shown);
}

static bool shows(const char *expected) {
  char text[64] = "";
  size_t length = strlen(expected);
  for (size_t i = 0; i < length; i++)
    if (read(shown, text + i, 1) != 1) return false;
  return strcmp(text, expected) == 0;
}

static bool shows_more(void) {
  struct pollfd entry = {.fd = shown, .events = POLLIN};
  return poll(&entry, 1, 0) > 0 && (entry.revents & POLLIN) != 0;
}

struct question {
  pthread_t thread;
  size_t size;
  char answer[32]; /* with a guard behind `size` */
  enum cds_status status;
  struct cds_error err;
  atomic_bool is_over;
};

static void *ask(void *context) {
  struct question *question = context;
  question->status = cds_terminal_read_secret(question->answer, question->size, terminal, QUESTION, &question->err);
  atomic_store(&question->is_over, true);
  return NULL;
}

/* Comes back when something may be typed. */
static void start(struct question *question, size_t size) {
  *question = (struct question){.size = size};
  memset(question->answer, '#', sizeof question->answer);
  if (pthread_create(&question->thread, NULL, ask, question) != 0) abort();
  ok(shows(QUESTION), "the question is shown");
}

static void type(const char *text) {
  if (write(keyboard, text, strlen(text)) != (ssize_t)strlen(text)) abort();
}

/* size: with room for the newline. words: of the error, NULL for none; then expected is of no account. */
static void is_answered(size_t size, const char *typed, const char *expected, const char *words) {
  struct question question;
  start(&question, size);
  type(typed);
  pthread_join(question.thread, NULL);
  if (words) {
    ok(question.status == CDS_E_CONFIG && question.err.status == CDS_E_CONFIG && strstr(question.err.message, words),
       "refused: %s", question.err.message);
  } else {
    ok(question.status == CDS_OK && strcmp(question.answer, expected) == 0, "the line is read: %s", question.answer);
  }
  is_number(question.answer[size], '#', "and nothing is written behind its room");
  ok(shows("\n"), "a line begins");
}

static tcflag_t flags(void) {
  struct termios settings;
  if (tcgetattr(terminal, &settings) != 0) abort();
  return settings.c_lflag;
}

static void set_flags(tcflag_t all) {
  struct termios settings;
  if (tcgetattr(terminal, &settings) != 0) abort();
  settings.c_lflag = all;
  if (tcsetattr(terminal, TCSANOW, &settings) != 0) abort();
}

static void test_lines(void) {
  is_answered(16, "secret\n", "secret", NULL);
  is_answered(16, "\n", "", NULL);
  is_answered(8, "1234567\n", "1234567", NULL);
  is_answered(8, "12345678\n", "", "longer than 7 bytes");
  is_answered(16, "\x04", "", "the terminal has ended");
}

/* One by one, as any of them would show what is typed, or something for it. */
static void test_echo(void) {
  static const tcflag_t kinds[] = {ECHO, ECHOE, ECHOK, ECHONL, ECHOES, ECHOES | ICANON | ISIG, 0};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    struct question question;
    tcflag_t others = flags() & (tcflag_t) ~(ECHOES | ICANON | ISIG), before = others | kinds[i];
    set_flags(before);
    start(&question, 16);
    is_number(flags(), others | ICANON | ISIG, "while it is typed nothing shows, a line at a time is given");
    type("secret\n");
    pthread_join(question.thread, NULL);
    is_number(question.status, CDS_OK, "it is read");
    is_number(flags(), before, "and the terminal is as it was");
    ok(shows("\n"), "a line begins");
  }
}

static void on_signal(int number) {
  (void)number;
}

/* A signal may come before it is waited for: so, again and again. */
static void test_interrupted(void) {
  struct question question;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  tcflag_t before = flags();
  start(&question, 16);
  while (!atomic_load(&question.is_over)) {
    pthread_kill(question.thread, SIGUSR1);
    poll(NULL, 0, 1);
  }
  pthread_join(question.thread, NULL);
  ok(question.status == CDS_E_CONFIG && strcmp(question.err.message, "interrupted") == 0, "a signal ends it");
  is_number(flags(), before, "the terminal is as it was");
  ok(shows("\n") && !shows_more(), "a line begins, once");
}

static void test_refused(void) {
  char answer[16];
  struct cds_error err;
  of_tcsetattr = (struct system_fault){.times = 1, .reason = EIO};
  ok(cds_terminal_read_secret(answer, sizeof answer, terminal, QUESTION, &err) == CDS_E_CONFIG &&
       strstr(err.message, "the terminal's echo cannot be switched off: Input/output error"),
     "where it would show nothing is asked: %s", err.message);
  int nothing = open("/dev/null", O_RDONLY);
  ok(cds_terminal_read_secret(answer, sizeof answer, nothing, QUESTION, &err) == CDS_E_CONFIG &&
       strcmp(err.message, "this is no terminal") == 0,
     "nor where there is no terminal");
  close(nothing);
  ok(!shows_more(), "the question is not shown");
}

static void test_gone(void) {
  struct question question;
  of_read = (struct system_fault){.times = 1, .reason = EIO};
  start(&question, 16);
  type("secret\n");
  pthread_join(question.thread, NULL);
  ok(question.status == CDS_E_CONFIG && strstr(question.err.message, "the terminal cannot be read: Input/output error"),
     "a terminal may not be readable: %s", question.err.message);
  ok(shows("\n"), "a line begins");
  start(&question, 16);
  close(keyboard);
  keyboard = -1;
  pthread_join(question.thread, NULL);
  ok(question.status == CDS_E_CONFIG && strstr(question.err.message, "the terminal has ended"), "or go away: %s",
     question.err.message);
}

int main(void) {
  begin();
  test_lines();
  test_echo();
  test_interrupted();
  test_refused();
  test_gone();
  end();
  return done();
}
