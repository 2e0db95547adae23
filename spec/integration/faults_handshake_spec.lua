-- SPDX-License-Identifier: MIT
-- Handshakes that go wrong: each attempt ends in time, is told with its reason, and is repeated or not as promised.

local socket = require "socket"

local expect = require "spec.support.failure"
local faults = require "spec.support.faults"
local recorder = require "spec.support.recorder"
local tls_server = require "spec.support.tls_server"

local failure, says = expect.failure, expect.says

describe("a handshake", function()
  local service

  setup(function() service = faults.service(nil, { connect_timeout = 1 }) end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  local SLOW = "within 1 s"

  -- The states, and the event of the attempt that failed. An attempt that a slow machine did not finish in time is left
  -- out, except the first where that is what is expected.
  local function attempts(record, reason)
    local states, again = {}, nil
    for _, event in ipairs(record.statuses) do
      local failed = event.state == "reconnecting"
      if failed and event.reason:find(SLOW, 1, true) and (again or reason ~= SLOW) then
        table.remove(states)
      else
        states[#states + 1] = event.state
        again = again or (failed and event or nil)
      end
    end
    return states, again
  end

  -- The first attempt fails with that reason, and the second is good.
  local function repeated(fault, reason, check)
    service.sim:fault(fault)
    local stream, record = service:stream()
    faults.read_until(stream, function(list) return #list >= 3 and record:status "connected" end)
    local states, again = attempts(record, reason)
    assert.are.same({ "connecting", "reconnecting", "connecting", "connected" }, states)
    says({ message = again.reason }, reason)
    if check then check(again) end
    stream:close()
  end

  -- The stream ends at once, after one attempt.
  local function ends(fault, kind, fields)
    service.sim:fault(fault)
    local before = service.sim:answered "/api/v1/ws"
    local stream, record = service:stream()
    local err = failure(kind, fields, stream:read(faults.patience))
    assert.are.same({ "connecting", "failed" }, record:states())
    assert.are.equal(1, service.sim:answered "/api/v1/ws" - before)
    stream:close()
    return err
  end

  for fault, reason in pairs {
    ["on=accept,action=reset"] = "",
    ["on=accept,action=drop"] = "",
    ["on=accept,action=silence"] = SLOW,
    ["on=ws,action=silence"] = SLOW,
    ["on=ws,action=slow,ms=1000"] = SLOW,
    ["on=ws,action=redirect,status=301"] = "redirect",
    ["on=ws,action=redirect"] = "redirect",
    ["on=ws,action=upgrade,kind=none"] = "without a WebSocket upgrade",
    ["on=ws,action=upgrade,kind=key"] = "the handshake with",
    ["on=ws,action=upgrade,kind=protocol"] = "the handshake with",
  } do
    it("is repeated after " .. fault, function() repeated(fault, reason) end)
  end

  it("is not led elsewhere by a redirect", function()
    local before = service.sim:answered "other"
    repeated("on=ws,action=redirect", "redirect")
    assert.are.equal(before, service.sim:answered "other")
  end)

  for _, status in ipairs { 429, 500, 502, 503 } do
    it(("is repeated after %d"):format(status), function()
      repeated(("on=ws,action=status,status=%d"):format(status), tostring(status))
    end)

    it(("is repeated after %d when it says"):format(status), function()
      repeated(("on=ws,action=status,status=%d,retry_after=1"):format(status), tostring(status), function(again)
        assert.are.equal(1, again.delay)
      end)
    end)
  end

  for status, kind in pairs { [400] = "APIError", [401] = "AuthenticationError", [403] = "AuthenticationError",
    [404] = "APIError" } do
    it(("is not repeated after %d"):format(status), function()
      ends(("on=ws,action=status,status=%d,times=0"):format(status), kind, { status = status, retryable = false })
    end)
  end

  for _, skew in ipairs { -9, 9 } do
    it(("names a service's clock %d s apart"):format(skew), function()
      service:control("clock?offset=" .. skew)
      local stream = service:stream()
      local err = failure("AuthenticationError", { status = 401 }, stream:read(faults.patience))
      assert.is_true(math.abs(err.clock_skew + skew) < 3, tostring(err.clock_skew))
      stream:close()
    end)
  end

  -- A stream of an address where nothing is.
  local function fails_at(url, kind, reason)
    local client = service.sim:client { ws_url = url, connect_timeout = 1 }
    local stream = client:stream(service.ids, { max_reconnects = 1, reconnect_delay = 0.01 })
    says(failure(kind, { retryable = true }, stream:read(faults.patience)), reason)
    client:close()
  end

  it("that is refused fails with its reason", function()
    fails_at("wss://127.0.0.1:1", "NetworkError", "refused")
  end)

  -- What HTTP/2 asks for is not offered on a WebSocket: a server that insists on it ends the handshake.
  it("that a server would have over HTTP/2 alone is repeated", function()
    local server = assert(tls_server.start "-alpn h2")
    local client = server:client()
    finally(function()
      client:close()
      server:stop()
    end)
    local record = recorder.new()
    local stream = client:stream(service.ids,
      { max_reconnects = 1, reconnect_delay = 0.01, on_status = record:options().on_status })
    says(failure("NetworkError", { retryable = true }, stream:read(faults.patience)),
      "the server accepts no application protocol that was offered")
    assert.are.same({ "connecting", "reconnecting", "connecting", "failed" }, record:states())
  end)

  it("is over HTTP/1.1 where a server prefers HTTP/2", function()
    local server = assert(tls_server.start "-alpn h2,http/1.1")
    local client = server:client()
    finally(function()
      client:close()
      server:stop()
    end)
    local stream = client:stream(service.ids, { max_reconnects = 0 })
    says(failure("NetworkError", { status = 200 }, stream:read(faults.patience)), "without a WebSocket upgrade")
  end)

  it("whose SYN nobody answers ends at connect_timeout", function()
    local server = assert(socket.bind("127.0.0.1", 0, 0))
    local _, port = server:getsockname()
    local fillers = {}
    for i = 1, 4 do -- the queue of connections not accepted is full after one or two
      fillers[i] = socket.tcp()
      fillers[i]:settimeout(0)
      fillers[i]:connect("127.0.0.1", port)
    end
    finally(function()
      for _, filler in ipairs(fillers) do filler:close() end
      server:close()
    end)
    fails_at("wss://127.0.0.1:" .. port, "TimeoutError", "within 1 s")
  end)
end)

describe("one origin's handshake", function()
  local service

  setup(function() service = faults.service(nil, { connect_timeout = 1 }) end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  for _, what in ipairs { "status,status=503", "status,status=429,retry_after=1", "silence", "redirect" } do
    it("failing by " .. what .. " does not hold up the other's reports", function()
      service.sim:fault("on=ws,origin=o1,times=0,action=" .. what)
      local stream, record = service:stream { ha = true }
      local reports = faults.read_until(stream, function() return faults.count(record, "reconnecting") >= 1 end)
      faults.read(stream, 50, reports)
      service:check_complete(reports)
      local stats = stream:stats()
      assert.are.equal(2, stats.configured_connections)
      assert.are.equal(1, stats.active_connections)
      service:reset()
      faults.read_until(stream, function() return stream:stats().active_connections == 2 end, reports)
      service:check_complete(reports)
      stream:close()
    end)
  end
end)
