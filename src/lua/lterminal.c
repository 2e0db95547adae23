/* SPDX-License-Identifier: MIT
 * A terminal in full screen, which is given back as it was however the program ends: by its own will, by a signal, or
 * while it is stopped by Ctrl-Z. A process has one; the signal handlers call nothing that a handler may not. */
#include "lua/lterminal.h"

#include "lua/lutil.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l\033[2J" /* another screen, no cursor, nothing on it */
#define LEAVE "\033[?25h\033[?1049l"
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const int ending[] = {SIGTERM, SIGHUP, SIGQUIT};

static struct {
  struct termios before, raw;
  struct sigaction of_ending[COUNT(ending)], of_stop, of_interrupt;
} saved;
static volatile sig_atomic_t is_open, interrupted;

static void put(const char *text, size_t length) {
  if (write(STDOUT_FILENO, text, length) < 0) return; /* there is nobody left to tell */
}

static void enter_screen(void) {
  tcsetattr(STDIN_FILENO, TCSANOW, &saved.raw);
  put(ENTER, sizeof ENTER - 1);
}

static void leave_screen(void) {
  put(LEAVE, sizeof LEAVE - 1);
  tcsetattr(STDIN_FILENO, TCSANOW, &saved.before);
}

/* Its action is the default one again: it ends the process once this returns. */
static void on_ending(int number) {
  leave_screen();
  raise(number);
}

static void on_stop(int number) {
  int before = errno;
  (void)number;
  leave_screen();
  kill(getpid(), SIGSTOP);
  enter_screen(); /* it goes on */
  errno = before;
}

/* The first Ctrl-C is told by terminal_keys; a second one does not wait for that. */
static void on_interrupt(int number) {
  if (interrupted++) {
    signal(number, SIG_DFL);
    on_ending(number);
  }
}

/* What was to be ignored (by nohup, say) still is. */
static void handle(int number, const struct sigaction *action, struct sigaction *before) {
  sigaction(number, action, before);
  if (before->sa_handler == SIG_IGN) sigaction(number, before, NULL);
}

static void handle_signals(void) {
  struct sigaction ends = {.sa_handler = on_ending, .sa_flags = (int)SA_RESETHAND};
  struct sigaction stops = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
  struct sigaction interrupts = {.sa_handler = on_interrupt};
  sigfillset(&ends.sa_mask);
  sigfillset(&stops.sa_mask);
  sigfillset(&interrupts.sa_mask);
  for (size_t i = 0; i < COUNT(ending); i++) handle(ending[i], &ends, &saved.of_ending[i]);
  handle(SIGTSTP, &stops, &saved.of_stop);
  handle(SIGINT, &interrupts, &saved.of_interrupt);
}

static void restore_signals(void) {
  for (size_t i = 0; i < COUNT(ending); i++) sigaction(ending[i], &saved.of_ending[i], NULL);
  sigaction(SIGTSTP, &saved.of_stop, NULL);
  sigaction(SIGINT, &saved.of_interrupt, NULL);
}

/* terminal_open() -> true | nil, reason: standard input and output are no terminal. Keys come one by one, unseen; Ctrl-C
 * and Ctrl-Z keep their meaning. */
static int terminal_open(lua_State *L) {
  if (!is_open && (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &saved.before) != 0)) {
    lua_pushnil(L);
    lua_pushstring(L, strerror(errno));
    return 2;
  }
  if (!is_open) {
    saved.raw = saved.before;
    saved.raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    saved.raw.c_cc[VMIN] = 1;
    saved.raw.c_cc[VTIME] = 0;
    interrupted = 0;
    handle_signals();
    enter_screen();
    is_open = 1;
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* terminal_close(): as it was before; may be called again */
static int terminal_close(lua_State *L) {
  (void)L;
  if (!is_open) return 0;
  is_open = 0;
  leave_screen();
  restore_signals();
  return 0;
}

/* terminal_keys() -> the bytes of keys that were pressed, "" for none | nil, true: Ctrl-C | nil: the terminal is gone */
static int terminal_keys(lua_State *L) {
  struct pollfd entry = {.fd = STDIN_FILENO, .events = POLLIN};
  char keys[64];
  ssize_t count = 0;
  if (interrupted) {
    lua_pushnil(L);
    lua_pushboolean(L, 1);
    return 2;
  }
  if (poll(&entry, 1, 0) > 0) {
    count = read(STDIN_FILENO, keys, sizeof keys);
    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) return 0;
  }
  lua_pushlstring(L, keys, count > 0 ? (size_t)count : 0);
  return 1;
}

/* terminal_size() -> rows, columns of standard output; nothing where they are not known */
static int terminal_size(lua_State *L) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return 0;
  lua_pushinteger(L, size.ws_row);
  lua_pushinteger(L, size.ws_col);
  return 2;
}

void cds_l_open_terminal(lua_State *L) {
  static const luaL_Reg functions[] = {{"terminal_open", terminal_open},
                                       {"terminal_close", terminal_close},
                                       {"terminal_keys", terminal_keys},
                                       {"terminal_size", terminal_size},
                                       {NULL, NULL}};
  cds_l_setfuncs(L, functions, 0);
}
