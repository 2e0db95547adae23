/* SPDX-License-Identifier: MIT
 * Messages that come although reading is paused wait, in their order and within a bound. */
#include "net/ws_input.h"

#include "base/limits.h"
#include "tap.h"

static struct cds_ws ws;
static char got[64];
static size_t pause_after; /* messages; 0: never */

static void on_message(void *context, const char *text, size_t length) {
  (void)context;
  strncat(got, text, length);
  if (pause_after > 0 && --pause_after == 0) ws.paused = true;
}

static void begin(bool paused) {
  ws = (struct cds_ws){.state = CDS_WS_OPEN, .paused = paused, .handler = {.message = on_message}};
  ws.reader.is_ending = true; /* so that nothing is asked of a connection */
  cds_buf_init(&ws.message, CDS_MAX_MESSAGE_BYTES);
  cds_buf_init(&ws.held, 32);
  got[0] = 0;
  pause_after = 0;
}

static void end(void) {
  cds_buf_clear(&ws.message);
  cds_buf_clear(&ws.held);
}

static bool part(const char *text, bool is_end) {
  const struct cds_frame frame = {
    .kind = CDS_FRAME_PART, .data = (const uint8_t *)text, .length = strlen(text), .is_end = is_end, .is_text = true};
  return cds_ws_input_handler.part(&ws, &frame);
}

static void test_order(void) {
  begin(false);
  ok(part("a", true), "a message comes");
  is_string(got, "a", "and is handed out");
  ok(!cds_ws_input_go_on(&ws), "nothing waits");
  ws.paused = true;
  ok(part("b", false) && part("c", true) && part("d", true), "more come while reading is paused");
  ok(!cds_ws_input_go_on(&ws), "as long as it is");
  is_string(got, "a", "they wait");
  ws.paused = false;
  ok(part("e", true), "one more comes before they are handed out");
  is_string(got, "a", "it waits behind them");
  pause_after = 2;
  ok(cds_ws_input_go_on(&ws), "they are handed out");
  is_string(got, "abcd", "until it is paused again");
  ok(!cds_ws_input_go_on(&ws), "then no more");
  ws.paused = false;
  ok(cds_ws_input_go_on(&ws) && !cds_ws_input_go_on(&ws), "and then the rest, once");
  ok(part("f", true), "what comes now");
  is_string(got, "abcdef", "waits no more");
  end();
}

static void test_bound(void) {
  begin(true);
  ok(part("twenty bytes of text", true), "what fits waits");
  ok(!part("xy", true), "what does not fit ends the connection");
  ok(strstr(ws.outcome.message, "1009"), "as a message too large does: %s", ws.outcome.message);
  ws.paused = false;
  ok(cds_ws_input_go_on(&ws), "what came before");
  is_string(got, "twenty bytes of text", "is whole");
  end();
}

static void test_over(void) {
  begin(true);
  ok(part("a", true), "one waits");
  ws.paused = false;
  ws.state = CDS_WS_CLOSING;
  ok(!cds_ws_input_go_on(&ws) && got[0] == 0, "nothing is handed out once the connection is given up");
  end();
}

int main(void) {
  test_order();
  test_bound();
  test_over();
  return done();
}
