-- SPDX-License-Identifier: MIT
-- What the doctor makes of a service's answers to credentials, and in which order it looks at all.

local account = require "chainlink.doctor.account"
local chainlink = require "chainlink"
local core = require "chainlink.core"
local doctor = require "chainlink.doctor"
local errors = require "chainlink.errors"
local findings = require "chainlink.doctor.findings"
local live = require "chainlink.doctor.live"
local recording = require "spec.support.recording"
local stopped_clock = require "spec.support.stopped_clock"
local way = require "chainlink.doctor.way"

local T = 1700000000
local A, B, UNKNOWN = recording.id(3, 1), recording.id(3, 2), recording.id(99, 1)

local function look(examine, ...)
  local list = {}
  local found = findings.new(function(finding)
    list[#list + 1] = findings.line(finding, function(text) return text end):gsub(" +", " ")
  end)
  local result = examine(found, ...)
  return table.concat(list, "\n"), result
end

describe("the credentials", function()
  local function of(feeds, err, ahead)
    return look(account.credentials, { get_feeds = function() return feeds, err end }, "somebody", ahead or 0)
  end

  it("are good", function()
    local feeds = { {}, {} }
    local text, result = of(feeds)
    assert.equal("ok credentials those of somebody are accepted: 2 feeds may be read", text)
    assert.equal(feeds, result)
  end)

  it("are refused, or the clock is wrong", function()
    local err = errors.new("AuthenticationError", "no")
    local advice = "fail credentials no; check that key and secret belong together, and to this network (mainnet or "
      .. "testnet), and were copied whole (docs/troubleshooting.md#401-unauthorized-403-forbidden)"
    for _, ahead in ipairs { 0, 5, -5 } do
      local text, result = of(nil, err, ahead)
      assert.equal(advice, text)
      assert.is_nil(result)
    end
    for _, ahead in ipairs { 5.5, -5.5 } do
      assert.matches("^fail credentials no; set the clock first: a signature of the wrong time is refused too",
        (of(nil, err, ahead)))
    end
  end)

  it("are not known where the list is not to be had", function()
    local text, result = of(nil, errors.new("ServerError", "busy"))
    assert.matches("^fail credentials the list of feeds is not to be had: ServerError: busy; try again in a while; "
      .. "if it stays so", text)
    assert.is_nil(result)
  end)
end)

describe("a feed", function()
  local clock
  before_each(function() clock = stopped_clock.at(T + 100) end)
  after_each(function() clock.restore() end)

  local function report(id, second)
    return assert(chainlink.decode((recording.report(3, 1, second or T + 40):gsub(A:sub(3), id:sub(3)))))
  end

  -- A client whose newest reports are these, by id, or errors.
  local function client_of(reports, found)
    return { get_latest_report = function(_, id)
      local answer = reports[id]
      if errors.is_error(answer) then return nil, answer end
      return answer
    end, discover = function() return found or {} end, get_feeds = function() return {} end }
  end

  local function of(wanted, reports, more)
    local context = { feeds = { { id = A, version = 3, name = "BTC/USD" }, { id = B, version = 3 } }, clock_ahead = 0 }
    for name, value in pairs(more or {}) do context[name] = value end
    return look(account.feed, client_of(reports), wanted, context)
  end

  it("is found by its name or id, however that is written", function()
    local words = ("ok feed BTC/USD %s may be read, its schema is v3 (%s)\n"):format(A, chainlink.schemas[3].name)
      .. "ok report the newest of BTC/USD is 60.0 s old"
    for _, wanted in ipairs { "BTC/USD", "btc/usd", A, (A:gsub("x", "X"):upper():gsub("X", "x")) } do
      local text, result = of(wanted, { [A] = report(A) })
      assert.equal(words, text)
      assert.equal(A, result.id)
    end
    local text, result = of(B, { [B] = report(B) })
    assert.matches("^ok feed " .. B .. " may be read", text)
    assert.matches("\nok report the newest of " .. B .. " is 60%.0 s old$", text)
    assert.equal(B, result.id)
  end)

  it("is old after a minute, by the service's clock", function()
    local text = of(A, { [A] = report(A, T + 39) })
    assert.matches("\nwarn report the newest of BTC/USD is 61%.0 s old; no newer one was made: a closed market", text)
    assert.matches("\nok report the newest of BTC/USD is 51%.0 s old$", (of(A, { [A] = report(A, T + 39) },
      { clock_ahead = 10 })))
  end)

  it("may be closed, or tell its times in milliseconds", function()
    local one = { observations_timestamp_ms = (T + 90) * 1000 + 500, observations_timestamp = T,
      market_status_name = function() return "closed" end }
    assert.matches("\nok report the newest of BTC/USD is 9%.5 s old, its market is closed$", (of(A, { [A] = one })))
    one = { observations_timestamp = T + 90, market_status_name = function() end }
    assert.matches("\nok report the newest of BTC/USD is 10%.0 s old$", (of(A, { [A] = one })))
  end)

  it("has a schema that is not known", function()
    local feeds = { { id = UNKNOWN, version = 99, name = "New" } }
    local one = { observations_timestamp = T + 90, market_status_name = function() end }
    assert.equal("warn feed New " .. UNKNOWN .. " may be read, its schema v99 is not known here; use a later release\n"
      .. "ok report the newest of New is 10.0 s old", (of("New", { [UNKNOWN] = one }, { feeds = feeds })))
  end)

  it("is refused, or not there, or has no report", function()
    local refused = errors.new("AuthenticationError", "no", { status = 403 })
    local text, result = of(A, { [A] = refused })
    assert.matches("^fail feed BTC/USD " .. A .. " is refused %(403%); the feed does not exist, or the key", text)
    assert.is_nil(result)
    local none = errors.new("APIError", "not found", { status = 404 })
    local other = recording.id(3, 9)
    assert.matches("^fail feed " .. other .. " is not in the list of feeds, and has no report: not found; check the id "
      .. "against", (of(other, { [other] = none })))
    text, result = of(A, { [A] = none })
    assert.matches("^ok feed .*\nfail report BTC/USD has none: not found; try again in a while; a feed that is gone",
      text)
    assert.is_nil(result)
    text = of(B, { [B] = errors.new("NetworkError", "gone") })
    assert.matches("\nfail report " .. B .. " has none: gone; ", text)
    text = of(other, { [other] = errors.new("NetworkError", "gone") })
    assert.matches("^ok feed .*\nfail report " .. other .. " has none: gone; ", text)
  end)

  it("is looked up by its id where the list has it not", function()
    local other = recording.id(3, 9)
    local text, result = of(other:upper():gsub("^0X", "0x"), { [other] = report(other) })
    assert.matches("^ok feed " .. other .. " may be read, its schema is v3", text)
    assert.same({ other, 3, "s" }, { result.id, result.version, result.resolution })
    assert.equal("fail feed 0x12: it is no feed id: 0x and 64 hex digits; `chainlink-streams feeds` lists those that "
      .. "the key may read", (of("0x12", {})))
    assert.matches("^fail feed 0X12: it is no feed id", (of("0X12", {})))
  end)

  it("is looked up by the catalogue's names, and told as wrong by those", function()
    local context = { feeds = {}, clock_ahead = 0 }
    local client = client_of({ [A] = report(A) }, { { id = A, name = "BTC/USD", version = 3 } })
    local text, result = look(account.feed, client, "BTC/USD", context)
    assert.matches("^ok feed BTC/USD " .. A, text)
    assert.same({ A, "BTC/USD", 3, "s" }, { result.id, result.name, result.version, result.resolution })
    text, result = look(account.feed, client, "DOGE", context)
    assert.matches("^fail feed DOGE: .*DOGE", text)
    assert.is_nil(text:find("nil", 1, true))
    assert.is_nil(result)
    client.discover = function() return nil, errors.new("NetworkError", "no way there") end
    client.get_feeds = client.discover
    text = look(account.feed, client, "DOGE", context)
    assert.matches("^fail feed DOGE: .*no way there", text)
  end)

  it("is signed by whom it should be, or not", function()
    local signers = {}
    for i = 1, 4 do signers[i] = "0x" .. tostring(i):rep(40) end
    local one = report(A)
    local text, result = of(A, { [A] = one }, { signers = { signers = signers, f = 1 } })
    assert.matches("\nfail signatures BTC/USD: .+; do the signers belong to this network and to the report's config "
      .. "digest " .. one.config_digest .. "%?$", text)
    assert.equal(A, result.id)
    local good = { observations_timestamp = T + 90, signatures = { 1, 2, 3 }, market_status_name = function() end,
      verify = function() return true end }
    assert.matches("\nok signatures BTC/USD: 3 signatures, all of known signers$", (of(A, { [A] = good },
      { signers = {} })))
    assert.matches("\nok signatures " .. B .. ": 3 signatures", (of(B, { [B] = good }, { signers = {} })))
  end)
end)

describe("the doctor", function()
  local replaced, calls, told

  -- Puts a function in a module's place until the end of the test; it is noted.
  local function replace(module, name, answer)
    replaced[#replaced + 1] = { module, name, module[name] }
    module[name] = function(...)
      calls[#calls + 1] = name
      return answer(...)
    end
  end

  before_each(function()
    replaced, calls, told = {}, {}, {}
  end)
  after_each(function()
    for i = #replaced, 1, -1 do replaced[i][1][replaced[i][2]] = replaced[i][3] end
  end)

  local VERSIONS = { libcurl = "8.0.0", libwebsockets = "4.3.2", openssl = "OpenSSL 3.0.1" }

  -- Examines with these answers: way (by endpoint), feeds, and what else the question has.
  local function examine(answers, question)
    local client = { close = function() calls[#calls + 1] = "closed" end }
    replace(core, "versions", function() return VERSIONS end)
    replace(chainlink, "client", function(options)
      told.options = options
      if answers.no_client then return nil, errors.new("ConfigError", "no client") end
      return client
    end)
    replace(way, "examine", function(_, of, endpoint, url)
      assert.equal(client, of)
      calls[#calls] = ("way %d %s"):format(endpoint, url)
      return answers.way[endpoint]
    end)
    replace(way, "clock", function(_, probe)
      told.clock = probe
      return 3
    end)
    replace(account, "credentials", function(_, of, from, ahead)
      assert.equal(client, of)
      told.credentials = { from, ahead }
      return answers.feeds
    end)
    replace(account, "feed", function(_, of, wanted, context)
      assert.equal(client, of)
      calls[#calls], told.context = "feed " .. wanted, context
      return answers.found and answers.found[wanted]
    end)
    replace(live, "origins", function(_, of) assert.equal(client, of) end)
    replace(live, "examine", function(_, of, feed, context)
      assert.equal(client, of)
      calls[#calls] = "examine " .. feed
      assert.equal(told.context, context)
    end)
    local list = {}
    local asked = { tell = function(finding) list[#list + 1] = finding.status .. " " .. finding.check .. " "
      .. finding.message end, from = "somebody", feeds = {}, seconds = 7, options = { api_key = "k", api_secret = "s",
      rest_url = "https://a:1", ws_url = "wss://b:2" } }
    for name, value in pairs(question or {}) do asked[name] = value end
    local failures = doctor.examine(asked)
    local skip = { versions = true, client = true, clock = true, credentials = true }
    local order = {}
    for _, call in ipairs(calls) do
      if not skip[call] then order[#order + 1] = call end
    end
    calls = {}
    return table.concat(order, ", "), failures, list
  end

  local both = { [0] = { "rest" }, [1] = { "ws" } }
  local feeds = { { id = "x", name = "DOGE/USD" }, { id = "e", name = "ETH/USD" }, { id = "b", name = "Btc/usd-1" },
    { id = "n" } }

  it("looks at all in order", function()
    local order, failures, list = examine { way = both, feeds = feeds, found = { b = "the feed" } }
    assert.matches("^ok libraries chainlink", list[1])
    assert.matches("^%l+ files .* files may be open$", list[2])
    assert.equal("way 0 https://a:1, way 1 wss://b:2, feed b, origins, examine the feed, closed", order)
    assert.equal(0, failures)
    assert.equal(both[0], told.clock)
    assert.same({ "somebody", 3 }, told.credentials)
    assert.same({ feeds, 7, 3 }, { told.context.feeds, told.context.seconds, told.context.clock_ahead })
    local options = told.options
    assert.same({ 0, false, 10, "block", "k", "s", "https://a:1" }, { options.max_retries, options.circuit_breaker,
      options.timeout, options.loop, options.api_key, options.api_secret, options.rest_url })
  end)

  it("looks at the way once where both URLs lead to one place", function()
    local options = { api_key = "k", api_secret = "s", rest_url = "https://a:1", ws_url = "wss://A:1/x" }
    assert.equal("way 0 https://a:1, feed b, origins, examine the feed, closed",
      (examine({ way = both, feeds = feeds, found = { b = "the feed" } }, { options = options })))
    assert.equal("way 0 https://a:1, closed", (examine({ way = {} }, { options = options })))
  end)

  it("takes a well-known feed where none is named, else the first", function()
    local function taken(list) return (examine { way = both, feeds = list }):match "feed (%S+)," end
    assert.equal("b", taken(feeds))
    assert.equal("e", taken { feeds[1], feeds[2], feeds[4] })
    assert.equal("n", taken { feeds[4], feeds[1], { id = "w", name = "WBTC/USD" } })
    local order, failures, list = examine { way = both, feeds = {} }
    assert.equal("way 0 https://a:1, way 1 wss://b:2, origins, closed", order)
    assert.equal(0, failures)
    assert.equal("warn feed the key may read none", list[#list])
  end)

  it("looks at the feeds that are named, and streams the first that may be read", function()
    local order = examine({ way = both, feeds = feeds, found = { two = "2", three = "3" } },
      { feeds = { "one", "two", "three" } })
    assert.equal("way 0 https://a:1, way 1 wss://b:2, feed one, feed two, feed three, origins, examine 2, closed",
      order)
    order = examine({ way = both, feeds = feeds, found = {} }, { feeds = { "one" } })
    assert.equal("way 0 https://a:1, way 1 wss://b:2, feed one, origins, closed", order)
  end)

  it("leaves out what cannot be", function()
    assert.equal("way 0 https://a:1, way 1 wss://b:2, closed", (examine { way = { [1] = { "ws" } }, feeds = feeds }))
    assert.equal("way 0 https://a:1, way 1 wss://b:2, feed b, closed", (examine { way = { [0] = { "rest" } },
      feeds = feeds, found = { b = "x" } }))
    assert.equal("way 0 https://a:1, way 1 wss://b:2, closed", (examine { way = both }))
  end)

  it("tells which credential is missing, and looks at the way", function()
    for _, case in ipairs { { "k", nil, "the secret" }, { nil, "s", "the API key" }, { nil, nil, "the API key" } } do
      local order, failures, list = examine({ way = both, feeds = feeds }, { options = { api_key = case[1],
        api_secret = case[2], rest_url = "https://a:1", ws_url = "wss://b:2" } })
      assert.equal("way 0 https://a:1, way 1 wss://b:2, closed", order)
      assert.equal(1, failures)
      assert.equal("fail credentials there are none: " .. case[3] .. " is missing", list[#list])
      assert.same({ case[1] or "none", case[2] or "none" }, { told.options.api_key, told.options.api_secret })
    end
  end)

  it("has no client", function()
    local order, failures, list = examine { no_client = true }
    assert.same({ "", 1, "fail client ConfigError: no client" }, { order, failures, list[#list] })
  end)

  it("raises what breaks it as it is, and closes its client", function()
    local ok, err = pcall(examine, { way = setmetatable({}, { __index = function() error("a text", 0) end }) })
    assert.is_false(ok)
    assert.equal("a text", err)
    assert.equal("closed", calls[#calls])
  end)

  it("takes versions that it is given", function()
    local _, failures = examine({ way = both, feeds = feeds }, { versions = { libwebsockets = "4.0.0" } })
    assert.equal(1, failures)
  end)
end)
