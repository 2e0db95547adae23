-- SPDX-License-Identifier: MIT
-- The catalogue of feeds without a service: the question of filters, the feeds of an answer, and what is kept.

local anonymous = require "chainlink.anonymous"
local calls = require "chainlink.call"
local check = require "spec.support.failure"
local core = require "chainlink.core"
local discovery = require "chainlink.discovery"
local errors = require "chainlink.errors"
local json = require "chainlink.json"
local sample = require "spec.support.sample"
local stopped = require "spec.support.stopped_clock"

local ID = sample.feed_id(3)

local function raises(message, run, ...)
  assert.equal(message, check.raised("ConfigError", {}, run, ...).message)
end

describe("the question to the catalogue", function()
  it("has each filter by its name, in the order of the alphabet", function()
    assert.equal("", discovery.query())
    assert.equal("", discovery.query {})
    assert.equal("asset_class=a&attribute_type=b,c&base_asset=d%26e&created_after=2024-01-01&created_before=2024-01-02"
      .. "&decommissioned_after=2024-01-03&decommissioned_before=2024-01-04&expected_decommission_after=2024-01-05"
      .. "&expected_decommission_before=2024-01-06&feed_type=f&hidden=false&network_type=g&quote_asset=h&status=i",
      discovery.query { asset_class = "a", attribute_type = { "b", "c" }, base_asset = "d&e",
        created_after = "2024-01-01", created_before = "2024-01-02", decommissioned_after = "2024-01-03",
        decommissioned_before = "2024-01-04", expected_decommission_after = "2024-01-05",
        expected_decommission_before = "2024-01-06", feed_type = "f", hidden = false, network_type = "g",
        quote_asset = "h", status = "i" })
    assert.equal("hidden=true&status=a%20b", discovery.query { status = { "a b" }, hidden = true })
  end)

  it("has no other filters, nor filters of other values", function()
    local function query(given) return discovery.query(given) end
    raises("filters must be a table, got \"BTC\" (a string)", query, "BTC")
    raises("filters must be a table, got false", query, false)
    raises('there is no filter "base" (a string); there are asset_class, attribute_type, base_asset, created_after, '
      .. "created_before, decommissioned_after, decommissioned_before, expected_decommission_after, "
      .. "expected_decommission_before, feed_type, hidden, network_type, quote_asset, status", query, { base = "100%" })
    for _, wrong in ipairs { "", "a,b", true } do
      local got = errors.describe(wrong)
      raises("filter 'status' must be a text without a comma, or an array of such, got " .. got, query,
        { status = wrong })
      raises("filter 'status[2]' must be a text without a comma, or an array of such, got " .. got, query,
        { status = { "a", wrong } })
    end
    raises("filter 'status' must be a text or an array of texts, got an empty table", query, { status = {} })
    raises("filter 'created_after' must be a day, YYYY-MM-DD, got \"2023-02-29\" (a string)", query,
      { created_after = "2023-02-29" })
    raises("filter 'created_before' must be a day, YYYY-MM-DD, got true", query, { created_before = true })
    raises("filter 'hidden' must be true or false, got \"true\" (a string)", query, { hidden = "true" })
  end)
end)

describe("an answer of the catalogue", function()
  local function with(members) return ('{"feeds":[{"feedId":"%s",%s}]}'):format(ID, members) end

  it("tells all of a feed, its times as Unix seconds", function()
    assert.same({ { id = ID, name = "ETH/USD", asset_name = "Ether", base_asset = "ETH", quote_asset = "USD",
      asset_class = "Crypto", feed_type = "Crypto Advanced", attribute_type = "CexPrice", market_hours = "24/7",
      service_level = "standard", network_type = "mainnet", status = "live", schema_version = 3, created_at = 86400,
      expected_decommission_at = 86401, decommissioned_at = 86402 } }, discovery.read(with(
      '"name":"ETH/USD","assetName":"Ether","baseAsset":"ETH","quoteAsset":"USD","assetClass":"Crypto",'
      .. '"feedType":"Crypto Advanced","attributeType":"CexPrice","marketHours":"24/7","serviceLevel":"standard",'
      .. '"networkType":"mainnet","status":"live","schemaVersion":"V3","createdAt":"1970-01-02T00:00:00Z",'
      .. '"expectedDecommissionAt":"1970-01-02T00:00:01.5Z","decommissionedAt":"1970-01-02T00:00:02Z","more":1')))
  end)

  it("may lack all but the ids", function()
    assert.same({ { id = ID }, { id = ID } }, discovery.read(
      ('{"feeds":[{"feedId":"%s","name":null,"createdAt":null},{"feedId":"0X%s"}]}'):format(ID, ID:sub(3):upper())))
    assert.same({}, discovery.read '{"feeds":[]}')
  end)

  it("has versions of up to four digits", function()
    for version, number in pairs { V1 = 1, v12 = 12, V123 = 123, V1234 = 1234 } do
      assert.equal(number, discovery.read(with(('"schemaVersion":"%s"'):format(version)))[1].schema_version)
    end
    for _, wrong in ipairs { "V", "V12345", "3", "V3a", "xV3" } do
      check.says(check.failure("DecodeError", {}, discovery.read(with(('"schemaVersion":"%s"'):format(wrong)))),
        "feed 1: schemaVersion is")
    end
  end)

  it("is refused where something is not as expected", function()
    local function refused(body, words)
      local err = check.failure("DecodeError", { expected = "a feed catalogue", retryable = false },
        discovery.read(body))
      assert.equal("the catalogue of feeds is not as expected: " .. words, err.message)
    end
    refused('"text"', select(2, json.decode '"text"') or "not an object")
    refused("{", (select(2, json.decode "{")))
    for _, body in ipairs { "{}", '{"feeds":null}', '{"feeds":{"a":1}}', '{"feeds":"x"}' } do
      refused(body, 'it has no list "feeds"')
    end
    refused(('{"feeds":[{"feedId":"%s"},true]}'):format(ID), "feed 2: it has no valid feedId")
    refused('{"feeds":[{"feedId":true}]}', "feed 1: it has no valid feedId")
    refused('{"feeds":[{"feedId":"0x03"}]}', "feed 1: it has no valid feedId")
    refused(with '"name":true', "feed 1: name is true, expected a text")
    refused(with '"schemaVersion":"%d"', 'feed 1: schemaVersion is "%d" (a string), expected V and a number')
    refused(with '"createdAt":true', "feed 1: createdAt is true, expected a time")
    refused(with '"createdAt":"soon"', 'feed 1: createdAt is "soon" (a string), expected a time')
    for _, name in ipairs { "assetName", "baseAsset", "quoteAsset", "assetClass", "feedType", "attributeType",
      "marketHours", "serviceLevel", "networkType", "status" } do
      refused(with(('"%s":true'):format(name)), ("feed 1: %s is true, expected a text"):format(name))
    end
    for _, name in ipairs { "expectedDecommissionAt", "decommissionedAt" } do
      refused(with(('"%s":true'):format(name)), ("feed 1: %s is true, expected a time"):format(name))
    end
  end)
end)

describe("the catalogue", function()
  local discover, is_closed, explained, close = core.discover, core.client_is_closed, calls.explained, core.client_close
  local open = anonymous.open
  local clock, client, state, asked, answer, closed

  before_each(function()
    clock, client, state, asked, closed = stopped.at(1000), { "client" }, { "state" }, {}, {}
    answer = { '{"feeds":[{"feedId":"' .. ID .. '"}]}', 200, 300 }
    core.discover = function(...)
      asked[#asked + 1] = { ... }
      if answer.at_once then return nil, answer.at_once end
      return { "call" }
    end
    core.client_is_closed = function(own) return own.is_closed == true end
    core.client_close = function(own) closed[#closed + 1] = own end
    calls.explained = function(own, call)
      assert.equal(state, own)
      assert.same({ "call" }, call)
      return answer[1], answer[2], answer[3]
    end
  end)

  after_each(function()
    core.discover, core.client_is_closed, calls.explained, core.client_close = discover, is_closed, explained, close
    anonymous.open = open
    clock.restore()
  end)

  local function question(more)
    local out = { client = client, state = state, query = "a=b", key = "k", anonymous = true }
    for name, value in pairs(more or {}) do out[name] = value end
    return out
  end

  local one = { { id = ID } }

  it("is asked, and its answer kept as long as it may be", function()
    local catalogue = discovery.new()
    assert.same(one, catalogue:ask(question()))
    assert.same({ { client, "a=b", true } }, asked)
    clock.now = 1299.9
    assert.same(one, catalogue:ask(question { query = "not looked at" }))
    assert.equal(1, #asked)
    assert.same(one, catalogue:ask(question { key = "another" }))
    assert.equal(2, #asked)
    clock.now = 1300
    assert.same(one, catalogue:ask(question()))
    assert.equal(3, #asked)
  end)

  it("is asked each time where nothing may be kept, and no closed client is answered", function()
    local catalogue = discovery.new()
    answer[3] = nil
    for _ = 1, 2 do assert(catalogue:ask(question())) end
    assert.equal(2, #asked)
    answer[3] = 300
    assert(catalogue:ask(question()))
    client.is_closed = true
    answer = { at_once = errors.new("StreamClosedError", "closed") }
    check.failure("StreamClosedError", {}, catalogue:ask(question()))
    assert.equal(4, #asked)
  end)

  it("gives nothing up that is kept for an answer that may not be", function()
    local catalogue = discovery.new()
    for i = 1, 16 do assert(catalogue:ask(question { key = "k" .. i })) end
    answer[3] = nil
    assert(catalogue:ask(question()))
    assert.equal(17, #asked)
    for i = 1, 16 do assert(catalogue:ask(question { key = "k" .. i })) end
    assert.equal(17, #asked)
  end)

  it("raises where the question cannot be asked as it is, and gives other errors back", function()
    local catalogue = discovery.new()
    answer = { at_once = errors.new("ConfigError", "the filters are 5000 bytes") }
    check.raised("ConfigError", {}, catalogue.ask, catalogue, question())
    answer = { nil, errors.new("APIError", "no") }
    check.failure("APIError", {}, catalogue:ask(question()))
    answer = { '{"feeds":5}', 200, 300 }
    check.failure("DecodeError", {}, catalogue:ask(question()))
    answer = { '{"feeds":[]}', 200, 300 }
    assert.same({}, catalogue:ask(question()))
  end)

  local function tell(catalogue, date)
    answer = { ('{"feeds":[{"feedId":"%s","expectedDecommissionAt":%s}]}'):format(ID, date), 200, nil }
    assert(catalogue:ask(question()))
  end

  local DATE, AT = '"2024-12-14T22:49:05.000000Z"', 1734216545

  it("tells of a going within 30 days, and only by the newest answer", function()
    local catalogue = discovery.new()
    tell(catalogue, DATE)
    assert.equal(AT, catalogue:goes_at(ID, AT - 30 * 86400))
    assert.is_nil(catalogue:goes_at(ID, AT - 30 * 86400 - 1))
    assert.equal(AT, catalogue:goes_at(ID, AT + 5))
    assert.is_nil(catalogue:goes_at(sample.feed_id(8), AT))
    tell(catalogue, DATE)
    assert.equal(1, catalogue.leaving_count)
    tell(catalogue, "null")
    assert.equal(0, catalogue.leaving_count)
    assert.is_nil(catalogue:goes_at(ID, AT))
  end)

  it("remembers the going of 4096 feeds", function()
    local catalogue = discovery.new()
    catalogue.leaving_count = 4095
    tell(catalogue, DATE)
    assert.equal(AT, catalogue:goes_at(ID, AT))
    assert.equal(4096, catalogue.leaving_count)
    tell(catalogue, '"2024-12-14T22:49:06Z"')
    assert.equal(AT + 1, catalogue:goes_at(ID, AT))
    tell(catalogue, "null")
    catalogue.leaving_count = 4096
    tell(catalogue, DATE) -- there is no room for more
    assert.is_nil(catalogue:goes_at(ID, AT))
    assert.equal(4096, catalogue.leaving_count)
  end)

  -- ---- without credentials ----

  local engine, of_client

  -- discovery.public with an engine that was given these options too.
  local function public(options, more)
    engine = { rest_url = "https://a", headers = {} }
    for name, value in pairs(more or {}) do engine[name] = value end
    anonymous.open = function(given, url_name)
      assert.equal("rest_url", url_name)
      of_client = given
      return client, state, engine
    end
    return discovery.public(options)
  end

  it("is public: options are a client's, or filters", function()
    assert.same(one, public())
    assert.same({ client, "", true }, asked[1])
    assert.same({ rate_limit = false }, of_client)
    assert.same({ client }, closed)
    local given = { base_asset = "BTC", status = "live" }
    local own = { network = 1, rest_url = 2, timeout = 3, connect_timeout = 4, max_retries = 5, retry_delay = 6,
      retry_max_delay = 7, headers = 8, tls = 9, proxy = 10, logger = 11, log_level = 12, on_response = 13, loop = 14 }
    for name, value in pairs(own) do given[name] = value end
    assert.same(one, public(given))
    assert.equal("base_asset=BTC&status=live", asked[2][2])
    own.rate_limit = false
    assert.same(own, of_client)
    assert.equal(2, #closed)
  end)

  it("is public for whoever asks by the same way", function()
    local ways = {}
    for _, name in ipairs { "rest_url", "proxy", "ca_file", "ca_path", "cert_file", "key_file" } do
      ways[#ways + 1] = { [name] = "of this test" }
    end
    ways[#ways + 1] = { insecure_skip_verify = true }
    for _, headers in ipairs { "A 1", "A 2", "B 2", "A 1 B 2", "A 2 B 2" } do
      local list = {}
      for name, value in headers:gmatch "(%S+) (%S+)" do list[#list + 1] = { name = name, value = value } end
      ways[#ways + 1] = { headers = list }
    end
    for _, way in ipairs(ways) do
      asked = {}
      for _ = 1, 2 do assert.same(one, public({ base_asset = "WAY" }, way)) end
      assert.equal(1, #asked)
    end
    assert.same(one, public({ base_asset = "OTHER" }, ways[1]))
    assert.equal(2, #asked)
  end)

  it("is closed after a failure too, and not opened for what is wrong", function()
    answer = { nil, errors.new("NetworkError", "cut") }
    check.failure("NetworkError", {}, public { base_asset = "CUT" })
    assert.equal(1, #closed)
    raises("options must be a table, got \"BTC\" (a string)", public, "BTC")
    raises("options must be a table, got false", public, false)
    check.says(check.raised("ConfigError", {}, public, { nonsense = 1 }), 'there is no filter "nonsense"')
    assert.equal(1, #closed)
  end)
end)
