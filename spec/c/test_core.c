/* SPDX-License-Identifier: MIT
 * The module's own functions, where the system answers what the test tells it to: how long a wait is, what ends it, what
 * time it is; and that the module refuses another OpenSSL. */
#include "lua_value.h"
#include "system_faults.h"
#include "tap.h"

#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

static struct {
  int answer, reason; /* of poll, and errno */
  int timeout;
  nfds_t count;
} polled;

static struct timespec told; /* of every clock; not set: the system's */
static unsigned long openssl = OPENSSL_VERSION_NUMBER;

SYSTEM_CALL int poll(struct pollfd *entries, nfds_t count, int timeout) {
  (void)entries; /* as poll is declared, it writes there */
  polled.count = count;
  polled.timeout = timeout;
  errno = polled.reason;
  return polled.answer;
}

SYSTEM_CALL int clock_gettime(clockid_t id, struct timespec *out) {
  if (told.tv_sec == 0) return (int)syscall(SYS_clock_gettime, id, out);
  *out = told;
  return 0;
}

SYSTEM_CALL unsigned long OpenSSL_version_num(void) {
  return openssl;
}

static void check_refused(lua_State *L) {
  ok(OpenSSL_version(OPENSSL_VERSION) != NULL, "OpenSSL is there, which has the linker export what is in its place");
  openssl = 0x10101000UL;
  const char *why = value_of(L, "core");
  if (!ok(strstr(why, "chainlink.core: built for OpenSSL") != NULL, "another OpenSSL is refused"))
    printf("# %s\n", why);
  openssl = OPENSSL_VERSION_NUMBER;
  is_string(value_of(L, "type(core)"), "table", "and its own is not");
}

static void check_wait(lua_State *L) {
  static const struct {
    const char *seconds;
    int timeout;
  } waits[] = {{"", 3600000},
               {", 3600", 3600000},
               {", 3600.001", 3600000},
               {", math.huge", 3600000},
               {", 3599.5", 3599500},
               {", 2", 2000},
               {", 0.5", 500},
               {", 0.0201", 21},
               {", 1e-9", 1},
               {", 0", 0},
               {", -1", 0},
               {", 0/0", 3600000}};
  char expression[64];
  for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
    snprintf(expression, sizeof expression, "core.wait(7%s)", waits[i].seconds);
    is_string(value_of(L, expression), "false", expression);
    is_number(polled.timeout, waits[i].timeout, "is so many milliseconds");
  }
  is_number(polled.count, 1, "for one descriptor");
  polled.answer = 1;
  is_string(value_of(L, "core.wait(7, 1)"), "true", "which it is then");
  polled.answer = -1;
  polled.reason = EINTR;
  is_string(value_of(L, "core.wait(7, 1)"), "nil", "or a signal came");
  polled.reason = ENOMEM;
  char failed[64];
  snprintf(failed, sizeof failed, "poll failed (errno %d)", ENOMEM);
  ok(strstr(value_of(L, "core.wait(7, 1)"), failed) != NULL, "or it fails, with the reason");
}

static void check_clocks(lua_State *L) {
  told = (struct timespec){1234567890, 123456789};
  is_string(value_of(L, "core.monotonic() == 1234567890123456789 / 1e9"), "true", "a clock has nanoseconds");
  is_string(value_of(L, "core.time()"), "1234567890.123", "the other one milliseconds");
  told.tv_sec = 0;
}

static void check_signal(lua_State *L) {
  signal(SIGPIPE, SIG_DFL);
  is_string(value_of(L, "select('#', core.ignore_sigpipe())"), "0",
            "a pipe that nobody reads is not to end the process");
  ok(raise(SIGPIPE) == 0, "and does not");
  ok(signal(SIGPIPE, SIG_DFL) == SIG_IGN, "as nobody is told of it");
}

int main(void) {
  lua_State *L = luaL_newstate();
  if (L == NULL) return 1;
  luaL_openlibs(L);
  check_refused(L);
  check_wait(L);
  check_clocks(L);
  check_signal(L);
  lua_close(L);
  return done();
}
