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
    assert.are.equal('a,"b,c","d ""e""","f\ng",,5', format.csv_line({ "a", "b,c", 'd "e"', "f\ng", nil, 5 }, 6))
  end)

  it("has a column for each field of the schemas asked for", function()
    local columns = format.report_columns(schemas, { 3, 8 })
    assert.are.equal("version,feed_id,observations_timestamp,valid_from_timestamp,native_fee,link_fee,expires_at,"
      .. "benchmark_price,bid,ask,last_update_timestamp,mid_price,market_status", table.concat(columns, ","))
    assert.are.equal("3," .. v3.feed_id .. ",1700000001,1700000000,0.001,0.002,1700086400,3.5,-3.25,"
      .. v3:exact "ask" .. ",,,", format.report_csv(v3, columns))
    assert.are.equal("8," .. v8.feed_id .. ",1700000001,1700000000,0.001,0.002,1700086400,,,,9223372036854775809,1,2",
      format.report_csv(v8, columns))
  end)
end)

describe("tables", function()
  it("align", function()
    assert.are.same({ "a    b", "ccc  d" }, format.columns { { "a", "b" }, { "ccc", "d" } })
  end)

  it("show a report in a row", function()
    assert.matches("^2023%-11%-14T22:13:21Z  a name            v8 +1%.0000$", format.report_row(v8, "a name"))
    local row = format.report_row(chainlink.decode(sample.v3_ask_4), "a name that is too long")
    assert.matches("  a name that is t  v3 +3%.5000 +%-3%.2500 +4%.0000$", row)
    assert.are.equal(#format.report_heading, #row)
  end)

  it("keep the terminal safe from names", function()
    assert.are.equal("a?[31mb", format.plain "a\27[31mb")
  end)

  it("show every field of one report", function()
    local text = table.concat(format.report_details(v8, schemas), "\n")
    for _, field in ipairs(schemas[8].fields) do assert.matches(field.name, text, 1, true) end
    assert.matches("market_status +2  open", text)
    assert.matches("observations_timestamp +1700000001  2023%-11%-14T22:13:21Z", text)
  end)

  it("list feeds in each format", function()
    local feeds = { { id = sample.feed_id(3), version = 3, name = "ETH/USD, \27x", extra = true } }
    local json = format.feeds(feeds, "json", schemas)[1]
    assert.are.same(feeds[1], cjson.decode(json))
    assert.matches("ETH/USD", json, 1, true)
    assert.are.same({ "id,version,name,extra", feeds[1].id .. ',3,"ETH/USD, \27x",true' },
      format.feeds(feeds, "csv", schemas))
    assert.matches("Crypto Advanced  ETH/USD, %?x$", format.feeds(feeds, nil, schemas)[2])
  end)
end)

describe("options", function()
  local rows = { { name = "count", value = "N", number = "whole" }, { name = "seconds", value = "N", number = true },
    { name = "format", value = "F", choices = { "csv", "json" } }, { name = "quiet" } }

  it("are read wherever they stand", function()
    local values, rest = options.parse(rows, { "a", "--count", "3", "--seconds=0.5", "--quiet", "-", "--", "--b" })
    assert.are.same({ count = 3, seconds = 0.5, quiet = true }, values)
    assert.are.same({ "a", "-", "--b" }, rest)
  end)

  local wrong = {
    { { "--cuont", "3" }, "there is no option --cuont" },
    { { "-x" }, "there is no option -x" },
    { { "--count" }, "--count needs a value: N" },
    { { "--count", "1.5" }, "--count must be a whole number above 0, not '1.5'" },
    { { "--seconds", "abc" }, "--seconds must be a number above 0, not 'abc'" },
    { { "--seconds=-1" }, "--seconds must be a number above 0, not '-1'" },
    { { "--format=xml" }, "--format must be csv, json, not 'xml'" },
    { { "--quiet=yes" }, "--quiet takes no value" },
  }
  for _, case in ipairs(wrong) do
    it("are refused: " .. case[2], function()
      local ok, err = pcall(options.parse, rows, case[1])
      assert.is_false(ok)
      assert.is_true(options.is_usage_error(err))
      assert.are.equal(case[2], tostring(err))
    end)
  end

  it("take times as people write them", function()
    assert.are.equal(1734216545, options.time("1734216545", 0))
    assert.are.equal(1734216545, options.time("2024-12-14T22:49:05Z", 0))
    assert.are.equal(951782400, options.time("2000-02-29 00:00:00", 0))
    assert.are.equal(100, options.time("now", 100))
    assert.are.equal(40, options.time("now-60", 100))
    local ok, err = pcall(options.time, "yesterday", 0)
    assert.is_false(ok)
    assert.matches("^'yesterday' is no time", tostring(err))
  end)
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
    { "feeds", 3, "there are no credentials.*chainlink%-streams simulate" },
    { "decode", 2, "a full report is missing", "</dev/null" },
    { "decode 0x12", 1, "DecodeError: " },
    { "decode --format xml", 2, "%-%-format must be table, json, csv, not 'xml'" },
    { "decode " .. sample.v3, 0, "benchmark_price +3%.5\n" },
    { "decode --format json " .. sample.v3, 0, '^{"version":3,' },
    { "decode --format csv " .. sample.v3 .. " " .. sample.v8, 0, "^version,feed_id,[^\n]+\n3,[^\n]+\n8,[^\n]+\n$" },
  }
  for _, case in ipairs(cases) do
    it(("answers %d for: %s"):format(case[2], case[1]:sub(1, 40)), function()
      local output, status = project.run(run .. case[1] .. " " .. (case[4] or ""))
      assert.matches(case[3], output)
      assert.are.equal(case[2], status)
    end)
  end

  it("shows the help of every command", function()
    for _, name in ipairs { "feeds", "latest", "at", "history", "stream", "decode", "version" } do
      local output, status = project.run(run .. name .. " --help")
      assert.matches("usage: chainlink-streams " .. name, output, 1, true)
      assert.are.equal(0, status)
    end
  end)

  it("reads full reports from standard input", function()
    local output, status = project.run(("printf '%s\\n\\n%s\\n' | "):format(sample.v3, sample.v8) .. run
      .. "decode --format json")
    assert.are.equal(0, status)
    assert.are.equal(2, select(2, output:gsub("\n", "\n")))
  end)

  it("ends quietly when its reader goes away", function()
    local output, status = project.run(run .. "decode --format json " .. sample.v3 .. " | true")
    assert.are.equal("", output)
    assert.are.equal(0, status)
  end)
end)
