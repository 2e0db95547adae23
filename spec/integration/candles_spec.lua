-- SPDX-License-Identifier: MIT
-- The candlestick service: symbols, candles and the token, at the simulator; and bars made here against its candles.

local chainlink = require "chainlink"
local check = require "spec.support.failure"
local answers = require "spec.support.answers"
local simulator = require "spec.support.simulator"

describe("the candlestick service", function()
  local sim, client

  setup(function()
    sim = simulator.start { feeds = 14, rate_limit = 0, irregular = 14 }
    client = sim:client { rate_limit = false }
  end)

  teardown(function()
    client:close()
    sim:stop()
  end)

  it("has symbols, by group", function()
    local symbols = assert(client:symbols())
    local by_name = {}
    for _, symbol in ipairs(symbols) do by_name[symbol.symbol] = symbol end
    assert.same({ symbol = "ETHUSD", currency = "USD", base_currency = "ETH", group = "crypto" }, by_name.ETHUSD)
    assert.equal("rwa", by_name.AAPLUSD.group)
    local crypto = assert(client:symbols "crypto")
    assert.is_true(#crypto > 0 and #crypto < #symbols)
    local err = check.failure("APIError", { status = 400 }, client:symbols "a&b")
    check.says(err, "missing or unknown group")
  end)

  it("has candles that agree with bars made here", function()
    local feed
    for _, item in ipairs(assert(client:get_feeds())) do
      if item.name == "ETH/USD" then feed = item.id end
    end
    local to = os.time() - 120
    to = to - to % 60
    local from = to - 600
    local candles = assert(client:candles { symbol = "ETHUSD", resolution = "1m", from = from, to = to - 1 })
    assert.equal(10, #candles)
    local bars = chainlink.bars { interval = "1m" }
    local i = 0
    for bar in bars:over(client:reports(feed, from, to - 1)) do
      i = i + 1
      assert.equal(bar.time, candles[i].time)
      assert.equal(0, candles[i].volume)
      for _, name in ipairs { "open", "high", "low", "close" } do
        assert.is_true(math.abs(tonumber(bar[name]) / candles[i][name] - 1) < 1e-15, name)
      end
    end
    assert.equal(10, i)
  end)

  it("has candles up to now, and none of a time without reports", function()
    local now = os.time()
    local candles = assert(client:candles { symbol = "ETHUSD", resolution = "1h", from = now - 7200 })
    assert.is_true(#candles >= 2)
    assert.same({}, assert(client:candles { symbol = "ETHUSD", resolution = "1m", from = 1e9, to = 1e9 + 600 }))
  end)

  it("refuses what it does not have", function()
    local now = os.time()
    local function refused(options, words)
      check.says(check.failure("APIError", { status = 400 }, client:candles(options)), words)
    end
    refused({ symbol = "NOUSD", resolution = "1m", from = now - 60 }, "missing or unknown symbol")
    refused({ symbol = "ETHUSD", resolution = "1m", from = now - 86401, to = now }, "the resolution does not fit")
    refused({ symbol = "ETHUSD", resolution = "5y", from = now - 60 }, "resolution")
  end)

  it("keeps its token, and gets another when that is not good any more", function()
    local function asked() return sim:answered "/api/v1/authorize" end
    local other = sim:client { rate_limit = false }
    local before = asked()
    for _ = 1, 3 do assert(other:symbols "crypto") end
    assert.equal(before + 1, asked())
    sim:control("POST", "/control/clock?offset=7200")
    assert(other:symbols "crypto")
    assert.equal(before + 2, asked())
    sim:control("POST", "/control/clock?offset=0")
    other:close()
  end)

  it("refuses wrong credentials, and nothing tells the secret", function()
    local stranger = sim:client { api_secret = "not-the-secret", max_retries = 0 }
    local err = check.failure("AuthenticationError", {},
      stranger:candles { symbol = "ETHUSD", resolution = "1m", from = 0 })
    check.says(err, "unknown login or wrong password")
    stranger:close()
  end)

  it("takes credentials of any letters", function()
    local own = simulator.start { key = "a&b=c%d:s+e/c?r" }
    local reader = own:client { api_key = "a&b=c%d", api_secret = "s+e/c?r" }
    assert.is_true(#assert(reader:symbols()) > 0)
    reader:close()
    own:stop()
  end)

  it("raises for wrong arguments", function()
    local function raises(words, ...) check.says(check.raised("ConfigError", {}, ...), words) end
    raises("option 'symbol' is required", client.candles, client, {})
    raises("option 'from' is required", client.candles, client, { symbol = "A", resolution = "1m" })
    raises("option 'resolution' must be", client.candles, client, { symbol = "A", resolution = "1s", from = 0 })
    raises("from, 5, is later than to, 4", client.candles, client,
      { symbol = "A", resolution = "1m", from = 5, to = 4 })
    raises("group must be a text", client.symbols, client, 5)
  end)
end)

describe("an answer of the candlestick service", function()
  local server, client

  setup(function() server = answers.start() end)
  teardown(function() server:stop() end)

  before_each(function()
    client = chainlink.client { api_key = "key", api_secret = "hush", proxy = false, max_retries = 0,
      rate_limit = false, circuit_breaker = false, price_url = "http://127.0.0.1:" .. server.port }
  end)

  after_each(function() client:close() end)

  local token = '"d":{"access_token":"t","expiration":9000000000,"groups":[{"id":"g"}]}'

  -- The same to every question.
  local function say(members) server:say(answers.http("200 OK", "", '{"s":"ok",' .. members .. "}")) end

  local function candles() return client:candles { symbol = "A", resolution = "1m", from = 0, to = 600 } end

  it("is read from the newest candle to the oldest, and given the other way", function()
    say(token .. ',"candles":[[120,3e18,4e18,2e18,3.5e18,0],[60,-1e18,1,-2.5e18,0,7]]')
    assert.same({ { time = 60, open = -1, high = 1e-18, low = -2.5, close = 0, volume = 7 },
      { time = 120, open = 3, high = 4, low = 2, close = 3.5, volume = 0 } }, candles())
    say(token .. ',"candles":[]')
    assert.same({}, candles())
  end)

  it("has symbols in parallel arrays", function()
    say(token .. ',"symbol":["AB"],"currency":["B"],"base-currency":["A"]')
    assert.same({ { symbol = "AB", currency = "B", base_currency = "A", group = "g" } }, client:symbols())
  end)

  local wrong = {
    ['"d":{}'] = "it has no access_token",
    ['"d":{"access_token":"a b","expiration":1}'] = "it has no access_token",
    ['"d":{"access_token":"a\\r\\nX: y","expiration":1}'] = "it has no access_token",
    ['"d":{"access_token":"' .. ("x"):rep(4097) .. '","expiration":1}'] = "it has no access_token",
    ['"d":{"access_token":"t"}'] = "it has no expiration",
    [token] = 'it has no list "candles"',
    [token .. ',"candles":[7]'] = "candle 1: it has not six members",
    [token .. ',"candles":[[1,2,3,4,5,6],[1,2,3,4,5]]'] = "candle 2: it has not six members",
    [token .. ',"candles":[[1,2,3,"4",5,6]]'] = 'candle 1: low is "4" (a string)',
    [token .. ',"candles":[[1,2,3,4,1e999,6]]'] = "candle 1: close is inf",
    [token .. ',"candles":[[1.5,2,3,4,5,6]]'] = "candle 1: time is no whole second",
  }
  for members, words in pairs(wrong) do
    it("is refused: " .. members:sub(1, 120), function()
      say(members)
      check.says(check.failure("DecodeError", { retryable = false }, candles()), words)
    end)
  end

  it("with symbols is refused too", function()
    say '"d":{"access_token":"t","expiration":9000000000,"groups":[{"name":"g"}]}'
    check.says(check.failure("DecodeError", {}, client:symbols()), "group 1 has no id")
    say '"d":{"access_token":"t","expiration":9000000000}'
    check.says(check.failure("DecodeError", {}, client:symbols()), 'it has no list "groups"')
    say('"d":{"access_token":"t","expiration":9000000000,"groups":[' .. ("0,"):rep(100) .. "0]}")
    check.says(check.failure("DecodeError", {}, client:symbols()), "it has 101 groups, expected at most 100")
    say(token)
    check.says(check.failure("DecodeError", {}, client:symbols()), 'it has no list "symbol"')
    say(token .. ',"symbol":["A","B"],"currency":["C"],"base-currency":["D","E"]')
    check.says(check.failure("DecodeError", {}, client:symbols "g"), "currency 2 is nil")
  end)

  it("that tells of a failure is an error, in words that harm no terminal", function()
    server:say(answers.http("200 OK", "", '{"s":"error","errmsg":"no\\u001b[31m"}'))
    check.says(check.failure("APIError", { status = 200 }, candles()), "answered an error: no?[31m")
    server:say(answers.http("200 OK", "", '{"s":5}'))
    check.says(check.failure("DecodeError", {}, candles()), '"s" is 5')
  end)

  it("leaves no secret in logs and callbacks", function()
    local told = {}
    local teller = chainlink.client { api_key = "key", api_secret = "not-the-secret", proxy = false, max_retries = 0,
      price_url = "http://127.0.0.1:" .. server.port, log_level = "debug",
      logger = function(_, message) told[#told + 1] = message end,
      on_response = function(response)
        told[#told + 1] = response.url
        for name, value in pairs(response.headers) do told[#told + 1] = name .. value end
      end }
    say(token:gsub('"t"', '"secret-token"') .. ',"candles":[]')
    assert.same({}, teller:candles { symbol = "A", resolution = "1m", from = 0, to = 600 })
    local text = table.concat(told, "\n") .. tostring(teller)
    teller:close()
    assert.truthy(text:find("/api/v1/authorize", 1, true))
    assert.falsy(text:find("not-the-secret", 1, true) or text:find("secret-token", 1, true))
  end)
end)
