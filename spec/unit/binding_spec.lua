-- SPDX-License-Identifier: MIT
-- What the binding itself refuses, below the checks in Lua: which argument, and why.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local sample = require "spec.support.sample"

local digest = "0x" .. ("ab"):rep(32)
local report = assert(chainlink.decode(sample.v3))

local function addresses(count)
  local list = {}
  for i = 1, count do list[i] = ("0x%040x"):format(i) end
  return list
end

local function raises(number, reason, call, ...)
  local ok, err = pcall(call, ...)
  assert.is_false(ok)
  assert.matches(("bad argument #%d to .* %%(%s%%)"):format(number, reason), tostring(err))
end

describe("the binding's digests", function()
  local wrong = { "", "0x", digest .. "0", digest:sub(1, 65), "0x" .. ("xy"):rep(32), "0x" .. ("ab"):rep(31) .. "a",
    digest .. digest:sub(3) }

  it("are 0x and 64 hex digits, or it raises", function()
    local registry = chainlink.signers {}
    for _, text in ipairs(wrong) do
      raises(2, "0x and 64 hex digits expected", core.signers_get, registry, text)
      raises(2, "0x and 64 hex digits expected", core.signers_remove, registry, text)
      raises(2, "0x and 64 hex digits expected", core.signers_put, registry, text, addresses(4), 1, true)
    end
    assert.is_true(core.signers_put(registry, digest, addresses(4), 1, true))
    assert.are.same({ signers = addresses(4), f = 1, active = true }, core.signers_get(registry, digest))
    assert.are.same({ digest }, core.signers_digests(registry))
    assert.is_true(core.signers_remove(registry, digest:upper():gsub("^0X", "0x"), nil))
    assert.is_false(core.signers_remove(registry, digest))
    assert.is_nil(core.signers_get(registry, digest))
  end)
end)

describe("the binding's sets of signers", function()
  it("have an f that is a number of a sensible size, or it raises", function()
    local registry = chainlink.signers {}
    for _, f in ipairs { 1e9 + 1, -1e9 - 1, 0 / 0, math.huge } do
      raises(3, "f is out of range", core.verify_by, report, addresses(4), f, true)
      raises(2, "f is out of range", core.signers_new, addresses(4), f, true)
      raises(4, "f is out of range", core.signers_put, registry, digest, addresses(4), f, true)
    end
  end)

  it("are refused with a reason when f does not fit, however large", function()
    for _, f in ipairs { 1e9, -1e9, 0, 2 } do
      local registry, err = core.signers_new(addresses(4), f, true)
      assert.is_nil(registry)
      assert.are.equal("ConfigError", err.kind)
    end
  end)

  it("have as many signers as signatures are read, and texts for each", function()
    local largest = chainlink.signers {}
    assert.is_true(core.signers_put(largest, digest, addresses(31), 10, true))
    assert.are.same({ signers = addresses(31), f = 10, active = true }, core.signers_get(largest, digest))
    local registry, err = core.signers_new(addresses(32), 10, true)
    assert.is_nil(registry)
    assert.are.equal("ConfigError", err.kind)
    local list = addresses(4)
    for i, wrong in ipairs { "", "0x12", false, ("0x%041x"):format(1) } do
      list[i] = wrong
      registry, err = core.signers_new(list, 1, true)
      assert.is_nil(registry)
      assert.matches(("signer %d is not"):format(i), err.message)
      list[i] = ("0x%040x"):format(i)
    end
  end)

  it("may be inactive", function()
    local registry = chainlink.signers {}
    assert.is_true(core.signers_put(registry, digest, addresses(4), 1, false))
    assert.is_false(core.signers_get(registry, digest).active)
  end)
end)

describe("the binding's reports", function()
  it("have signers as long as there are no more signatures than are read, or a reason", function()
    local function refused(count)
      local signers, err = chainlink.decode(sample.report({ sample.feed_id(99):sub(3) }, count)):signers()
      assert.is_nil(signers)
      assert.are.equal("VerificationError", err.kind)
      return err
    end
    assert.are_not.equal(refused(32).reason, refused(31).reason)
    assert.are.equal(refused(1).reason, refused(31).reason)
    assert.matches("signature 1%f[%D]", refused(2).message)
  end)
end)

describe("the binding's finalizers", function()
  it("give nothing, once or twice", function()
    local client = chainlink.client { api_key = "k", api_secret = "s", rest_url = "http://127.0.0.1:1",
      ws_url = "ws://127.0.0.1:1", price_url = "http://127.0.0.1:1", proxy = false, log_level = "none",
      max_retries = 0 }
    for _, object in ipairs { assert(core.call(client, "get_feeds")), client:stream { sample.feed_id(3) },
      (client:trades { "A" }), core.recorder(), chainlink.signers {}, assert(core.bell()), client } do
      for _ = 1, 2 do assert.are.equal(0, select("#", debug.getmetatable(object).__gc(object))) end
    end
  end)
end)

describe("the binding's user values", function()
  local client = chainlink.client { api_key = "k", api_secret = "s", rest_url = "http://127.0.0.1:1",
    ws_url = "ws://127.0.0.1:1", proxy = false, log_level = "none" }
  teardown(function() client:close() end)

  it("are those of clients and streams", function()
    assert.are.equal("table", type(core.uservalue(client)))
    local stream = client:stream { sample.feed_id(3) }
    assert.are.equal("table", type(core.uservalue(stream)))
    assert.are_not.equal(core.uservalue(client), core.uservalue(stream))
    stream:close()
  end)

  it("are nobody else's", function()
    local registry = chainlink.signers {}
    local set = debug.setuservalue or debug.setfenv -- luacheck: ignore 143
    set(registry, { 1 })
    assert.is_nil((core.uservalue(registry)))
    for _, other in ipairs { 5, "text", {}, io.stdout, report } do assert.is_nil((core.uservalue(other))) end
    assert.is_nil((core.uservalue()))
  end)
end)

describe("the binding's waiting", function()
  it("ends at once without time", function()
    for _, seconds in ipairs { 0, -1, -math.huge } do assert.is_false(core.wait(-1, seconds)) end
  end)

  it("takes as long as it is told", function()
    local began = core.monotonic()
    assert.is_false(core.wait(-1, 0.0201))
    assert.is_true(core.monotonic() - began >= 0.0201)
  end)

  it("knows the time", function()
    assert.is_true(math.abs(core.time() - os.time()) < 60)
  end)

  it("knows what is no terminal", function()
    assert.is_false(core.isatty(-1))
  end)
end)

describe("the binding's numbers", function()
  it("of market statuses are whole, or there is no name", function()
    local name = core.market_status_name(8, 0)
    assert.is_string(name)
    for _, numbers in ipairs { { -1, 0 }, { 65536 + 8, 0 }, { 8, -1 }, { 8, 4294967296 }, { 7, 0 }, { 8, 77 } } do
      assert.is_nil(core.market_status_name(numbers[1], numbers[2]))
    end
  end)

  it("of schemas are whole, or there is none", function()
    assert.are.equal(3, core.schema(3).version)
    for _, version in ipairs { -1, 65536 + 3, 3.5, 0, 0 / 0 } do assert.is_nil(core.schema(version)) end
  end)

  it("of decimals are whole and at most 77", function()
    for _, decimals in ipairs { -1, 78, 0.5, 0 / 0 } do
      raises(3, "decimals must be a whole number from 0 to 77", report.exact, report, "price", decimals)
      raises(3, "decimals must be a whole number from 0 to 77", report.number, report, "price", decimals)
    end
    assert.are.equal("string", type(report:exact("price", 77)))
    assert.are.equal(report:raw "price", report:exact("price", 0))
  end)
end)

describe("the binding's calls", function()
  it("are of a client, and known by name", function()
    local client = chainlink.client { api_key = "k", api_secret = "s", rest_url = "http://127.0.0.1:1",
      ws_url = "ws://127.0.0.1:1", proxy = false, max_retries = 0 }
    raises(2, "invalid option 'nothing'", core.call, client, "nothing")
    raises(1, ".*", core.call, report, "get_feeds")
    raises(1, ".*", core.discover, report, "")
    raises(2, ".*", core.discover, client)
    raises(1, ".*", core.post, report, "")
    raises(2, ".*", core.post, client)
    for place = 1, 3 do
      local ids = { sample.feed_id(3), sample.feed_id(4), sample.feed_id(5) }
      ids[place] = {}
      local ok, err = pcall(core.call, client, "get_reports", ids, 1)
      assert.is_false(ok)
      assert.matches(("feed id %d is not a text"):format(place), tostring(err))
    end
    local call = assert(core.call(client, "get_feeds"))
    core.call_free(call)
    for _, name in ipairs { "call_fd", "call_done", "call_event", "call_result" } do
      raises(1, "the call is over", core[name], call)
    end
    client:close()
  end)
end)

-- What comes back, by its types: neither less nor more.
local function gives(expected, call, ...)
  local function types(...)
    local list = {}
    for i = 1, select("#", ...) do list[i] = type((select(i, ...))) end
    return table.concat(list, " ")
  end
  assert.are.equal(expected, types(call(...)))
end

describe("the binding's functions give what they say, and nothing else:", function()
  local id = sample.feed_id(3)
  local client = chainlink.client { api_key = "k", api_secret = "s", rest_url = "http://127.0.0.1:1",
    ws_url = "ws://127.0.0.1:1", proxy = false, log_level = "none", max_retries = 0 }
  teardown(function() client:close() end)

  it("those of the module", function()
    gives("boolean", core.wait, -1, 0)
    gives("number", core.monotonic)
    gives("number", core.time)
    gives("boolean", core.isatty, 0)
    gives("", core.ignore_sigpipe)
    gives("table", core.uservalue, client)
    gives("", core.uservalue, report)
    gives("userdata", core.decode, sample.v3)
    gives("nil table", core.decode, "0x00")
    gives("userdata", core.restore, report:bytes(), 0, 0, 0, false, "")
    gives("nil table", core.restore, "\0", 0, 0, 0, false, "")
    gives("string number string", core.feed_id, id)
    gives("nil table", core.feed_id, "0x00")
    gives("table", core.schema, 3)
    gives("nil", core.schema, 0)
    gives("table", core.schema_versions)
    assert.is_number(core.schema_versions()[1])
    gives("nil", core.market_status_name, 3, 0)
  end)

  it("those of clients and calls", function()
    gives("table", core.client_stats, client)
    gives("boolean", core.client_is_closed, client)
    local call = assert(core.call(client, "get_latest_report", { id }))
    gives("number", core.call_fd, call)
    while not core.call_done(call) do core.wait(core.call_fd(call), 1) end
    gives("boolean", core.call_done, call)
    gives("nil table", core.call_result, call)
    while core.call_event(call) do end -- luacheck: ignore 542
    gives("", core.call_event, call)
    gives("", core.call_free, call)
    gives("", core.call_free, call)
    gives("userdata", core.call, client, "get_feeds")
    gives("userdata", core.discover, client, "a=b", true)
    gives("userdata", core.post, client, "{}")
    gives("nil table", core.call, client, "get_report", {})
    gives("nil table", core.discover, client, "a b")
    local other = chainlink.client { api_key = "k", api_secret = "s" }
    gives("", core.client_close, other)
    gives("", core.client_close, other)
  end)

  it("those of streams", function()
    local stream = assert(client:stream { id })
    gives("number", core.stream_fd, stream)
    gives("boolean", core.stream_lead, stream, 0)
    gives("boolean", core.stream_is_subscribed, stream)
    gives("boolean", core.stream_is_closed, stream)
    gives("table", core.stream_stats, stream)
    gives("", core.stream_latest, stream, id)
    gives("nil table", core.stream_latest, stream, "0x00")
    gives("nil", core.stream_pop, stream)
    gives("nil", core.stream_peek, stream)
    gives("boolean", core.stream_subscribe, stream, { sample.feed_id(4) })
    gives("boolean", core.stream_unsubscribe, stream, { sample.feed_id(4) })
    gives("nil table", core.stream_unsubscribe, stream, { id })
    gives("number", core.stream_share_fd, stream)
    gives("", core.stream_close, stream)
    gives("", core.stream_close, stream)
    gives("boolean table", core.stream_pop, stream)
    gives("boolean table", core.stream_peek, stream)
  end)

  it("those of signers", function()
    gives("userdata", core.signers_new, addresses(4), 1, true)
    local registry = assert(core.signers_new())
    gives("boolean", core.signers_put, registry, digest, addresses(4), 1, true)
    gives("table", core.signers_get, registry, digest)
    gives("table", core.signers_digests, registry)
    gives("boolean", core.signers_remove, registry, digest)
    gives("", core.signers_get, registry, digest)
    gives("nil table", core.signers_new, addresses(3), 1, true)
    gives("nil table", core.verify, report, registry)
    gives("nil table", core.verify_by, report, addresses(4), 1, true)
    gives("string", report.digest, report)
  end)

  it("those of bells", function()
    local bell = assert(core.bell())
    gives("string", core.bell_address, bell)
    gives("", core.bell_ring, bell)
    gives("", core.bell_close, bell)
    gives("", core.bell_close, bell)
    for _, name in ipairs { "bell_address", "bell_ring" } do raises(1, "the bell is closed", core[name], bell) end
  end)

  it("those of HTTP servers", function()
    gives("nil table", core.web_open, "nowhere", 0)
    local server = assert(core.web_open("127.0.0.1", 0))
    gives("number", core.web_port, server)
    gives("boolean", core.web_step, server, -1, 0)
    gives("", core.web_take, server)
    gives("boolean", core.web_send, server, 1, "text", false)
    gives("", core.web_close, server)
    gives("", core.web_close, server)
    raises(1, "the server is closed", core.web_port, server)
    raises(1, "the server is closed", core.web_step, server, -1, 0)
    raises(1, "the server is closed", core.web_take, server)
    raises(1, "the server is closed", core.web_send, server, 1, "", false)
  end)

  it("those of reports", function()
    gives("string", report.raw, report, "price")
    gives("string", report.exact, report, "price")
    gives("string", report.raw, report, "feed_id") -- the first of its fields
    gives("string", report.exact, report, "feed_id")
    gives("number", report.number, report, "price")
    for _, name in ipairs { "raw", "exact", "number" } do gives("nil", report[name], report, "nothing") end
    gives("string", report.bytes, report)
    assert.are.equal(#core.schema(3).fields, #report)
  end)
end)

describe("the binding's objects", function()
  local client = chainlink.client { api_key = "k", api_secret = "s", rest_url = "http://127.0.0.1:1",
    ws_url = "ws://127.0.0.1:1", proxy = false, log_level = "debug", logger = function() end, max_retries = 0 }
  teardown(function() client:close() end)

  it("have metatables that no script sees or changes", function()
    local call = assert(core.call(client, "get_feeds"))
    local _, err = core.decode "0x00"
    for _, object in ipairs { client, client:stream { sample.feed_id(3) }, call, report, chainlink.signers {}, err } do
      assert.is_false(getmetatable(object))
      assert.is_false(pcall(setmetatable, object, nil))
      assert.is_string(debug.getmetatable(object).__name)
    end
    core.call_free(call)
    assert.is_nil(core.__name)
    assert.is_nil(core.__metatable)
  end)

  -- The first thing that a call logs, and how it ends; nothing listens.
  local function logged_by(...)
    local call = assert(core.call(client, ...))
    local event
    repeat
      core.wait(core.call_fd(call), 60)
      event = core.call_event(call)
    until event or core.call_done(call)
    while not core.call_done(call) do core.wait(core.call_fd(call), 60) end
    local result, err = core.call_result(call)
    core.call_free(call)
    assert.is_nil(result)
    return event, err
  end

  it("ask for what they are told to", function()
    local id = sample.feed_id(3)
    local targets = {
      { "/api/v1/reports?feedID=" .. id .. "&timestamp=0:", "get_report", { id } },
      { "/api/v1/reports?feedID=" .. id .. "&timestamp=77:", "get_report", { id }, 77 },
      { "/api/v1/reports/page?feedID=" .. id .. "&startTimestamp=5:", "get_report_page", { id }, 5 },
      { "/api/v1/reports/page?feedID=" .. id .. "&startTimestamp=5&limit=7:", "get_report_page", { id }, 5, 7 },
      { "/api/v1/reports/latest?feedID=" .. id .. ":", "get_latest_report", { id } },
      { "/api/v1/feeds:", "get_feeds" },
    }
    for _, target in ipairs(targets) do
      local event, err = logged_by(target[2], target[3], target[4], target[5])
      assert.equal("GET " .. target[1], event.message:match "^GET [^ ]+")
      assert.same({ "log", "debug" }, { event.kind, event.level })
      assert.is_true(math.abs(event.time - os.time()) < 60)
      assert.same({ "NetworkError", true }, { err.kind, err.retryable })
      for _, name in ipairs { "body", "expected", "status", "offset", "retry_after", "clock_skew" } do
        assert.is_nil(err[name])
      end
    end
  end)

  it("take what an option leaves out from the client", function()
    local id, start = { sample.feed_id(3) }, os.time() - 60
    local stream = assert(core.stream(client, id, { start = start }))
    core.stream_close(stream)
    local failed, err = core.stream(client, id, { start = start, backfill = false })
    assert.is_nil(failed)
    assert.equal("start: a stream that begins in the past needs backfill", err.message)
    stream = assert(core.stream(client, id, {}))
    assert.equal(1, core.stream_stats(stream).feeds)
    core.stream_close(stream)
    for _, name in ipairs { "overflow", "order", "protocol", "log_level" } do
      assert.is_false(pcall(core.stream, client, id, { [name] = "nothing" }))
      assert.is_false(pcall(core.stream, client, id, { [name] = 1 }))
    end
    for _, name in ipairs { "ping_interval", "queue_size", "max_reconnects", "start" } do
      local ok, why = pcall(core.stream, client, id, { [name] = "1" })
      assert.is_false(ok)
      assert.matches("option '" .. name .. "' must be a number", tostring(why))
    end
  end)
end)

describe("the binding's tables", function()
  it("are tables, and have no metatable", function()
    raises(1, "table expected, got number", core.schema_register, 5)
    raises(1, "table expected, got no value", core.client)
    for _, call in ipairs { core.schema_register, core.client } do
      local ok, err = pcall(call, setmetatable({}, {}))
      assert.is_false(ok)
      assert.matches("a table without a metatable expected", tostring(err))
    end
  end)
end)
