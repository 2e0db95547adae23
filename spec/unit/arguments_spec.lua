-- SPDX-License-Identifier: MIT
-- Every wrong argument of a client's or stream's method raises, with the message given here. No service is needed:
-- nothing is sent before the arguments are checked.

local chainlink = require "chainlink"
local sample = require "spec.support.sample"

local unpack = unpack or table.unpack -- luacheck: ignore 113 143
local id, other = sample.feed_id(3), sample.feed_id(4)

local function new_client(more)
  local options = { api_key = "key", api_secret = "hush", rest_url = "https://127.0.0.1:1",
    ws_url = "wss://127.0.0.1:1", max_retries = 0 }
  for name, value in pairs(more or {}) do options[name] = value end
  return chainlink.client(options)
end

local feed_id = "feed_id must be a text of 0x and 64 hex digits, got "
local feed_ids = "feed_ids must be an array of feed ids, got "
local function whole(name) return name .. " must be whole seconds since 1970, from 0 to 4294967295, got " end

local many = {}
for i = 1, 1001 do many[i] = ("0x0003%060x"):format(i) end
local thousand = { unpack(many, 1, 1000) }

-- method, arguments, kind, message (to its end, or a beginning that ends in "…")
local wrong = {
  { "get_latest_report", { nil }, "InvalidFeedIDError", feed_id .. "nil" },
  { "get_latest_report", { 5 }, "InvalidFeedIDError", feed_id .. "5" },
  { "get_latest_report", { { id } }, "InvalidFeedIDError", feed_id .. "a table" },
  { "get_latest_report", { "ETH/USD" }, "InvalidFeedIDError", "feed_id: …" },
  { "get_latest_report", { id .. "\r\nX: y" }, "InvalidFeedIDError", "feed_id: …" },
  { "get_report", { id }, "ConfigError", whole "timestamp" .. "nil" },
  { "get_report", { id, "1700000000" }, "ConfigError", whole "timestamp" .. '"1700000000" (a string)' },
  { "get_report", { id, 1.5 }, "ConfigError", whole "timestamp" .. "1.5" },
  { "get_report", { id, -1 }, "ConfigError", whole "timestamp" .. "-1" },
  { "get_report", { id, 0 / 0 }, "ConfigError", whole "timestamp" .. "nan" },
  { "get_report", { id, math.huge }, "ConfigError", whole "timestamp" .. "…" },
  { "get_report", { id, 4294967296 }, "ConfigError",
    whole "timestamp" .. "4294967296 (milliseconds? seconds are expected)" },
  { "get_report", { id, 1700000000123 }, "ConfigError",
    whole "timestamp" .. "1700000000123 (milliseconds? seconds are expected)" },
  { "get_report", { "x", 1 }, "InvalidFeedIDError", "feed_id: …" },
  { "get_reports", { nil, 1 }, "ConfigError", feed_ids .. "nil" },
  { "get_reports", { id, 1 }, "ConfigError", feed_ids .. "…" },
  { "get_reports", { {}, 1 }, "ConfigError", feed_ids .. "an empty table" },
  { "get_reports", { { id, 7 }, 1 }, "InvalidFeedIDError",
    "feed_ids[2] must be a text of 0x and 64 hex digits, got 7" },
  { "get_reports", { { id, "7" }, 1 }, "InvalidFeedIDError", "feed_ids[2]: …" },
  { "get_reports", { many, 1 }, "ConfigError", "feed_ids may hold at most 1000 feed ids, got 1001" },
  { "get_reports", { { id } }, "ConfigError", whole "timestamp" .. "nil" },
  { "get_report_page", { id }, "ConfigError", whole "start" .. "nil" },
  { "get_report_page", { id, 1, 0 }, "ConfigError", "limit must be a whole number from 1 to 10000, got 0" },
  { "get_report_page", { id, 1, 10001 }, "ConfigError", "limit must be a whole number from 1 to 10000, got 10001" },
  { "get_report_page", { id, 1, "9" }, "ConfigError",
    'limit must be a whole number from 1 to 10000, got "9" (a string)' },
  { "reports", { id }, "ConfigError", whole "from" .. "nil" },
  { "reports", { id, 1, {} }, "ConfigError", whole "to" .. "a table" },
  { "reports", { 1, 1 }, "InvalidFeedIDError", feed_id .. "1" },
  { "stream", {}, "ConfigError", feed_ids .. "nil" },
  { "stream", { id }, "ConfigError", feed_ids .. "…" },
  { "stream", { {} }, "ConfigError", feed_ids .. "an empty table" },
  { "stream", { many }, "ConfigError", "feed_ids may hold at most 1000 feed ids, got 1001" },
  { "stream", { { id, other .. "0" } }, "InvalidFeedIDError", "feed_ids[2]: …" },
  { "stream", { { id }, { queue_size = 0 } }, "ConfigError",
    "option 'queue_size' must be a whole number from 1 to 1048576, got 0" },
  { "stream", { { id }, 5 }, "ConfigError", "options must be a table, got 5" },
}

local function raises(kind, message, object, method, ...)
  local ok, err = pcall(object[method], object, ...)
  assert.is_false(ok)
  assert.is_true(chainlink.is_error(err, kind), tostring(err))
  local beginning = message:match "^(.*)…$"
  assert.are.equal(beginning or message, beginning and err.message:sub(1, #beginning) or err.message)
  assert.matches("arguments_spec", err.where)
end

describe("a client's method", function()
  local client = new_client()
  teardown(function() client:close() end)

  for _, case in ipairs(wrong) do
    it(("raises: %s: %s"):format(case[1], case[4]:sub(1, 70)), function()
      raises(case[3], case[4], client, case[1], unpack(case[2], 1, 3))
    end)
  end

  -- The address leads nowhere: what is not refused as an argument fails as a request.
  local accepted = {
    { "get_report", { id, 0 } }, { "get_report", { id, 4294967295 } }, { "get_reports", { thousand, 0 } },
    { "get_report_page", { id, 0, 1 } }, { "get_report_page", { id, 4294967295, 10000 } },
  }
  for _, case in ipairs(accepted) do
    it(("takes the smallest and largest numbers: %s, %s"):format(case[1], tostring(case[2][2])), function()
      local report, err = client[case[1]](client, unpack(case[2], 1, 3))
      assert.is_nil(report)
      assert.are.equal("NetworkError", err.kind)
    end)
  end

  for _, method in ipairs { "get_feeds", "get_latest_report", "get_report", "get_reports", "get_report_page", "reports",
    "stream", "stats", "close" } do
    it("says so when it is called with a dot: " .. method, function()
      local ok, err = pcall(client[method], id)
      assert.is_false(ok)
      assert.are.equal(("%s: called on %q (a string); write client:%s(...) with a colon"):format(method, id, method),
        err.message)
    end)
  end
end)

describe("a client", function()
  it("is named after its host and says when it is closed", function()
    local client = new_client()
    assert.are.equal("chainlink.client (127.0.0.1)", tostring(client))
    client:close()
    client:close()
    assert.are.equal("chainlink.client (closed)", tostring(client))
  end)

  it("answers StreamClosedError once it is closed", function()
    local client = new_client()
    client:close()
    for _, call in ipairs { { "get_feeds" }, { "get_latest_report", id }, { "get_report", id, 1 },
      { "get_reports", { id }, 1 }, { "get_report_page", id, 1 }, { "stream", { id } } } do
      local result, err = client[call[1]](client, call[2], call[3])
      assert.is_nil(result)
      assert.are.equal("StreamClosedError", err.kind)
    end
    local ok, err = pcall(client:reports(id, 1))
    assert.is_false(ok)
    assert.are.equal("StreamClosedError", err.kind)
  end)

  it("has statistics from the start", function()
    local client = new_client()
    assert.are.same({ requests = 0, retries = 0, failures = 0, connections = 0, reused = 0, circuit = "closed" },
      client:stats())
    client:close()
  end)

  it("takes every option", function()
    local function nothing() end
    for _, options in ipairs {
      { rate_limit = false, circuit_breaker = false, proxy = false, ha = false, backfill = false, max_reconnects = 0,
        queue_size = 1, log_level = "none" },
      { rate_limit = 0.5, circuit_breaker = { failures = 1 }, proxy = "http://127.0.0.1:1", network = "testnet",
        timeout = 0.1, connect_timeout = 0.1, retry_delay = 0, retry_max_delay = 0, ping_interval = 1,
        pong_timeout = 3600, reconnect_delay = 0, reconnect_max_delay = 0, overflow = "drop_oldest",
        logger = nothing, log_level = "debug", on_status = nothing,
        on_response = setmetatable({}, { __call = nothing }),
        headers = { ["X-Test"] = "1" }, tls = { insecure_skip_verify = false }, max_reconnects = math.huge,
        ws_url = "wss://127.0.0.1:1, wss://127.0.0.1:2" },
    } do
      local client = new_client(options)
      assert.are.equal("chainlink.client (127.0.0.1)", tostring(client))
      client:close()
    end
  end)

  it("refuses headers that are its own to set", function()
    for _, name in ipairs { "Authorization", "x-authorization-timestamp", "Host", "bad name", "" } do
      raises("ConfigError", "headers…", { new = function(_, options) new_client(options) end }, "new",
        { headers = { [name] = "1" } })
    end
  end)

  it("logs its warnings", function()
    local lines = {}
    local client = new_client { tls = { insecure_skip_verify = true },
      logger = function(level, message) lines[#lines + 1] = level .. " " .. message end }
    client:close()
    assert.are.same({ "warn insecure_skip_verify is on: the service's certificate is not verified" }, lines)
  end)

  it("can be collected with its streams, in any order", function()
    for _ = 1, 10 do
      local client = new_client()
      local stream = client:stream { id }
      client, stream = stream, client -- luacheck: ignore 311
      collectgarbage()
    end
    collectgarbage()
    collectgarbage()
  end)
end)

describe("a stream's method", function()
  local client = new_client()
  local stream = client:stream { id, other, (id:upper():gsub("^0X", "0x")) }
  teardown(function() client:close() end)

  local cases = {
    { "read", { -1 }, "timeout must be a number of seconds, 0 or more, got -1" },
    { "read", { "5" }, 'timeout must be a number of seconds, 0 or more, got "5" (a string)' },
    { "read", { 0 / 0 }, "timeout must be a number of seconds, 0 or more, got nan" },
    { "connect", { {} }, "timeout must be a number of seconds, 0 or more, got a table" },
    { "latest", { nil }, feed_id .. "nil", "InvalidFeedIDError" },
    { "latest", { "abc" }, "feed_id: …", "InvalidFeedIDError" },
    { "unsubscribe", { { id, other } }, "a stream needs a feed: close it rather than unsubscribe from all" },
    { "subscribe", { thousand }, "a stream may have 1000 feeds, this would make 1002" },
  }
  for _, method in ipairs { "subscribe", "unsubscribe" } do
    for _, case in ipairs {
      { nil, feed_ids .. "nil" },
      { id, feed_ids .. "…" },
      { {}, feed_ids .. "an empty table" },
      { { id, 7 }, "feed_ids[2] must be a text of 0x and 64 hex digits, got 7", "InvalidFeedIDError" },
      { { other .. "0" }, "feed_ids[1]: …", "InvalidFeedIDError" },
      { many, "feed_ids may hold at most 1000 feed ids, got 1001" },
    } do cases[#cases + 1] = { method, { case[1] }, case[2], case[3] } end
  end
  for _, case in ipairs(cases) do
    it(("raises: %s: %s"):format(case[1], case[3]), function()
      raises(case[4] or "ConfigError", case[3], stream, case[1], case[2][1])
    end)
  end

  for _, method in ipairs { "read", "poll", "latest", "connect", "stats", "pollfd", "close", "subscribe",
    "unsubscribe" } do
    it("says so when it is called with a dot: " .. method, function()
      local ok, err = pcall(stream[method], client)
      assert.is_false(ok)
      assert.are.equal(("%s: called on a userdata; write stream:%s(...) with a colon"):format(method, method),
        err.message)
    end)
  end

  it("tells how many feeds it has, each counted once, and what was refused not at all", function()
    assert.are.equal("chainlink.stream (2 feeds, 127.0.0.1)", tostring(stream))
  end)
end)
