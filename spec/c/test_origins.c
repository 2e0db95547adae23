/* SPDX-License-Identifier: MIT
 * The origins header: what the service sends, and what a hostile one might. */
#include "net/origins.h"

#include "edge.h"
#include "tap.h"

static struct cds_origins got;

static bool parse(const char *value) {
  return cds_origins_parse(&got, value, strlen(value));
}

static void is_list(const char *value, const char *expected) {
  char joined[CDS_MAX_ORIGINS * CDS_MAX_ORIGIN_TEXT] = "";
  parse(value);
  for (size_t i = 0; i < got.count; i++) {
    if (i > 0) strcat(joined, "|");
    strcat(joined, got.names[i]);
  }
  is_string(joined, expected, value);
}

static void test_lists(void) {
  is_list("{one,two}", "one|two");
  is_list("one,two", "one|two");
  is_list(" { one , two } ", "one|two");
  is_list("{001,002,003}", "001|002|003");
  is_list("solo", "solo");
  is_list("{one,,two,}", "one|two");
  is_list("one,two,one", "one|two");
  is_list("\tone\t,\ttwo\t", "one|two");
}

/* Nothing, behind something: what stands before the text is not its own. */
static void test_nothing(void) {
  static const char text[] = "{}";
  ok(cds_origins_parse(&got, text + 2, 0) && got.count == 0, "no text is a list of none");
  ok(cds_origins_parse(&got, text + 1, 1) && got.count == 0, "so is half of a pair of braces");
  ok(parse("{") && got.count == 0, "or the other half");
  ok(cds_origins_parse(&got, "{one}", 0) && got.count == 0, "whatever stands behind it");
  ok(parse(" ") && got.count == 0, "so is a blank");
  ok(cds_origins_parse(&got, "    ", 1) && got.count == 0, "with others behind it");
  ok(cds_origins_parse(&got, edge_first("", 1), 0) && got.count == 0, "or at the edge of memory");
  ok(cds_origins_parse(&got, edge_last("a, ", 3), 3) && got.count == 1, "at its other edge too");
}

/* What is not told as wrong. */
static void test_good(void) {
  ok(parse("{one,,two, }"), "an empty name is none");
  is_number((long long)got.count, 2, "of two");
  ok(parse("}") && got.count == 0, "a brace alone is a list of none");
  ok(parse("a,b,a,b"), "one that comes again is one");
  is_number((long long)got.count, 2, "of two");
  ok(parse("!~,one.two_3-4"), "any visible letter");
  is_number((long long)got.count, 2, "is a name's");
}

static void test_letters(void) {
  static const char *const wrong[] = {"a{b", "a}b", "a\"b", "a\\b", "a;b", "a b", "a\tb", "a\x7f", ";a", "\001a"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    ok(!parse(wrong[i]), "not every letter: %s", wrong[i]);
    is_number((long long)got.count, 0, "is one");
  }
}

static void test_empty(void) {
  is_list("", "");
  is_list("{", "");
  is_list("}", "");
  is_list("{}", "");
  is_list("{ , ,}", "");
  is_list("  ", "");
}

static void test_hostile(void) {
  char many[256] = "", name[CDS_MAX_ORIGIN_TEXT + 1];
  is_list("good,b d,{x},ok", "good|ok");
  ok(!parse("a\r\nX-Evil: 1"), "a line end is told");
  is_number((long long)got.count, 0, "and not taken");
  ok(!cds_origins_parse(&got, "a\0b,c", 5), "a NUL byte is told");
  is_number((long long)got.count, 1, "and what is good is taken");
  is_string(got.names[0], "c", "the good one");
  is_list("caf\xc3\xa9,x", "x");
  for (int i = 0; i < CDS_MAX_ORIGINS + 3; i++) snprintf(many + strlen(many), sizeof many - strlen(many), "o%d,", i);
  ok(!parse(many), "too many are told");
  is_number((long long)got.count, CDS_MAX_ORIGINS, "the first ones are taken");
  memset(name, 'n', sizeof name);
  name[CDS_MAX_ORIGIN_TEXT - 1] = 0;
  ok(parse(name) && got.count == 1, "the longest name");
  name[CDS_MAX_ORIGIN_TEXT - 1] = 'n', name[CDS_MAX_ORIGIN_TEXT] = 0;
  ok(!parse(name) && got.count == 0, "a longer one is left out");
  ok(parse("a,b") && cds_origins_has(&got, "b") && !cds_origins_has(&got, "c"), "found by name");
  ok(!cds_origins_has(&got, ""), "none has no name");
}

int main(void) {
  test_lists();
  test_nothing();
  test_good();
  test_letters();
  test_empty();
  test_hostile();
  return done();
}
