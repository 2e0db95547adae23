-- SPDX-License-Identifier: MIT
-- chainlink.schemas:register: reports of a schema that the program brings along.

local cjson = require "cjson"
local chainlink = require "chainlink"
local check = require "spec.support.failure"
local sample = require "spec.support.sample"

local function word(hex, fill) return (fill or "0"):rep(64 - #hex) .. hex end

local function report(version, ...)
  return chainlink.decode(sample.report { sample.feed_id(version):sub(3), ... })
end

local HEAD = { name = "feed_id", type = "bytes32" }

-- A schema once added stays: each test has a version of its own.
local next_version = 2000
local function version()
  next_version = next_version + 1
  return next_version
end

local function register(fields, more)
  local definition = { version = version(), fields = { HEAD } }
  for _, field in ipairs(fields) do table.insert(definition.fields, field) end
  for name, value in pairs(more or {}) do definition[name] = value end
  return chainlink.schemas:register(definition)
end

describe("a schema added", function()
  local schema = register({
    { name = "observations_timestamp", type = "uint32", unit = "seconds", meaning = "time of the observations" },
    { name = "expires_at", type = "uint32" },
    { name = "benchmark_price", type = "int192" },
    { name = "open_interest", type = "uint128", decimals = 2 },
    { name = "change", type = "int24" },
    { name = "traded", type = "bool" },
    { name = "venue", type = "address" },
    { name = "ripcord", type = "uint8" },
    { name = "hash", type = "bytes32" },
  }, { name = "Perpetual" })

  local words = { word "65536f01", word "65536f02", word("d2e5ae381ffb0000", "f"), word "04d2", word("fffffe", "f"),
    word "1", word(("c0ffee"):rep(6) .. "abcd"), word "1", ("5a"):rep(32) }

  local function with(index, value)
    local changed = {}
    for i, old in ipairs(words) do changed[i] = i == index and value or old end
    return report(schema.version, (table.unpack or unpack)(changed)) -- luacheck: ignore
  end

  it("is described like the others", function()
    assert.are.equal(schema, chainlink.schemas[schema.version])
    assert.are.equal("Perpetual", schema.name)
    assert.are.equal("benchmark_price", schema.price)
    assert.are.same({ name = "open_interest", abi_name = "openInterest", type = "uint128", decimals = 2 },
      { name = schema.fields[5].name, abi_name = schema.fields[5].abi_name, type = schema.fields[5].type,
        decimals = schema.fields[5].decimals })
    assert.are.equal(18, schema.fields[4].decimals)
    assert.are.equal("price", schema.fields[4].unit)
    assert.has_error(function() schema.fields[20] = {} end)
    assert.has_error(function() chainlink.schemas[60000] = {} end)
  end)

  it("gives reports its fields", function()
    local got = assert(with())
    assert.are.equal(-3.25, got.benchmark_price)
    assert.are.equal(got.benchmark_price, got.price)
    assert.are.equal("-3.25", got:exact "price")
    assert.are.equal(12.34, got.open_interest)
    assert.are.equal("12.34", got:exact "open_interest")
    assert.are.equal("1234", got:raw "open_interest")
    assert.are.equal(-2, got.change)
    assert.is_true(got.traded)
    assert.are.equal("1", got:raw "traded")
    assert.are.equal("0x" .. ("c0ffee"):rep(6) .. "abcd", got.venue)
    assert.are.equal(got.venue, got:exact "venue")
    assert.is_nil(got:number "venue")
    assert.are.equal("0x" .. ("5a"):rep(32), got.hash)
    assert.are.equal(1699966721, got.observations_timestamp)
    assert.is_nil(got.valid_from_timestamp)
    assert.is_true(got:is_expired())
    assert.is_true(got:is_paused())
    assert.is_nil(got:market_status_name())
    assert.are.equal(10, #got)
  end)

  it("is in the forms of a report", function()
    local got = assert(with(6, word "0"))
    assert.is_false(got.traded)
    local t = got:to_table()
    assert.are.equal("12.34", t.open_interest)
    assert.is_false(t.traded)
    assert.are.same(t, cjson.decode(got:to_json()))
    assert.matches("price %-3%.25 open_interest 12%.34 change %-2 traded false venue 0xc0", tostring(got))
  end)

  it("is checked like the others", function()
    local wrong = { { 1, word "100000000" }, { 3, word(("f"):rep(48)) }, { 4, word("1" .. ("0"):rep(32)) },
      { 5, word "fffffe" }, { 6, word "2" }, { 7, word("1" .. ("0"):rep(40)) }, { 8, word "100" } }
    for _, case in ipairs(wrong) do
      check.says(check.failure("DecodeError", {}, with(case[1], case[2])), schema.fields[case[1] + 1].name)
    end
    check.failure("DecodeError", {}, report(schema.version, words[1], words[2]))
  end)
end)

describe("chainlink.schemas:register", function()
  it("takes a report of a version that was unknown until then", function()
    local number = version()
    local before = assert(report(number, word "5"))
    assert.is_nil(before.answer)
    assert.matches("fields unknown", tostring(before))
    chainlink.schemas:register { version = number, fields = { HEAD, { name = "answer", type = "uint64" } } }
    assert.is_nil(before.answer)
    assert.are.equal(5, assert(report(number, word "5")).answer)
  end)

  it("needs no observations timestamp, and no price", function()
    local schema = register { { name = "answer", type = "uint256" } }
    local got = assert(report(schema.version, ("f"):rep(64)))
    assert.is_nil(got.observations_timestamp)
    assert.is_nil(got.price)
    assert.are.equal("115792089237316195423570985008687907853269984665640564039457584007913129639935",
      got:raw "answer")
    assert.is_true(got.answer == got:raw "answer")
  end)

  it("takes as many decimals as the largest number has digits but one", function()
    local schema = register { { name = "a", type = "uint256", decimals = 77 } }
    assert.are.equal("0." .. ("0"):rep(76) .. "5", assert(report(schema.version, word "5")):exact "a")
  end)

  it("takes no decimals where it is told so", function()
    local schema = register { { name = "a", type = "int192", decimals = 0 } }
    assert.are.equal(0, schema.fields[2].decimals)
    assert.are.equal("5", assert(report(schema.version, word "5")):exact "a")
  end)

  it("refuses the names that every report has", function()
    local names = { "version", "decimals", "full_report", "report_blob", "report_context", "signatures",
      "config_digest", "received_at", "backfilled", "origin", "resolution", "observations_timestamp_ms",
      "valid_from_timestamp_ms", "expires_at_ms", "to_table", "is_expired" }
    for _, name in ipairs(names) do
      check.says(check.raised("ConfigError", {}, register, { { name = name, type = "int8" } }),
        "schema: fields[2]: '" .. name .. "' is the name of something that every report has")
    end
  end)

  it("takes as many fields as there can be, from a coroutine, whose stack is small", function()
    local fields = {}
    for i = 1, 255 do fields[i] = { name = "f" .. i, type = "uint8", meaning = "number " .. i, abi_name = "f" .. i } end
    local schema = coroutine.wrap(function() return register(fields) end)()
    assert.are.equal(256, #schema.fields)
    assert.are.equal("number 255", schema.fields[256].meaning)
    local words = {}
    for i = 1, 255 do words[i] = word(("%x"):format(i)) end
    assert.are.equal(255, assert(report(schema.version, (table.unpack or unpack)(words))).f255) -- luacheck: ignore
  end)

  it("takes the first and the last version there can be", function()
    for _, number in ipairs { 15, 4095 } do
      local schema = chainlink.schemas:register { version = number, fields = { HEAD, { name = "a", type = "uint8" } } }
      assert.are.equal(number, schema.version)
      assert.are.equal("v" .. number, schema.name)
    end
  end)

  it("has numbers of up to 32 bits as numbers in tables, and others as text", function()
    local small = register { { name = "a", type = "uint8" }, { name = "b", type = "uint16" },
      { name = "c", type = "uint32" }, { name = "d", type = "bool" }, { name = "e", type = "uint64" },
      { name = "f", type = "int64", decimals = 1 } }
    local got = assert(report(small.version, word "1", word "2", word "3", word "1", word "5", word "6"))
    local t = got:to_table()
    assert.are.same({ 1, 2, 3, true, "5", "0.6" }, { t.a, t.b, t.c, t.d, t.e, t.f })
    assert.matches(" a 1 b 2 c 3 d true e 5 f 0%.6$", tostring(got))
    got = assert(report(small.version, word "1", word "2", word "3", word "1", word "5", word "1cbe991a14"))
    assert.matches(" f 1%.23456789e%+10$", tostring(got)) -- 12345678901.2
  end)

  it("takes another main price", function()
    local schema = register({ { name = "a", type = "int192" }, { name = "b", type = "int64", decimals = 1 } },
      { price = "b" })
    assert.are.equal(0.5, assert(report(schema.version, word "1", word "5")).price)
  end)

  it("refuses a version twice", function()
    local schema = register { { name = "answer", type = "uint64" } }
    local again = { version = schema.version, fields = { HEAD, { name = "answer", type = "uint64" } } }
    check.says(check.raised("ConfigError", {}, chainlink.schemas.register, chainlink.schemas, again), "already")
    for built_in = 1, 13 do
      again.version = built_in
      check.says(check.raised("ConfigError", {}, chainlink.schemas.register, chainlink.schemas, again), "already")
    end
  end)

  local function field(name, kind, more)
    local made = { name = name, type = kind }
    for key, value in pairs(more or {}) do made[key] = value end
    return { version = 2999, fields = { HEAD, made } }
  end
  local wrong = {
    { nil, "the definition must be a table, got nil" }, { {}, "version must be a whole number" },
    { { version = 0, fields = { HEAD } }, "from 1 to 4095" }, { { version = 4096, fields = { HEAD } }, "got 4096" },
    { { version = 1.5, fields = { HEAD } }, "got 1.5" }, { { version = "14", fields = { HEAD } }, "got \"14\"" },
    { { version = 2999 }, "fields must be an array, got nil" },
    { { version = 2999, fields = {} }, "1 to 256 fields" },
    { { version = 2999, fields = { HEAD }, nme = "x" }, 'unknown member "nme"' },
    { { version = 2999, fields = { HEAD }, name = 5 }, "name must be a text" },
    { { version = 2999, fields = { { name = "x", type = "bytes32" } } }, "first field must be feed_id" },
    { { version = 2999, fields = { HEAD, 5 } }, "fields[2] must be a table, got 5" },
    { { version = 2999, fields = { HEAD, { type = "int8" } } }, "fields[2] needs a name and a type" },
    { { version = 2999, fields = { HEAD }, price = "bid" }, "price must be the name of a field" },
    { field("Bid", "int8"), "lower-case letters" }, { field("bid", "int7"), "the type must be" },
    { field("bid", "text"), "the type must be" }, { field("bid", "int8", { decimals = 78 }),
      "decimals must be a whole number from 0 to 77, got 78" },
    { field("bid", "int8", { decimals = 0.5 }), "decimals must be" },
    { field("bid", "int8", { unit = "days" }), "no unit" },
    { field("bid", "int8", { scale = 1 }), 'unknown member "scale"' }, { field("bid", "int8\n"), "text of one line" },
    { field("feed_id", "bytes32"), "is there twice" }, { field("observations_timestamp", "uint64"), "must be uint32" },
    { field("signatures", "int8"), "schema: fields[2]: 'signatures' is the name of something that every report has" },
    { field("exact", "int8"), "every report has" }, { field("decimals", "int8"), "every report has" },
    { field("bid", "int8", { decimals = -1 }), "decimals must be a whole number from 0 to 77, got -1" },
    { field("verify", "int8"), "every report has" }, { field("to_json", "int8"), "every report has" },
    { { version = 2999, price = "bid",
      fields = { HEAD, { name = "bid", type = "int8" }, { name = "price", type = "int8" } } },
      "the field 'price' must be the main price" },
  }
  for i = 1, #wrong do
    it(("raises (%d): %s"):format(i, wrong[i][2]), function()
      local err = check.raised("ConfigError", {}, chainlink.schemas.register, chainlink.schemas, wrong[i][1])
      check.says(err, wrong[i][2])
      assert.is_nil(chainlink.schemas[2999])
    end)
  end

  it("raises without the colon", function()
    check.says(check.raised("ConfigError", {}, chainlink.schemas.register, { version = 1 }), "with a colon")
  end)
end)

describe("report:is_paused", function()
  it("goes by the ripcord, and is nil without one", function()
    local rest = { word "1", word "1", word "1", word "1", word "1", word "1", word "1", word "1" }
    local function nav(ripcord)
      local words = {}
      for i, value in ipairs(rest) do words[i] = value end
      words[9] = word(ripcord)
      return assert(report(9, (table.unpack or unpack)(words))) -- luacheck: ignore
    end
    assert.is_true(nav("1"):is_paused())
    assert.is_false(nav("0"):is_paused())
    assert.is_nil(chainlink.decode(sample.v3):is_paused())
  end)
end)

describe("fields of dynamic type", function()
  local schema = register({
    { name = "contract", type = "string", meaning = "what is traded" },
    { name = "count", type = "uint8" },
    { name = "payload", type = "bytes" },
  })

  local function padded(hex) return hex .. ("0"):rep(-#hex % 64) end

  local function with(text, hex)
    local at = 4 * 32 + 32 + #padded(text:gsub(".", "00")) / 2
    return report(schema.version, word "80", word "7", word(("%x"):format(at)),
      word(("%x"):format(#text)), padded((text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))),
      word(("%x"):format(#hex / 2)), padded(hex))
  end

  it("are described, and are text and hex", function()
    assert.are.equal("string", schema.fields[2].type)
    assert.are.equal("bytes", schema.fields[4].type)
    local one = with("WTI, front \"month\"", "00ff80")
    assert.are.equal("WTI, front \"month\"", one.contract)
    assert.are.equal("0x00ff80", one.payload)
    assert.are.equal(7, one.count)
    assert.are.equal("0x00ff80", one:exact "payload")
    assert.are.equal("WTI, front \"month\"", one:raw "contract")
    assert.is_nil(one:number "contract")
    assert.is_nil(one:number "payload")
    local empty = with("", "")
    assert.are.equal("", empty.contract)
    assert.are.equal("0x", empty.payload)
  end)

  it("are in tables, JSON and a line, which a hostile text does not steer", function()
    local one = with("a\"\\\27[31m\255\226\128\174", "00")
    assert.are.equal("a\"\\\27[31m\255\226\128\174", one:to_table().contract)
    local object = cjson.decode(one:to_json())
    assert.are.equal("a\"\\\27[31m\239\191\189\226\128\174", object.contract)
    assert.are.equal("0x00", object.payload)
    assert.is_nil(one:to_json():find "[%c\128-\255]")
    assert.matches('contract a"\\?[31m?? count 7 payload 0x00', tostring(one), 1, true)
    assert.is_nil(tostring(one):gsub("…", ""):find "[%c\128-\255]")
    assert.is_true(#tostring(with(("x"):rep(5000), ("00"):rep(5000))) < 400)
    assert.matches("contract " .. ("x"):rep(64) .. " count", tostring(with(("x"):rep(64), "00")), 1, true)
    assert.matches("contract " .. ("x"):rep(64) .. "… count", tostring(with(("x"):rep(64) .. "y", "00")), 1, true)
  end)

  it("are refused where offset or length leads out of the report", function()
    for _, offset in ipairs { word "81", word(("f"):rep(64)), word "ffffffff" } do
      local one, err = report(schema.version, offset, word "7", word "80", word "0")
      assert.is_nil(one)
      assert.are.equal("DecodeError", err.kind)
      assert.matches("the offset of contract", err.message)
    end
    local one, err = report(schema.version, word "80", word "7", word "80", word "1")
    assert.is_nil(one)
    assert.matches("length of contract, 1, at byte 384: expected a length of at most 0", err.message)
  end)
end)

describe("chainlink.schemas:load", function()
  local project = require "spec.support.project"
  local folder, remove
  setup(function() folder, remove = project.folder() end)
  teardown(function() remove() end)

  local function file(text)
    local path = os.tmpname()
    os.remove(path)
    path = folder .. "/" .. path:match "[^/]+$"
    project.write(path, text)
    return path
  end

  local function definition(number)
    return ('{"version":%d,"name":"Loaded","fields":[{"name":"feed_id","type":"bytes32"},'):format(number)
      .. '{"name":"price","type":"int192","unit":null},{"name":"note","type":"string"}]}'
  end

  it("adds the schemas of a JSON file", function()
    local first, second = version(), version()
    local loaded = assert(chainlink.schemas:load(file("[" .. definition(first) .. "," .. definition(second) .. "]")))
    assert.are.equal(2, #loaded)
    assert.are.equal("Loaded", chainlink.schemas[first].name)
    assert.are.equal(loaded[2], chainlink.schemas[second])
    local one = report(second, word "0de0b6b3a7640000", word "60", word "2", "6f6b" .. ("0"):rep(60))
    assert.are.equal(1, one.price)
    assert.are.equal("ok", one.note)
  end)

  it("leaves no file open", function()
    local real_open, asked, closed = io.open, nil, false
    io.open = function(path, mode) -- luacheck: ignore 122
      assert(path == "a file" and mode == "rb")
      return { read = function(_, length)
        asked = length
        return "{}"
      end, close = function() closed = true end }
    end
    chainlink.schemas:load "a file"
    io.open = real_open -- luacheck: ignore 122
    assert.is_true(closed)
    assert.are.equal(1024 * 1024 + 1, asked)
  end)

  it("takes a file with one schema", function()
    local number = version()
    assert.are.equal(number, assert(chainlink.schemas:load(file(definition(number))))[1].version)
  end)

  it("is what --schemas does on the command line", function()
    local number = version()
    local blob = { sample.feed_id(number):sub(3), word "0de0b6b3a7640000", word "60", word "2",
      "6f6b" .. ("0"):rep(60) }
    local command = ("timeout 60 %s bin/chainlink-streams decode --schemas %s %s"):format(project.lua,
      file(definition(number)), sample.report(blob))
    local output, status = project.run(command)
    assert.equal(0, status, output)
    assert.matches("\nprice +1\nnote +ok\n", output)
    output, status = project.run(("timeout 60 %s bin/chainlink-streams decode --schemas %s/absent %s"):format(
      project.lua, folder, sample.report(blob)))
    assert.equal(2, status, output)
    assert.matches("cannot read the schemas", output)
  end)

  local wrong = { { "", "it is empty, or not a file" }, { "{", "is not JSON" },
    { "5", "an array of schemas is expected" }, { "[]", "there is no schema in it" },
    { "{}", "there is no schema in it" }, { "[5]", "schema 1: the definition must" },
    { '[{"version":3}]', "schema 1: fields must be an array" },
    { '[{"version":2998,"fields":[{"name":"feed_id","type":"bytes32"},{"name":"x","type":"text"}]}]',
      "schema 1: field 'x': the type must be" }, { (" "):rep(1048577), "at most 1 MiB" },
    { "{}" .. (" "):rep(1048574), "there is no schema in it" } }
  for i, case in ipairs(wrong) do
    it(("tells what is wrong with a file (%d)"):format(i), function()
      local path = file(case[1])
      local loaded, err = chainlink.schemas:load(path)
      assert.is_nil(loaded)
      assert.are.equal("ConfigError", err.kind)
      local place = err.message:find(path, 1, true)
      assert.are.equal(case[1] == "" and #"cannot read the schemas: " + 1 or 1, place, err.message)
      assert.truthy(err.message:find(case[2], 1, true), err.message)
    end)
  end

  it("tells that a file is not there, and raises for what is no path", function()
    local loaded, err = chainlink.schemas:load(folder .. "/absent")
    assert.is_nil(loaded)
    assert.matches("cannot read the schemas: .*absent", err.message)
    check.says(check.raised("ConfigError", {}, chainlink.schemas.load, chainlink.schemas), "must be a text, got nil")
    check.says(check.raised("ConfigError", {}, chainlink.schemas.load, folder), "with a colon")
  end)
end)
