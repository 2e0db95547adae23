-- SPDX-License-Identifier: MIT
-- The Lua side of a stream of trades, over an engine that is a few tables: what is asked of it, how it is waited for,
-- and what a trade and a price become.

local anew = require "spec.support.anew"
local check = require "spec.support.failure"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local stopped = require "spec.support.stopped_clock"
local waiting = require "chainlink.waiting"

local unpack = table.unpack or unpack -- luacheck: ignore

describe("a stream of trades", function()
  local replaced, restore, clock, trades, metatable, engine, checked, client

  local names = { "trades", "trades_pop", "trades_event", "trades_fd", "trades_close", "trades_is_closed",
    "trades_stats", "trades_metatable", "uservalue" }

  before_each(function()
    replaced, checked, client, metatable, clock = {}, {}, { "client" }, {}, stopped.at(100)
    for _, name in ipairs(names) do replaced[name] = core[name] end
    replaced.check_for = waiting.check_for
    engine = { pops = {}, events = {}, closed = false }
    local states = {}
    local function of(object, value)
      assert(states[object], "no stream of trades")
      return value
    end
    core.trades_metatable = metatable
    core.uservalue = function(object) return states[object] end
    core.trades = function(...)
      engine.given = { ... }
      if engine.err then return nil, engine.err end
      local object = setmetatable({}, metatable)
      states[object] = {}
      return object
    end
    core.trades_pop = function(object)
      of(object)
      return unpack(table.remove(engine.pops, 1) or {}, 1, 5)
    end
    core.trades_event = function(object) return of(object, table.remove(engine.events, 1)) end
    core.trades_fd = function(object) return of(object, 7) end
    core.trades_is_closed = function(object) return of(object, engine.closed) end
    core.trades_stats = function(object) return of(object, { received = 5 }) end
    core.trades_close = function(object)
      engine.closed = of(object, true)
      engine.events[#engine.events + 1] = { kind = "status", state = "closed", delay = 0, level = "info" }
    end
    waiting.check_for = function(state, instead) checked[#checked + 1] = { state, instead } end
    trades, restore = anew.load("chainlink.trades", {}) -- it takes some of the engine's functions when it is loaded
  end)

  after_each(function()
    restore()
    waiting.check_for, replaced.check_for = replaced.check_for, nil
    for _, name in ipairs(names) do core[name] = replaced[name] end
    clock.restore()
  end)

  local told -- the states that on_status was told of

  local function open(options, values)
    told = {}
    local given = { on_status = function(status) told[#told + 1] = status.state end }
    for name, value in pairs(options or {}) do given[name] = value end
    return (assert(trades.open(client, { values = values or {} }, { "ETHUSD" }, given)))
  end

  local function status(state) return { kind = "status", state = state, delay = 0, level = "info" } end

  local function trade(raw) return { "ETHUSD", "0x01", raw or "1e18", 90, 91500 } end

  local over = errors.new("NetworkError", "it is over")

  -- ---- its start ----

  it("asks for its symbols, with the patience that is wanted or that of three heartbeats", function()
    assert(trades.open(client, { values = {} }, { "A&B", "C" }))
    assert.same({ client, "symbol=A%26B,C", 15 }, engine.given)
    for _, seconds in ipairs { 1, 2.5, 3600 } do
      open { heartbeat_timeout = seconds }
      assert.same({ client, "symbol=ETHUSD", seconds }, engine.given)
    end
    for _, wrong in ipairs { 0.5, 3600.5, "5" } do
      check.says(check.raised("ConfigError", {}, open, { heartbeat_timeout = wrong }),
        "option 'heartbeat_timeout' must be a number of seconds, from 1 to 3600")
    end
  end)

  it("has the client's callbacks, or its own", function()
    local function logger() end
    local function on_response() end
    local function wait() end
    local stream = assert(trades.open(client, { values = { logger = logger, log_level = "error", loop = wait,
      on_response = on_response } }, { "A", "B" }))
    local state = core.uservalue(stream)
    assert.same({ class = "trades", symbols = "A,B", client = client, wait = wait, may_yield = state.may_yield,
      logger = logger, log_level = "error", on_response = on_response }, state)
    assert.is_function(state.may_yield)
    local own = core.uservalue(open({ log_level = "debug" }, { logger = logger, log_level = "error" }))
    assert.equal("debug", own.log_level)
    assert.is_function(own.on_status)
    check.raised("ConfigError", {}, open, { on_response = on_response }) -- it is the client's alone
    check.raised("ConfigError", {}, open, { loop = "nonsense" })
  end)

  it("is closed at the end of a loop by the Lua that can do so", function()
    local got = { n = select("#", trades.open(client, { values = {} }, { "A" })),
      trades.open(client, { values = {} }, { "A" }) }
    if _VERSION >= "Lua 5.4" then
      assert.equal(4, got.n)
      assert.is_nil(got[2] or got[3])
      assert.equal(got[1], got[4])
    else
      assert.equal(1, got.n)
    end
    assert.equal(metatable.__index.close, metatable.__close)
  end)

  it("raises where its options are wrong, and gives other errors back", function()
    engine.err = errors.new("ConfigError", "no price_url")
    assert.equal(engine.err, check.raised("ConfigError", {}, trades.open, client, { values = {} }, { "A" }))
    assert.is_string(engine.err.where)
    engine.err = errors.new("StreamClosedError", "closed")
    check.failure("StreamClosedError", {}, trades.open(client, { values = {} }, { "A" }))
  end)

  it("has 1 to 100 symbols, of 1 to 64 characters that are visible", function()
    local function many(count)
      local list = {}
      for i = 1, count do list[i] = "A" end
      return list
    end
    local function opened(symbols) return trades.open(client, { values = {} }, symbols) end
    assert(opened(many(100)))
    assert(opened { ("A"):rep(64), "!", "~" })
    local function raises(words, symbols)
      assert.equal(words, check.raised("ConfigError", {}, opened, symbols).message)
    end
    raises("symbols must be an array of 1 to 100 symbols, got 101 of them", many(101))
    raises("symbols must be an array of 1 to 100 symbols, got 0 of them", {})
    raises('symbols must be an array of 1 to 100 symbols, got "A" (a string)', "A")
    for _, wrong in ipairs { "", ("A"):rep(65), "A,B", "A B", "A\n", "A\127", "A\195\164", false } do
      raises(('symbols[2] must be a text such as "ETHUSD", got %s'):format(errors.describe(wrong)), { "A", wrong })
    end
  end)

  -- ---- a trade ----

  it("gives trades with exact prices", function()
    local prices = { ["2.68312e+21"] = "2683.12", ["2683120000000000000000"] = "2683.12", ["0"] = "0", ["-0.0"] = "0",
      ["1"] = "0.000000000000000001", ["-1.5e18"] = "-1.5", ["1e18"] = "1", ["12E20"] = "1200", ["10e17"] = "1",
      ["1e-3"] = "0.000000000000000000001", ["99e16"] = "0.99", ["-1e17"] = "-0.1", ["1.23E2"] = "0.000000000000000123",
      ["100e18"] = "100", ["1.50e18"] = "1.5", ["123456789e10"] = "1.23456789", ["9999999999999999999"] =
      "9.999999999999999999", ["999999999999999999"] = "0.999999999999999999", ["0.5e19"] = "5", ["00"] = "0" }
    local stream = open()
    for raw, price in pairs(prices) do
      engine.pops = { trade(raw), trade(raw) }
      local expected = { symbol = "ETHUSD", feed_id = "0x01", price = price, raw = raw, time = 90, received_at = 91.5 }
      assert.same(expected, stream:read())
      assert.same(expected, stream:poll())
    end
  end)

  it("is waited for by its loop, as long as it takes or as is wanted", function()
    local waits = {}
    local stream = open { loop = function(fd, seconds)
      waits[#waits + 1] = { fd, seconds }
      clock.now = clock.now + 2
      if #waits == 3 then engine.pops = { trade() } end
    end }
    assert.equal("ETHUSD", stream:read().symbol)
    assert.same({ { 7 }, { 7 }, { 7 } }, waits)
    waits = {}
    assert.equal("ETHUSD", stream:read(6).symbol)
    assert.same({ { 7, 6 }, { 7, 4 }, { 7, 2 } }, waits)
    waits = {}
    local err = check.failure("TimeoutError", { retryable = true, message = "no trade within 2.5 seconds" },
      stream:read(2.5))
    assert.same({ { 7, 2.5 }, { 7, 0.5 } }, waits)
    assert.is_nil(err.where)
    waits = {}
    check.failure("TimeoutError", {}, stream:read(4))
    assert.same({ { 7, 4 }, { 7, 2 } }, waits)
    waits = {}
    check.failure("TimeoutError", { message = "no trade within 0 seconds" }, stream:read(0))
    assert.same({}, waits)
    check.says(check.raised("ConfigError", {}, stream.read, stream, -1), "timeout must be a number of seconds")
  end)

  it("hands over what happened before each trade, and while it waits", function()
    local stream = open { loop = function()
      engine.events, engine.pops = { status "reconnecting" }, { trade() }
    end }
    engine.events = { status "connected" }
    assert(stream:read())
    assert.same({ "connected", "reconnecting" }, told)
    engine.events = { status "a" }
    assert.is_nil(stream:poll())
    engine.events = { status "b" }
    assert.same({ received = 5 }, stream:stats())
    assert.same({ "a", "b" }, { told[3], told[4] })
    stream:close()
    assert.equal("closed", told[5])
    stream:close()
  end)

  it("tells its end to who reads and polls", function()
    local stream = open()
    engine.pops = { { false, over } }
    assert.equal(over, check.failure("NetworkError", {}, stream:read()))
    engine.pops = { { false, over } }
    assert.equal(over, check.failure("NetworkError", {}, stream:poll()))
    local got = { n = select("#", stream:poll()), stream:poll() }
    assert.same({ n = 2 }, got)
  end)

  it("ends a loop when it is closed, and fails it otherwise", function()
    local stream = open()
    engine.pops = { trade(), { false, over }, { false, over } }
    assert.equal("ETHUSD", stream().symbol)
    assert.equal(over, check.raised("NetworkError", {}, stream))
    assert.is_nil(over.where)
    engine.closed = true
    assert.is_nil(stream())
    assert.equal(3, #checked)
    assert.same({ core.uservalue(stream), "trades:read" }, checked[1])
  end)

  -- ---- the rest ----

  it("can be watched by other loops", function()
    local stream = open()
    assert.equal(7, stream:pollfd())
    assert.equal(7, stream:getfd())
    assert.equal("r", stream:events())
    assert.is_nil(stream:timeout())
    assert.is_false(stream:dirty())
  end)

  it("tells what it is", function()
    local stream = open()
    assert.equal("chainlink.trades (ETHUSD)", tostring(stream))
    stream:close()
    assert.equal("chainlink.trades (closed)", tostring(stream))
  end)

  it("has methods that are called with a colon", function()
    open()
    for _, name in ipairs { "read", "poll", "pollfd", "events", "timeout", "dirty", "stats", "close" } do
      local err = check.raised("ConfigError", {}, metatable.__index[name], { "another" })
      check.says(err, ("%s: called on a table; write trades:%s(...) with a colon"):format(name, name))
    end
    check.says(check.raised("ConfigError", {}, metatable.__call, { "another" }), "write trades:read(...)")
  end)
end)
