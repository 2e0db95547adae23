/* SPDX-License-Identifier: MIT
 * The registry: every schema against the ABI types of its contract, roles, names. */
#include "codec/registry.h"

#include "tap.h"

#define HEAD                                                                                                           \
  "bytes32 feedId,uint32 validFromTimestamp,uint32 observationsTimestamp,uint192 nativeFee,uint192 linkFee,uint32 "    \
  "expiresAt"

static const struct {
  uint16_t version;
  const char *signature, *price;
  bool has_status;
} expected[] = {
  {1,
   "bytes32 feedId,uint32 observationsTimestamp,int192 benchmarkPrice,int192 bid,int192 ask,uint64 currentBlockNum,"
   "bytes32 currentBlockHash,uint64 validFromBlockNum,uint64 currentBlockTimestamp",
   "benchmark_price", false},
  {2, HEAD ",int192 benchmarkPrice", "benchmark_price", false},
  {3, HEAD ",int192 benchmarkPrice,int192 bid,int192 ask", "benchmark_price", false},
  {4, HEAD ",int192 benchmarkPrice,uint32 marketStatus", "benchmark_price", true},
  {5, HEAD ",int192 rate,uint32 timestamp,uint32 duration", "rate", false},
  {6, HEAD ",int192 price,int192 price2,int192 price3,int192 price4,int192 price5", "price", false},
  {7, HEAD ",int192 exchangeRate", "exchange_rate", false},
  {8, HEAD ",uint64 lastUpdateTimestamp,int192 midPrice,uint32 marketStatus", "mid_price", true},
  {9, HEAD ",int192 navPerShare,uint64 navDate,int192 aum,uint32 ripcord", "nav_per_share", false},
  {10,
   HEAD ",uint64 lastUpdateTimestamp,int192 price,uint32 marketStatus,int192 currentMultiplier,int192 newMultiplier,"
        "uint32 activationDateTime,int192 tokenizedPrice",
   "price", true},
  {11,
   HEAD ",int192 mid,uint64 lastSeenTimestampNs,int192 bid,int192 bidVolume,int192 ask,int192 askVolume,"
        "int192 lastTradedPrice,uint32 marketStatus",
   "mid", true},
  {12, HEAD ",int192 navPerShare,int192 nextNavPerShare,uint64 navDate,uint32 ripcord", "nav_per_share", false},
  {13, HEAD ",int192 bestAsk,int192 bestBid,uint64 askVolume,uint64 bidVolume,int192 lastTradedPrice",
   "last_traded_price", false},
  {14,
   HEAD ",int192 midPrice,int192 bidPrice,int192 askPrice,uint64 expiryTime,uint64 firstDayOfNotice,"
        "uint64 lastSeenTimestampNs,uint32 marketStatus,uint32 contractMonth,int192 goldmanRollPrice,"
        "uint32 currentBusinessDay,int192 interpolatedGoldmanRollPrice",
   "mid_price", true},
};

static void signature_of(char *out, const struct cds_schema *schema) {
  *out = 0;
  for (size_t i = 0; i < schema->field_count; i++) {
    char type[16];
    cds_field_type_name(type, &schema->fields[i]);
    out += sprintf(out, "%s%s %s", i > 0 ? "," : "", type, schema->fields[i].abi_name);
  }
}

/* "feedId" to "feed_id"; a digit starts no word. */
static void snake_case(char *out, const char *name) {
  for (; *name; name++) {
    bool capital = *name >= 'A' && *name <= 'Z';
    if (capital) *out++ = '_';
    *out++ = (char)(capital ? *name - 'A' + 'a' : *name);
  }
  *out = 0;
}

static bool names_agree(const struct cds_schema *schema) {
  for (size_t i = 0; i < schema->field_count; i++) {
    char name[64];
    snake_case(name, schema->fields[i].abi_name);
    if (strcmp(name, schema->fields[i].name) != 0 || schema->fields[i].meaning[0] == 0) return false;
  }
  return true;
}

/* Is the role's index where the field's name stands? */
static bool role_is(const struct cds_schema *schema, int index, const char *name) {
  return cds_schema_field(schema, name, strlen(name)) == index;
}

static bool units_agree(const struct cds_schema *schema) {
  for (size_t i = 0; i < schema->field_count; i++) {
    const struct cds_field *field = &schema->fields[i];
    bool fixed_point = field->unit == CDS_UNIT_PRICE || field->unit == CDS_UNIT_FEE;
    if (field->decimals != (fixed_point ? 18 : 0)) return false;
    if ((field->type == CDS_TYPE_INT) != (field->unit == CDS_UNIT_PRICE)) return false;
  }
  return true;
}

static void test_schema(size_t i) {
  const struct cds_schema *schema = cds_schema_find(expected[i].version);
  if (!ok(schema != NULL, "v%d is known", expected[i].version)) return;
  char signature[1024];
  signature_of(signature, schema);
  is_string(signature, expected[i].signature, "its ABI types");
  ok(names_agree(schema), "its names are the contract's in snake case, each with a meaning");
  ok(units_agree(schema), "prices and fees have 18 decimals, signed are prices, others have none");
  ok(role_is(schema, schema->price, expected[i].price), "its price is %s", expected[i].price);
  ok(role_is(schema, schema->observations_timestamp, "observations_timestamp") &&
       role_is(schema, schema->valid_from_timestamp, "valid_from_timestamp") &&
       role_is(schema, schema->expires_at, "expires_at") && role_is(schema, schema->market_status, "market_status"),
     "its other roles stand at the right fields");
  ok((schema->market_status >= 0) == expected[i].has_status, "a market status, or none");
}

static void test_list(void) {
  size_t count = 0;
  const struct cds_schema *list = cds_schema_list(&count);
  is_number(count, 14, "there are 14 schemas");
  bool ascending = true;
  for (size_t i = 1; i < count; i++) ascending = ascending && list[i - 1].version < list[i].version;
  ok(ascending, "in ascending order");
  ok(!cds_schema_find(0) && !cds_schema_find(15) && !cds_schema_find(0xffff), "other versions are not known");
}

static void test_lookup(void) {
  const struct cds_schema *v6 = cds_schema_find(6);
  is_number(cds_schema_field(v6, "price", 5), 6, "price is found");
  is_number(cds_schema_field(v6, "price5", 6), 10, "price5 is found");
  is_number(cds_schema_field(v6, "price5", 5), 6, "only the given length is looked at");
  is_number(cds_schema_field(v6, "pric", 4), -1, "a prefix of a name is none");
  is_number(cds_schema_field(v6, "price\0x", 7), -1, "nor is a name with a 0 in it");
  is_number(cds_schema_field(v6, "", 0), -1, "nor an empty one");
}

static const char *status_name(uint16_t version, uint32_t status) {
  const char *name = cds_market_status_name(version, status);
  return name ? name : "(none)";
}

static void test_market_status(void) {
  is_string(status_name(4, 0), "unknown", "v4 0");
  is_string(status_name(8, 1), "closed", "v8 1");
  is_string(status_name(10, 2), "open", "v10 2");
  is_string(status_name(10, 3), "(none)", "v10 3");
  is_string(status_name(14, 1), "closed", "v14 1");
  is_string(status_name(14, 2), "open", "v14 2");
  is_string(status_name(14, 5), "(none)", "v14 5");
  is_string(status_name(11, 0), "unknown", "v11 0");
  is_string(status_name(11, 1), "pre_market", "v11 1");
  is_string(status_name(11, 2), "regular_hours", "v11 2");
  is_string(status_name(11, 3), "post_market", "v11 3");
  is_string(status_name(11, 4), "overnight", "v11 4");
  is_string(status_name(11, 5), "closed", "v11 5");
  is_string(status_name(11, 6), "(none)", "v11 6");
  is_string(status_name(3, 1), "(none)", "v3 has no market status");
  is_string(status_name(99, 1), "(none)", "an unknown version has none");
  is_string(cds_unit_name(CDS_UNIT_NONE), "", "the unit none has no name");
  is_string(cds_unit_name(CDS_UNIT_ENUM), "enum", "the unit enum");
  is_string(cds_unit_name(CDS_UNIT_NANOSECONDS), "nanoseconds", "the unit nanoseconds");
}

int main(void) {
  test_list();
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) test_schema(i);
  test_lookup();
  test_market_status();
  return done();
}
