-- SPDX-License-Identifier: MIT
-- Full reports encoded by an independent implementation (spec/data/README.md), and real ones where they are at hand.

local cjson = require "cjson"
local chainlink = require "chainlink"

local REAL_REPORTS = "../shared/vectors/real-reports.json"

local function read_json(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return cjson.decode(text)
end

local function snake_case(abi_name)
  return (abi_name:gsub("%u", function(letter) return "_" .. letter:lower() end))
end

local function from_hex(text)
  return (text:gsub("^0x", ""):gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function decoded(vector, input)
  local report, err = chainlink.decode(input or vector.fullReport)
  if not report then error(("%s: %s"):format(vector.case or vector.digest, tostring(err)), 2) end
  return report
end

local function check_fields(report, vector)
  for abi_name, expected in pairs(vector.fields) do
    local name = snake_case(abi_name)
    local got
    if expected:sub(1, 2) == "0x" then got = report[name] else got = report:raw(name) end
    assert.are.equal(expected, got, ("v%d %s: %s"):format(vector.version, tostring(vector.case), name))
  end
end

local function check_envelope(report, vector)
  local name = vector.case or vector.digest
  assert.are.equal(vector.version, report.version, name)
  assert.are.same(vector.reportContext, report.report_context, name)
  assert.are.equal(vector.reportContext[1], report.config_digest, name)
  assert.are.equal(vector.fullReport, report.full_report, name)
  if vector.signers ~= cjson.null then assert.are.equal(#vector.signers, #report.signatures, name) end
end

local function check(report, vector)
  check_envelope(report, vector)
  check_fields(report, vector)
end

local vectors = assert(read_json "spec/data/vectors.json", "run the specs from the project's root")

describe("vectors", function()
  local by_version = {}
  for _, vector in ipairs(vectors.reports) do
    by_version[vector.version] = by_version[vector.version] or {}
    table.insert(by_version[vector.version], vector)
  end

  for version = 1, 13 do
    it(("of schema v%d decode to their fields, from hex and from bytes"):format(version), function()
      assert.are.equal(15, #by_version[version])
      for _, vector in ipairs(by_version[version]) do
        check(decoded(vector), vector)
        check(decoded(vector, from_hex(vector.fullReport)), vector)
      end
    end)

    it(("of schema v%d have the fields of the registry"):format(version), function()
      local vector, named = by_version[version][1], {}
      for _, field in ipairs(chainlink.schemas[version].fields) do
        assert.is_string(vector.fields[field.abi_name], field.abi_name)
        assert.are.equal(snake_case(field.abi_name), field.name)
        named[field.abi_name] = true
      end
      for abi_name in pairs(vector.fields) do assert.is_true(named[abi_name], abi_name) end
    end)
  end

  local newer = {}
  for _, vector in ipairs(vectors.newer) do
    local key = vector.fields.feedId:sub(3, 6)
    newer[key] = newer[key] or {}
    table.insert(newer[key], vector)
  end

  local function check_newer(resolution, version, name)
    it(("of schema v%d in %s decode to their fields"):format(version, name), function()
      local list = newer[("%x%03x"):format(resolution, version)]
      assert.are.equal(15, #list)
      for _, vector in ipairs(list) do
        local report = decoded(vector)
        check(report, vector)
        check(decoded(vector, from_hex(vector.fullReport)), vector)
        assert.are.equal(resolution == 1 and "ms" or "s", report.resolution)
        assert.are.equal(#chainlink.schemas[version].fields, #report)
      end
    end)
  end
  check_newer(0, 14, "seconds")
  for version = 1, 14 do check_newer(1, version, "milliseconds") end

  it("cover every number of signatures from 1 to 16", function()
    local seen = {}
    for _, vector in ipairs(vectors.reports) do seen[#vector.signers] = true end
    for count = 1, 16 do assert.is_true(seen[count], tostring(count)) end
  end)
end)

describe("odd but valid encodings", function()
  for _, vector in ipairs(vectors.odd) do
    it("are accepted: " .. vector.case, function()
      check(decoded(vector), vector)
    end)
  end
end)

describe("reports of an unknown version", function()
  for _, vector in ipairs(vectors.unknown) do
    it("still give context, blob, signatures and feed id: " .. vector.case, function()
      local report = decoded(vector)
      check_envelope(report, vector)
      assert.are.equal(vector.feedId, report.feed_id)
      assert.are.equal(vector.reportBlob, report.report_blob)
      assert.is_nil(report.benchmark_price)
    end)
  end
end)

describe("invalid encodings", function()
  local function refused(vector, input)
    local report, err = chainlink.decode(input)
    assert.is_nil(report, vector.reason)
    assert.are.equal("DecodeError", err.kind, vector.reason)
    assert.is_number(err.offset, vector.reason)
    assert.is_true(err.message ~= "", vector.reason)
  end

  for _, vector in ipairs(vectors.newerInvalid) do
    it("of newer feeds are refused: " .. vector.reason, function() refused(vector, vector.fullReport) end)
  end

  for _, vector in ipairs(vectors.invalid) do
    it("are refused: " .. vector.reason, function()
      refused(vector, vector.fullReport)
      refused(vector, from_hex(vector.fullReport))
    end)
  end
end)

describe("real reports", function()
  it("decode to exactly their fields", function()
    local real = read_json(REAL_REPORTS)
    if not real then
      pending(REAL_REPORTS .. " is absent")
      return
    end
    for _, vector in ipairs(real) do check(decoded(vector), vector) end
    assert.is_true(#real > 0)
    print(("\n# %d real reports decoded exactly"):format(#real))
  end)
end)
