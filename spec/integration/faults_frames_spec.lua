-- SPDX-License-Identifier: MIT
-- Frames: legal ones work whatever their shape, illegal ones end that connection, and no more memory than the cap is
-- used for any.

local faults = require "spec.support.faults"
local says = require("spec.support.failure").says

describe("frames", function()
  local service

  setup(function() service = faults.service() end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  -- Goes on over the same connection, with nothing lost.
  local function bears(fault, reports, more)
    service.sim:fault(fault)
    local stream, record = service:stream()
    local list = faults.read(stream, reports)
    service:check_complete(list)
    assert.are.same({ "connecting", "connected" }, record:states())
    if more then more(stream:stats(), record) end
    stream:close()
  end

  -- Ends the connection with that reason; a new one goes on.
  local function ends(fault, reason)
    service.sim:fault(fault)
    local stream, record = service:stream()
    local list = faults.read_until(stream, function() return faults.count(record, "connected") == 2 end)
    faults.read(stream, 5, list)
    service:check_complete(list)
    says({ message = record:status("disconnected").reason }, reason)
    assert.are.equal(1, stream:stats().reconnect_count)
    stream:close()
  end

  for _, bytes in ipairs { 1, 7, 125, 126, 1000 } do
    it(("of %d bytes each are put together"):format(bytes), function()
      bears(("on=ws,action=fragment,bytes=%d"):format(bytes), 10)
    end)
  end

  it("without any payload are a message that does not decode", function()
    bears("on=ws,action=garbage,kind=empty,after=2", 10)
  end)

  it("of 2,000 pings at once are borne", function()
    bears("on=ws,action=ping_flood,count=2000,after=2", 30)
  end)

  it("of 20,000 tiny messages at once are counted, with few lines about them", function()
    bears("on=ws,action=tiny,count=20000,after=2", 30, function(stats, record)
      assert.are.equal(20000, stats.decode_errors)
      assert.is_true(#record.logs < 100, #record.logs .. " log lines")
    end)
  end)

  local illegal = {
    reserved = "a frame with reserved bits: the connection was closed (1002)",
    opcode = "a frame of an unknown kind: the connection was closed (1002)",
    masked = "a masked frame: the connection was closed (1002)",
    control = "a control frame of more than 125 bytes: the connection was closed (1002)",
    fragment = "a control frame in pieces: the connection was closed (1002)",
    continuation = "a continuation of no message: the connection was closed (1002)",
    nested = "a message within another: the connection was closed (1002)",
    utf8 = "a text that is no UTF-8: the connection was closed (1007)",
  }
  for kind, reason in pairs(illegal) do
    it(("that must not be (%s) end the connection"):format(kind), function()
      ends(("on=ws,action=illegal,kind=%s,after=3"):format(kind), "the service sent " .. reason)
    end)
  end

  it("over 1 MiB end the connection", function() ends("on=ws,action=oversize,after=3", "1009") end)
  it("without an end stop at 1 MiB", function() ends("on=ws,action=endless,after=3", "1009") end)
end)
