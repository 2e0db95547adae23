-- SPDX-License-Identifier: MIT
-- The candlestick service's stream of trades, at the simulator and at a server that says what it is told to.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local check = require "spec.support.failure"
local answers = require "spec.support.answers"
local simulator = require "spec.support.simulator"

local PATH = "path=/api/v1/streaming"

describe("the stream of trades", function()
  local sim, client

  setup(function()
    sim = simulator.start { feeds = 14, rate_limit = 0, rate = 10 }
    client = sim:client { rate_limit = false, reconnect_delay = 0.01, reconnect_max_delay = 0.05 }
  end)

  teardown(function()
    client:close()
    sim:stop()
  end)

  before_each(function() sim:control("DELETE", "/control/faults") end)

  it("gives trades to a loop, and the prices are those of the reports", function()
    local ids, seen = {}, {}
    for _, feed in ipairs(assert(client:get_feeds())) do ids[feed.name] = feed.id end
    for trade in client:trades { "ETHUSD", "AAPLUSD" } do
      seen[trade.symbol] = seen[trade.symbol] or trade
      if seen.ETHUSD and seen.AAPLUSD then break end
    end
    for symbol, name in pairs { ETHUSD = "ETH/USD", AAPLUSD = "AAPL/USD" } do
      local trade, is_there = seen[symbol], false
      assert.equal(ids[name], trade.feed_id)
      for report in client:reports(trade.feed_id, trade.time, trade.time) do
        is_there = is_there or math.abs(tonumber(report.price) / tonumber(trade.price) - 1) < 1e-15
      end
      assert.is_true(is_there, symbol)
      assert.equal(tonumber(trade.raw), tonumber(trade.price .. "e18"))
      assert.is_true(math.abs(trade.received_at - trade.time) < 60)
    end
  end)

  it("reads, polls and counts, and is over when it is closed", function()
    local trades = assert(client:trades { "ETHUSD" })
    assert.equal("ETHUSD", assert(trades:read(30)).symbol)
    assert.is_true(trades:pollfd() >= 0)
    assert.equal(trades:pollfd(), trades:getfd())
    assert.equal("r", trades:events())
    assert.is_nil(trades:timeout())
    assert.is_false(trades:dirty())
    while true do
      local trade, err = trades:poll()
      assert.is_nil(err)
      if not trade then break end
    end
    local stats = trades:stats()
    assert.is_true(stats.received >= 1 and stats.connected)
    assert.same({ 0, 0, 0, 0 }, { stats.ignored, stats.dropped, stats.decode_errors, stats.reconnects })
    check.says(check.failure("TimeoutError", { retryable = true }, trades:read(0)), "no trade within 0 seconds")
    assert.equal("chainlink.trades (ETHUSD)", tostring(trades))
    trades:close()
    trades:close()
    assert.equal("chainlink.trades (closed)", tostring(trades))
    check.failure("StreamClosedError", {}, trades:read())
    check.failure("StreamClosedError", {}, trades:poll())
    assert.is_nil(trades())
  end)

  it("lets others work while it waits", function()
    local trades = assert(client:trades({ "ETHUSD" }, { loop = function(fd) coroutine.yield(fd) end }))
    local got, waits = nil, 0
    local thread = coroutine.create(function() got = assert(trades:read(30)) end)
    local _, fd = assert(coroutine.resume(thread))
    while not got do
      assert.equal(trades:pollfd(), fd)
      core.wait(fd, 30)
      waits = waits + 1
      _, fd = assert(coroutine.resume(thread))
    end
    assert.equal("ETHUSD", got.symbol)
    assert.is_true(waits > 0)
    trades:close()
  end)

  it("ends with its client", function()
    local other = sim:client {}
    local trades = assert(other:trades { "ETHUSD" })
    assert(trades:read(30))
    other:close()
    local trade, err
    repeat trade, err = trades:read(30) until not trade
    assert.equal("StreamClosedError", err.kind)
    assert.is_nil(trades())
  end)

  -- Reads until so many connections were made again, and a trade came after them; there are ten trades a second.
  local function read_behind(trades, reconnects)
    local reads = 0
    repeat
      assert(trades:read(30))
      reads = reads + 1
      assert.is_true(reads < 300, "no connection was made again")
    until trades:stats().reconnects >= reconnects and trades:stats().connected
    assert(trades:read(30))
  end

  local function survives(fault, words, reconnects)
    local told = {}
    sim:control("POST", "/control/faults", fault)
    local trades = assert(client:trades({ "ETHUSD" }, { heartbeat_timeout = 1.5, on_status = function(status)
      told[#told + 1] = status.state .. ": " .. tostring(status.reason)
    end }))
    read_behind(trades, reconnects)
    local stats = trades:stats()
    trades:close()
    check.says({ message = table.concat(told, "\n") }, words)
    return stats
  end

  it("goes on behind a connection that is cut", function()
    survives("on=rest," .. PATH .. ",action=cut,after=1", "reconnecting: ", 1)
  end)

  it("goes on behind a silent connection", function()
    survives("on=rest," .. PATH .. ",action=silence,after=1", "nothing was heard for 1.5 s", 1)
  end)

  it("goes on behind a service that never answers", function()
    survives("on=rest," .. PATH .. ",action=silence", "nothing was heard for 1.5 s", 1)
  end)

  it("goes on behind garbage, which is counted", function()
    local stats = survives("on=rest," .. PATH .. ",action=garbage,after=2", "expected an object", 1)
    assert.equal(1, stats.decode_errors)
    stats = survives("on=rest," .. PATH .. ",action=garbage", "expected an object", 1)
    assert.equal(1, stats.decode_errors)
  end)

  it("goes on behind a service in trouble", function()
    survives("on=rest," .. PATH .. ",action=status,status=503,times=2", "503", 2)
    survives("on=rest,path=/api/v1/authorize,action=status,status=502", "502", 1)
  end)

  it("gets another token when the service does not know its own any more", function()
    local trades = assert(client:trades { "ETHUSD" })
    assert(trades:read(30))
    local before = sim:answered "/api/v1/authorize"
    trades:close()
    sim:control("POST", "/control/faults", "on=rest," .. PATH .. ",action=cut,after=1")
    sim:control("POST", "/control/faults", "on=rest," .. PATH .. ",action=status,status=401")
    trades = assert(client:trades { "ETHUSD" })
    read_behind(trades, 1)
    trades:close()
    assert.equal(before + 2, sim:answered "/api/v1/authorize")
  end)

  it("ends with what is not worth another try", function()
    local trades = assert(client:trades { "NOUSD" })
    local err = check.failure("APIError", { status = 400 }, trades:read(30))
    check.failure("APIError", { status = 400 }, trades:poll())
    assert.equal(400, check.raised("APIError", {}, trades).status)
    check.says(err, "400")
    local stranger = sim:client { api_secret = "not-the-secret" }
    local told = ""
    trades = assert(stranger:trades({ "ETHUSD" }, { on_status = function(status) told = told .. status.state end }))
    check.failure("AuthenticationError", { status = 401 }, trades:read(30))
    assert.equal("failed", told)
    stranger:close()
    sim:control("POST", "/control/faults", "on=rest," .. PATH .. ",action=status,status=401,times=2")
    trades = assert(client:trades { "ETHUSD" })
    check.failure("AuthenticationError", { status = 401 }, trades:read(30))
  end)

  it("gives up after so many failures in a row", function()
    local other = sim:client { max_reconnects = 2, reconnect_delay = 0.01, circuit_breaker = false }
    sim:control("POST", "/control/faults", "on=rest," .. PATH .. ",action=status,status=503,times=3")
    local trades = assert(other:trades { "ETHUSD" })
    check.failure("APIError", { status = 503 }, trades:read(30))
    assert.equal(2, trades:stats().reconnects)
    other:close()
  end)

  it("raises for wrong arguments", function()
    local function raises(words, ...) check.says(check.raised("ConfigError", {}, ...), words) end
    raises("symbols must be an array of 1 to 100 symbols, got nil", client.trades, client)
    raises("got 0 of them", client.trades, client, {})
    raises("symbols[2] must be a text", client.trades, client, { "A", "B,C" })
    raises("symbols[1] must be a text", client.trades, client, { "A B" })
    raises("heartbeat_timeout", client.trades, client, { "A" }, { heartbeat_timeout = 0.5 })
    raises("nonsense", client.trades, client, { "A" }, { nonsense = 1 })
    local trades = assert(client:trades { "ETHUSD" })
    raises("timeout must be a number of seconds", trades.read, trades, -1)
    raises("write trades:read(...) with a colon", trades.read, client)
    trades:close()
  end)
end)

describe("a stream of trades", function()
  local server, client

  setup(function() server = answers.start() end)
  teardown(function() server:stop() end)

  before_each(function()
    client = chainlink.client { api_key = "key", api_secret = "hush", proxy = false, max_reconnects = 0,
      rate_limit = false, circuit_breaker = false, price_url = "http://127.0.0.1:" .. server.port }
  end)

  after_each(function() client:close() end)

  local function open(objects)
    server:say(answers.http("200 OK", "", '{"s":"ok","d":{"access_token":"t","expiration":9000000000}}'),
      "/api/v1/authorize")
    server:say(answers.http("200 OK", "", objects), "/api/v1/streaming")
    return assert(client:trades { "A" })
  end

  local function trade(price)
    return '{"f":"t","i":"A","fid":"0x01","p":' .. price .. ',"t":1748525526,"s":1}'
  end

  local prices = {
    ["2.68312e+21"] = "2683.12", ["2683120000000000000000"] = "2683.12", ["1"] = "0.000000000000000001",
    ["-1.5e18"] = "-1.5", ["0"] = "0", ["-0.0"] = "0", ["1e18"] = "1", ["1.23E2"] = "0.000000000000000123",
    ["12e20"] = "1200", ["1e-3"] = "0.000000000000000000001",
    ["123456789012345678901234567890"] = "123456789012.34567890123456789",
    [("9"):rep(68) .. "e99"] = ("9"):rep(68) .. ("0"):rep(81),
  }

  it("has prices that are exact", function()
    local texts, expected = {}, {}
    for raw, price in pairs(prices) do
      texts[#texts + 1] = trade(raw)
      expected[#expected + 1] = { symbol = "A", feed_id = "0x01", price = price, raw = raw, time = 1748525526 }
    end
    local trades, got = open(table.concat(texts, "\r\n")), {}
    for i = 1, #texts do
      got[i] = assert(trades:read(30))
      got[i].received_at = nil
    end
    assert.same(expected, got)
    check.says(check.failure("NetworkError", {}, trades:read(30)), "has ended the stream of trades")
  end)
end)
