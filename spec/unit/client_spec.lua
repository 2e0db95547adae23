-- SPDX-License-Identifier: MIT
-- What a client asks of the engine, and what it makes of the answers, over an engine that answers what it is told.

local anew = require "spec.support.anew"
local check = require "spec.support.failure"
local errors = require "chainlink.errors"
local sample = require "spec.support.sample"

local id, other = sample.feed_id(3), sample.feed_id(4)
local loud = id:upper():gsub("^0X", "0x") -- the same id as others write it

describe("a client over an engine", function()
  local module, restore, engine, client, state, asked, answer

  local function note(...) asked[#asked + 1] = { ... } end

  -- A function that is noted and answers its arguments under a name.
  local function telling(name)
    return function(...)
      note(name, ...)
      return { name, ... }
    end
  end

  before_each(function()
    asked, answer = {}, {}
    local states = {}
    engine = { client_metatable = {}, uservalue = function(object) return states[object] end,
      time = function() return 1700000000.75 end,
      call = function(...)
        note("call", ...)
        if answer.refused then return nil, answer.refused end
        return "the call"
      end }
    setmetatable(engine, { __index = require "chainlink.core" })
    module, restore = anew.load("chainlink.client", { ["chainlink.core"] = engine,
      ["chainlink.call"] = { explained = function(...)
        assert.same({ state, "the call" }, { ... })
        return answer[1], answer[2], answer[3]
      end },
      ["chainlink.stream"] = { open = telling "open" },
      ["chainlink.waiting"] = { for_loop = telling "for_loop", by = function(loop)
        note("by", loop)
        return { wait = 1, may_yield = 2 }
      end },
      ["chainlink.discovery"] = { query = telling "query", new = function()
        note "new"
        return { ask = telling "ask" }
      end },
      ["chainlink.history"] = { iterate = telling "iterate", merge = telling "merge" },
      ["chainlink.metrics"] = { client = telling "metrics" },
      ["chainlink.recording"] = { close_streams = telling "close_streams" },
      ["chainlink.candles"] = { symbols = telling "symbols", history = telling "candles" },
      ["chainlink.trades"] = { open = telling "trades" } }, { "chainlink.check" })
    client = setmetatable({}, engine.client_metatable)
    state = { class = "client", values = { host = "the.host" } }
    states[client] = state
  end)
  after_each(function() restore() end)

  local gone = errors.new("NetworkError", "gone")

  describe("asks for feeds", function()
    local function refused(words)
      local err = check.failure("DecodeError", { expected = "a feed list" }, client:get_feeds())
      assert.equal("the list of feeds is not as expected: " .. words, err.message)
    end

    it("and tells what is known of each", function()
      answer = { ('{"feeds":[{"feedID":"%s","name":"A","gone":null,"n":1},{"feedID":"%s"}]}'):format(loud, other) }
      assert.same({ { id = id, version = 3, resolution = "s", name = "A", n = 1 },
        { id = other, version = 4, resolution = "s" } }, client:get_feeds())
      assert.same({ { "call", client, "get_feeds" } }, asked)
      answer = { '{"feeds":[]}' }
      assert.same({}, client:get_feeds())
    end)

    it("and answers what fails", function()
      answer = { nil, gone }
      assert.same({ nil, gone }, { client:get_feeds() })
      answer = { refused = gone }
      assert.same({ nil, gone }, { client:get_feeds() })
    end)

    it("and refuses what is no list of them", function()
      answer = { "5" }
      refused "not an object"
      answer = { "{" }
      local err = check.failure("DecodeError", {}, client:get_feeds())
      assert.is_nil(err.message:find("not an object", 1, true))
      for _, body in ipairs { "{}", '{"feeds":5}' } do
        answer = { body }
        refused 'it has no member "feeds"'
      end
      for _, item in ipairs { "5", "{}", '{"feedID":5}', '{"feedID":"0x12"}' } do
        answer = { ('{"feeds":[{"feedID":"%s"},%s]}'):format(id, item) }
        refused "feed 2 has no valid feedID"
      end
    end)
  end)

  describe("asks for a report", function()
    it("the newest, or of a time", function()
      answer = { { "a report", "another" } }
      assert.same({ "a report" }, { client:get_latest_report(loud) })
      assert.same({ "a report" }, { client:get_report(loud, 1700000000) })
      assert.same({ { "call", client, "get_latest_report", { id } },
        { "call", client, "get_report", { id }, 1700000000 } }, asked)
    end)

    it("or answers why there is none", function()
      answer = { nil, gone }
      assert.same({ nil, gone }, { client:get_latest_report(id) })
      assert.same({ nil, gone }, { client:get_report(id, 5) })
      answer = { {} }
      local err = check.failure("DecodeError", { expected = "a report" }, client:get_latest_report(id))
      assert.equal("the service's answer holds no report", err.message)
    end)

    it("of each of several feeds, and tells which have none", function()
      local reports = { { feed_id = other } }
      answer = { reports }
      assert.same({ reports, { id } }, { client:get_reports({ loud, other, id }, 5) })
      assert.same({ { "call", client, "get_reports", { id, other }, 5 } }, asked)
      answer = { nil, gone }
      assert.same({ nil, gone }, { client:get_reports({ id }, 5) })
    end)
  end)

  describe("asks for history", function()
    local reports = { { observations_timestamp = 5 }, { observations_timestamp = 7 } }

    it("a page, and where the next one begins", function()
      answer = { reports }
      assert.same({ reports = reports, next_page_timestamp = 8 }, client:get_report_page(loud, 5, 2))
      assert.same({ { "call", client, "get_report_page", { id }, 5, 2 } }, asked)
      answer = { reports, 200, 9 }
      assert.same({ reports = reports, next_page_timestamp = 9 }, client:get_report_page(id, 5))
      answer = { {} }
      assert.same({ reports = {} }, client:get_report_page(id, 5))
      answer = { {}, 200, 9 }
      assert.same({ reports = {}, next_page_timestamp = 9 }, client:get_report_page(id, 5))
      answer = { { {} } }
      assert.same({ reports = { {} } }, client:get_report_page(id, 5))
      answer = { nil, gone }
      assert.same({ nil, gone }, { client:get_report_page(id, 5) })
    end)

    -- What iterate was given but for its functions, which are asked for a page.
    local function check_iterate(entry, of, from, to, limit)
      assert.same({ from, to, limit }, { entry[4], entry[5], entry[6] })
      asked, answer = {}, { reports }
      assert.equal("the call", entry[2](55, 7))
      assert.same({ { "call", client, "get_report_page", { of }, 55, 7 } }, asked)
      assert.same({ reports = reports, next_page_timestamp = 8 }, entry[3] "the call")
    end

    it("as an iterator, by pages of 500 up to now", function()
      local loop = client:reports(loud, 5)
      assert.same({ "for_loop", state, "client:get_report_page" }, { loop[1], loop[2], loop[3] })
      check_iterate(loop[4], id, 5, 1700000000, 500)
      check_iterate(client:reports(id, 5, 5, 9)[4], id, 5, 5, 9)
    end)

    it("of several feeds, by pages that are the smaller the more there are", function()
      local loop = client:history { feeds = { other, loud }, from = 5, to = 6, limit = 9 }
      assert.same({ "for_loop", state, "client:get_report_page" }, { loop[1], loop[2], loop[3] })
      local merge = loop[4]
      assert.same({ "merge", 5, 2 }, { merge[1], merge[3], #merge[2] })
      check_iterate(merge[2][1], id, 5, 6, 9)
      check_iterate(merge[2][2], other, 5, 6, 9)
      for count, limit in pairs { [1] = 500, [65] = 500, [66] = 496, [128] = 256, [1000] = 32 } do
        local feeds = {}
        for i = 1, count do feeds[i] = ("0x0003%060x"):format(i) end
        local nexts = client:history { feeds = feeds, from = 5 }[4][2]
        assert.equal(count, #nexts)
        assert.same({ 5, 1700000000, limit }, { nexts[1][4], nexts[1][5], nexts[1][6] })
      end
    end)

    local function refused(words, name, ...)
      assert.equal(words, check.raised("ConfigError", {}, client[name], client, ...).message)
    end

    it("and refuses a range or an option that is none", function()
      refused("from, 6, is later than to, 5", "reports", id, 6, 5)
      refused("from, 6, is later than to, 5", "history", { feeds = { id }, from = 6, to = 5 })
      check.says(check.raised("ConfigError", {}, client.reports, client, id, 4294967295),
        "from lies ")
      check.says(check.raised("ConfigError", {}, client.reports, client, id, "5"), "from must be whole seconds")
      check.says(check.raised("ConfigError", {}, client.reports, client, id, 5, 5.5), "to must be whole seconds")
      check.says(check.raised("ConfigError", {}, client.get_report_page, client, id, 5.5), "start must be")
      check.says(check.raised("ConfigError", {}, client.get_report_page, client, id, 5, 0), "limit must be")
      check.says(check.raised("ConfigError", {}, client.get_report, client, id, 5.5), "timestamp must be")
      check.says(check.raised("ConfigError", {}, client.get_reports, client, { id }, 5.5), "timestamp must be")
      refused("the options must be a table, got 5", "history", 5)
      for name, told in pairs { form = "form", [true] = "true" } do
        refused(("history has no option '%s': feeds, from, to, limit"):format(told), "history", { [name] = 1 })
      end
      for _, name in ipairs { "get_latest_report", "get_report", "get_report_page", "reports" } do
        check.says(check.raised("InvalidFeedIDError", {}, client[name], client, 5), "feed_id must be")
      end
    end)
  end)

  it("asks its catalogue, which it keeps", function()
    for i = 1, 2 do
      local answered = client:discover "filters"
      local query = answered[3].query
      assert.same({ "query", "filters" }, query)
      assert.same({ "ask", state.catalogue, { client = client, state = state, query = query, key = query } }, answered)
      assert.equal(i == 1 and 3 or 5, #asked)
    end
  end)

  it("has its streams, candles and trades elsewhere", function()
    assert.same({ "symbols", client, state, "a group" }, client:symbols "a group")
    assert.same({ "candles", client, state, "options" }, client:candles "options")
    assert.same({ "trades", client, state, "symbols", "options" }, client:trades("symbols", "options"))
    assert.same({ "open", client, state, "ids", "options" }, client:stream("ids", "options"))
  end)

  it("counts what was asked over connections that were there", function()
    for _, case in ipairs { { 5, 2, 3 }, { 2, 2, 0 }, { 2, 5, 0 } } do
      engine.client_stats = function(of)
        assert.equal(client, of)
        return { requests = case[1], connections = case[2] }
      end
      assert.same({ requests = case[1], connections = case[2], reused = case[3] }, client:stats())
    end
    assert.same({ "metrics", { requests = 2, connections = 5, reused = 0 } }, client:metrics())
  end)

  it("ends what it began, and forgets its token", function()
    engine.client_close = telling "close"
    state.price_token = "secret"
    client:close()
    assert.is_nil(state.price_token)
    assert.same({ { "close", client } }, asked)
    state.recorded = {}
    client:close()
    assert.same({ "close_streams", state }, asked[3])
    assert.equal(client.close, engine.client_metatable.__close)
  end)

  it("tells its host, or that it is closed", function()
    engine.client_is_closed = function(of) return of ~= client end
    assert.equal("chainlink.client (the.host)", tostring(client))
    engine.client_is_closed = function(of) return of == client end
    assert.equal("chainlink.client (closed)", tostring(client))
  end)

  it("says so when a method is called with a dot", function()
    for _, name in ipairs { "get_feeds", "discover", "get_latest_report", "get_report", "get_reports",
      "get_report_page", "reports", "history", "symbols", "candles", "trades", "stream", "stats", "close" } do
      check.says(check.raised("ConfigError", {}, client[name], {}),
        ("%s: called on a table; write client:%s(...) with a colon"):format(name, name))
    end
  end)

  describe("is made", function()
    local function options(more)
      more.api_key, more.api_secret = "key", "hush"
      return more
    end

    it("with what its options say", function()
      local lines = {}
      engine.client = function(given)
        note("client", given)
        return client
      end
      local function logger(level, message) lines[#lines + 1] = level .. " " .. message end
      assert.same({ client }, { module.new(options { logger = logger, loop = "block", on_response = print,
        log_level = "warn", tls = { insecure_skip_verify = true }, timeout = 7 }) })
      assert.same({ "by", "block" }, asked[1])
      assert.equal(7, asked[2][2].timeout)
      assert.same({ 1, 2, "client", logger, "warn", print }, { state.wait, state.may_yield, state.class, state.logger,
        state.log_level, state.on_response })
      assert.equal(7, state.values.timeout)
      assert.same({ "warn insecure_skip_verify is on: the service's certificate is not verified" }, lines)
    end)

    it("or not: what is wrong raises", function()
      local wrong = errors.new("ConfigError", "no")
      engine.client = function() return nil, wrong end
      assert.equal(wrong, check.raised("ConfigError", {}, module.new, options {}))
      assert.is_string(wrong.where)
      engine.client = function() error(wrong, 0) end
      wrong.where = nil
      assert.equal(wrong, check.raised("ConfigError", {}, module.new, options {}))
      assert.is_string(wrong.where)
      engine.client = function() error("not an object of ours", 0) end
      assert.same({ false, "not an object of ours" }, { pcall(module.new, options {}) })
      engine.client = function() error(gone, 0) end
      assert.same({ nil, gone }, { module.new(options {}) })
      engine.client = function() return nil, gone end
      assert.same({ nil, gone }, { module.new(options {}) })
    end)
  end)
end)
