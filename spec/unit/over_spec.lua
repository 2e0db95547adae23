-- SPDX-License-Identifier: MIT
-- Sources over sources: how long they wait, and how they end.

local anew = require "spec.support.anew"
local check = require "spec.support.failure"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local over = require "chainlink.over"
local stopped = require "spec.support.stopped_clock"

describe("a source over a source", function()
  local clock

  before_each(function() clock = stopped.at(1000) end)
  after_each(function() clock.restore() end)

  -- A source that gives these in turn, an error's kind for an error, each after `wait` seconds; it notes how long it
  -- may take.
  local function source_of(list, wait)
    local source = { asked = {}, closed = 0 }
    local at = 0
    local function next_one()
      at = at + 1
      clock.now = clock.now + (wait or 0)
      local value = list[math.min(at, #list)]
      if type(value) ~= "string" then return value or nil end
      return nil, errors.new(value, "it is so")
    end
    function source.read(_, timeout)
      source.asked[#source.asked + 1] = timeout or "for ever"
      return next_one()
    end
    function source.poll() return next_one() end
    function source.close() source.closed = source.closed + 1 end
    return source
  end

  -- Doubles even numbers, and ends with "end".
  local function doubled(source)
    local ready
    return over.new(source, function(value) ready = value % 2 == 0 and 2 * value or nil end, function()
      local value = ready
      ready = nil
      return value
    end, function() ready = "end" end)
  end

  it("reads until there is a value, no longer than it may", function()
    local source = source_of({ 1, 3, 4 }, 2)
    assert.equal(8, doubled(source):read(5))
    assert.same({ 5, 3, 1 }, source.asked)
    source = source_of({ 4, 1, 3, 5 }, 2)
    local reader = doubled(source)
    assert.equal(8, reader:read(0))
    local err = check.failure("TimeoutError", { retryable = true }, reader:read(3))
    check.says(err, "nothing was ready within 3 seconds")
    assert.same({ 0, 3, 1 }, source.asked)
    assert.equal(8, doubled(source_of { 4 }):read())
  end)

  it("asks once more when its time is just over", function()
    local source = source_of({ 1, 3, 4 }, 2)
    check.failure("TimeoutError", {}, doubled(source):read(2))
    assert.same({ 2, 0 }, source.asked)
    source = source_of({ 1, 4 }, 2)
    check.failure("TimeoutError", {}, doubled(source):read(1))
    assert.same({ 1 }, source.asked)
  end)

  it("takes a deadline of its source for none of its own, and its end for the end", function()
    local reader = doubled(source_of { "TimeoutError", 2, "NetworkError" })
    check.failure("TimeoutError", { retryable = false }, reader:read(1))
    assert.equal(4, reader:read())
    assert.equal("end", reader:read())
    for _ = 1, 2 do
      check.failure("NetworkError", {}, reader:read())
      check.failure("NetworkError", {}, reader:poll())
    end
  end)

  it("is polled where its source can be", function()
    local reader = doubled(source_of { 1, 4, false, 2, "StreamClosedError" })
    assert.equal(8, reader:poll())
    assert.same({}, { reader:poll() })
    assert.equal(4, reader:poll())
    assert.equal("end", reader:poll())
    check.failure("StreamClosedError", {}, reader:poll())
    local err = check.raised("ConfigError", {}, reader.poll, doubled(function() end))
    check.says(err, "the source cannot be polled: it is a function")
  end)

  it("is an iterator, whose failures are raised", function()
    local got = {}
    for value in doubled(source_of { 1, 2, 4, "StreamClosedError" }) do got[#got + 1] = value end
    assert.same({ 4, 8, "end" }, got)
    local reader = doubled(source_of { "NetworkError" })
    assert.equal("end", reader())
    check.raised("NetworkError", {}, reader)
  end)

  it("may wait in a loop where the stream below it may", function()
    local asked, state = {}, {}
    local stream = source_of { 2 }
    local module, restore = anew.load("chainlink.over", { ["chainlink.core"] = setmetatable({
      uservalue = function(source) return source == stream and state or nil end }, { __index = core }),
      ["chainlink.waiting"] = { check_for = function(...) asked[#asked + 1] = { ... } end } })
    finally(restore)
    local function passing(source) return module.each(source, function(value) return value end) end
    local one = passing(stream)
    local two = passing(one)
    assert.same({ 2, 2 }, { one(), (two()) })
    assert.same({ { state, "source:read" }, { state, "source:read" } }, asked)
    assert.equal(state, asked[2][1])
    assert.equal(3, passing(function() return 3 end)())
    assert.equal(2, passing(source_of { 2 })())
    assert.equal(2, #asked)
  end)

  it("lies over a function, which ends with nil", function()
    local at = 0
    local reader = doubled(function()
      at = at + 1
      return at < 5 and at or nil
    end)
    assert.equal(4, reader:read())
    assert.equal(8, reader:read())
    assert.equal("end", reader:read())
    check.says(check.failure("StreamClosedError", {}, reader:read()), "the source is at its end")
    reader:close()
  end)

  it("closes what it lies over", function()
    local source = source_of { 1 }
    doubled(source):close()
    assert.equal(1, source.closed)
    doubled { read = function() end }:close()
  end)

  it("has one value of each report at most", function()
    local reader = over.each(source_of { 1, 2, 3, "StreamClosedError" }, function(value)
      if value ~= 2 then return 10 * value end
    end)
    assert.same({ 10, 30 }, { reader:read(), (reader:read()) })
    check.failure("StreamClosedError", {}, reader:read())
  end)

  it("is of a stream or a function, and used with a colon", function()
    for _, wrong in ipairs { 5, "x", true, {} } do
      check.says(check.raised("ConfigError", {}, over.new, wrong), "source must be a stream or an iterator")
    end
    check.says(check.raised("ConfigError", {}, over.new, { read = 5 }), "source must be a stream or an iterator")
    local reader = doubled(source_of { 2 })
    for _, name in ipairs { "read", "poll", "close" } do
      check.says(check.raised("ConfigError", {}, reader[name], {}), "write source:" .. name .. "(...) with a colon")
    end
    check.says(check.raised("ConfigError", {}, reader.read, reader, "1"), "timeout")
  end)
end)
