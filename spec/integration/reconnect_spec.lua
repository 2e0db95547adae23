-- SPDX-License-Identifier: MIT
-- What ends a stream's connection, how the stream goes on or ends, and what it tells meanwhile.

local await = require "spec.support.await"
local expect = require "spec.support.failure"
local recorder = require "spec.support.recorder"
local recording = require "spec.support.recording"
local service = require "spec.support.service"
local simulator = require "spec.support.simulator"

local failure, says = expect.failure, expect.says

local PATIENCE = 90 -- seconds; a bound for a hang, nothing here takes as long
local QUICK = { reconnect_delay = 0.01, reconnect_max_delay = 0.02 }

local function quick(more)
  local options = {}
  for name, value in pairs(QUICK) do options[name] = value end
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

-- Options of a stream that records its status events.
local function watching(record, more)
  local options = record:options(quick(more))
  options.on_response = nil
  return options
end

-- Reads until the stream has been connected `times` times, and one report more: all its reports.
local function read_over(stream, record, times)
  local reports = {}
  repeat
    reports[#reports + 1] = assert(stream:read(PATIENCE))
    local connected = 0
    for _, state in ipairs(record:states()) do connected = connected + (state == "connected" and 1 or 0) end
  until connected == times
  reports[#reports + 1] = assert(stream:read(PATIENCE))
  return reports
end

local function check_order(reports)
  local last, seen = {}, {}
  for _, report in ipairs(reports) do
    local id = report.feed_id
    assert.is_true(not last[id] or report.observations_timestamp >= last[id])
    assert.is_nil(seen[report.full_report])
    last[id], seen[report.full_report] = report.observations_timestamp, true
  end
end

local RECONNECTED = { "connecting", "connected", "disconnected", "reconnecting", "connecting", "connected" }

describe("a connection that ends", function()
  local sim, client, id

  service.for_all({ rate = 50, rate_limit = 0, feeds = 1 }, {}, function(...)
    sim, client = ...
    id = assert(client:get_feeds())[1].id
  end)

  -- `also`: what older libraries say instead of `reason`.
  local function survives(fault, reason, more)
    local record = recorder.new()
    sim:fault(fault)
    local stream = client:stream({ id }, watching(record, more))
    check_order(read_over(stream, record, 2))
    assert.are.same(RECONNECTED, record:states())
    local ended, again = record:status "disconnected", record:status "reconnecting"
    assert.is_truthy(ended.reason:find(reason, 1, true), ended.reason)
    assert.are.equal(ended.reason, again.reason)
    assert.are.equal(1, again.attempt)
    assert.is_true(again.delay >= 0 and again.delay <= 0.02)
    assert.are.equal("localhost:" .. sim:port(), again.host)
    local stats = stream:stats()
    assert.are.equal(1, stats.full_reconnects)
    assert.are.equal(0, stats.partial_reconnects)
    assert.are.equal(1, stats.reconnect_count)
    assert.are.equal(1, stats.active_connections)
    assert.are.equal(1, stats.errors_count)
    stream:close()
  end

  for _, code in ipairs { 1000, 1001, 1002, 1008, 1011, 1012, 1013, 4000 } do
    it("with close code " .. code .. " is made anew", function()
      survives(("on=ws,action=close,code=%d,after=2"):format(code), ("(%d)"):format(code))
    end)
  end

  it("before its first report is made anew", function()
    survives("on=ws,action=close,code=1001,after=0", "(1001")
  end)

  it("without a word is made anew", function()
    survives("on=ws,action=drop,after=2", "the connection was lost")
  end)

  it("for a message over 1 MiB is made anew", function()
    survives("on=ws,action=oversize,after=2", "1009")
  end)

  it("by silence is made anew", function()
    survives("on=ws,action=freeze,after=2", "no pong within 1 s", { ping_interval = 1, pong_timeout = 1 })
  end)

  it("again and again is made anew again and again", function()
    local record = recorder.new()
    sim:fault "on=ws,action=drop,after=3,times=6"
    local stream = client:stream({ id }, watching(record))
    check_order(read_over(stream, record, 7))
    assert.are.equal(6, stream:stats().full_reconnects)
    stream:close()
  end)
end)

describe("a handshake that is refused", function()
  local sim, client, id

  service.for_all({ rate = 50, rate_limit = 0, feeds = 1 }, {}, function(...)
    sim, client = ...
    id = assert(client:get_feeds())[1].id
  end)

  -- The stream must end after `attempts` handshakes, with the same error to every reader.
  local function ends(attempts, kind, fields, fault, options, from)
    local record = recorder.new()
    sim:fault(fault)
    local before = sim:answered "/api/v1/ws"
    local stream = (from or client):stream({ id }, watching(record, options))
    local err = failure(kind, fields, stream:connect(PATIENCE))
    failure(kind, fields, stream:read(PATIENCE))
    failure(kind, fields, stream:poll())
    expect.raised(kind, fields, function()
      for _ in stream do error "a report came" end
    end)
    assert.are.equal(attempts, sim:answered "/api/v1/ws" - before)
    local states = record:states()
    assert.are.equal("failed", states[#states])
    assert.are.equal(err.message, record:status("failed").reason)
    stream:close()
    failure(kind, fields, stream:read(PATIENCE)) -- why it failed stays
    return err
  end

  for status, kind in pairs { [400] = "APIError", [401] = "AuthenticationError", [403] = "AuthenticationError",
    [404] = "APIError" } do
    it(("with %d ends the stream"):format(status), function()
      ends(1, kind, { status = status, retryable = false }, ("on=ws,action=status,status=%d,times=0"):format(status))
    end)
  end

  for _, status in ipairs { 429, 503 } do
    it(("with %d is told by a connect that runs out of time"):format(status), function()
      sim:fault(("on=ws,action=status,status=%d,times=0"):format(status))
      finally(function() sim:clear_faults() end)
      local refused = false
      local stream = client:stream({ id }, quick { on_status = function(event)
        refused = refused or event.state == "reconnecting"
      end })
      local err
      await("a refusal", function()
        err = failure("TimeoutError", { retryable = true }, stream:connect(0.01))
        return refused
      end)
      says(says(err, "; the last failure: "), ("(HTTP %d)"):format(status))
      sim:clear_faults()
      assert(stream:connect(PATIENCE))
      stream:close()
    end)
  end

  for _, status in ipairs { 429, 500, 502, 503 } do
    it(("with %d is repeated"):format(status), function()
      local record = recorder.new()
      sim:fault(("on=ws,action=status,status=%d,times=2"):format(status))
      local stream = client:stream({ id }, watching(record))
      assert(stream:connect(PATIENCE))
      assert.are.same({ "connecting", "reconnecting", "connecting", "reconnecting", "connecting", "connected" },
        record:states())
      assert.are.equal(1, record.statuses[2].attempt)
      assert.are.equal(2, record.statuses[4].attempt)
      assert.is_truthy(record.statuses[2].reason:find(tostring(status), 1, true))
      assert(stream:read(PATIENCE))
      assert.are.equal(0, stream:stats().full_reconnects)
      stream:close()
    end)

    it(("with %d and Retry-After is repeated after that time"):format(status), function()
      local record = recorder.new()
      sim:fault(("on=ws,action=status,status=%d,retry_after=1"):format(status))
      local stream = client:stream({ id }, watching(record))
      assert(stream:read(PATIENCE))
      stream:stats() -- a report may overtake the events before it
      assert.are.equal(1, record:status("reconnecting").delay)
      stream:close()
    end)
  end

  it("ends the stream after max_reconnects", function()
    ends(4, "APIError", { status = 503, retryable = true }, "on=ws,action=status,status=503,times=0",
      { max_reconnects = 3 })
  end)

  it("ends the stream at once where max_reconnects is 0", function()
    ends(1, "RateLimitError", { status = 429, retryable = true, retry_after = 9 },
      "on=ws,action=status,status=429,retry_after=9", { max_reconnects = 0 })
  end)

  it("by a redirect or an answer without an upgrade is a network failure", function()
    for status, word in pairs { [200] = "upgrade", [302] = "redirect" } do
      local fault = ("on=ws,action=status,status=%d"):format(status)
      says(ends(1, "NetworkError", { status = status }, fault, { max_reconnects = 0 }), word)
    end
  end)

  it("by a wrong secret ends the stream", function()
    local other = sim:client { api_secret = "not-the-secret" }
    local err = ends(1, "AuthenticationError", { status = 401, retryable = false }, "", nil, other)
    assert.is_true(math.abs(err.clock_skew) < 3)
    other:close()
  end)

  it("for an unknown feed ends the stream", function()
    local stream = client:stream { id, "0x0003" .. ("e"):rep(60) }
    failure("AuthenticationError", { status = 401 }, stream:read(PATIENCE))
    stream:close()
  end)

  for _, offset in ipairs { -90, 90 } do
    it(("by a clock %d s apart tells the skew"):format(offset), function()
      local early = simulator.start { clock_offset = offset, feeds = 1 }
      finally(function() early:stop() end)
      local skewed = early:client {}
      local stream = skewed:stream { id }
      local err = failure("AuthenticationError", { status = 401 }, stream:connect(PATIENCE))
      assert.is_true(math.abs(err.clock_skew + offset) < 3, tostring(err.clock_skew))
      says(err, offset < 0 and "ahead of" or "behind")
      skewed:close()
    end)
  end
end)

describe("a service that goes", function()
  -- Plain, as each simulator makes certificates of its own.
  local function start(port)
    return simulator.start { plain = true, port = port, rate = 50, rate_limit = 0, feeds = 2 }
  end

  it("and comes back on the same port: the stream goes on", function()
    local sim = start(0)
    finally(function() sim:stop() end)
    local client, record = sim:client { reconnect_delay = 0.05, reconnect_max_delay = 0.1 }, recorder.new()
    local ids = {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    local stream = client:stream(ids, watching(record))
    local reports = {}
    for i = 1, 10 do reports[i] = assert(stream:read(PATIENCE)) end
    sim:signal "KILL"
    await("a refused attempt", function()
      local report = stream:poll()
      reports[#reports + 1] = report
      local again = record:status "disconnected" and record:status("reconnecting", #RECONNECTED)
      return again and again.attempt > 1
    end)
    local port = sim:port()
    sim:stop()
    sim = start(port)
    local before = #reports
    while #reports < before + 20 do reports[#reports + 1] = assert(stream:read(PATIENCE)) end
    check_order(reports)
    local stats = stream:stats()
    assert.are.equal(1, stats.full_reconnects)
    assert.are.equal(#reports, stats.accepted - stats.queue_length)
    assert(client:get_feeds()) -- and so do REST calls
    client:close()
  end)

  it("for ever: the stream ends after max_reconnects, after giving what it has", function()
    local sim = start(0)
    finally(function() sim:stop() end)
    local client = sim:client {}
    local id = assert(client:get_feeds())[1].id
    local stream = client:stream({ id }, quick { max_reconnects = 2 })
    assert(stream:read(PATIENCE))
    sim:signal "KILL"
    local report, err
    repeat report, err = stream:read(PATIENCE) until not report
    says(failure("NetworkError", {}, report, err), "refused")
    failure("NetworkError", {}, stream:read(PATIENCE))
    client:close()
  end)

  it("is found at the next of several addresses", function()
    local sim = start(0)
    finally(function() sim:stop() end)
    local client, record = sim:client { ws_url = "ws://127.0.0.1:1, " .. sim.ws_url }, recorder.new()
    local id = assert(client:get_feeds())[1].id
    local stream = client:stream({ id }, watching(record))
    assert(stream:read(PATIENCE))
    stream:stats() -- a report may overtake the events before it
    assert.are.equal("127.0.0.1:1", record.statuses[1].host)
    assert.are.equal("localhost:" .. sim:port(), record:status("connected").host)
    client:close()
  end)
end)

describe("reports that are repeated after a reconnect", function()
  it("are delivered once", function()
    local first, reports = 1700000000, {}
    for i = 1, 20 do reports[i] = recording.report(3, 1, first + i) end
    local file, remove = recording.file(reports)
    -- A recording starts again for each connection.
    local sim = simulator.start { replay = file, rate = 200, fault = "on=ws,action=drop,after=12,times=2" }
    finally(function()
      sim:stop()
      remove()
    end)
    local client = sim:client(quick())
    local stream = client:stream { recording.id(3, 1) }
    for i = 1, 20 do assert.are.equal(first + i, assert(stream:read(PATIENCE)).observations_timestamp) end
    local stats = stream:stats()
    assert.are.equal(20, stats.accepted)
    assert.are.equal(2, stats.full_reconnects)
    assert.are.equal(24, stats.deduplicated + stats.out_of_order)
    client:close()
  end)
end)

describe("secrets", function()
  it("are in no log line, event, error or text", function()
    local sim = simulator.start { rate = 50, rate_limit = 0, feeds = 1, key = "the-key-0001:the-secret-0001" }
    finally(function() sim:stop() end)
    local record, gathered = recorder.new(), {}
    local client = sim:client(record:options(quick { headers = { ["X-Extra"] = "the-header-0001" }, max_retries = 1 }))
    local function gather(...)
      for i = 1, select("#", ...) do gathered[#gathered + 1] = (select(i, ...)) end
    end
    local feeds = assert(client:get_feeds())
    gather(feeds, client, tostring(client), client:stats())
    for _, status in ipairs { 400, 401, 404, 429, 500 } do
      sim:fault(("on=rest,action=status,status=%d,retry_after=0,times=2"):format(status))
      gather(client:get_latest_report(feeds[1].id))
      sim:clear_faults()
      sim:fault(("on=ws,action=status,status=%d"):format(status))
      local refused = client:stream({ feeds[1].id }, { max_reconnects = 0 })
      gather(refused:read(PATIENCE))
      gather(refused, tostring(refused), refused:stats())
    end
    sim:fault("on=ws,action=garbage,after=1", "on=ws,action=drop,after=2")
    local stream = client:stream { feeds[1].id }
    for _ = 1, 5 do gather(stream:read(PATIENCE)) end
    gather(stream, tostring(stream), stream:stats())
    gather(pcall(client.get_latest_report, client, "x"))
    gather(select(2, pcall(sim.client, sim, { api_secret = 5 })))
    gather(select(2, pcall(sim.client, sim, { api_secret = "the-secret-0001\n" })))
    gather(select(2, pcall(sim.client, sim, { headers = { Authorization = "the-header-0001" } })))
    client:close()
    gather(client, stream, stream:read())

    assert.is_true(#record.logs > 20 and #record.statuses > 10 and #record.responses > 5)
    local text = record:text() .. recorder.text_of(gathered)
    assert.is_truthy(text:find(feeds[1].id, 1, true))
    for _, secret in ipairs { "the-secret-0001", "the-key-0001", "the-header-0001", "X-Authorization" } do
      local at = text:find(secret, 1, true)
      assert.is_nil(at, at and text:sub(math.max(1, at - 100), at + 60))
    end
  end)
end)
