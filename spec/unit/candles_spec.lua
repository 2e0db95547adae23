-- SPDX-License-Identifier: MIT
-- The candlestick service's questions and answers, without a service: what is asked, with which token, and what is
-- made of each answer.

local calls = require "chainlink.call"
local candles = require "chainlink.candles"
local check = require "spec.support.failure"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local stopped = require "spec.support.stopped_clock"

describe("a question to the candlestick service", function()
  local authorize, prices, explained = core.authorize, core.prices, calls.explained
  local client, state, clock, asked, answers

  -- A call stands for what is asked; its answer is the next one of the list: a body, or an error object.
  local function begin(call)
    asked[#asked + 1] = table.concat(call, " ", 2)
    local answer = table.remove(answers, 1)
    if type(answer) == "table" and answer.at_once then return nil, answer.at_once end
    return { call = call, answer = answer }
  end

  before_each(function()
    client, state, clock, asked, answers = { "client" }, { "state" }, stopped.at(1000), {}, {}
    core.authorize = function(own, ...)
      assert.equal(client, own)
      assert.equal(0, select("#", ...))
      return begin { own, "authorize" }
    end
    core.prices = function(own, what, query, token)
      assert.equal(client, own)
      return begin { own, what, query, "with", token }
    end
    calls.explained = function(own, call)
      assert.equal(state, own)
      assert(call.call)
      if errors.is_error(call.answer) then return nil, call.answer end
      return call.answer, 200
    end
  end)

  after_each(function()
    core.authorize, core.prices, calls.explained = authorize, prices, explained
    clock.restore()
  end)

  local function token(name, ends)
    return ('{"s":"ok","d":{"access_token":"%s","expiration":%d}}'):format(name, ends or 2000)
  end

  local function ok(members) return '{"s":"ok",' .. members .. "}" end

  local symbols = ok '"symbol":["AB"],"currency":["B"],"base-currency":["A"]'

  local function history(options)
    local given = { symbol = "AB", resolution = "1m", from = 0, to = 600 }
    for name, value in pairs(options or {}) do given[name] = value end
    return candles.history(client, state, given)
  end

  local function rows(list) return ok('"candles":[' .. list .. "]") end

  local function decode_error(words, ...)
    local err = check.failure("DecodeError", { expected = 'an answer with s = "ok"', retryable = false }, ...)
    assert.equal("the candlestick service's answer is not as expected: " .. words, err.message)
  end

  it("is asked with a token, which is kept until a minute before its end", function()
    answers = { token("one", 2000), symbols, symbols, symbols, token "two", symbols }
    assert.same({ { symbol = "AB", currency = "B", base_currency = "A", group = "a&b" } },
      candles.symbols(client, state, "a&b"))
    clock.now = 1939.9
    assert(candles.symbols(client, state, "c"))
    assert.same({ "authorize", "symbols group=a%26b with one", "symbols group=c with one" }, asked)
    clock.now = 1500
    assert(candles.symbols(client, state, "d"))
    clock.now = 1940
    assert(candles.symbols(client, state, "e"))
    assert.same({ "symbols group=d with one", "authorize", "symbols group=e with two" },
      { asked[4], asked[5], asked[6] })
  end)

  it("is asked once more, with a new token, when a kept one is not known any more", function()
    local unknown = errors.new("AuthenticationError", "no such token")
    answers = { token "one", symbols, unknown, token "two", symbols }
    for _ = 1, 2 do assert(candles.symbols(client, state, "g")) end
    assert.same({ "authorize", "symbols group=g with one", "symbols group=g with one", "authorize",
      "symbols group=g with two" }, asked)
    answers, asked = { unknown, token "three", unknown }, {}
    check.failure("AuthenticationError", {}, candles.symbols(client, state, "g"))
    assert.equal(3, #asked)
    answers, asked = { unknown, errors.new("NetworkError", "cut") }, {}
    check.failure("NetworkError", {}, candles.symbols(client, state, "g"))
    assert.equal(2, #asked)
  end)

  it("is not asked again for another failure, nor with a token that is new", function()
    answers = { token "one", errors.new("AuthenticationError", "no") }
    check.failure("AuthenticationError", {}, candles.symbols(client, state, "g"))
    assert.equal(2, #asked)
    answers, asked = { errors.new("NetworkError", "cut") }, {}
    check.failure("NetworkError", {}, candles.symbols(client, state, "g"))
    assert.same({ "symbols group=g with one" }, asked)
  end)

  it("is not asked without a token", function()
    answers = { errors.new("AuthenticationError", "wrong password") }
    check.failure("AuthenticationError", {}, candles.symbols(client, state, "g"))
    assert.same({ "authorize" }, asked)
  end)

  it("raises where the client's options are wrong, and gives other errors back", function()
    answers = { { at_once = errors.new("ConfigError", "no price_url") } }
    check.raised("ConfigError", {}, candles.symbols, client, state, "g")
    answers = { { at_once = errors.new("StreamClosedError", "closed") } }
    check.failure("StreamClosedError", {}, candles.symbols(client, state, "g"))
    answers = { token "one", { at_once = errors.new("ConfigError", "too long") } }
    check.raised("ConfigError", {}, candles.symbols, client, state, "g")
  end)

  it("takes a token of up to 4096 visible characters", function()
    for _, good in ipairs { "!", "~", ("x"):rep(4096) } do
      state = {}
      answers = { token(good), symbols }
      assert(candles.symbols(client, state, "g"))
      assert.equal("symbols group=g with " .. good, asked[#asked])
    end
    for _, wrong in ipairs { "", ("x"):rep(4097), "a b", "\\u007f", "a\195\164" } do
      state, answers = {}, { token(wrong) }
      decode_error("it has no access_token", candles.symbols(client, state, "g"))
    end
    for _, body in ipairs { ok '"d":5', ok '"e":1', ok '"d":{"access_token":["a"],"expiration":1}' } do
      answers = { body }
      decode_error("it has no access_token", candles.symbols(client, state, "g"))
    end
    answers = { ok '"d":{"access_token":"t","expiration":"soon"}' }
    decode_error("it has no expiration", candles.symbols(client, state, "g"))
    assert.is_nil(state.price_token)
  end)

  it("has an answer that is an object and says ok", function()
    answers = { token "one", "5" }
    decode_error("not an object", history())
    answers = { "{" }
    check.says(check.failure("DecodeError", {}, history()), "Expected")
    answers = { '{"s":"no 100%d"}' }
    decode_error('"s" is "no 100%d" (a string)', history())
    answers = { "{}" }
    decode_error('"s" is nil', history())
    answers = { '{"s":"nok","errmsg":"hidden"}' }
    decode_error('"s" is "nok" (a string)', history())
  end)

  it("tells the service's own words, made harmless, and no more than 200 of them", function()
    local function told(members)
      answers = { token "one", '{"s":"error"' .. members .. "}" }
      state = { "state" }
      local err = check.failure("APIError", { status = 200, retryable = false }, history())
      return err.message:match "^the candlestick service answered an error(.*)$"
    end
    assert.equal("", told "")
    assert.equal("", told ',"errmsg":{"a":1}')
    assert.equal("", told ',"errmsg":7')
    assert.equal(": a?b?c??", told ',"errmsg":"a\\u001bb\\u007fc\195\164"')
    assert.equal(": " .. ("x"):rep(200), told((',"errmsg":"%s"'):format(("x"):rep(201))))
  end)

  -- ---- symbols ----

  it("asks for the groups, and for the symbols of each", function()
    answers = { token "one", ok '"d":{"groups":[{"id":"g 1"},{"id":"h"}]}', symbols,
      ok '"symbol":["C","D"],"currency":["E","F"],"base-currency":["G","H"]' }
    assert.same({ { symbol = "AB", currency = "B", base_currency = "A", group = "g 1" },
      { symbol = "C", currency = "E", base_currency = "G", group = "h" },
      { symbol = "D", currency = "F", base_currency = "H", group = "h" } }, candles.symbols(client, state))
    assert.same({ "authorize", "groups  with one", "symbols group=g%201 with one", "symbols group=h with one" }, asked)
    answers = { ok '"d":{"groups":[]}' }
    assert.same({}, candles.symbols(client, state))
  end)

  it("has at most 100 groups, each with an id", function()
    local function groups(count) return ok('"d":{"groups":[' .. ('{"id":"g"},'):rep(count - 1) .. '{"id":"g"}]}') end
    answers = { token "one", groups(100) }
    for _ = 1, 100 do answers[#answers + 1] = symbols end
    assert.equal(100, #assert(candles.symbols(client, state)))
    answers = { groups(101) }
    decode_error("it has 101 groups, expected at most 100", candles.symbols(client, state))
    for members, words in pairs { ['"d":5'] = 'it has no list "groups"',
      ['"d":{"groups":5}'] = 'it has no list "groups"', ['"d":{"groups":[{"id":"g"},5]}'] = "group 2 has no id",
      ['"d":{"groups":[{"id":5}]}'] = "group 1 has no id" } do
      answers = { ok(members) }
      decode_error(words, candles.symbols(client, state))
    end
    answers = { errors.new("NetworkError", "cut") }
    check.failure("NetworkError", {}, candles.symbols(client, state))
  end)

  it("gives no symbols when those of one group cannot be had", function()
    local two = ok '"d":{"groups":[{"id":"g"},{"id":"h"}]}'
    answers = { token "one", two, symbols, errors.new("NetworkError", "cut") }
    check.failure("NetworkError", {}, candles.symbols(client, state))
    answers = { two, errors.new("NetworkError", "cut") }
    check.failure("NetworkError", {}, candles.symbols(client, state))
    assert.same({}, answers)
    answers = { two, ok '"symbol":5' }
    decode_error('it has no list "symbol"', candles.symbols(client, state))
    for column, words in pairs { ['"currency":["B"],"base-currency":5'] = "base-currency 1 is false",
      ['"currency":["B"],"base-currency":[true]'] = "base-currency 1 is true",
      ['"currency":["B"],"base-currency":[]'] = "base-currency 1 is nil" } do
      answers = { two, ok('"symbol":["A"],' .. column) }
      decode_error(words, candles.symbols(client, state))
    end
  end)

  it("wants a group's name, or none", function()
    for _, wrong in ipairs { "", 5, false } do
      local err = check.raised("ConfigError", {}, candles.symbols, client, state, wrong)
      assert.equal("group must be a text, got " .. errors.describe(wrong), err.message)
    end
    assert.same({}, asked)
  end)

  -- ---- candles ----

  it("names the symbol, the resolution and the time", function()
    answers = { token "one", rows "", rows "", rows "", rows "" }
    assert.same({}, history { symbol = "A&B" })
    assert.equal("candles symbol=A%26B&resolution=1m&from=0&to=600 with one", asked[2])
    assert.same({}, history { from = 2 ^ 32 - 1, to = 2 ^ 32 - 1, resolution = "10y" })
    assert.equal("candles symbol=AB&resolution=10y&from=4294967295&to=4294967295 with one", asked[3])
    assert.same({}, history { from = 0, to = 0 })
    assert.equal("candles symbol=AB&resolution=1m&from=0&to=0 with one", asked[4])
    clock.now = 1234.9
    assert.same({}, candles.history(client, state, { symbol = "AB", resolution = "1M", from = 1234 }))
    assert.equal("candles symbol=AB&resolution=1M&from=1234&to=1234 with one", asked[5])
  end)

  it("takes no other times, symbols and resolutions", function()
    local function raises(words, options) check.says(check.raised("ConfigError", {}, history, options), words) end
    for _, name in ipairs { "from", "to" } do
      for _, wrong in ipairs { -1, 2 ^ 32, 2 ^ 32 + 1, 0.5, "0" } do
        raises(("option '%s' must be a time in seconds since 1970"):format(name), { [name] = wrong })
      end
    end
    raises("option 'from' must be", { from = 2 ^ 32, to = 2 ^ 32 })
    raises("from, 601, is later than to, 600", { from = 601 })
    raises("option 'symbol' is empty, expected a text", { symbol = "" })
    raises("option 'symbol' must be a text", { symbol = 5 })
    for _, wrong in ipairs { 5, "m", "0m", "1s", "1mm", "x1m" } do
      raises("option 'resolution' must be a text like", { resolution = wrong })
    end
    for _, name in ipairs { "symbol", "resolution", "from" } do
      local given = { symbol = "AB", resolution = "1m", from = 0, to = 600 }
      given[name] = nil
      check.says(check.raised("ConfigError", {}, candles.history, client, state, given),
        ("option '%s' is required"):format(name))
    end
    clock.now = 2 ^ 32
    check.says(check.raised("ConfigError", {}, candles.history, client, state,
      { symbol = "AB", resolution = "1m", from = 5 }), "to must be whole seconds since 1970")
    assert.same({}, asked)
  end)

  it("has candles in the order of time, however they come, and as many as there are of one time", function()
    answers = { token "one", rows "[120,3e18,4e18,2e18,3.5e18,9],[60,-1e18,1,-2.5e18,0,7],[90.0,1,1,1,1,0]" }
    assert.same({ { time = 60, open = -1, high = 1e-18, low = -2.5, close = 0, volume = 7 },
      { time = 90, open = 1e-18, high = 1e-18, low = 1e-18, close = 1e-18, volume = 0 },
      { time = 120, open = 3, high = 4, low = 2, close = 3.5, volume = 9 } }, history())
    answers = { rows(("[60,1,1,1,1,1],"):rep(99) .. "[60,1,1,1,1,1]") }
    assert.equal(100, #assert(history()))
  end)

  it("has no candles that are not as they should be", function()
    for list, words in pairs { ["7"] = "candle 1: it has not six members",
      ["[1,2,3,4,5,6],[1,2,3,4,5]"] = "candle 2: it has not six members",
      ["[1,2,3,4,5,6,7]"] = "candle 1: it has not six members",
      ['["1",2,3,4,5,6]'] = 'candle 1: time is "1" (a string)',
      ["[1,2,3,4,5,null]"] = "candle 1: volume is a",
      ["[1,2,3,4,1e999,6]"] = "candle 1: close is inf",
      ["[1.5,2,3,4,5,6]"] = "candle 1: time is no whole second" } do
      answers = { token "one", rows(list) }
      state = { "state" }
      local err = check.failure("DecodeError", { retryable = false }, history())
      check.says(err, "the candlestick service's answer is not as expected: " .. words)
    end
    answers = { token "one", ok '"candles":5' }
    state = { "state" }
    decode_error('it has no list "candles"', history())
    answers = { errors.new("NetworkError", "cut") }
    check.failure("NetworkError", {}, history())
  end)
end)
