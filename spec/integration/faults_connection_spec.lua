-- SPDX-License-Identifier: MIT
-- Connections that end, or are dead without having ended: made anew, with the gap filled.

local faults = require "spec.support.faults"
local says = require("spec.support.failure").says

-- Only where a dead peer is to be found: a slow machine may be late with a pong, and be taken for one.
local PINGS = { ping_interval = 1, pong_timeout = 4 }

describe("a connection", function()
  local service

  setup(function() service = faults.service { feeds = 3 } end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  -- The connection ends with that reason; the next handshakes are refused for a while, so that reports are missed.
  -- Answers how often it ended, always so.
  local function mended(fault, reason, options)
    local stream, record = service:stream(options)
    local reports = faults.read(stream, 20)
    service.sim:fault("on=ws,action=status,status=503,times=4", fault)
    faults.read_until(stream, function() return faults.count(record, "connected") >= 2 end, reports)
    faults.read(stream, 200, reports)
    service:check_complete(reports)
    local stats = stream:stats()
    assert.are.equal(0, stats.lost)
    stream:close()
    for _, event in ipairs(record.statuses) do
      if event.state == "disconnected" then says({ message = event.reason }, reason) end
    end
    return stats.full_reconnects
  end

  local function repaired(fault, reason) assert.are.equal(1, mended(fault, reason)) end

  local function found_dead(fault)
    assert.is_true(mended(fault, "no pong within 4 s", PINGS) >= 1)
  end

  for _, code in ipairs { 1000, 1001, 1008, 1011, 1012, 1013 } do
    it(("that ends by close code %d loses nothing"):format(code), function()
      repaired(("on=live,action=close,code=%d"):format(code), ("(%d)"):format(code))
    end)
  end

  it("that is reset loses nothing", function() repaired("on=live,action=reset", "the connection was lost") end)
  it("that ends without a word loses nothing", function()
    repaired("on=live,action=drop", "the connection was lost")
  end)
  it("that ends in a message loses nothing", function()
    repaired("on=live,action=half,kind=drop", "the connection was lost")
  end)

  it("that is half open is found dead", function() found_dead "on=live,action=freeze" end)
  it("that stops in a message is found dead", function() found_dead "on=live,action=half,kind=freeze" end)
  it("with reports but no pongs is found dead", function() found_dead "on=live,action=stop_pongs" end)

  it("with pongs but no reports is found stale", function()
    assert.is_true(mended("on=live,action=quiet", "no report", { stale_timeout = 2 }) >= 1)
  end)

  it("with pongs but no reports stays, where nobody asked for stale_timeout", function()
    local stream, record = service:stream()
    faults.read(stream, 5)
    service.sim:fault "on=live,action=quiet;action=drop"
    local report, err
    repeat report, err = stream:read(3) until not report
    assert.are.equal("TimeoutError", err.kind)
    assert.are.equal(0, faults.count(record, "disconnected"))
    stream:close()
  end)

  it("with pongs but no reports has none whatever else goes wrong with it", function()
    local stream = service:stream()
    faults.read(stream, 5)
    service.sim:fault "on=live,action=quiet"
    service.sim:fault "on=live,action=duplicate,count=10"
    local report, err
    for _ = 1, 50 do -- some were on their way
      report, err = stream:read(3)
      if not report then break end
    end
    assert.are.equal("TimeoutError", report and "a report" or err.kind)
    stream:close()
  end)
end)

describe("one of two connections", function()
  local service

  setup(function() service = faults.service({ feeds = 3 }, { ha = true }) end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  for how, options in pairs {
    ["close,code=1011"] = {}, drop = {}, reset = {}, freeze = PINGS, half = PINGS, stop_pongs = PINGS,
  } do
    it("may go by " .. how .. ": a partial reconnect", function()
      local stream, record = service:stream(options)
      assert(stream:connect(faults.patience))
      local reports = faults.read_until(stream, function() return faults.count(record, "connected") == 2 end)
      service.sim:fault("on=live,origin=o1,action=" .. how)
      faults.read_until(stream, function() return faults.count(record, "connected") == 3 end, reports)
      faults.read(stream, 100, reports)
      service:check_complete(reports)
      local stats = stream:stats()
      assert.are.equal(1, stats.partial_reconnects)
      assert.are.equal(0, stats.full_reconnects)
      assert.are.equal("o1", record:status("disconnected").origin)
      stream:close()
    end)
  end

  it("and then the other: a full reconnect", function()
    local stream, record = service:stream()
    local reports = faults.read_until(stream, function() return faults.count(record, "connected") == 2 end)
    service:control "down?what=o1"
    service:control "down?what=o2"
    faults.read_until(stream, function() return faults.count(record, "reconnecting") >= 4 end, reports)
    service:control "up?what=all"
    faults.read_until(stream, function() return stream:stats().active_connections == 2 end, reports)
    faults.read(stream, 100, reports)
    service:check_complete(reports)
    assert.are.equal(1, stream:stats().full_reconnects)
    stream:close()
  end)
end)
