-- SPDX-License-Identifier: MIT
-- Checks of arguments, each at its borders. What the methods make of them is in arguments_spec.lua.

local check = require "chainlink.check"
local expect = require "spec.support.failure"
local sample = require "spec.support.sample"

local id, other = sample.feed_id(3), sample.feed_id(4)

local function refused(words, run, ...)
  assert.equal(words, expect.raised("ConfigError", {}, run, ...).message)
end

describe("an argument", function()
  it("of seconds is 0 or more, or none", function()
    for _, seconds in ipairs { 0, 0.001, 1, 1e9, math.huge } do assert.equal(seconds, check.seconds(seconds, "x")) end
    assert.is_nil(check.seconds(nil, "x"))
    refused("x must be a number of seconds, 0 or more, got -1", check.seconds, -1, "x")
    refused('x must be a number of seconds, 0 or more, got "1" (a string)', check.seconds, "1", "x")
    refused("x must be a number of seconds, 0 or more, got false", check.seconds, false, "x")
  end)

  it("of a time is a whole number from 0 to 2^32 - 1", function()
    for _, time in ipairs { 0, 1, 4294967295 } do assert.equal(time, check.timestamp(time, "x")) end
    local words = "x must be whole seconds since 1970, from 0 to 4294967295, got "
    refused(words .. "nil", check.timestamp, nil, "x")
    refused(words .. "-1", check.timestamp, -1, "x")
    refused(words .. "4294967296 (milliseconds? seconds are expected)", check.timestamp, 4294967296, "x")
    refused(words .. "0.5", check.timestamp, 0.5, "x")
  end)

  it("of a limit is a whole number from 1 to 10000, or none", function()
    for _, limit in ipairs { 1, 2, 10000 } do assert.equal(limit, check.limit(limit)) end
    assert.is_nil(check.limit(nil))
    local words = "limit must be a whole number from 1 to 10000, got "
    refused(words .. "0", check.limit, 0)
    refused(words .. "10001", check.limit, 10001)
    refused(words .. "1.5", check.limit, 1.5)
    refused(words .. '"5" (a string)', check.limit, "5")
  end)

  it("of feeds is an array of ids, of which each counts once", function()
    assert.same({ other, id }, check.feed_ids { other, id:upper():gsub("^0X", "0x"), other })
    assert.same({ other, id }, check.feed_ids { other, id, id })
    local many = {}
    for i = 1, 1000 do many[i] = ("0x0003%060x"):format(i) end
    assert.equal(1000, #check.feed_ids(many))
    many[1001] = many[1]
    assert.equal(1000, #check.feed_ids(many))
    many[1001] = id
    refused("feed_ids may hold at most 1000 feed ids, got 1001", check.feed_ids, many)
    refused("feed_ids must be an array of feed ids, got an empty table", check.feed_ids, {})
    refused("feed_ids must be an array of feed ids, got 5", check.feed_ids, 5)
  end)

  it("of a feed is its id", function()
    assert.equal(id, check.feed_id(id:upper():gsub("^0X", "0x"), "x"))
    for _, wrong in ipairs { { 5, "x must be a text of 0x and 64 hex digits, got 5" }, { "0x12", "x: " } } do
      local err = expect.raised("InvalidFeedIDError", {}, check.feed_id, wrong[1], "x")
      assert.equal(wrong[2], err.message:sub(1, #wrong[2]))
    end
    expect.says(expect.raised("InvalidFeedIDError", {}, check.feed_ids, { id, 5 }), "feed_ids[2] must be a text")
  end)

  it("of options is a table, or none where none are required", function()
    check.options {}
    check.options({}, true)
    check.options(nil)
    refused("options must be a table, got nil", check.options, nil, true)
    refused("options must be a table, got 5", check.options, 5)
    refused("options must be a table, got false", check.options, false)
  end)

  it("of a method is its object", function()
    local Class = {}
    check.object(setmetatable({}, Class), Class, "class", "method")
    for _, wrong in ipairs { {}, setmetatable({}, {}) } do
      refused("method: called on a table; write class:method(...) with a colon", check.object, wrong, Class, "class",
        "method")
    end
    refused("method: called on 5; write class:method(...) with a colon", check.self, 5, "class", "method")
  end)
end)
