/* SPDX-License-Identifier: MIT
 * Feed ids: what is accepted, the messages of what is not, order and version. */
#include "codec/feed_id.h"

#include "sample.h"
#include "tap.h"

static const char good[] = "0x000359843a543ee2fe414dc14c7e7920ef10f4372990b79d6361cdc0dd1ba782";

static void refused(const char *text, size_t length, const char *message) {
  struct cds_feed_id id;
  struct cds_error err;
  char *copy = sample_exact(text, length);
  enum cds_status status = cds_feed_id_parse(&id, copy, length, &err);
  ok(status == CDS_E_FEED_ID && err.status == CDS_E_FEED_ID, "\"%.20s\" of %zu characters is refused", text, length);
  is_string(err.message, message, "its message");
  free(copy);
}

static void test_accepted(void) {
  struct cds_feed_id id;
  struct cds_error err;
  char text[CDS_FEED_ID_TEXT + 1], upper[] = "0X000359843A543EE2FE414DC14C7E7920EF10F4372990B79D6361CDC0DD1BA782";
  is_number(cds_feed_id_parse(&id, good, 66, &err), CDS_OK, "a feed id is read");
  is_number(cds_feed_id_version(&id), 3, "its version");
  cds_feed_id_format(text, &id);
  is_string(text, good, "and written");
  is_number(cds_feed_id_parse(&id, upper, 66, &err), CDS_OK, "capitals are accepted");
  cds_feed_id_format(text, &id);
  is_string(text, good, "and written in lower case");
}

static void test_refused(void) {
  static const char start[] = "a feed id starts with 0x and has 64 hex digits";
  char text[100];
  refused("", 0, start);
  refused("0", 1, start);
  refused("000359843a543ee2fe414dc14c7e7920ef10f4372990b79d6361cdc0dd1ba78200", 66, start);
  refused("0x", 2, "a feed id has 64 hex digits after 0x, this one has 0 characters there");
  refused(good, 65, "a feed id has 64 hex digits after 0x, this one has 63 characters there");
  memcpy(text, good, 66);
  text[66] = '0';
  refused(text, 67, "a feed id has 64 hex digits after 0x, this one has 65 characters there");
  text[65] = 'g';
  refused(text, 66, "a feed id has 64 hex digits after 0x, character 66 of this one is none");
  text[2] = 0;
  refused(text, 66, "a feed id has 64 hex digits after 0x, character 3 of this one is none");
}

static void test_order(void) {
  struct cds_feed_id a = {{0}}, b = {{0}};
  is_number(cds_feed_id_compare(&a, &b), 0, "equal ids");
  b.bytes[31] = 0x80;
  ok(cds_feed_id_compare(&a, &b) < 0 && cds_feed_id_compare(&b, &a) > 0, "order by bytes");
}

static void test_beginning(void) {
  struct cds_feed_id id = {{0x02, 0x34}};
  is_number(cds_feed_id_version(&id), 0x234, "the version is twelve bits");
  is_number(cds_feed_id_resolution(&id), CDS_RESOLUTION_SECONDS, "after four bits 0 for seconds");
  id.bytes[0] = 0x12;
  is_number(cds_feed_id_version(&id), 0x234, "the version is the same");
  is_number(cds_feed_id_resolution(&id), CDS_RESOLUTION_MILLISECONDS, "after four bits 1 for milliseconds");
  for (unsigned first = 2; first < 16; first++) {
    id.bytes[0] = (uint8_t)(first << 4 | 2);
    ok(cds_feed_id_version(&id) == 0x234 && cds_feed_id_resolution(&id) == CDS_RESOLUTION_UNKNOWN,
       "four bits %u are not known", first);
  }
}

int main(void) {
  test_accepted();
  test_refused();
  test_order();
  test_beginning();
  return done();
}
