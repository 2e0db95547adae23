-- SPDX-License-Identifier: MIT
-- The command line's formats, options and exit codes, without a service.

local cjson = require "cjson"
local chainlink = require "chainlink"
local format = require "chainlink.cli.format"
local options = require "chainlink.cli.options"
local project = require "spec.support.project"
local sample = require "spec.support.sample"

local schemas = chainlink.schemas
local v3, v8 = chainlink.decode(sample.v3), chainlink.decode(sample.v8)

describe("CSV", function()
  it("quotes what needs it", function()
    assert.are.equal('a,"b,c","d ""e""",,5,0.5,true', format.csv_line({ "a", "b,c", 'd "e"', nil, 5, 0.5, true }, 7))
  end)

  it("is read as it was written", function()
    for _, cells in ipairs { { "a", "b" }, { "" }, { "", "", "" }, { 'd '
      .. '"e"', "b,c", "" }, { '"', '""', '","' }, { "a", "" } } do
      assert.are.same(cells, format.csv_cells(format.csv_line(cells)))
    end
    assert.are.same({ "a", '"bc' }, format.csv_cells '"a","bc')
    assert.are.same({ 'a"b' }, format.csv_cells '"a""b"')
    assert.are.same({ "a" }, format.csv_cells '"a""b')
  end)

  it("has nothing that steers a terminal, and one line a row", function()
    assert.are.equal("a?[31mb?c?d", format.csv_line { "a\27[31mb\194\155c\nd" })
  end)

  it("of one schema has a column for each of its fields", function()
    local columns = format.report_columns(schemas, { 3 })
    assert.are.equal("version,feed_id,name,observations_timestamp,valid_from_timestamp,price,native_fee,link_fee,"
      .. "expires_at,benchmark_price,bid,ask", table.concat(columns, ","))
    assert.are.equal("3," .. v3.feed_id .. ",ETH/USD,1700000001,1700000000,3.5,0.001,0.002,1700086400,3.5,-3.25,"
      .. v3:exact "ask", format.report_csv(v3, columns, schemas, "ETH/USD"))
  end)

  it("of several schemas has the columns that all of them fill, and the other fields in one", function()
    local columns = format.report_columns(schemas, { 3, 8 })
    assert.are.equal("version,feed_id,name,observations_timestamp,valid_from_timestamp,price,native_fee,link_fee,"
      .. "expires_at,fields", table.concat(columns, ","))
    assert.are.equal("3," .. v3.feed_id .. ",,1700000001,1700000000,3.5,0.001,0.002,1700086400,benchmark_price=3.5;"
      .. "bid=-3.25;ask=" .. v3:exact "ask", format.report_csv(v3, columns, schemas))
    assert.are.equal("8," .. v8.feed_id .. ",,1700000001,1700000000,1,0.001,0.002,1700086400,"
      .. "last_update_timestamp=9223372036854775809;mid_price=1;market_status=2",
      format.report_csv(v8, columns, schemas))
  end)

  it("has a row for a report whose schema is not known", function()
    local v99 = chainlink.decode(sample.v99)
    local columns = format.report_columns(schemas, { 3, 99 })
    assert.are.equal("version,feed_id,name,observations_timestamp,valid_from_timestamp,price,fields",
      table.concat(columns, ","))
    assert.are.equal("99," .. v99.feed_id .. ",,,,,", format.report_csv(v99, columns, schemas))
    assert.matches("^3,.*,1700000001,1700000000,3.5,native_fee=0.001;link_fee=0.002;expires_at=1700086400;",
      format.report_csv(v3, columns, schemas))
  end)
end)

describe("JSON", function()
  it("begins with the feed's name, where it is known, and has the main price and both times", function()
    local object = cjson.decode(format.report_json(v8, 'A "name"\194\155'))
    assert.are.equal('A "name"\194\155', object.name)
    assert.are.equal("1", object.price)
    assert.are.equal("1", object.mid_price)
    assert.are.equal(1700000001, object.observations_timestamp)
    assert.are.equal(1700000000, object.valid_from_timestamp)
    assert.matches('^{"name":"ETH/USD","version":8,', format.report_json(v8, "ETH/USD"))
    assert.are.equal(v8:to_json(), format.report_json(v8))
  end)
end)

describe("CSV of millisecond feeds", function()
  it("has their times in both units", function()
    local ms = chainlink.decode(sample.ms_v3)
    local columns = format.report_columns(schemas, { 3 }, true)
    assert.are.equal("version,feed_id,name,observations_timestamp,observations_timestamp_ms,valid_from_timestamp,"
      .. "valid_from_timestamp_ms,price,native_fee,link_fee,expires_at,expires_at_ms,benchmark_price,bid,ask",
      table.concat(columns, ","))
    assert.matches("^3,0x1003%x+,,1700000000,1700000000124,1700000000,1700000000123,3%.5,0%.001,0%.002,"
      .. "1702592000,1702592000125,3%.5,", format.report_csv(ms, columns, schemas))
    assert.matches("^8,0x0008%x+,,1700000001,,1700000000,,", format.report_csv(v8, columns, schemas))
  end)

  it("has no fields of a report whose resolution is not known", function()
    local us = chainlink.decode(sample.us_v3)
    assert.are.equal("3," .. us.feed_id .. ",,,,,,,,",
      format.report_csv(us, format.report_columns(schemas, { 3, 8 }), schemas))
  end)
end)

describe("tables", function()
  it("align", function()
    assert.are.same({ "a    b", "ccc  d" }, format.columns { { "a", "b" }, { "ccc", "d" } })
    assert.are.same({ "  b" }, format.columns { { "", "b" } })
    local function bold(line) return "<" .. line .. ">" end
    assert.are.same({ "<a>", "b", "c" }, format.columns({ { "a" }, { "b" }, { "c" } }, bold))
  end)

  it("show a report in a row", function()
    assert.matches("^2023%-11%-14T22:13:21Z  a name            v8 +1%.0000$", format.report_row(v8, "a name"))
    local row = format.report_row(chainlink.decode(sample.v3_ask_4), "a name that is too long")
    assert.matches("  a name that is t  v3 +3%.5000 +%-3%.2500 +4%.0000$", row)
    assert.are.equal(#format.report_heading(), #row)
  end)

  it("show milliseconds where there are any", function()
    local ms = chainlink.decode(sample.ms_v3)
    local row = format.report_row(ms, "fast", nil, true)
    assert.matches("^2023%-11%-14T22:13:20%.124Z  fast              v3 +3%.5000", row)
    assert.are.equal(#format.report_heading(true), #row)
    assert.matches("^2023%-11%-14T22:13:21Z      a name", format.report_row(v8, "a name", nil, true))
    local text = table.concat(format.report_details(ms, schemas), "\n")
    assert.matches("observations_timestamp +1700000000%.124  2023%-11%-14T22:13:20%.124Z", text)
    assert.matches("expires_at +1702592000%.125  2023%-12%-14T22:13:20%.125Z", text)
    local far = format.report_row(chainlink.decode(sample.ms_largest), "far", nil, true)
    assert.matches("^ +far", far)
  end)

  it("show nothing of a report whose resolution is not known but what every report has", function()
    local text = table.concat(format.report_details(chainlink.decode(sample.us_v3), schemas), "\n")
    assert.matches("^version +3\nfeed_id +0x2003ab%x+\nconfig_digest", text)
  end)

  it("keep the terminal safe from names, and cut no character in two", function()
    assert.matches("  a%?%[31mb%?c +v8 ", format.report_row(v8, "a\27[31mb\194\155c"))
    assert.matches("  fourteen bytes    v8 ", format.report_row(v8, "fourteen bytes €"))
    assert.are.equal("observed              feed              v                price               bid"
      .. "               ask", format.report_heading())
    local row = format.report_row(v8, "x", function(price, report)
      assert.are.equal(v8, report)
      return "<" .. price .. ">"
    end)
    assert.matches(" v8  <            1%.0000>$", row)
    assert.are.equal("a€", format.cut("a€€", 5))
    assert.are.equal("ab", format.cut("ab", 2))
    assert.are.equal("ab", format.cut("ab", 3))
    assert.are.equal("a€", format.cut("a€€", 4))
    assert.are.equal("a€", format.cut("a€€", 6))
    assert.are.equal("a€€", format.cut("a€€", 7))
  end)

  it("have as many decimals as fit the size of a number", function()
    for price, text in pairs { [100] = "100.00", [-99.5] = "-99.5000", [1] = "1.0000", [-0.99] = "-0.99000000" } do
      local row = format.report_row(setmetatable({ price = price }, { __index = v8 }), "x")
      assert.are.equal(text, row:match " v8 +(%S+)$")
    end
  end)

  it("call a feed without a name by both ends of its id", function()
    assert.are.equal("0x0003ab..ababab", format.short_id(sample.feed_id(3)))
  end)

  it("have bid and ask by whatever name", function()
    local best = setmetatable({ best_bid = 2, best_ask = 0.5, price = -1 }, { __index = v3 })
    best.bid, best.ask = false, false
    assert.matches("%-1%.0000 +2%.0000 +0%.50000000$", format.report_row(best, "x"))
  end)

  it("show every field of one report", function()
    local text = table.concat(format.report_details(v8, schemas), "\n")
    for _, field in ipairs(schemas[8].fields) do assert.matches(field.name, text, 1, true) end
    assert.matches("market_status +2  open", text)
    assert.matches("observations_timestamp +1700000001  2023%-11%-14T22:13:21Z", text)
    assert.is_nil(text:find("\nname ", 1, true))
    assert.matches("^version +8\nfeed_id +0x0008%x+\nname +ETH/%?\n",
      table.concat(format.report_details(v8, schemas, "ETH/\27"), "\n"))
    assert.matches("\nconfig_digest +" .. v8.config_digest .. "\nsignatures +" .. #v8.signatures .. "$", text)
    local in_seconds = { [8] = { fields = { { name = "native_fee", unit = "seconds" }, { name = "link_fee" } } } }
    local odd = setmetatable({ native_fee = 1700000000, exact = function(_, name) return v8:exact(name) end },
      { __index = v8 })
    assert.matches("\nnative_fee +0%.001  2023%-11%-14T22:13:20Z\nlink_fee +0%.002\n",
      table.concat(format.report_details(odd, in_seconds), "\n"))
  end)

  it("list feeds in each format", function()
    local feeds = { { id = sample.feed_id(3), version = 3, name = "ETH/USD, \27x", extra = true } }
    local json = format.feeds(feeds, "json", schemas)[1]
    assert.are.same(feeds[1], cjson.decode(json))
    assert.matches("ETH/USD", json, 1, true)
    assert.are.same({ "id,version,name,extra", feeds[1].id .. ',3,"ETH/USD, ?x",true' },
      format.feeds(feeds, "csv", schemas))
    assert.matches("Crypto Advanced  ETH/USD, %?x$", format.feeds(feeds, nil, schemas)[2])
  end)

  it("list feeds with what any of them has besides, each once, in order", function()
    local feeds = { { id = "0x1", version = 3, name = "A", status = "live", b = 1, asset_class = "Crypto" },
      { id = "0x2", version = 99, status = "\27", a = 2, b = 3, list = {} } }
    assert.are.same({ "id,version,name,a,asset_class,b,status", "0x1,3,A,,Crypto,1,live", "0x2,99,,2,,3,?" },
      format.feeds(feeds, "csv", schemas))
    local function bold(line) return "<" .. line .. ">" end
    assert.are.same({ "<id   v   schema           name  class   status>", "0x1  3   Crypto Advanced  A     Crypto  "
      .. "live",
      "0x2  99  unknown                        ?" }, format.feeds(feeds, nil, schemas, bold))
    assert.are.same({ "id   v   schema   name  type", "0x2  99  unknown        x" },
      format.feeds({ { id = "0x2", version = 99, feed_type = "x" } }, nil, schemas))
  end)
end)

describe("options", function()
  local rows = { { name = "count", value = "N", number = "whole" }, { name = "seconds", value = "N", number = true },
    { name = "format", value = "F", choices = { "csv", "json" } }, { name = "quiet" },
    { name = "level", value = "N", number = "whole", low = 1, high = 9, default = 4 },
    { name = "ratio", value = "N", number = true, low = 0, high = 1 }, { name = "file", value = "FILE" },
    { name = "word", value = "WORD", repeats = true } }

  local function pairs_of(arguments) return (options.parse(rows, arguments)) end

  it("are read wherever they stand", function()
    local values, rest = options.parse(rows, { "a", "--count", "3", "--seconds=0.5", "--quiet", "-", "--", "--b" })
    assert.are.same({ count = 3, seconds = 0.5, quiet = true, level = 4 }, values)
    assert.are.same({ "a", "-", "--b" }, rest)
    assert.are.same({ level = 9 }, pairs_of { "--level", "9" })
    assert.are.same({ level = 1, ratio = 0, file = "--x" }, pairs_of { "--level=1", "--ratio=0", "--file", "--x" })
  end)

  it("may be given more than once where all count", function()
    local values = pairs_of { "--level=1", "--word=a", "--level=2", "--word", "b" }
    assert.are.same({ level = 2, word = { "a", "b" } }, values)
  end)

  local wrong = {
    { { "--cuont", "3" }, "there is no option --cuont: did you mean --count?" },
    { { "-x" }, "there is no option -x" },
    { { "--count" }, "--count needs a value: N" },
    { { "--count", "1.5" }, "--count must be a whole number above 0, not '1.5'" },
    { { "--seconds", "abc" }, "--seconds must be a number above 0, not 'abc'" },
    { { "--seconds=-1" }, "--seconds must be a number above 0, not '-1'" },
    { { "--format=xml" }, "--format must be csv, json, not 'xml'" },
    { { "--quiet=yes" }, "--quiet takes no value" },
    { { "--file=" }, "--file must not be empty" },
    { { "--file", "" }, "--file must not be empty" },
    { { "---" }, "there is no option ---" },
    { { "--level", "0" }, "--level must be a whole number from 1 to 9, not '0'" },
    { { "--level", "10" }, "--level must be a whole number from 1 to 9, not '10'" },
    { { "--level", "1.5" }, "--level must be a whole number from 1 to 9, not '1.5'" },
    { { "--level", "1e0" }, "--level must be a whole number from 1 to 9, not '1e0'" },
    { { "--ratio", "1.01" }, "--ratio must be a number from 0 to 1, not '1.01'" },
    { { "--seconds", "0" }, "--seconds must be a number above 0, not '0'" },
    { { "--count=" .. ("9"):rep(400) }, "--count must be a whole number above 0, not '" .. ("9"):rep(400) .. "'" },
  }
  for _, case in ipairs(wrong) do
    it("are refused: " .. case[2], function()
      local ok, err = pcall(options.parse, rows, case[1])
      assert.is_false(ok)
      assert.is_true(options.is_usage_error(err))
      assert.are.equal(case[2], tostring(err))
    end)
  end
end)

describe("the command", function()
  local run = ("env -u CHAINLINK_STREAMS_API_KEY -u CHAINLINK_STREAMS_API_SECRET -u STREAMS_API_KEY "
    .. "-u STREAMS_API_SECRET %s bin/chainlink-streams "):format(project.lua)

  local cases = {
    { "", 2, "usage: chainlink%-streams COMMAND" },
    { "--help", 0, "exit codes: 0 done" },
    { "version", 0, "^chainlink%-streams " .. chainlink._VERSION:gsub("%.", "%%.") .. "\n$" },
    { "--version", 0, "^chainlink%-streams " },
    { "strem", 2, "there is no command 'strem'" },
    { "stream --help", 0, "%-%-seconds N" },
    { "help", 0, "exit codes: 0 done" },
    { "help stream", 0, "%-%-seconds N" },
    { "help steam", 2, "there is no command 'steam': did you mean stream%?" },
    { "feeds", 3, "there are no credentials.*chainlink%-streams simulate" },
    { "decode", 2, "a full report is missing", "</dev/null" },
    { "decode 0x12", 1, "DecodeError: " },
    { "decode --format xml", 2, "%-%-format must be table, json, csv, not 'xml'" },
    { "decode " .. sample.v3, 0, "benchmark_price +3%.5\n" },
    { "decode --format json " .. sample.v3, 0, '^{"version":3,' },
    { "decode --format csv " .. sample.v3 .. " " .. sample.v8, 0, "^version,feed_id,[^\n]+\n3,[^\n]+\n8,[^\n]+\n$" },
    { "decode " .. sample.v3 .. " " .. sample.v8, 0, "^observed [^\n]+\n[^\n]+ v3 [^\n]+\n[^\n]+ v8 [^\n]+\n$" },
  }
  for _, case in ipairs(cases) do
    it(("answers %d for: %s"):format(case[2], case[1]:sub(1, 40)), function()
      local output, status = project.run(run .. case[1] .. " " .. (case[4] or ""))
      assert.matches(case[3], output)
      assert.are.equal(case[2], status)
    end)
  end

  it("shows the help of every command", function()
    for _, name in ipairs { "feeds", "latest", "at", "history", "stream", "decode", "verify", "simulate", "version" } do
      local output, status = project.run(run .. name .. " --help")
      assert.matches("usage: chainlink-streams " .. name, output, 1, true)
      assert.are.equal(0, status)
    end
  end)

  it("shows what else there is to know of a command", function()
    local output = project.run(run .. "feeds --help")
    assert.matches("^usage: chainlink%-streams feeds[^\n]* %[options%]\n       %l[^\n]+\n"
      .. "       with any of the three, the service's catalogue is searched\n\n", output)
    assert.truthy(output:find("\n  --asset BASE,...               of these base assets\n", 1, true), output)
    assert.matches("\n  %-%-help +%l", output)
    assert.matches("\n\nFEED is a feed id", output)
    output = project.run(run .. "decode --help")
    assert.matches("\n       FILE: lines of hex[^\n]+\n       %S", output)
    output = project.run(run .. "simulate --help")
    assert.truthy(output:find("\n\n" .. require("chainlink.cli.simulate").more, 1, true), output)
  end)
end)
