-- SPDX-License-Identifier: MIT
-- Numbers and texts that go into the binding: how large one may be, to the last one, and what comes out.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local raises = require("spec.support.refusal").raises
local sample = require "spec.support.sample"

local unpack = unpack or table.unpack -- luacheck: ignore 113 143
local MOST = 2 ^ 53
local v3, v99 = assert(chainlink.decode(sample.v3)), assert(chainlink.decode(sample.v99))
local ms_v3 = assert(chainlink.decode(sample.ms_v3))
local id = sample.feed_id(3)

-- The call takes numbers at that place of its arguments from `lowest` to 2^53, and raises the words for all others.
local function bounded(words, lowest, place, call, ...)
  local arguments = { ... }
  local function with(number)
    arguments[place] = number
    return unpack(arguments)
  end
  for _, number in ipairs { lowest, lowest + 1, MOST - 1, MOST } do call(with(number)) end
  local below = lowest == -MOST and lowest - 2 or lowest - 1
  for _, number in ipairs { below, MOST + 2, 0 / 0, math.huge, -math.huge } do
    raises(("bad argument #%d to "):format(place), call, with(number))
    raises(words, call, with(number))
  end
  for _, other in ipairs { "x", true, {} } do raises("number expected, got", call, with(other)) end
end

describe("a number of the binding's", function()
  it("may be a time of a recorder's", function()
    local recorder = core.recorder()
    local words = "milliseconds must be up to 2^53"
    bounded(words, -MOST, 4, core.recorder_range, recorder, "lost", id, 0, 0, "why")
    bounded(words, -MOST, 5, core.recorder_range, recorder, "lost", id, 0, 0, "why")
  end)

  it("may be a time of a report that another worker restores", function()
    local words = "milliseconds must be from 0 to 2^53"
    for place = 2, 4 do bounded(words, 0, place, core.restore, v3:bytes(), 0, 0, 0, false, "") end
  end)

  it("may be a seed", function()
    bounded("a seed is from 0 to 2^53", 0, 1, core.mark, 0, v3)
    raises("bad argument #2", core.mark, 0, 5)
  end)

  it("may be a factor or a divisor, and is whole then", function()
    local words = "a whole number is expected"
    bounded(words, -MOST, 3, core.exact_add, "1", "2", 0)
    bounded(words, 1, 2, core.exact_divide, "1", 1)
    bounded(words, 0, 3, core.exact_moved, "1", "2", 0, 1)
    bounded(words, 1, 4, core.exact_moved, "1", "2", 0, 1)
    for _, fraction in ipairs { 1.5, 2 ^ 52 - 0.5 } do
      raises(words, core.exact_add, "1", "2", fraction)
      raises(words, core.exact_add, "1", "2", -fraction)
      raises(words, core.exact_divide, "1", fraction)
      raises(words, core.exact_moved, "1", "2", fraction, 1)
      raises(words, core.exact_moved, "1", "2", 0, fraction)
    end
  end)
end)

describe("an exact number of the binding's", function()
  it("is a text of an integer", function()
    for _, wrong in ipairs { "", "x", "1.5", "0x1", " 1", ("9"):rep(117) } do
      for place = 1, 2 do
        local arguments = { "1", "1" }
        arguments[place] = wrong
        raises("an integer of up to 384 bits is expected", core.exact_compare, unpack(arguments))
        raises(("bad argument #%d"):format(place), core.exact_add, arguments[1], arguments[2], 1)
        raises(("bad argument #%d"):format(place), core.exact_moved, arguments[1], arguments[2], 1, 1)
      end
      raises("bad argument #1", core.exact_divide, wrong, 1)
    end
    raises("string expected", core.exact_compare, 1, "1")
    raises("string expected", core.exact_compare, "1", 1)
  end)

  it("is compared, added with a factor, divided toward zero", function()
    local function sign(a, b) return core.exact_compare(a, b) end
    assert.is_true(sign("-2", "1") < 0 and sign("2", "1") > 0 and sign("1", "1") == 0)
    assert.equal("-5", core.exact_add("1", "2", -3))
    assert.equal("9007199254740993", core.exact_add("1", "1", MOST))
    assert.equal("-9007199254740991", core.exact_add("1", "1", -MOST))
    assert.equal("1", core.exact_add("1", "2", 0))
    assert.equal("3", core.exact_divide("7", 2))
    assert.equal("-3", core.exact_divide("-7", 2))
    assert.equal("1", core.exact_divide("9007199254740992", MOST))
  end)

  it("is not beyond 384 bits", function()
    local most = ("9"):rep(115)
    raises("a sum beyond 384 bits", core.exact_add, "0", most, 1e6)
    raises("a product beyond 384 bits", core.exact_moved, most, "-" .. most, MOST, 1)
  end)

  it("has moved by a share, or has not", function()
    assert.is_true(core.exact_moved("100", "101", 1, 100))
    assert.is_false(core.exact_moved("100", "101", 2, 100))
    assert.is_true(core.exact_moved("100", "99", 1, 100))
    assert.is_false(core.exact_moved("100", "100", 0, 1))
  end)
end)

describe("a report that the binding keeps for another worker", function()
  local function kept(number, report)
    local line, bytes = core.keep(number, report):match "^([^\n]*)\n(.*)$"
    assert.is_true(bytes == report:bytes())
    return line
  end

  it("is a line of what its bytes do not tell, and its bytes", function()
    assert.equal("7 " .. v3.feed_id .. " 1700000001000 1700000000000 0 0 ", kept(7, v3))
    assert.equal("9007199254740992 " .. ms_v3.feed_id .. " 1700000000124 1700000000123 0 0 ", kept(MOST, ms_v3))
    assert.equal("0 " .. v99.feed_id .. " 0 0 0 0 ", kept(0, v99))
    local told = assert(core.restore(v99:bytes(), 1700000005999, 1700000004001, 1700000006123, true, "o1"))
    assert.equal("1 " .. v99.feed_id .. " 1700000005000 1700000004000 1700000006123 1 o1", kept(1, told))
    raises("bad argument #1", core.keep, "x", v3)
    raises("bad argument #2", core.keep, 1, "x")
  end)

  it("is restored as it was", function()
    local report = assert(core.restore(v99:bytes(), 1000, 0, 0, false, ""))
    assert.same({ 1, 1000 }, { report.observations_timestamp, report.observations_timestamp_ms })
    assert.is_nil(report.valid_from_timestamp)
    report = assert(core.restore(v99:bytes(), 0, 2000, 0, false, ""))
    assert.same({ 2, 2000 }, { report.valid_from_timestamp, report.valid_from_timestamp_ms })
    assert.is_nil(report.observations_timestamp)
    raises("bad argument #1", core.restore)
    raises("bad argument #6", core.restore, v99:bytes(), 0, 0, 0, false)
  end)

  it("has a mark: when it was observed, and a tag of its blob", function()
    local mark = core.mark(5, v3)
    assert.matches("^1700000001000" .. ("[0-9a-f]"):rep(16) .. "$", mark)
    assert.equal(mark, core.mark(5, chainlink.decode(sample.v3)))
    assert.equal(mark, core.mark(5, chainlink.decode((sample.v3:gsub(("44"):rep(32), ("55"):rep(32))))))
    assert.are_not.equal(mark, core.mark(6, v3))
    assert.are_not.equal(mark, core.mark(5, chainlink.decode(sample.v3_ask_4)))
    assert.matches("^1700000000124", core.mark(5, ms_v3))
    assert.matches("^0000000000000", core.mark(5, v99))
    assert.equal(29, #core.mark(MOST, v99))
  end)

  it("has a tag of its blob alone, of 53 bits", function()
    local tag = core.report_tag(v3)
    assert.is_true(tag >= 0 and tag < MOST and tag == math.floor(tag))
    assert.equal(tag, core.report_tag(chainlink.decode((sample.v3:gsub(("44"):rep(32), ("55"):rep(32))))))
    assert.are_not.equal(tag, core.report_tag(chainlink.decode(sample.v3_ask_4)))
    local most, least = 0, MOST
    for i = 1, 64 do
      local other = core.report_tag(assert(chainlink.decode(sample.report { sample.feed_id(99):sub(3),
        ("%064x"):format(i) })))
      most, least = math.max(most, other), math.min(least, other)
    end
    assert.is_true(most > MOST / 2 and most < MOST and least < MOST / 2)
    raises("bad argument #1", core.report_tag, 5)
  end)
end)

describe("a text of the binding's", function()
  it("is a text, and no number that could be one", function()
    for _, call in ipairs { core.decode, core.feed_id } do
      for _, other in ipairs { 5, true, {} } do raises("string expected", call, other) end
    end
  end)

  it("with 0x and nothing behind it is hex", function()
    local function answer(text)
      local report, err = core.decode(text)
      assert.is_nil(report)
      return err
    end
    for _, text in ipairs { "0x", "0X" } do assert.same(answer "", answer(text)) end
    assert.are_not.equal(answer("").message, answer("xx").message)
  end)

  it("is left out of a table when it is empty, and not when it is short", function()
    assert.is_true(core.schema_register({ version = 2600, name = "n", price = "p", fields = {
      { name = "feed_id", type = "bytes32" },
      { name = "p", type = "int192", abi_name = "a", unit = "", meaning = "m" } } }, "and what is left over"))
    local schema = core.schema(2600)
    assert.same({ "n", "p", 2600 }, { schema.name, schema.price, schema.version })
    assert.same({ name = "p", type = "int192", abi_name = "a", meaning = "m", decimals = 0 }, schema.fields[2])
  end)
end)

describe("a schema of the binding's", function()
  it("has an array of fields, each a table without a metatable", function()
    raises("table expected, got nil", core.schema_register, { version = 2601 })
    local fields = { { name = "feed_id", type = "bytes32" }, setmetatable({ name = "a", type = "uint8" }, {}) }
    raises("a table without a metatable expected", core.schema_register, { version = 2601, fields = fields })
    fields[2] = 5
    raises("table expected, got number", core.schema_register, { version = 2601, fields = fields })
    assert.is_nil(core.schema(2601))
  end)
end)
