-- SPDX-License-Identifier: MIT
-- Every wrong option raises a ConfigError with the message given here; no message shows a secret.

local anew = require "spec.support.anew"
local chainlink = require "chainlink"
local config = require "chainlink.config"
local stopped = require "spec.support.stopped_clock"

local SECRET = "hush-this-is-secret"

local function with(options)
  local all = { api_key = "key", api_secret = SECRET }
  for name, value in pairs(options) do
    if value == "none" and (name == "api_key" or name == "api_secret") then value = nil end
    all[name] = value
  end
  return all
end

local function message_of(f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok)
  assert.is_true(chainlink.is_error(err, "ConfigError"), tostring(err))
  assert.is_nil(tostring(err):find(SECRET, 1, true))
  return err.message
end

local seconds = "must be a number of seconds above 0, got "
local delay = "must be a number of seconds, 0 or more, got "
local whole_seconds = "must be a whole number of seconds from 1 to 3600, got "

local ws_urls = "option 'ws_url' must be a URL that starts with wss://, or several with commas between them, got "

local wrong = {
  { { api_key = "none" }, "option 'api_key' is required" },
  { { api_secret = "none" }, "option 'api_secret' is required" },
  { { api_key = 5 }, "option 'api_key' must be a text, got a number" },
  { { api_secret = { SECRET } }, "option 'api_secret' must be a text, got a table" },
  { { api_key = "" }, "option 'api_key' is empty, expected a text" },
  { { api_secret = "" }, "option 'api_secret' is empty, expected a text" },
  { { tls = { ca_file = "" } }, "option 'tls.ca_file' is empty, expected a file's name" },
  { { api_secret = SECRET .. "\0" }, "option 'api_secret' must be a text, got a string" },
  { { network = "devnet" }, [[option 'network' must be "mainnet" or "testnet", got "devnet" (a string)]] },
  { { rest_url = "ftp://x" }, [[option 'rest_url' must be a URL that starts with https://, got "ftp://x" (a string)]] },
  { { rest_url = "wss://x" }, [[option 'rest_url' must be a URL that starts with https://, got "wss://x" (a string)]] },
  { { ws_url = "https://x" }, ws_urls .. '"https://x" (a string)' },
  { { ws_url = "wss://a,,wss://b" }, ws_urls .. '"wss://a,,wss://b" (a string)' },
  { { ws_url = 5 }, ws_urls .. "5" },
  { { rest_url = 5 }, "option 'rest_url' must be a URL that starts with https://, got 5" },
  { { timeout = "abc" }, "option 'timeout' " .. seconds .. '"abc" (a string)' },
  { { timeout = 0 }, "option 'timeout' " .. seconds .. "0" },
  { { timeout = 0 / 0 }, "option 'timeout' " .. seconds .. "nan" },
  { { timeout = math.huge }, "option 'timeout' " .. seconds .. tostring(math.huge) },
  { { connect_timeout = -1 }, "option 'connect_timeout' " .. seconds .. "-1" },
  { { max_retries = 1.5 }, "option 'max_retries' must be a whole number from 0 to 100, got 1.5" },
  { { max_retries = 101 }, "option 'max_retries' must be a whole number from 0 to 100, got 101" },
  { { retry_delay = -1 }, "option 'retry_delay' " .. delay .. "-1" },
  { { retry_max_delay = true }, "option 'retry_max_delay' " .. delay .. "true" },
  { { rate_limit = 0 }, "option 'rate_limit' must be requests per second, above 0, or false, got 0" },
  { { rate_limit = true }, "option 'rate_limit' must be requests per second, above 0, or false, got true" },
  { { circuit_breaker = 5 }, "option 'circuit_breaker' must be a table {failures=, cooldown=} or false, got 5" },
  { { circuit_breaker = { failures = 0 } },
    "option 'circuit_breaker.failures' must be a whole number, 1 or more, got 0" },
  { { circuit_breaker = { cooldown = 0 } }, "option 'circuit_breaker.cooldown' " .. seconds .. "0" },
  { { circuit_breaker = { failure = 1 } },
    [[there is no option "circuit_breaker.failure", did you mean 'circuit_breaker.failures'?]] },
  { { ping_interval = 0 }, "option 'ping_interval' " .. whole_seconds .. "0" },
  { { ping_interval = 0.5 }, "option 'ping_interval' " .. whole_seconds .. "0.5" },
  { { pong_timeout = 3601 }, "option 'pong_timeout' " .. whole_seconds .. "3601" },
  { { max_reconnects = -1 }, "option 'max_reconnects' must be a whole number, 0 or more, or math.huge, got -1" },
  { { reconnect_delay = -0.5 }, "option 'reconnect_delay' " .. delay .. "-0.5" },
  { { reconnect_max_delay = "1" }, "option 'reconnect_max_delay' " .. delay .. '"1" (a string)' },
  { { queue_size = 0 }, "option 'queue_size' must be a whole number from 1 to 1048576, got 0" },
  { { queue_size = 1048577 }, "option 'queue_size' must be a whole number from 1 to 1048576, got 1048577" },
  { { queue_bytes = 1048575 },
    "option 'queue_bytes' must be a whole number from 1048576 (1 MiB) to 68719476736 (64 GiB), got 1048575" },
  { { overflow = "drop" },
    [[option 'overflow' must be "block", "latest" or "drop_oldest", got "drop" (a string)]] },
  { { order = "time" }, [[option 'order' must be "feed" or "arrival", got "time" (a string)]] },
  { { protocol = 2 }, [[option 'protocol' must be "auto", "v1" or "v2", got 2]] },
  { { logger = "print" }, [[option 'logger' must be a function, got "print" (a string)]] },
  { { log_level = "loud" },
    [[option 'log_level' must be "debug", "info", "warn", "error" or "none", got "loud" (a string)]] },
  { { on_status = 1 }, "option 'on_status' must be a function, got 1" },
  { { on_response = {} }, "option 'on_response' must be a function, got a table" },
  { { headers = { "X-A: " .. SECRET } }, "option 'headers' must be a table of header names and texts, got a table" },
  { { headers = SECRET }, "option 'headers' must be a table of header names and texts, got a string" },
  { { tls = true }, "option 'tls' must be a table, got true" },
  { { tls = { ca_file = 1 } }, "option 'tls.ca_file' must be a file's name, got 1" },
  { { tls = { ca_path = "" } }, "option 'tls.ca_path' is empty, expected a directory's name" },
  { { tls = { insecure_skip_verify = "yes" } },
    [[option 'tls.insecure_skip_verify' must be true or false, got "yes" (a string)]] },
  { { tls = { cafile = "x" } }, [[there is no option "tls.cafile", did you mean 'tls.ca_file'?]] },
  { { loop = true }, [[option 'loop' must be "auto", "block", "cqueues", "copas", "luv", "openresty" or a function ]] ..
    "that waits for a descriptor, got true" },
  { { proxy = true }, [[option 'proxy' must be a text like "http://host:port", or false for none, got a boolean]] },
  { { tiemout = 3 }, [[there is no option "tiemout", did you mean 'timeout'?]] },
  { { apikey = "x" }, [[there is no option "apikey", did you mean 'api_key'?]] },
  { { something_else_entirely = 1 }, [[there is no option "something_else_entirely"]] },
  { { "text" }, "options must have names, got one at 1" },
}


-- What only the engine can judge is raised as well.
local wrong_in_engine = {
  { { rest_url = "https://user:" .. SECRET .. "@host" }, "rest_url" },
  { { rest_url = "https://" }, "rest_url" },
  { { rest_url = "https://host/?query" }, "rest_url" },
  { { ws_url = "wss://host:99999" }, "ws_url" },
  { { ws_url = "wss://host name" }, "ws_url" },
}

describe("client options", function()
  for _, case in ipairs(wrong) do
    it("are refused: " .. case[2]:sub(1, 90), function()
      assert.are.equal(case[2], message_of(chainlink.client, with(case[1])))
    end)
  end

  for _, case in ipairs(wrong_in_engine) do
    it("are refused by the engine: " .. case[2], function()
      assert.matches(case[2], message_of(chainlink.client, with(case[1])), 1, true)
    end)
  end

  -- What is the smallest and the largest number of each, and what lies just outside.
  local borders = {
    timeout = { 0.001, 86400, 0, 86401 }, connect_timeout = { 0.001, 86400, 0, 86401 },
    stale_timeout = { 0.001, 86400, 0, 86401 }, max_retries = { 0, 100, -1, 101 },
    retry_delay = { 0, 86400, -0.001, 86401 }, retry_max_delay = { 0, 86400, -0.001, 86401 },
    reconnect_delay = { 0, 86400, -0.001, 86401 }, reconnect_max_delay = { 0, 86400, -0.001, 86401 },
    rate_limit = { 0.001, 1e6, 0.0005, 1000001 }, ping_interval = { 1, 3600, 0, 3601 },
    pong_timeout = { 1, 3600, 0, 3601 }, max_reconnects = { 0, 1e9, -1, 1e9 + 1 },
    queue_size = { 1, 1048576, 0, 1048577 },
    queue_bytes = { 1048576, 2 ^ 36, 1048575, 2 ^ 36 + 1 }, feeds_per_connection = { 1, 1000, 0, 1001 },
  }
  for name, numbers in pairs(borders) do
    it("have borders: " .. name, function()
      for i = 1, 2 do
        local _, values = config.client(with { [name] = numbers[i] })
        assert.are.equal(numbers[i], values[name])
        message_of(config.client, with { [name] = numbers[i + 2] })
      end
    end)
  end

  it("have borders within tables", function()
    local engine = config.client(with { circuit_breaker = { failures = 1, cooldown = 0.001 } })
    assert.are.same({ 1, 0.001 }, { engine.breaker_failures, engine.breaker_cooldown })
    engine = config.client(with { circuit_breaker = { failures = 1e6, cooldown = 86400 } })
    assert.are.same({ 1e6, 86400 }, { engine.breaker_failures, engine.breaker_cooldown })
    message_of(config.client, with { circuit_breaker = { failures = 1e6 + 1 } })
    message_of(config.client, with { circuit_breaker = { cooldown = 86401 } })
  end)

  it("ask for the answers' headers only where there is a function for them", function()
    assert.is_true(config.client(with { on_response = print }).want_responses)
  end)

  it("give headers in the order of their names", function()
    local names = {}
    for name in ("m z a q b y c x d w e v"):gmatch "%a" do names["X-" .. name] = name end
    local list = {}
    for _, header in ipairs(config.client(with { headers = names }).headers) do list[#list + 1] = header.value end
    assert.are.equal("abcdemqvwxyz", table.concat(list))
  end)

  it("give headers in the order of their names, whatever order a table has them in", function()
    for number = 1, 100 do
      local names, list = {}, {}
      for i = 1, 4 do names[("X-%d-%d"):format(i, number)] = tostring(i) end
      for _, header in ipairs(config.client(with { headers = names }).headers) do list[#list + 1] = header.value end
      assert.are.equal("1234", table.concat(list))
    end
  end)

  it("have texts alone in their headers", function()
    for _, headers in ipairs { { A = 5 }, { "text" }, { A = "x\0" }, { ["A\0"] = "x" } } do
      assert.are.equal("option 'headers' must be a table of header names and texts, got a table",
        message_of(config.client, with { headers = headers }))
    end
  end)

  it("take what can be called for a function", function()
    local callable = setmetatable({}, { __call = function() end })
    local _, values = config.client(with { logger = callable })
    assert.are.equal(callable, values.logger)
    message_of(config.client, with { logger = setmetatable({}, {}) })
  end)

  it("say which option may have been meant, up to three letters away", function()
    assert.matches("did you mean 'timeout'", message_of(config.client, with { timeo = 1 }))
    assert.matches("did you mean 'overflow'", message_of(config.client, with { oveflwos = 1 }))
    assert.is_not.matches("did you mean", message_of(config.client, with { timeoutabcd = 1 }))
    assert.is_not.matches("did you mean", message_of(config.client, with { reconnect = 1 }))
  end)

  it("must be a table", function()
    assert.are.equal("options must be a table, got nil", message_of(chainlink.client))
    assert.are.equal([[options must be a table, got "x" (a string)]], message_of(chainlink.client, "x"))
  end)

  it("take false for a loop as blocking", function()
    local _, values = config.client(with { loop = false })
    assert.is_false(values.loop)
    assert.are.equal("auto", select(2, config.client(with {})).loop)
  end)

  it("take each loop by its name, and a function for one", function()
    for _, loop in ipairs { "auto", "block", "cqueues", "copas", "luv", "openresty", print } do
      assert.are.equal(loop, select(2, config.client(with { loop = loop })).loop)
    end
  end)

  it("give the engine numbers, texts, and what is true or false", function()
    local engine = config.client(with { ha = true, backfill = false, timeout = 7, overflow = "latest", logger = print,
      log_level = "warn", circuit_breaker = { failures = 2 } })
    assert.are.same({ true, false, 7, "latest" }, { engine.ha, engine.backfill, engine.timeout, engine.overflow })
    assert.is_nil(engine.logger)
    assert.is_nil(engine.circuit_breaker)
    assert.are.equal("warn", engine.log_level)
    assert.are.equal("none", config.client(with { log_level = "warn" }).log_level)
  end)

  it("are a profile's where one is named, and only there", function()
    local asked = {}
    local module, restore = anew.load("chainlink.config", { ["chainlink.profiles"] = { fill = function(options)
      asked[#asked + 1] = options
      return with { timeout = 7 }
    end } })
    finally(restore)
    assert.are.equal(7, module.client({ profile = "work" }).timeout)
    assert.are.same({ { profile = "work" } }, asked)
    assert.are.equal(30, module.client(with {}).timeout)
    assert.are.equal(1, #asked)
  end)

  it("have the documented defaults", function()
    local engine, values = config.client(with {})
    local expected = { timeout = 30, connect_timeout = 5, max_retries = 3, retry_delay = 0.5, retry_max_delay = 10,
      rate_limit = 10, breaker_failures = 5, breaker_cooldown = 10, ping_interval = 5, pong_timeout = 5,
      max_reconnects = math.huge, reconnect_delay = 0.2, reconnect_max_delay = 10, queue_size = 4096,
      queue_bytes = 64 * 1024 * 1024, overflow = "block", protocol = "auto", order = "feed",
      rest_url = "https://api.dataengine.chain.link", insecure_skip_verify = false, ha = false, backfill = true,
      feeds_per_connection = 100, clock = "local", network = "mainnet", want_responses = false }
    for name, value in pairs(expected) do assert.are.equal(value, engine[name], name) end
    assert.are.same({ "wss://ws.dataengine.chain.link" }, engine.ws_urls)
    assert.are.equal("api.dataengine.chain.link", values.host)
  end)

  it("take the endpoints from the network, unless given", function()
    local engine = config.client(with { network = "testnet", ws_url = "wss://a.example, wss://b.example" })
    assert.are.equal("https://api.testnet-dataengine.chain.link", engine.rest_url)
    assert.are.same({ "wss://a.example", "wss://b.example" }, engine.ws_urls)
  end)

  it("switch off what can be switched off", function()
    local engine = config.client(with { rate_limit = false, circuit_breaker = false, proxy = false })
    assert.are.equal(0, engine.rate_limit)
    assert.are.equal(0, engine.breaker_failures)
    assert.are.equal("", engine.proxy)
  end)

  it("are not kept with the secret in them", function()
    local _, values = config.client(with { proxy = "http://u:" .. SECRET .. "@h:1", headers = { A = SECRET } })
    for _, value in pairs(values) do assert.is_not.matches(SECRET, tostring(value), 1, true) end
  end)

  it("warn of a connection that is open to all", function()
    local function warnings(options) return (select(3, config.client(with(options)))) end
    assert.are.same({}, warnings { rest_url = "http://127.0.0.1:1", ws_url = "ws://[::1]:2,ws://localhost" })
    assert.are.same({ "example.org is used without TLS: anybody on the way can read the reports" },
      warnings { rest_url = "http://example.org" })
    for _, host in ipairs { "127.0.0.1.example.org", "1127.0.0.1", "localhost.example.org" } do
      assert.are.same({ host .. " is used without TLS: anybody on the way can read the reports" },
        warnings { rest_url = "HTTP://" .. host .. ":80/x" })
    end
    assert.are.same({ "example.org is used without TLS: anybody on the way can read the reports",
      "2001:db8::1 is used without TLS: anybody on the way can read the reports" },
      warnings { ws_url = "wss://good.example,WS://example.org,ws://[2001:db8::1]:5" })
    assert.are.same({ "insecure_skip_verify is on: the service's certificate is not verified" },
      warnings { tls = { insecure_skip_verify = true } })
  end)
end)

describe("stream options", function()
  local _, client_values = config.client(with { queue_size = 7, log_level = "warn", logger = print })

  it("are those of the client where the stream has none", function()
    local values = config.stream({ overflow = "latest", order = "arrival" }, client_values)
    assert.are.equal(7, values.queue_size)
    assert.are.equal("latest", values.overflow)
    assert.are.equal("arrival", values.order)
    assert.are.equal("warn", values.log_level)
  end)

  it("are each the stream's own, where it has one", function()
    local registry = { signers = {}, f = 1 }
    for i = 1, 4 do registry.signers[i] = ("0x%040x"):format(i) end
    local _, others = config.client(with { verify = registry, stale_timeout = 9, loop = "block", logger = print })
    for name, value in pairs { ping_interval = 7, pong_timeout = 7, max_reconnects = 7, reconnect_delay = 7,
      reconnect_max_delay = 7, queue_size = 7, queue_bytes = 2 ^ 21, overflow = "drop_oldest", order = "arrival",
      protocol = "v2", ha = true, feeds_per_connection = 7, backfill = false, verify = false, stale_timeout = false,
      start = 7, logger = error, log_level = "debug", on_status = error, loop = "copas" } do
      assert.are.equal(value, config.stream({ [name] = value }, others)[name], name)
    end
    assert.is_false(config.stream({ loop = false }, others).loop)
    local values = config.stream(nil, others)
    assert.are.equal(others.verify, values.verify)
    assert.are.same({ 9, "block" }, { values.stale_timeout, values.loop })
    assert.is_userdata(config.stream({ verify = registry }, client_values).verify)
    assert.are.equal("none", config.stream({ log_level = "debug" }, select(2, config.client(with {}))).log_level)
  end)

  it("let it begin as far ahead as a clock may be behind, and no further", function()
    local clock = stopped.at(1700000000)
    finally(clock.restore)
    assert.are.equal(1700000030, config.stream({ start = 1700000030 }, client_values).start)
    clock.now = 1699999999.25
    assert.are.equal("option 'start' lies 31 seconds in the future",
      message_of(config.stream, { start = 1700000030 }, client_values))
  end)

  it("take the first second of all for their start, and call the last one future, not wrong", function()
    assert.are.equal(1, config.stream({ start = 1 }, client_values).start)
    assert.matches("seconds in the future$", message_of(config.stream, { start = 4294967295 }, client_values))
    assert.matches("must be a time in seconds since 1970",
      message_of(config.stream, { start = 4294967296 }, client_values))
  end)

  it("are no client's, as far as a start goes", function()
    assert.are.equal("option 'start' belongs to a stream, not to the client",
      message_of(config.client, with { start = 1 }))
  end)

  local cases = {
    { { timeout = 3 }, "option 'timeout' belongs to the client, not to a stream" },
    { { queue_size = "big" }, [[option 'queue_size' must be a whole number from 1 to 1048576, got "big" (a string)]] },
    { { over_flow = 1 }, [[there is no option "over_flow", did you mean 'overflow'?]] },
    { { ha = 1 }, "option 'ha' must be true or false, got 1" },
    { { start = 4294967296 }, "option 'start' must be a time in seconds since 1970, got 4294967296" },
    { { start = 0 }, "option 'start' must be a time in seconds since 1970, got 0" },
    { { stale_timeout = 0 }, "option 'stale_timeout' must be a number of seconds above 0, or false, got 0" },
    { 5, "options must be a table, got 5" },
  }
  for _, case in ipairs(cases) do
    it("are refused: " .. case[2], function()
      assert.are.equal(case[2], message_of(config.stream, case[1], client_values))
    end)
  end

  it("let a stream begin now, and not in the future", function()
    local near = os.time() + 20 -- a clock may be behind the service's
    assert.are.equal(near, config.stream({ start = near }, client_values).start)
    assert.matches("^option 'start' lies %d+ seconds in the future$",
      message_of(config.stream, { start = os.time() + 40 }, client_values))
    assert.matches("^option 'start' lies 3%d+ seconds in the future$",
      message_of(config.stream, { start = os.time() + 39999 }, client_values))
  end)
end)

describe("the options of something else", function()
  local own = { { "size", 5, config.whole_between(1, 9), "a number from 1 to 9" },
    { "name", nil, function(value) return type(value) == "string" end, "a text", required = true } }

  it("are its own, and those of a stream that it shares", function()
    assert.are.same({ size = 5, name = "x", queue_size = 4096 },
      config.read(own, { "queue_size", "logger" }, { name = "x" }))
    assert.are.same({ size = 7, name = "x", queue_size = 8, logger = print },
      config.read(own, { "queue_size", "logger" }, { name = "x", size = 7, queue_size = 8, logger = print }))
    assert.are.same({ size = 1, name = "x", queue_size = 8 },
      config.read(own, { "queue_size", "logger" }, { name = "x" }, { size = 1, queue_size = 8, overflow = "latest" }))
    assert.are.same({ size = 5 }, config.read({ own[1] }, {}))
  end)

  it("are refused where they are wrong, missing or no table", function()
    assert.are.equal("option 'size' must be a number from 1 to 9, got 10",
      message_of(config.read, own, {}, { name = "x", size = 10 }))
    assert.are.equal("option 'name' is required", message_of(config.read, own, {}))
    assert.are.equal("there is no option \"queue_size\"", message_of(config.read, own, {}, { queue_size = 5 }))
    assert.are.equal("options must be a table, got 5", message_of(config.read, own, {}, 5))
    assert.are.equal('options must be a table, got "" (a string)', message_of(config.read, own, {}, ""))
  end)
end)

describe("the environment", function()
  local real_getenv = os.getenv
  local variables

  before_each(function()
    variables = {}
    os.getenv = function(name) return variables[name] end -- luacheck: ignore 122
  end)
  after_each(function()
    os.getenv = real_getenv -- luacheck: ignore 122
  end)

  it("gives credentials and endpoints", function()
    variables = { CHAINLINK_STREAMS_API_KEY = "k", CHAINLINK_STREAMS_API_SECRET = "s",
      CHAINLINK_STREAMS_REST_URL = "https://r", CHAINLINK_STREAMS_WS_URL = "wss://w",
      CHAINLINK_STREAMS_CA_FILE = "/ca", CHAINLINK_STREAMS_NETWORK = "testnet" }
    assert.are.same({ api_key = "k", api_secret = "s", rest_url = "https://r", ws_url = "wss://w",
      tls = { ca_file = "/ca" }, network = "testnet" }, config.from_environment())
  end)

  it("has the names that other programs give the credentials and endpoints", function()
    for _, names in ipairs {
      { "STREAMS_API_KEY", "STREAMS_API_SECRET", "STREAMS_REST_URL", "STREAMS_WS_URL" },
      { "DATA_STREAMS_API_KEY", "DATA_STREAMS_USER_SECRET", "DATA_STREAMS_REST_URL", "DATA_STREAMS_WS_URL" },
      { "CHAINLINK_DATA_STREAMS_API_KEY", "CHAINLINK_DATA_STREAMS_USER_SECRET", "CHAINLINK_STREAMS_REST_URL",
        "CHAINLINK_STREAMS_WS_URL" },
      { "STREAMS_API_KEY", "CHAINLINK_STREAMS_USER_SECRET", "STREAMS_REST_URL", "STREAMS_WS_URL" },
    } do
      variables = { [names[1]] = "k", [names[2]] = "s", [names[3]] = "https://r", [names[4]] = "wss://w" }
      assert.are.same({ api_key = "k", api_secret = "s", rest_url = "https://r", ws_url = "wss://w" },
        config.from_environment())
    end
  end)

  it("may say a thing twice, but not two things, and then both names are told and no value", function()
    variables = { CHAINLINK_STREAMS_API_KEY = "k", DATA_STREAMS_API_KEY = "k", CHAINLINK_STREAMS_API_SECRET = "hidden1",
      STREAMS_API_SECRET = "hidden1" }
    assert.are.same({ api_key = "k", api_secret = "hidden1" }, config.from_environment())
    variables.DATA_STREAMS_USER_SECRET = "hidden2"
    assert.are.equal("the environment variables CHAINLINK_STREAMS_API_SECRET and DATA_STREAMS_USER_SECRET differ: "
      .. "unset one, or make them equal", message_of(config.from_environment))
    assert.are.same({ api_key = "k", api_secret = "mine" }, config.from_environment { api_secret = "mine" })
  end)

  it("tells which variables had the credentials", function()
    variables = { STREAMS_API_KEY = "k", DATA_STREAMS_USER_SECRET = "s" }
    local _, found = require("chainlink.environment").collect()
    assert.are.same({ api_key = "STREAMS_API_KEY", api_secret = "DATA_STREAMS_USER_SECRET" }, found)
  end)

  it("is not asked where a profile is named", function()
    variables = { CHAINLINK_STREAMS_API_KEY = "k", CHAINLINK_STREAMS_REST_URL = "https://r",
      CHAINLINK_STREAMS_CA_FILE = "/ca" }
    assert.are.same({ profile = "work" }, config.from_environment { profile = "work" })
  end)

  it("comes after what the program says", function()
    variables = { CHAINLINK_STREAMS_API_KEY = "k", CHAINLINK_STREAMS_API_SECRET = "s",
      CHAINLINK_STREAMS_REST_URL = "https://r" }
    local options = config.from_environment { api_key = "mine", network = "testnet" }
    assert.are.same({ api_key = "mine", api_secret = "s", network = "testnet" }, options)
    variables.CHAINLINK_STREAMS_WS_URL, variables.CHAINLINK_STREAMS_PRICE_URL = "wss://w", "https://p"
    assert.are.same({ api_key = "k", api_secret = "s", network = "testnet" },
      config.from_environment { network = "testnet" })
    assert.are.same({ api_key = "k", api_secret = "s", rest_url = "https://r", ws_url = "wss://mine",
      price_url = "https://p" }, config.from_environment { ws_url = "wss://mine" })
    assert.are.equal("options must be a table, got 5", message_of(config.from_environment, 5))
    assert.are.equal('options must be a table, got "x" (a string)', message_of(config.from_environment, "x"))
  end)

  it("is named when it lacks the credentials", function()
    assert.are.equal("option 'api_key' is required: set the environment variable CHAINLINK_STREAMS_API_KEY",
      message_of(config.from_environment))
    variables = { CHAINLINK_STREAMS_API_KEY = "k", CHAINLINK_STREAMS_API_SECRET = "" }
    assert.are.equal("option 'api_secret' is required: set the environment variable CHAINLINK_STREAMS_API_SECRET",
      message_of(config.from_environment))
  end)
end)
