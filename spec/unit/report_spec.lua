-- SPDX-License-Identifier: MIT
-- The Report: fields as numbers, exact and raw text, its forms as table, JSON and one line.

local cjson = require "cjson"
local chainlink = require "chainlink"
local core = require "chainlink.core"
local sample = require "spec.support.sample"

local v3 = chainlink.decode(sample.v3)
local v8 = chainlink.decode(sample.v8)
local v99 = chainlink.decode(sample.v99)

local has_integers = _VERSION >= "Lua 5.3"

describe("a report's fields", function()
  it("are numbers for computing", function()
    assert.are.equal(3.5, v3.benchmark_price)
    assert.are.equal(-3.25, v3.bid)
    assert.are.equal(0.001, v3.native_fee)
    assert.are.equal(1700000001, v3.observations_timestamp)
    assert.are.equal(1700000000, v3.valid_from_timestamp)
    assert.are.equal(1700086400, v3.expires_at)
    assert.are.equal(3, v3.version)
    if has_integers then assert.are.equal("1700086400", tostring(v3.expires_at)) end
  end)

  it("have an exact and a raw text", function()
    assert.are.equal("3.5", v3:exact "benchmark_price")
    assert.are.equal("-3.25", v3:exact "bid")
    assert.are.equal("-3250000000000000000", v3:raw "bid")
    assert.are.equal(sample.ask_raw, v3:raw "ask")
    assert.are.equal(sample.ask_raw:sub(1, -19) .. "." .. sample.ask_raw:sub(-18), v3:exact "ask")
    assert.are.equal("1700000001", v3:exact "observations_timestamp")
    assert.are.equal(v3.feed_id, v3:exact "feed_id")
  end)

  it("can be read with other decimals", function()
    assert.are.equal("-32500000000", v3:exact("bid", 8))
    assert.are.equal(-32500000000, v3:number("bid", 8))
    assert.are.equal(-3.25, v3:number "bid")
    assert.are.equal(18, v3.decimals)
  end)

  it("have the main price under one name", function()
    assert.are.equal(v3.benchmark_price, v3.price)
    assert.are.equal(v8.mid_price, v8.price)
    assert.are.equal("3.5", v3:exact "price")
  end)

  it("of 64 bits are integers where Lua has them, else text where a number would round", function()
    local ns = chainlink.decode(sample.v8_ns).last_update_timestamp
    assert.are.equal("1700000000123456789", has_integers and ("%d"):format(ns) or ns)
    assert.are.equal("9223372036854775809", v8.last_update_timestamp)
    assert.are.equal("9223372036854775809", v8:raw "last_update_timestamp")
  end)

  it("that the schema does not have are nil", function()
    assert.is_nil(v3.nav_per_share)
    assert.is_nil(v3[1])
    assert.is_nil(v3:exact "nav_per_share")
    assert.is_nil(v3:raw "nav_per_share")
    assert.is_nil(v3:number "nav_per_share")
  end)

  it("are read-only", function()
    assert.has_error(function() v3.price = 1 end, "a report is read-only")
  end)

  it("are counted by #, and walked by pairs where Lua allows", function()
    assert.are.equal(9, #v3)
    if _VERSION == "Lua 5.1" then return end
    local names = {}
    for name, value in pairs(v3) do
      names[#names + 1] = name
      assert.are.equal(v3[name], value)
    end
    assert.are.equal("feed_id valid_from_timestamp observations_timestamp native_fee link_fee expires_at "
      .. "benchmark_price bid ask", table.concat(names, " "))
  end)

  it("are told from methods", function()
    assert.is_function(v3.exact)
    assert.is_function(v3.to_json)
    assert.is_string(v3.full_report)
  end)
end)

describe("a report's parts", function()
  it("are hex text", function()
    assert.are.equal(sample.feed_id(3), v3.feed_id)
    assert.are.equal(sample.v3, v3.full_report)
    assert.are.equal(2 + 2 * 9 * 32, #v3.report_blob)
    assert.are.equal("0x" .. ("0a"):rep(32), v3.config_digest)
    assert.are.equal(3, #v3.report_context)
    assert.are.equal(v3.config_digest, v3.report_context[1])
  end)

  it("include the signatures", function()
    assert.are.same({
      { r = "0x" .. ("11"):rep(32), s = "0x" .. ("33"):rep(32), v = 27 },
      { r = "0x" .. ("22"):rep(32), s = "0x" .. ("44"):rep(32), v = 28 },
    }, v3.signatures)
  end)

  it("include each signature's halves, where there are more of one, and v of as many as have one", function()
    local first, second = "11" .. ("11"):rep(31), "22" .. ("22"):rep(31)
    local two, one = ("%064x"):format(2), ("%064x"):format(1)
    local fewer_s = chainlink.decode((sample.v3:gsub(two .. (("33"):rep(32)), one .. ("33"):rep(32))))
    assert.are.same({ { r = "0x" .. first, s = "0x" .. ("33"):rep(32), v = 27 }, { r = "0x" .. second, v = 28 } },
      fewer_s.signatures)
    local fewer_r = chainlink.decode((sample.v3:gsub(two .. first, one .. first)))
    assert.are.same({ { r = "0x" .. first, s = "0x" .. ("33"):rep(32), v = 27 },
      { s = "0x" .. ("44"):rep(32), v = 28 } }, fewer_r.signatures)
    local many = chainlink.decode(sample.report({ sample.feed_id(99):sub(3) }, 33)).signatures
    assert.are.same({ 33, 27 }, { #many, many[32].v })
    assert.is_nil(many[33].v)
  end)

  it("that are no fields have no exact text, and no number", function()
    for _, name in ipairs { "version", "resolution", "full_report", "signatures", "origin",
      "observations_timestamp_ms" } do
      for _, method in ipairs { "exact", "raw", "number" } do assert.is_nil(v3[method](v3, name)) end
    end
    for _, name in ipairs { "observations_timestamp", "valid_from_timestamp", "expires_at" } do
      for _, method in ipairs { "exact", "raw", "number" } do assert.is_nil(v99[method](v99, name)) end
    end
  end)

  it("of a decoded report tell that it did not come from the network", function()
    assert.is_nil(v3.received_at)
    assert.is_nil(v3.origin)
    assert.is_false(v3.backfilled)
  end)
end)

-- What LuaJIT alone does, done with a stand-in for its FFI: the numbers of a report are asked of the C function that
-- the cache begins with.
describe("a report where there is a just-in-time compiler", function()
  local Report, methods, loaded = core.report_metatable, core.report_methods, package.loaded
  local real_jit = rawget(_G, "jit")
  local real_index, real_ffi, real_module, real = Report.__index, loaded.ffi, loaded["chainlink.report"], {}
  local real_preload, asked, cast = package.preload.ffi, nil, nil

  local function copy(from, into)
    for name, value in pairs(from) do into[name] = value end
  end

  -- Loads the module again with such an FFI, nil for none, and a compiler that is on or off.
  local function load_with(ffi, is_on)
    loaded.ffi = ffi
    package.preload.ffi = function() error "there is no ffi" end
    rawset(_G, "jit", { status = function() return is_on end })
    loaded["chainlink.report"] = nil
    require "chainlink.report"
  end

  local function number(cache, report, name)
    assert.are.equal(core.report_cache, cache)
    assert.are.equal("userdata", type(report))
    if rawequal(report, v3) then asked[#asked + 1] = name end -- not what finalizers ask for meanwhile
    return name == "bid" and 7.5 or 0 / 0
  end
  local stand_in = { cast = function(kind, pointer)
    cast = { kind, pointer }
    return { [0] = number }
  end }

  before_each(function()
    asked, cast = {}, nil
    copy(methods, real)
  end)
  after_each(function()
    Report.__index, loaded.ffi, package.preload.ffi = real_index, real_ffi, real_preload
    loaded["chainlink.report"] = real_module
    copy(real, methods)
    rawset(_G, "jit", real_jit)
  end)

  it("asks for what is a number there, and for the rest as ever", function()
    load_with(stand_in, true)
    assert.are.same({ "double (**)(const void *, const void *, const char *)", core.report_cache }, cast)
    assert.are.equal(7.5, v3.bid)
    assert.are.equal(3.5, v3.benchmark_price)
    assert.are.equal(sample.v3, v3.full_report)
    assert.is_function(v3.exact)
    assert.are.same({ "bid", "benchmark_price", "full_report", "exact" }, asked)
  end)

  it("asks only of a report, and only by a name", function()
    load_with(stand_in, true)
    for _, key in ipairs { 1, true, io.stdout } do assert.is_nil(v3[key]) end
    for _, other in ipairs { {}, io.stdout, "text" } do assert.is_false((pcall(Report.__index, other, "bid"))) end
    assert.are.same({}, asked)
  end)

  it("is as ever with the compiler off, and without an FFI", function()
    load_with(stand_in, false)
    load_with(nil, true)
    assert.are.equal(real_index, Report.__index)
    rawset(_G, "jit", nil)
    loaded.ffi, loaded["chainlink.report"] = stand_in, nil
    require "chainlink.report"
    assert.are.equal(real_index, Report.__index)
    assert.is_nil(cast)
  end)
end)

describe("a report of an unknown schema", function()
  it("still has its parts", function()
    assert.are.equal(99, v99.version)
    assert.are.equal(sample.feed_id(99), v99.feed_id)
    assert.are.equal(sample.v99, v99.full_report)
    assert.are.equal(2, #v99.signatures)
    assert.are.equal(0, #v99)
    assert.is_nil(v99.price)
    assert.is_nil(v99.decimals)
    assert.matches("^v99 0x0063…abab", tostring(v99))
    assert.are.equal(99, cjson.decode(v99:to_json()).version)
  end)
end)

describe("a report's methods", function()
  it("compare by feed, time and blob", function()
    assert.are.equal(v3, chainlink.decode(sample.v3))
    assert.are_not.equal(v3, v8)
    local other_signature = sample.v3:gsub(("44"):rep(32), ("55"):rep(32))
    assert.are.equal(v3, chainlink.decode(other_signature))
    local other_price = sample.v3:gsub("d2e5ae381ffb0000", "d2e5ae381ffb0001")
    assert.are_not.equal(v3, chainlink.decode(other_price))
  end)

  it("name the market status", function()
    assert.are.equal("open", v8:market_status_name())
    assert.are.equal("closed", chainlink.decode(sample.v8_ns):market_status_name())
    assert.is_nil(v3:market_status_name())
  end)

  it("tell whether it is expired", function()
    assert.is_true(v3:is_expired())
    assert.is_false(v3:is_expired(1700086400))
    assert.is_true(v3:is_expired(1700086401))
    assert.is_nil(v99:is_expired())
  end)

  it("make one readable line", function()
    assert.are.equal("v3 0x0003…abab 2023-11-14T22:13:21Z price 3.5 bid -3.25 ask 3.138550868e+39", tostring(v3))
    assert.are.equal("v8 0x0008…abab 2023-11-14T22:13:21Z last_update_timestamp 9223372036854775809 price 1 "
      .. "market_status open", tostring(v8))
  end)

  it("make a plain table with exact values", function()
    local t = v3:to_table()
    assert.are.equal("-3.25", t.bid)
    assert.are.equal(1700000001, t.observations_timestamp)
    assert.are.equal(sample.v3, t.full_report)
    assert.are.equal("open", v8:to_table().market_status_name)
  end)

  it("make JSON that says the same, always in the same order", function()
    local json = v3:to_json()
    assert.are.equal(json, chainlink.decode(sample.v3):to_json())
    assert.are.same(v3:to_table(), cjson.decode(json))
    assert.matches('^{"version":3,"feed_id":"0x0003%x+","valid_from_timestamp":1700000000,'
      .. '"observations_timestamp":1700000001,"native_fee":"0.001",', json)
    assert.is_nil(json:find("\n", 1, true))
  end)

  it("say a feed's times in seconds, and in milliseconds where it has those", function()
    local ms = chainlink.decode(sample.ms_v3)
    assert.are.same({ version = 3, feed_id = ms.feed_id, valid_from_timestamp = 1700000000,
      valid_from_timestamp_ms = 1700000000123, observations_timestamp = 1700000000,
      observations_timestamp_ms = 1700000000124, expires_at = 1702592000, expires_at_ms = 1702592000125,
      native_fee = "0.001", link_fee = "0.002", benchmark_price = "3.5", bid = "0.000000000000000001",
      ask = "0.000000000000000002", price = "3.5", config_digest = ms.config_digest, full_report = sample.ms_v3 },
      ms:to_table())
    assert.are.equal(('{"version":3,"feed_id":"%s","valid_from_timestamp":1700000000,'
      .. '"valid_from_timestamp_ms":1700000000123,"observations_timestamp":1700000000,'
      .. '"observations_timestamp_ms":1700000000124,"native_fee":"0.001","link_fee":"0.002","expires_at":1702592000,'
      .. '"expires_at_ms":1702592000125,"benchmark_price":"3.5","bid":"0.000000000000000001",'
      .. '"ask":"0.000000000000000002","price":"3.5","config_digest":"%s","full_report":"%s"}'):format(ms.feed_id,
      ms.config_digest, sample.ms_v3), ms:to_json())
    assert.are.same({ version = 8, feed_id = v8.feed_id, valid_from_timestamp = 1700000000,
      observations_timestamp = 1700000001, expires_at = 1700086400, native_fee = "0.001", link_fee = "0.002",
      last_update_timestamp = "9223372036854775809", mid_price = "1", price = "1", market_status = 2,
      market_status_name = "open", config_digest = v8.config_digest, full_report = sample.v8 }, v8:to_table())
    assert.are.same({ version = 99, feed_id = v99.feed_id, config_digest = v99.config_digest,
      full_report = sample.v99 }, v99:to_table())
  end)

  it("verify it by who may have signed it", function()
    local signers = {}
    for i = 1, 4 do signers[i] = ("0x%040x"):format(i) end
    local ok, err = v3:verify { signers = signers, f = 1 }
    assert.is_nil(ok)
    assert.are.equal("VerificationError", err.kind)
  end)

  local wrong = {
    { "exact", nil }, { "exact", 5 }, { "exact", {} }, { "raw", nil }, { "number", true },
    { "exact", "bid", -1 }, { "exact", "bid", 78 }, { "exact", "bid", 1.5 }, { "number", "bid", "x" },
    { "exact", "bid", 0 / 0 },
  }
  for _, case in ipairs(wrong) do
    it(("raise: report:%s(%s, %s)"):format(case[1], tostring(case[2]), tostring(case[3])), function()
      local ok, err = pcall(v3[case[1]], v3, case[2], case[3])
      assert.is_false(ok)
      assert.matches("bad argument", tostring(err))
    end)
  end

  for _, name in ipairs { "exact", "raw", "number", "bytes" } do
    it("raise when called on something else: " .. name, function()
      for _, value in ipairs { {}, 5, io.stdout, "text" } do
        assert.is_false((pcall(v3[name], value, "bid")))
      end
    end)
  end
end)

describe("a stream's report that another worker restores", function()
  local function restored(text, ...)
    return assert(core.restore(chainlink.decode(text):bytes(), ...))
  end

  it("has what its bytes do not tell", function()
    local report = restored(sample.v3, 0, 0, 1700000001250, true, "001")
    assert.are.equal(v3, report)
    assert.are.equal(1700000001.25, report.received_at)
    assert.are.equal("001", report.origin)
    assert.is_true(report.backfilled)
    assert.matches('"origin":"001","received_at":1700000001.250,"full_report":"0x', report:to_json(), 1, true)
    report = restored(sample.v3, 0, 0, 1700000001000, false, "")
    assert.matches('","received_at":1700000001,"full_report":"0x', report:to_json(), 1, true)
    report = restored(sample.v3, 0, 0, 0, false, "")
    assert.is_nil(report.received_at)
    assert.is_nil(report.origin)
    assert.is_false(report.backfilled)
  end)

  it("has the blob's times where there is a schema, and else those that it is told", function()
    assert.are.equal(1700000001, restored(sample.v3, 5000, 6000, 0, false, "").observations_timestamp)
    local report = restored(sample.v99, 1700000005999, 1700000004000, 0, false, "")
    assert.are.equal(1700000005, report.observations_timestamp)
    assert.are.equal(1700000005000, report.observations_timestamp_ms)
    assert.are.equal(1700000004, report.valid_from_timestamp)
    assert.matches('"observations_timestamp":1700000005,"valid_from_timestamp":1700000004,', report:to_json(), 1, true)
    assert.is_nil(restored(sample.v99, 0, 0, 0, false, "").observations_timestamp)
  end)

  it("has no origin that is longer than one may be", function()
    assert.are.equal(63, #restored(sample.v3, 0, 0, 0, false, ("o"):rep(100)).origin)
  end)
end)
