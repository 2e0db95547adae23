-- SPDX-License-Identifier: MIT
-- The options of a client as the binding takes them, below lua/chainlink/config.lua: each goes where it belongs, and
-- what is none raises.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local raises = require("spec.support.refusal").raises
local sample = require "spec.support.sample"

local unpack = unpack or table.unpack -- luacheck: ignore 113 143
local MOST_ORIGINS, MOST_FEEDS = 8, 1000

-- The options of a client that reaches nothing, with others in their place; "none" takes one away.
local function with(more)
  local options = { api_key = "k", api_secret = "s", rest_url = "http://127.0.0.1:1", ws_urls = { "ws://127.0.0.1:1" },
    price_url = "http://127.0.0.1:1", headers = {}, proxy = "", max_retries = 0 }
  for name, value in pairs(more) do options[name] = value ~= "none" and value or nil end
  return options
end

local function made(more) return assert(core.client(with(more))) end

local function refused(more)
  local client, err = core.client(with(more))
  assert.is_nil(client)
  assert.equal("ConfigError", err.kind)
  return err.message
end

local function no_text(name) return ("option '%s' must be a text without NUL bytes"):format(name) end

describe("the binding's clients", function()
  it("have URLs, each a text", function()
    for _, wrong in ipairs { "none", 5, true, "http://127.0.0.1:1\0", "http://127.0.0.1\0:1" } do
      for _, name in ipairs { "rest_url", "price_url" } do
        raises(no_text(name), core.client, with { [name] = wrong })
      end
      if wrong ~= "none" then
        raises(no_text "ws_url", core.client, with { ws_urls = { wrong } })
        raises(no_text "ws_url", core.client, with { ws_urls = { "ws://127.0.0.1:1", wrong } })
      end
    end
    raises("table expected", core.client, with { ws_urls = "none" })
    raises("table expected", core.client, with { ws_urls = "ws://127.0.0.1:1" })
  end)

  it("raise an error object for what is no URL, which names the option", function()
    for name, options in pairs { rest_url = { rest_url = "http://" }, price_url = { price_url = "http://" },
      ws_url = { ws_urls = { "ws://127.0.0.1:1", "ws://" } } } do
      local err = raises(name, core.client, with(options))
      assert.is_true(chainlink.is_error(err, "ConfigError"))
    end
  end)

  it("have as many origins as there may be, each in its place", function()
    local urls = {}
    for i = 1, MOST_ORIGINS do urls[i] = "ws://127.0.0.1:" .. i end
    local client = made { ws_urls = urls }
    for i = 1, MOST_ORIGINS do
      assert.truthy(core.probe(client, i, false, false).error.message:find("127.0.0.1:" .. i .. ":", 1, true))
    end
    for _, endpoint in ipairs { -1, MOST_ORIGINS + 1 } do
      raises("there is no such endpoint", core.probe, client, endpoint, false, false)
    end
    raises("there is no such endpoint", core.probe, made { ws_urls = { urls[1], urls[2] } }, 3, false, false)
    raises("option 'ws_url' lists more than 8 origins", core.client,
      with { ws_urls = { "ws://127.0.0.1:9", unpack(urls) } })
    assert.matches("ws_url", refused { ws_urls = {} })
  end)

  it("have headers, all of them, as names and values", function()
    local function header(name, value) return { name = name, value = value } end
    made { headers = { header("X-A", "b c"), header("X-D", "") } }
    local reserved = "Host is set by the library"
    for place = 1, 3 do
      local headers = { header("X-A", "b"), header("X-B", "c"), header("X-C", "d") }
      headers[place] = header("Host", "x")
      assert.truthy(refused({ headers = headers }):find(reserved, 1, true))
      headers[place] = setmetatable(header("X-A", "b"), {})
      raises("a table without a metatable expected", core.client, with { headers = headers })
      headers[place] = header("X-A", "b\0")
      raises(no_text "value", core.client, with { headers = headers })
      headers[place] = header(5, "b")
      raises(no_text "name", core.client, with { headers = headers })
      headers[place] = "X-A: b"
      raises("table expected", core.client, with { headers = headers })
    end
    assert.matches("a name is empty", refused { headers = { { value = "x" } } })
    assert.matches("the value of X%-A has", refused { headers = { { name = "X-A" } } })
    raises("table expected", core.client, with { headers = "none" })
  end)

  it("have texts without NUL bytes, or none", function()
    assert.matches("^api_key: missing", refused { api_key = "none" })
    assert.matches("^api_secret: missing", refused { api_secret = "none" })
    made { proxy = "none" }
    assert.matches("^proxy: ", refused { proxy = "socks://x" })
    for _, name in ipairs { "api_key", "api_secret", "ca_file", "ca_path", "cert_file", "key_file", "proxy" } do
      for _, wrong in ipairs { "a\0", 5, true, {} } do
        raises(no_text(name), core.client, with { [name] = wrong })
      end
    end
  end)

  it("have files of certificates, which must be there", function()
    for _, name in ipairs { "ca_file", "ca_path" } do
      assert.matches(name, refused { [name] = "/nonexistent" })
    end
    assert.matches("cert_file", refused { cert_file = "/nonexistent", key_file = "/nonexistent.key" })
    assert.matches("key_file", refused { cert_file = "Makefile", key_file = "/nonexistent" })
  end)

  it("have numbers and names", function()
    for _, name in ipairs { "timeout", "connect_timeout", "max_retries", "retry_delay", "retry_max_delay", "rate_limit",
      "breaker_failures", "breaker_cooldown", "ping_interval", "pong_timeout", "max_reconnects", "reconnect_delay",
      "reconnect_max_delay", "feeds_per_connection", "queue_size", "queue_bytes", "start", "stale_timeout" } do
      for _, wrong in ipairs { "5", true, {} } do
        raises(("option '%s' must be a number"):format(name), core.client, with { [name] = wrong })
      end
    end
    for name, choices in pairs { clock = { "local", "auto" }, overflow = { "block", "latest", "drop_oldest" },
      order = { "feed", "arrival" }, protocol = { "auto", "v1", "v2" },
      log_level = { "debug", "info", "warn", "error", "none" } } do
      for _, choice in ipairs(choices) do made { [name] = choice } end
      for _, wrong in ipairs { "", "nothing", 0 } do
        raises(("invalid option '%s'"):format(wrong), core.client, with { [name] = wrong })
      end
      raises("string expected", core.client, with { [name] = {} })
    end
    made { stale_timeout = false }
  end)

  it("tell what they have done", function()
    assert.same({ requests = 0, retries = 0, failures = 0, connections = 0, circuit = "closed" },
      core.client_stats(made {}))
  end)

  it("have streams that begin at any time in the past, where they are to be filled", function()
    local stream, err = core.stream(made {}, { sample.feed_id(3) }, { start = 1, backfill = false })
    assert.is_nil(stream)
    assert.equal("start: a stream that begins in the past needs backfill", err.message)
    stream = assert(core.stream(made {}, { sample.feed_id(3) }, { start = 0, backfill = false }))
    core.stream_close(stream)
  end)

  it("have streams of trades, whose heartbeats are due within an hour", function()
    local client = made {}
    for _, wrong in ipairs { 0, -1, 3600.5, 3601, 0 / 0, math.huge } do
      raises("out of range", core.trades, client, "symbols=A", wrong)
      raises("bad argument #3", core.trades, client, "symbols=A", wrong)
    end
    for _, right in ipairs { 0.5, 1, 3600 } do
      local trades = assert(core.trades(client, "symbols=A", right))
      assert.same({ received = 0, heartbeats = 0, ignored = 0, dropped = 0, decode_errors = 0, queue_length = 0,
        connected = false, reconnects = core.trades_stats(trades).reconnects }, core.trades_stats(trades))
      assert.is_false(core.trades_is_closed(trades))
      assert.equal(0, select("#", core.trades_close(trades)))
      assert.is_true(core.trades_is_closed(trades))
    end
    raises("string expected", core.trades, client, {}, 1)
    raises("number expected", core.trades, client, "symbols=A", "x")
  end)

  local function names(from)
    local list = {}
    for name in pairs(from) do list[#list + 1] = name end
    table.sort(list)
    return table.concat(list, " ")
  end

  it("have streams with these counters, and no others", function()
    local stream = assert(core.stream(made { ws_urls = { "ws://127.0.0.1:1", "ws://127.0.0.1:2" } },
      { sample.feed_id(3) }, { max_reconnects = 0 }))
    local stats = core.stream_stats(stream)
    assert.equal("accepted active_connections backfilled configured_connections decode_errors deduplicated dropped "
      .. "empty_gaps feeds full_reconnects gaps latency lost lost_seconds origins out_of_order partial_reconnects "
      .. "queue_length rejected total_received unverified", names(stats))
    local origin = stats.origins[1]
    origin.host, origin.origin = nil, nil -- once there is a connection
    assert.equal("bytes_received connection_uptime errors_count messages_received reconnect_count state", names(origin))
    assert.equal(stats.configured_connections, #stats.origins)
    assert.equal("buckets count sum", names(stats.latency))
    local before = 0
    for _, bucket in ipairs(stats.latency.buckets) do
      assert.equal("count le", names(bucket))
      assert.is_true(bucket.le > before and bucket.count == 0)
      before = bucket.le
    end
    core.stream_close(stream)
  end)

  it("take as many feeds as there may be", function()
    local ids = {}
    for i = 1, MOST_FEEDS do ids[i] = ("0x0003%060x"):format(i) end
    local client = made {}
    core.call_free(assert(core.call(client, "get_reports", ids, 1)))
    ids[MOST_FEEDS + 1] = sample.feed_id(3)
    raises("at most 1000 feed ids", core.call, client, "get_reports", ids, 1)
    raises("at most 1000 feed ids", core.stream, client, ids, {})
    raises("table expected", core.stream, client, sample.feed_id(3), {})
    raises("a table without a metatable expected", core.stream, client, {}, setmetatable({}, {}))
    local err = raises("64 hex digits after 0x", core.call, client, "get_reports", { sample.feed_id(3), "0x12" }, 1)
    assert.is_true(chainlink.is_error(err, "InvalidFeedIDError"))
  end)
end)
