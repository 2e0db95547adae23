-- SPDX-License-Identifier: MIT
-- The catalogue of feeds: with credentials and without, kept as long as it may be, and by a service that is hostile.

local answers = require "spec.support.answers"
local chainlink = require "chainlink"
local check = require "spec.support.failure"
local core = require "chainlink.core"
local recorder = require "spec.support.recorder"
local sample = require "spec.support.sample"
local simulator = require "spec.support.simulator"

local function by_name(feeds)
  local seen = {}
  for _, feed in ipairs(feeds) do seen[feed.name] = feed end
  return seen
end

local function raises(words, discover, filters)
  local ok, err = pcall(discover, filters)
  assert.is_false(ok)
  assert.is_true(chainlink.is_error(err, "ConfigError"), tostring(err))
  assert.is_truthy(err.message:find(words, 1, true), err.message)
end

describe("discovery", function()
  local sim, client

  setup(function() sim = simulator.start { feeds = 56, rate_limit = 0 } end)
  teardown(function() sim:stop() end)
  before_each(function() client = sim:client { rate_limit = false } end)
  after_each(function()
    client:close()
    sim:clear_faults()
  end)

  local function discover(filters) return assert(client:discover(filters)) end

  local function public(options)
    local given = { rest_url = sim.rest_url, tls = { ca_file = sim.ca_file } }
    for name, value in pairs(options or {}) do given[name] = value end
    return chainlink.discover(given)
  end

  it("tells all of a feed, its times as Unix seconds", function()
    local feed = by_name(discover())["ETH/USD"]
    assert.equal(3, chainlink.feed_version(feed.id))
    assert.same({ id = feed.id, name = "ETH/USD", asset_name = "ETH", base_asset = "ETH", quote_asset = "USD",
      asset_class = "Crypto", feed_type = "Crypto Advanced", attribute_type = "CexPrice", market_hours = "24/7",
      schema_version = 3, service_level = "standard", network_type = "mainnet", status = "live",
      created_at = 1711843200 }, feed)
    local gone = by_name(discover())["LUNA/USD"]
    assert.equal(1743523200, gone.decommissioned_at)
    assert.equal(1743379200, gone.expected_decommission_at)
  end)

  local counts = {
    { { base_asset = { "xau", "EUR" } }, "EUR/USD XAU/USD" },
    { { quote_asset = "jpy" }, "USD/JPY" },
    { { base_asset = "BTC", asset_class = "Crypto", status = "live", network_type = "mainnet" },
      "BTC-FUNDING BTC/USD BTC/USD-LEGACY" },
    { { feed_type = "RWA Standard", asset_class = "forex" }, "EUR/USD GBP/USD USD/JPY XAU/USD" },
    { { attribute_type = "NavPerShare" }, "CREDIT-NAV GOLD-NAV MMF-NAV TBILL-NAV" },
    { { created_after = "2024-03-31", created_before = "2024-04-01" }, "BTC/USD ETH/USD LINK/USD LUNA/USD SOL/USD" },
    { { expected_decommission_after = "2025-03-31", expected_decommission_before = "2025-04-01" }, "LUNA/USD" },
    { { decommissioned_after = "2025-04-01", decommissioned_before = "2025-04-02" }, "LUNA/USD" },
    { { base_asset = "BTC", network_type = "testnet" }, "BTC-CURVE" },
    { { base_asset = "BTC", status = "testing" }, "BTC-PERP" },
    { { base_asset = "BTC", asset_class = "forex" }, "" },
    { { base_asset = "BTC", feed_type = "crypto advanced" }, "BTC/USD" },
    { { base_asset = "ETH", created_after = "2024-03-31", asset_class = "Crypto", feed_type = "Crypto Advanced" },
      "ETH/USD" },
    { { base_asset = "ETH", created_before = "2024-03-31", feed_type = "Crypto Advanced" }, "" },
    { { expected_decommission_after = "2025-04-01" },
      "BTC/USD-LEGACY ETH/USD-LEGACY LINK/USD-LEGACY MATIC/USD-LEGACY" },
    { { expected_decommission_before = "2025-03-31" }, "" },
    { { decommissioned_after = "2025-04-02" }, "" },
    { { decommissioned_before = "2025-04-01" }, "" },
    { { asset_class = "a&b=c #?/%" }, "" },
  }
  for i, case in ipairs(counts) do
    it(("takes filters: %d, for %s"):format(i, case[2]), function()
      for _, feeds in ipairs { discover(case[1]), assert(public(case[1])) } do
        local names = {}
        for n, feed in ipairs(feeds) do names[n] = feed.name end
        table.sort(names)
        assert.equal(case[2], table.concat(names, " "))
      end
    end)
  end

  it("sends each filter by its name, and texts as one list", function()
    local urls = {}
    local options = { asset_class = "a", attribute_type = { "b", "c" }, base_asset = "d&e",
      created_after = "2024-01-01",
      created_before = "2024-01-02", decommissioned_after = "2024-01-03", decommissioned_before = "2024-01-04",
      expected_decommission_after = "2024-01-05", expected_decommission_before = "2024-01-06", feed_type = "f",
      hidden = false, network_type = "g", quote_asset = "h", status = "i",
      on_response = function(response) urls[#urls + 1] = response.url end }
    assert.same({}, public(options))
    assert.equal(1, #urls)
    assert.equal("asset_class=a&attribute_type=b,c&base_asset=d%26e&created_after=2024-01-01&created_before=2024-01-02"
      .. "&decommissioned_after=2024-01-03&decommissioned_before=2024-01-04&expected_decommission_after=2024-01-05"
      .. "&expected_decommission_before=2024-01-06&feed_type=f&hidden=false&network_type=g&quote_asset=h&status=i",
      urls[1]:match "/api/v1/discovery%?(.*)$")
  end)

  it("lists hidden feeds with credentials, and only when asked", function()
    assert.equal(4, #discover { base_asset = "FUND", hidden = true })
    assert.equal(0, #discover { base_asset = "FUND", hidden = false })
    assert.equal(0, #discover { base_asset = "FUND" })
    assert.equal(0, #assert(public { base_asset = "FUND", hidden = true }))
  end)

  it("lists to a key only the hidden feeds that it may read", function()
    local hidden = discover { base_asset = "FUND", hidden = true }
    local other = simulator.start { feeds = 56, key = "some:secret:" .. hidden[2].id }
    local few = other:client { api_key = "some", api_secret = "secret" }
    local seen = assert(few:discover { hidden = true })
    few:close()
    other:stop()
    assert.equal(56 - 4 + 2, #seen)
    assert.is_table(by_name(seen)[hidden[2].name])
  end)

  it("is refused with credentials that are wrong", function()
    local wrong = sim:client { api_secret = "wrong" }
    check.failure("AuthenticationError", {}, wrong:discover())
    wrong:close()
  end)

  it("asks again only when an answer is no longer good", function()
    discover { base_asset = "BTC" }
    discover { base_asset = { "BTC" } }
    assert.equal(1, client:stats().requests)
    discover { base_asset = "ETH" }
    assert.equal(2, client:stats().requests)
    local first, second = discover { base_asset = "BTC" }, discover { base_asset = "BTC" }
    first[1].name = "changed"
    assert.are_not.equal("changed", second[1].name)
    assert.equal(2, client:stats().requests)
  end)

  it("keeps the public catalogue for all, by where it came from", function()
    local before = sim:answered "/api/v1/discovery"
    assert(public { base_asset = "SOL", quote_asset = "USD" })
    assert(public { base_asset = "SOL", quote_asset = "USD" })
    assert.equal(before + 1, sim:answered "/api/v1/discovery")
    assert(public { base_asset = "SOL", quote_asset = "USD", tls = { insecure_skip_verify = true } })
    assert.equal(before + 2, sim:answered "/api/v1/discovery")
    for i, headers in ipairs { { ["X-Way"] = "1" }, { ["X-Way"] = "2" }, { ["X-Other"] = "2" } } do
      for _ = 1, 2 do assert(public { base_asset = "SOL", quote_asset = "USD", headers = headers }) end
      assert.equal(before + 2 + i, sim:answered "/api/v1/discovery")
    end
  end)

  it("does not answer from what is kept once it is closed", function()
    discover()
    client:close()
    check.failure("StreamClosedError", {}, client:discover())
  end)

  it("sends no credentials when there are none", function()
    local seen = {}
    assert(public { base_asset = "UNI", logger = print, log_level = "none",
      on_response = function(response) seen[#seen + 1] = response end })
    assert.equal(1, #seen)
    assert.equal("public, max-age=300", seen[1].headers["cache-control"])
    assert.matches("/api/v1/discovery%?base_asset=UNI$", seen[1].url)
  end)

  it("raises for what is no filter, before anything is sent", function()
    local function signed(filters) return client:discover(filters) end
    for _, ask in ipairs { signed, public } do
      raises('there is no filter "base" (a string); there are asset_class, ', ask, { base = "BTC" })
      raises("filter 'base_asset' must be a text without a comma", ask, { base_asset = "BTC,ETH" })
      raises("filter 'base_asset[2]' must be a text", ask, { base_asset = { "BTC", 5 } })
      raises("got an empty table", ask, { status = {} })
      raises("filter 'quote_asset' must be", ask, { quote_asset = "" })
      raises("filter 'hidden' must be true or false", ask, { hidden = "true" })
      for _, bound in ipairs { "created", "expected_decommission", "decommissioned" } do
        for _, date in ipairs { "2024-02-30", "2024-2-1", "yesterday", "", 1700000000, "2024-01-01T00:00:00Z" } do
          raises("must be a day, YYYY-MM-DD", ask, { [bound .. "_after"] = date })
          raises("must be a day, YYYY-MM-DD", ask, { [bound .. "_before"] = date })
        end
      end
    end
    raises("filters must be a table", signed, "BTC")
    raises("the filters are 5", signed, { base_asset = ("B"):rep(5000) })
    raises("options must be a table", chainlink.discover, "BTC")
    raises('there is no filter "ha"', public, { ha = true })
    raises("option 'network' must be", chainlink.discover, { network = "moon" })
    assert.equal(0, client:stats().requests)
    assert.is_false(pcall(client.discover, {}))
  end)

  it("tells what the service says of a refusal", function()
    sim:fault "on=rest,path=/api/v1/discovery,action=status,status=400"
    local err = check.failure("APIError", { status = 400 }, client:discover())
    check.says(err, "as the fault list asked")
  end)

  it("is asked again after a failure", function()
    sim:fault "on=rest,path=/api/v1/discovery,action=status,status=503"
    assert.equal(57, #discover { hidden = true })
    sim:fault "on=rest,path=/api/v1/discovery,action=cut"
    assert.equal(53, #discover())
    assert.is_true(client:stats().retries == 2)
  end)

  describe("tells a stream", function()
    local seen, feeds, teller

    before_each(function()
      seen = recorder.new()
      feeds = by_name(assert(public()))
      teller = sim:client(seen:options { rate_limit = false })
    end)
    after_each(function() teller:close() end)

    -- What was logged of feeds that are to go.
    local function warnings()
      local list = {}
      for _, log in ipairs(seen.logs) do
        if log.message:find("is to be removed", 1, true) then
          assert.equal("warn", log.level)
          list[#list + 1] = log.message
        end
      end
      return list
    end

    local function warning(feed)
      return ("feed %s is to be removed on %s"):format(feed.id, os.date("!%Y-%m-%d", feed.expected_decommission_at))
    end

    it("once of each feed that is to go soon", function()
      assert(teller:discover { base_asset = { "ETH", "BTC" } })
      local asked = sim:answered "/api/v1/discovery"
      local stream = assert(teller:stream { feeds["ETH/USD"].id, feeds["ETH/USD-LEGACY"].id })
      assert.same({ warning(feeds["ETH/USD-LEGACY"]) }, warnings())
      assert(stream:subscribe { feeds["ETH/USD-LEGACY"].id, feeds["BTC/USD-LEGACY"].id, feeds["BTC/USD"].id })
      assert.same({ warning(feeds["ETH/USD-LEGACY"]), warning(feeds["BTC/USD-LEGACY"]) }, warnings())
      assert(stream:unsubscribe { feeds["BTC/USD-LEGACY"].id })
      assert(stream:subscribe { feeds["BTC/USD-LEGACY"].id, feeds["LINK/USD-LEGACY"].id })
      assert.equal(2, #warnings()) -- of LINK nothing was asked
      stream:close()
      assert.equal(asked, sim:answered "/api/v1/discovery")
    end)

    it("nothing where nobody asked the catalogue", function()
      local asked = sim:answered "/api/v1/discovery"
      assert(teller:stream { feeds["ETH/USD-LEGACY"].id }):close()
      assert.same({}, warnings())
      assert.equal(asked, sim:answered "/api/v1/discovery")
    end)
  end)
end)

describe("a catalogue that is not one", function()
  local server, client
  local ID = sample.feed_id(3)

  setup(function() server = answers.start() end)
  teardown(function() server:stop() end)
  before_each(function()
    client = chainlink.client { api_key = "key", api_secret = "hush", proxy = false, max_retries = 0,
      rate_limit = false, circuit_breaker = false, rest_url = "http://127.0.0.1:" .. server.port }
  end)
  after_each(function() client:close() end)

  local function say(body, headers) server:say(answers.http("200 OK", headers or "", body)) end

  local function with(members) return ('{"feeds":[{"feedId":"%s",%s}]}'):format(ID, members) end

  it("may lack all but the ids", function()
    say(('{"more":1,"feeds":[{"feedId":"%s","name":null,"decommissionedAt":null,"other":[1]},{"feedId":"0X%s"}]}')
      :format(ID, ID:sub(3):upper()))
    assert.same({ { id = ID }, { id = ID } }, client:discover())
    say '{"feeds":[]}'
    assert.same({}, client:discover())
  end)

  local wrong = {
    ["{"] = "Expected", ["{}"] = 'it has no list "feeds"', ['{"feeds":null}'] = 'it has no list "feeds"',
    ['{"feeds":{"a":1}}'] = 'it has no list "feeds"', ['{"feeds":"x"}'] = 'it has no list "feeds"',
    ['{"feeds":[{"feedId":"' .. ID .. '"},7]}'] = "feed 2: it has no valid feedId",
    ['{"feeds":[{"feedID":"' .. ID .. '"}]}'] = "feed 1: it has no valid feedId", -- as /api/v1/feeds spells it
    ['{"feeds":[{"feedId":"0x03"}]}'] = "feed 1: it has no valid feedId",
    ['{"feeds":[null]}'] = "feed 1: it has no valid feedId",
    ['{"feeds":' .. ("["):rep(16) .. ("]"):rep(16) .. "}"] = "nest",
    [with '"name":5'] = "feed 1: name is 5",
    [with '"baseAsset":{}'] = "baseAsset is a table, expected a text",
    [with '"status":true'] = "status is true, expected a text",
    [with '"schemaVersion":3'] = "schemaVersion is 3",
    [with '"schemaVersion":"3"'] = "expected V and a number",
    [with '"schemaVersion":"V"'] = "expected V and a number",
    [with '"schemaVersion":"V12345"'] = "expected V and a number",
    [with '"createdAt":1711843200'] = "createdAt is 1711843200",
    [with '"createdAt":"2024-02-30T00:00:00.000000Z"'] = "expected a time",
    [with '"decommissionedAt":""'] = "decommissionedAt is \"\" (a string), expected a time",
    [with '"expectedDecommissionAt":"soon"'] = "expected a time",
    [with '"name":"A"' .. "x"] = "Expected",
  }
  for body, words in pairs(wrong) do
    it("is refused: " .. body:sub(1, 40) .. " " .. words, function()
      say(body, "Cache-Control: max-age=300\r\n")
      local err = check.failure("DecodeError", { expected = "a feed catalogue", retryable = false }, client:discover())
      check.says(err, "the catalogue of feeds is not as expected: ")
      check.says(err, words)
      say '{"feeds":[]}'
      assert.same({}, client:discover()) -- nothing of it was kept
    end)
  end

  it("is refused when it is foreign", function()
    for _, body in ipairs { "<html></html>", "", "[]", "null", "\0\0" } do
      say(body)
      check.failure("DecodeError", { expected = "JSON" }, client:discover())
    end
  end)

  local function entry(number)
    return ('{"feedId":"0x0003%060x","name":"ASSET%d/USD-Streams-CexPrice","assetName":"Asset %d","baseAsset":"A%d",'
      .. '"quoteAsset":"USD","assetClass":"Crypto","feedType":"Crypto Advanced","attributeType":"CexPrice",'
      .. '"marketHours":"24/7","schemaVersion":"V3","serviceLevel":"standard","networkType":"mainnet",'
      .. '"status":"live","createdAt":"2024-03-31T00:00:00.003003Z","expectedDecommissionAt":null,'
      .. '"decommissionedAt":null}'):format(number, number, number, number)
  end

  it("may have 20,000 feeds, and be cut anywhere", function()
    local entries = {}
    for i = 1, 20000 do entries[i] = entry(i) end
    local body = '{"feeds":[' .. table.concat(entries, ",") .. "]}"
    say(body, "Cache-Control: max-age=300\r\n")
    local feeds = assert(client:discover())
    assert.equal(20000, #feeds)
    assert.equal("A20000", feeds[20000].base_asset)
    assert.equal(20000, #assert(client:discover()))
    assert.equal(1, client:stats().requests)
    for i, length in ipairs { #body - 1, math.floor(#body / 2), 12 } do
      say(body:sub(1, length))
      check.failure("DecodeError", { expected = "a feed catalogue" }, client:discover { base_asset = "A" .. i })
    end
  end)

  it("tells of a going within 30 days, and only by the newest answer", function()
    local catalogue = require("chainlink.discovery").new()
    local state = { wait = require("chainlink.loop.block").wait }
    local function goes_at(date, now)
      say(('{"feeds":[{"feedId":"%s","expectedDecommissionAt":%s}]}'):format(ID, date))
      assert(catalogue:ask { client = client, state = state, query = "", key = "" })
      return catalogue:goes_at(ID, now)
    end
    local at = 1734216545
    assert.equal(at, goes_at('"2024-12-14T22:49:05.000000Z"', at - 30 * 86400))
    assert.is_nil(catalogue:goes_at(ID, at - 30 * 86400 - 1))
    assert.equal(at, catalogue:goes_at(ID, at + 5))
    assert.equal(1, catalogue.leaving_count)
    assert.is_nil(goes_at("null", at))
    assert.equal(0, catalogue.leaving_count)
    assert.is_nil(catalogue:goes_at(sample.feed_id(8), at))
    catalogue.leaving_count = 4095
    assert.equal(at, goes_at('"2024-12-14T22:49:05.000000Z"', at))
    goes_at("null", at)
    catalogue.leaving_count = 4096
    assert.is_nil(goes_at('"2024-12-14T22:49:05.000000Z"', at)) -- there is no room for more
  end)

  it("is refused when it is larger than any answer may be", function()
    say('{"feeds":[' .. (" "):rep(2 ^ 24) .. "]}")
    check.failure("DecodeError", {}, client:discover())
  end)

  it("is given with the seconds for which it may be kept, if there are any", function()
    local function answer(headers)
      say('{"feeds":[]}', headers)
      local call = assert(core.discover(client, "a=b"))
      while not core.call_done(call) do core.wait(core.call_fd(call), 60) end
      return { core.call_result(call) }
    end
    assert.same({ '{"feeds":[]}', 200, 1 }, answer "Cache-Control: max-age=1\r\n")
    for _, headers in ipairs { "Cache-Control: max-age=0\r\n", "" } do
      assert.same({ '{"feeds":[]}', 200 }, answer(headers))
    end
  end)

  it("is asked for each time when it must not be kept", function()
    say('{"feeds":[]}', "Cache-Control: no-store, max-age=300\r\n")
    assert(client:discover())
    assert(client:discover())
    assert.equal(2, client:stats().requests)
  end)
end)
