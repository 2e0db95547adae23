-- SPDX-License-Identifier: MIT
-- chainlink.decode: what it takes, real reports, hostile bytes.

local cjson = require "cjson"
local chainlink = require "chainlink"
local sample = require "spec.support.sample"

local REAL_REPORTS = "../shared/vectors/real-reports.json"

local function word(hex) return ("0"):rep(64 - #hex) .. hex end

describe("decode", function()
  it("takes hex with 0x, with 0X, without, in either case, and bytes", function()
    local report = chainlink.decode(sample.v3)
    assert.are.equal(sample.v3, report.full_report)
    assert.are.equal(report, chainlink.decode((sample.v3:gsub("^0x", "0X"))))
    assert.are.equal(report, chainlink.decode(sample.v3:sub(3)))
    assert.are.equal(report, chainlink.decode(sample.v3:sub(3):upper()))
    assert.are.equal(report, chainlink.decode(report:bytes()))
    assert.are.equal(#sample.v3 / 2 - 1, #report:bytes())
  end)

  for _, value in ipairs { 12, true, { "0x" }, print } do
    it("raises on a " .. type(value), function()
      local ok, err = pcall(chainlink.decode, value)
      assert.is_false(ok)
      assert.are.equal("ConfigError", err.kind)
      assert.matches("^full_report must be a text of hex or bytes, got ", err.message)
    end)
  end

  it("raises on nothing", function()
    local ok, err = pcall(chainlink.decode)
    assert.is_false(ok)
    assert.are.equal("full_report must be a text of hex or bytes, got nil", err.message)
  end)

  local bad = {
    { "", "nothing" }, { "0x", "a bare prefix" }, { "0", "half a byte" }, { "0x12345", "an odd number of digits" },
    { "0x" .. ("zz"):rep(300), "letters that are no digits" }, { "not hex at all", "text" }, { "\0\1\2", "few bytes" },
    { "0x0x" .. ("00"):rep(300), "two prefixes" }, { ("0"):rep(2048), "zeros" }, { ("f"):rep(2048), "ones" },
    { " " .. sample.v3, "a leading space" }, { sample.v3 .. "\n", "a line's end" },
    { "0x" .. ("00"):rep(600 * 1024), "more than a report may have" },
  }
  for _, case in ipairs(bad) do
    it("answers a DecodeError for " .. case[2], function()
      local report, err = chainlink.decode(case[1])
      assert.is_nil(report)
      assert.are.equal("DecodeError", err.kind)
      assert.is_number(err.offset)
      assert.is_string(err.expected)
      assert.is_false(err.retryable)
    end)
  end

  it("refuses a report cut anywhere before its last part ends", function()
    local bytes = chainlink.decode(sample.v3):bytes()
    for length = 0, #bytes - 1 do
      local report, err = chainlink.decode(bytes:sub(1, length))
      assert.is_nil(report, "accepted " .. length .. " bytes")
      assert.are.equal("DecodeError", err.kind)
    end
  end)

  it("ignores bytes after the last part", function()
    local report = assert(chainlink.decode(sample.v3 .. "ab"))
    assert.are.equal(chainlink.decode(sample.v3), report)
  end)

  -- head words 3, 4, 5 are the offsets of blob, rs and ss
  local wild = { word "ffffffff", word "ffffffffffffffff", word "7fffffffffffffff", ("f"):rep(64),
    "1" .. ("0"):rep(63), word "10000000000000000" }
  for index = 3, 5 do
    it("refuses wild offsets in head word " .. index, function()
      for _, value in ipairs(wild) do
        local hex = sample.v3:sub(3)
        local report, err = chainlink.decode(hex:sub(1, index * 64) .. value .. hex:sub(index * 64 + 65))
        assert.is_nil(report)
        assert.are.equal("DecodeError", err.kind)
      end
    end)
  end

  it("survives any one word replaced", function()
    local hex = sample.v3:sub(3)
    for index = 0, #hex / 64 - 1 do
      for _, value in ipairs(wild) do
        local report, err = chainlink.decode(hex:sub(1, index * 64) .. value .. hex:sub(index * 64 + 65))
        if report then
          assert.is_string(tostring(report))
          assert.is_string(report:to_json())
          assert.is_table(report.signatures)
        else
          assert.are.equal("DecodeError", err.kind)
        end
      end
    end
  end)

  it("gives the fields of real reports", function()
    local file = io.open(REAL_REPORTS, "rb")
    if not file then return pending(REAL_REPORTS .. " is not at hand") end
    local vectors = cjson.decode(file:read "*a")
    file:close()
    assert.is_true(#vectors > 0)
    for _, vector in ipairs(vectors) do
      local report = assert(chainlink.decode(vector.fullReport))
      assert.are.equal(vector.version, report.version)
      assert.are.same(vector.reportContext, report.report_context)
      for _, field in ipairs(chainlink.schemas[report.version].fields) do
        assert.are.equal(vector.fields[field.abi_name], report:raw(field.name), field.name)
      end
    end
  end)
end)
